// SPDX-License-Identifier: GPL-3.0-or-later
// Cuts a template into tokens as Jinja 3 does with trim_blocks and lstrip_blocks on: the newline after a block tag and
// the indentation before it are no text, "-" takes all white space on its side, "+" keeps it. One newline at the end
// of the template is dropped. Comments and raw blocks are resolved here.
// Thread: any (a free function).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace espalier::jinja {

struct Token {
    enum class Kind { Text, OutputBegin, OutputEnd, BlockBegin, BlockEnd, Name, String, Integer, Float, Operator, End };
    Kind kind = Kind::End;
    std::string text;  // of strings: their value
    int line = 1;

    bool isName(std::string_view name) const { return kind == Kind::Name && text == name; }
    bool isOperator(std::string_view name) const { return kind == Kind::Operator && text == name; }
};

// The last token is End. Errors: corrupt_file with the line.
Result<std::vector<Token>> tokenizeTemplate(std::string_view source);

// "chat template line 3: ..."
Error templateError(ErrorCode code, int line, std::string_view sentence);

}  // namespace espalier::jinja
