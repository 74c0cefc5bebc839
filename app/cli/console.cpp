// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/console.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/api/protocol.h"

namespace espalier::cli {
namespace {

constexpr int kBarWidth = 32;

void put(std::FILE* file, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file);
}

// Columns as a reader counts them: bytes that continue a character take no place.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string scaled(double value, double step, const std::vector<const char*>& units) {
    std::size_t unit = 0;
    while (value >= step && unit + 1 < units.size()) {
        value /= step;
        ++unit;
    }
    return fixedText(value, unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2) + units[unit];
}

}  // namespace

void Console::document(const Json& value) const {
    text(dumpJson(value, 2) + "\n");
}

void Console::line(const Json& value) const {
    text(dumpJson(value) + "\n");
    std::fflush(stdout);
}

void Console::text(std::string_view text) const {
    progressEnds();
    put(stdout, text);
}

void Console::table(const std::vector<std::vector<std::string>>& rows) const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (widths.size() <= i) widths.push_back(0);
            widths[i] = std::max(widths[i], width(row[i]));
        }
    std::string out;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            out += row[i];
            if (i + 1 < row.size()) out += std::string(widths[i] - width(row[i]) + 2, ' ');
        }
        out += '\n';
    }
    text(out);
}

void Console::note(std::string_view text) const {
    if (quiet) return;
    progressEnds();
    put(stderr, std::string(text) + "\n");
}

void Console::failure(const Error& error) const {
    progressEnds();
    put(stderr, error.text() + "\n");
    if (json) document({{"error", toJson(error)}});
}

void Console::progress(std::string_view what, double share) const {
    if (quiet || ::isatty(STDERR_FILENO) == 0) return;
    const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * kBarWidth);
    std::string bar = "\r\033[K[" + std::string(static_cast<std::size_t>(filled), '#') +
                      std::string(static_cast<std::size_t>(kBarWidth - filled), ' ') + "] ";
    bar += fixedText(share * 100, 0) + " % " + std::string(what.substr(0, 40));
    put(stderr, bar);
    std::fflush(stderr);
    m_barShown = true;
}

void Console::progressEnds() const {
    if (!std::exchange(m_barShown, false)) return;
    put(stderr, "\r\033[K");
    std::fflush(stderr);
}

std::string bytesText(double bytes) {
    return scaled(bytes, 1024, {" B", " KiB", " MiB", " GiB", " TiB"});
}
std::string countText(double count) {
    return scaled(count, 1000, {"", " k", " M", " B", " T"});
}

std::string fixedText(double value, int digits) {
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

}  // namespace espalier::cli
