// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/marked_text.h"

#include <algorithm>

namespace espalier {
namespace {

// First range that ends after `at`.
auto firstEndingAfter(std::span<const TextRange> sorted, std::size_t at) {
    return std::partition_point(sorted.begin(), sorted.end(), [at](const TextRange& r) { return r.end <= at; });
}

}  // namespace

void MarkedText::append(std::string_view bytes, bool isVerbatim) {
    if (bytes.empty()) return;
    const std::size_t begin = text.size();
    text += bytes;
    if (!isVerbatim) return;
    if (!verbatim.empty() && verbatim.back().end == begin)
        verbatim.back().end = text.size();
    else
        verbatim.push_back({begin, text.size()});
}

void MarkedText::append(const MarkedText& other) {
    append(other, {0, other.text.size()});
}

void MarkedText::append(const MarkedText& other, TextRange range) {
    const std::string_view bytes = other.text;
    std::size_t at = range.begin;
    const std::span<const TextRange> ranges = other.verbatim;
    for (auto it = firstEndingAfter(ranges, range.begin); it != ranges.end() && it->begin < range.end; ++it) {
        const std::size_t begin = std::max(it->begin, range.begin);
        const std::size_t end = std::min(it->end, range.end);
        append(bytes.substr(at, begin - at), false);
        append(bytes.substr(begin, end - begin), true);
        at = end;
    }
    append(bytes.substr(at, range.end - at), false);
}

MarkedText MarkedText::slice(TextRange range) const {
    MarkedText part;
    part.append(*this, range);
    part.startsText = startsText && range.begin == 0;
    return part;
}

void MarkedText::truncate(std::size_t size) {
    text.resize(size);
    while (!verbatim.empty() && verbatim.back().begin >= size) verbatim.pop_back();
    if (!verbatim.empty()) verbatim.back().end = std::min(verbatim.back().end, size);
}

bool overlapsAny(std::span<const TextRange> sorted, TextRange range) {
    const auto it = firstEndingAfter(sorted, range.begin);
    return it != sorted.end() && it->begin < range.end;
}

}  // namespace espalier
