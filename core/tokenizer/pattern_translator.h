// SPDX-License-Identifier: GPL-3.0-or-later
// Oniguruma's Ruby syntax, in which tokenizer.json spells its patterns, in PCRE2's. A construct that the two read
// differently is spelled so that both mean the same, or refused by name; a letter behind a backslash that is not known
// here is refused too. What stays PCRE2's: the Unicode version of its properties, and \X.
// Thread: any; no state. Source: Oniguruma doc/RE and doc/SYNTAX.md, pcre2pattern(3).
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace espalier {

// For PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE. What is no pattern in either syntax is left for PCRE2 to refuse.
// Error unsupported names `where` and the construct.
Result<std::string> pcreFromOniguruma(std::string_view pattern, std::string_view where);

}  // namespace espalier
