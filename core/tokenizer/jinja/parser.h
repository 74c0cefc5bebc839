// SPDX-License-Identifier: GPL-3.0-or-later
// Reads a template into its tree. The grammar is Jinja 3's as far as published chat templates use it; what is left out
// (include, import, extends, blocks, autoescape, recursive loops) is refused by name.
// Thread: any (a free function).
#pragma once

#include <string_view>

#include "core/base/result.h"
#include "core/tokenizer/jinja/ast.h"

namespace espalier::jinja {

// Errors: corrupt_file (syntax), unsupported (names the construct), too_large (nesting); each with the line.
Result<Body> parseTemplate(std::string_view source);

}  // namespace espalier::jinja
