// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts a template into text, tags and the tokens inside tags. Whitespace control happens here: "-" strips, "+" keeps,
// trim_blocks drops the newline after a block tag, lstrip_blocks the blanks before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier::templates {

enum class TokenKind { Text, OutputBegin, OutputEnd, TagBegin, TagEnd, Name, String, Integer, Float, Symbol, End };

struct Token {
    TokenKind kind = TokenKind::End;
    std::string text;  // of a String: its value
    int line = 0;
};

Result<std::vector<Token>> cutTemplate(std::string_view source, std::string_view where);

}  // namespace espalier::templates
