// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/graphemes.h"

#include <unicode/uchar.h>

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

struct Character {
    int kind;  // UGraphemeClusterBreak
    bool isPictograph;
};

Character characterOf(char32_t code) {
    if (code >= 0x20 && code < 0x7F) return {U_GCB_OTHER, false};
    const auto c = static_cast<UChar32>(code);
    return {u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK),
            u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) != 0};
}

bool isControl(int kind) {
    return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

bool isHangulPair(int left, int right) {  // GB6 to GB8
    if (left == U_GCB_L) return right == U_GCB_L || right == U_GCB_V || right == U_GCB_LV || right == U_GCB_LVT;
    if (left == U_GCB_LV || left == U_GCB_V) return right == U_GCB_V || right == U_GCB_T;
    return (left == U_GCB_LVT || left == U_GCB_T) && right == U_GCB_T;
}

}  // namespace

std::size_t graphemeEnd(std::string_view text, std::size_t at) {
    const Utf8Char first = decodeUtf8(text, at);
    Character left = characterOf(first.code);
    at += first.bytes;
    // What GB11 and GB12 look back on: a pictograph with extenders behind it, an odd number of regional indicators.
    bool followsPictograph = left.isPictograph;
    bool oddIndicators = left.kind == U_GCB_REGIONAL_INDICATOR;
    while (at < text.size()) {
        const Utf8Char next = decodeUtf8(text, at);
        const Character right = characterOf(next.code);
        bool joins = false;
        if (left.kind == U_GCB_CR)
            joins = right.kind == U_GCB_LF;
        else if (!isControl(left.kind) && !isControl(right.kind))
            joins = isHangulPair(left.kind, right.kind) || right.kind == U_GCB_EXTEND || right.kind == U_GCB_ZWJ ||
                    right.kind == U_GCB_SPACING_MARK || left.kind == U_GCB_PREPEND ||
                    (left.kind == U_GCB_ZWJ && followsPictograph && right.isPictograph) ||
                    (oddIndicators && right.kind == U_GCB_REGIONAL_INDICATOR);
        if (!joins) break;
        oddIndicators = right.kind == U_GCB_REGIONAL_INDICATOR && !oddIndicators;
        followsPictograph =
            right.isPictograph || (followsPictograph && (right.kind == U_GCB_EXTEND || right.kind == U_GCB_ZWJ));
        left = right;
        at += next.bytes;
    }
    return at;
}

}  // namespace espalier
