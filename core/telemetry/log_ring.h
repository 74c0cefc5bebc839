// SPDX-License-Identifier: GPL-3.0-or-later
// LogRing: the newest log lines in memory, for the workbench's log and for bug reports; each line also goes to standard
// error unless the program asked for quiet.
//
// Owner: the engine. Thread: any.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace espalier {

struct LogRecord {
    std::int64_t at = 0;  // Unix milliseconds
    std::string level;    // "debug", "info", "warning", "error"
    std::string source;   // "import", "serve", "api"
    std::string text;
};

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error, Silent };
std::string_view logLevelName(LogLevel level);
LogLevel logLevelFromName(std::string_view name);  // an unknown name reads as Info

class LogRing {
public:
    // Lines at or above `stderrFrom` are also written to standard error; Silent writes none. Requires: capacity > 0.
    LogRing(const Clock& clock, LogLevel stderrFrom, std::size_t capacity = 4096);
    ~LogRing();
    LogRing(const LogRing&) = delete;

    // Line breaks and control characters in text become spaces, so a line stays a line; it is cut at 4 KiB.
    LogRecord append(LogLevel level, std::string_view source, std::string_view text);

    std::vector<LogRecord> newest(std::size_t count) const;  // oldest of them first

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace espalier
