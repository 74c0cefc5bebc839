// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/prometheus_text.h"

#include <cmath>
#include <cstdio>

namespace espalier {
namespace {

void appendEscaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
}

}  // namespace

void printFamily(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
    for (const auto& [keyword, text] : {std::pair("# HELP ", help), {"# TYPE ", type}}) {
        out += keyword;
        out += name;
        out += ' ';
        out += text;
        out += '\n';
    }
}

void printSample(std::string& out, std::string_view name, MetricLabels labels, double value) {
    out += name;
    char before = '{';
    for (const auto& [label, text] : labels) {
        out += before;
        out += label;
        out += "=\"";
        appendEscaped(out, text);
        out += '"';
        before = ',';
    }
    if (labels.size() > 0) out += '}';
    out += ' ';
    out += metricNumber(value);
    out += '\n';
}

std::string metricName(std::string_view bareName) {
    return "espalier:" + std::string(bareName);
}

std::string metricNumber(double value) {
    constexpr double kMostWhole = 9007199254740992.0;  // 2^53: beyond, a double skips some
    const bool isWhole = std::abs(value) <= kMostWhole && value == std::trunc(value);
    char text[32];
    std::snprintf(text, sizeof text, isWhole ? "%.0f" : "%.10g", value);
    return text;
}

}  // namespace espalier
