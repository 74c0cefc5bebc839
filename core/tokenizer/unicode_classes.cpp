// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/unicode_classes.h"

#include <unicode/uchar.h>

#include <algorithm>

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

UChar32 icu(char32_t code) {
    return static_cast<UChar32>(code);
}

bool isAssignedBy(char32_t code, std::uint8_t major) {
    UVersionInfo age;
    u_charAge(icu(code), age);
    return age[0] < major || (age[0] == major && age[1] == 0);
}

bool isOneOf(char32_t code, std::initializer_list<char32_t> list) {
    return std::find(list.begin(), list.end(), code) != list.end();
}

struct CodeRange {
    char32_t first, last;
};
constexpr CodeRange kIdeographs[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
                                     {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F}};

}  // namespace

bool isWhiteSpace(char32_t code) {
    return u_isUWhiteSpace(icu(code));
}

bool isOtherCharacter(char32_t code) {
    if (code < 0x7F) return code < 0x20;
    return (U_GET_GC_MASK(icu(code)) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && isAssignedBy(code, 8);
}

bool isPunctuation(char32_t code) {
    if (code < 0x80) return code > 0x20 && code < 0x7F && !u_isalnum(icu(code));
    if (isOneOf(code, {0x166D, 0x111C9})) return true;
    return (U_GET_GC_MASK(icu(code)) & U_GC_P_MASK) != 0 && isAssignedBy(code, 8);
}

bool isNonspacingMark(char32_t code) {
    if (code < 0x300) return false;
    if (code == 0x1734) return true;
    if (isOneOf(code, {0x1885, 0x1886, 0xA9BD, 0x111C9})) return false;
    return u_charType(icu(code)) == U_NON_SPACING_MARK && isAssignedBy(code, 8);
}

bool isCombiningMark(char32_t code) {
    if (code < 0x300) return false;
    if (isOneOf(code, {0x1CF2, 0x1CF3})) return true;
    if (code == 0x111C9) return false;
    return (U_GET_GC_MASK(icu(code)) & U_GC_M_MASK) != 0 && isAssignedBy(code, 9);
}

bool isCjkIdeograph(char32_t code) {
    return std::any_of(std::begin(kIdeographs), std::end(kIdeographs),
                       [code](const CodeRange& range) { return code >= range.first && code <= range.last; });
}

void appendLowerCase(std::string& out, char32_t code) {
    if (code < 0x80)
        out += static_cast<char>(code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code);
    else if (code == 0x130)
        out += "i\xCC\x87";  // the only one that becomes two characters
    else
        appendUtf8(out, static_cast<char32_t>(u_tolower(icu(code))));
}

}  // namespace espalier
