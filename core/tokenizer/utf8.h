// SPDX-License-Identifier: GPL-3.0-or-later
// UTF-8 as bytes from outside: decoding that never reads past the end and says what is wrong where. Ill-formed bytes
// are replaced by U+FFFD, one per maximal subpart (Unicode 15, section 3.9), as Rust's and Python's decoders do.
// Thread: any (free functions).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace espalier {

inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";  // U+2581, a space in SentencePiece vocabularies
inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

struct Utf8Char {
    char32_t code = 0;      // U+FFFD when ill-formed
    std::size_t bytes = 0;  // at least 1
    bool valid = false;
    bool unfinished = false;  // ill-formed only because the text ends here
};

// Requires: at < text.size().
Utf8Char decodeUtf8(std::string_view text, std::size_t at);

void appendUtf8(std::string& out, char32_t code);
bool isValidUtf8(std::string_view text);
std::string repairUtf8(std::string_view text);

// How many bytes stand before a character that the end of the text cuts off.
std::size_t completeUtf8(std::string_view text);

std::size_t countUtf8(std::string_view text);  // characters of well-formed text

}  // namespace espalier
