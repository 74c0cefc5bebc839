// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/telemetry/log_ring.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>

#include "core/base/check.h"

namespace espalier {
namespace {

constexpr std::array<std::string_view, 5> kLevelNames = {"debug", "info", "warning", "error", "silent"};
constexpr std::size_t kMaxLineBytes = 4096;

spdlog::level::level_enum spdlogLevel(LogLevel level) {
    switch (level) {
        case LogLevel::Debug:
            return spdlog::level::debug;
        case LogLevel::Info:
            return spdlog::level::info;
        case LogLevel::Warning:
            return spdlog::level::warn;
        case LogLevel::Error:
            return spdlog::level::err;
        case LogLevel::Silent:
            break;
    }
    return spdlog::level::off;
}

std::string oneLine(std::string_view text) {
    std::size_t bytes = std::min(text.size(), kMaxLineBytes);
    if (bytes < text.size())  // never cut inside a character
        while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
    std::string line(text.substr(0, bytes));
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    return line;
}

}  // namespace

std::string_view logLevelName(LogLevel level) {
    return kLevelNames[static_cast<std::size_t>(level)];
}

LogLevel logLevelFromName(std::string_view name) {
    const auto found = std::find(kLevelNames.begin(), kLevelNames.end(), name);
    return found == kLevelNames.end() ? LogLevel::Info : static_cast<LogLevel>(found - kLevelNames.begin());
}

struct LogRing::State {
    State(const Clock& c, std::size_t n)
        : clock(c), capacity(n), logger("espalier", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {}

    const Clock& clock;
    const std::size_t capacity;
    spdlog::logger logger;
    mutable std::mutex mutex;
    std::deque<LogRecord> lines;
};

LogRing::LogRing(const Clock& clock, LogLevel stderrFrom, std::size_t capacity)
    : m_state(std::make_unique<State>(clock, capacity)) {
    CHECK(capacity > 0);
    m_state->logger.set_level(spdlogLevel(stderrFrom));
    m_state->logger.flush_on(spdlog::level::debug);
    m_state->logger.set_pattern("%H:%M:%S.%e %-7l %v");
    m_state->logger.set_error_handler([](const std::string&) {});  // a closed standard error is not our failure
}

LogRing::~LogRing() = default;

LogRecord LogRing::append(LogLevel level, std::string_view source, std::string_view text) {
    LogRecord record{m_state->clock.unixMilliseconds(), std::string(logLevelName(level)), oneLine(source),
                     oneLine(text)};
    m_state->logger.log(spdlogLevel(level), "{}: {}", record.source, record.text);
    const std::lock_guard lock(m_state->mutex);
    if (m_state->lines.size() == m_state->capacity) m_state->lines.pop_front();
    m_state->lines.push_back(record);
    return record;
}

std::vector<LogRecord> LogRing::newest(std::size_t count) const {
    const std::lock_guard lock(m_state->mutex);
    const std::size_t given = std::min(count, m_state->lines.size());
    return {m_state->lines.end() - static_cast<std::ptrdiff_t>(given), m_state->lines.end()};
}

}  // namespace espalier
