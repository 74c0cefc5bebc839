// SPDX-License-Identifier: GPL-3.0-or-later
// Python's string methods on marked text: what is kept keeps its marks, what is inserted brings its own.
// Thread: any (free functions).
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/tokenizer/marked_text.h"

namespace espalier::jinja {

enum class Side { Left, Right, Both };

// What stripping a text of so many bytes is worth: each of its characters is looked for in `characters`.
std::size_t strippingSteps(std::size_t bytes, std::optional<std::string_view> characters);
// Without characters: white space as str.strip() knows it.
MarkedText stripped(const MarkedText& text, Side side, std::optional<std::string_view> characters);
// At most `count` times from the left; all when negative. Requires: old is not empty.
MarkedText replaced(const MarkedText& text, std::string_view old, const MarkedText& with, std::int64_t count);
// Without a separator: at white space, no empty pieces. limit: how many cuts, all when negative.
std::vector<MarkedText> split(const MarkedText& text, std::optional<std::string_view> separator, std::int64_t limit,
                              bool fromRight);
std::vector<MarkedText> splitLines(const MarkedText& text, bool keepEnds);
// How often those find a place to cut. Requires: a separator is not empty.
std::size_t countCuts(const MarkedText& text, std::optional<std::string_view> separator);
std::size_t countLineEnds(const MarkedText& text);
MarkedText upper(const MarkedText& text);
MarkedText lower(const MarkedText& text);
MarkedText capitalized(const MarkedText& text);
// Upper case after each character of `starts` (the title filter), or without it after each non-letter (str.title()).
MarkedText titled(const MarkedText& text, std::optional<std::string_view> starts);
MarkedText indented(const MarkedText& text, const MarkedText& indent, bool first, bool blank);
MarkedText reversed(const MarkedText& text);

bool isPythonSpace(char32_t code);

}  // namespace espalier::jinja
