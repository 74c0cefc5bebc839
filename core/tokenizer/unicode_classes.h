// SPDX-License-Identifier: GPL-3.0-or-later
// The character classes of `tokenizers`, from ICU's data. Its tables are those of Unicode 8 (categories) and 9
// (combining marks); characters assigned later count as unassigned, and the few that were reclassified since keep their
// old class. White space and lower case follow ICU's Unicode version.
// Thread: any (free functions).
#pragma once

#include <string>

namespace espalier {

bool isWhiteSpace(char32_t code);                       // White_Space
bool isOtherCharacter(char32_t code);                   // Cc, Cf, Co
bool isPunctuation(char32_t code);                      // P*, and the ASCII symbols
bool isNonspacingMark(char32_t code);                   // Mn
bool isCombiningMark(char32_t code);                    // Mn, Mc, Me
bool isCjkIdeograph(char32_t code);                     // the blocks BERT puts spaces around
void appendLowerCase(std::string& out, char32_t code);  // one character at a time, whatever stands beside it

}  // namespace espalier
