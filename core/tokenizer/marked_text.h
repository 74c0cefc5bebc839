// SPDX-License-Identifier: GPL-3.0-or-later
// MarkedText: text that knows which of its bytes came from outside (message contents, tool arguments). The marks travel
// through templates and normalisers to the tokenizer, which reads special tokens in unmarked bytes only.
// Thread: any (plain values).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct TextRange {  // bytes [begin, end)
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const TextRange&) const = default;
};

struct MarkedText {
    std::string text;
    std::vector<TextRange> verbatim;  // sorted, disjoint, not empty, not touching
    bool startsText = true;           // its first character is (or was made of) the one that the whole text begins with

    // Each appends bytes with their marks.
    void append(std::string_view bytes, bool isVerbatim);
    void append(const MarkedText& other);
    void append(const MarkedText& other, TextRange range);

    MarkedText slice(TextRange range) const;
    void truncate(std::size_t size);  // Requires: size <= text.size()

    // Calls visit(bytes, isVerbatim) for each maximal run, in order.
    template <class Visit>
    void forEachRun(Visit&& visit) const {
        const std::string_view whole = text;
        std::size_t at = 0;
        for (const TextRange& range : verbatim) {
            if (at < range.begin) visit(whole.substr(at, range.begin - at), false);
            visit(whole.substr(range.begin, range.end - range.begin), true);
            at = range.end;
        }
        if (at < whole.size()) visit(whole.substr(at), false);
    }
};

// Whether [begin, end) meets any of the sorted, disjoint ranges. O(log ranges).
bool overlapsAny(std::span<const TextRange> sorted, TextRange range);

}  // namespace espalier
