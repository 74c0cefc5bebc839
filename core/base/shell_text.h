// SPDX-License-Identifier: GPL-3.0-or-later
// Text as a POSIX shell reads it, for command lines that people copy.
#pragma once

#include <string>
#include <string_view>

namespace espalier {

// One word: as it is when no character of it means anything to a shell, else in single quotes.
std::string shellQuoted(std::string_view word);

}  // namespace espalier
