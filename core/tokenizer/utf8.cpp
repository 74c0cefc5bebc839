// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/utf8.h"

#include <algorithm>

namespace espalier {
namespace {

struct Lead {
    int more;                 // continuation bytes, -1 for a byte that starts nothing
    unsigned char low, high;  // bounds of the second byte
};

Lead leadOf(unsigned char byte) {
    if (byte < 0x80) return {0, 0, 0};
    if (byte < 0xC2) return {-1, 0, 0};
    if (byte < 0xE0) return {1, 0x80, 0xBF};
    if (byte == 0xE0) return {2, 0xA0, 0xBF};
    if (byte == 0xED) return {2, 0x80, 0x9F};
    if (byte < 0xF0) return {2, 0x80, 0xBF};
    if (byte == 0xF0) return {3, 0x90, 0xBF};
    if (byte < 0xF4) return {3, 0x80, 0xBF};
    if (byte == 0xF4) return {3, 0x80, 0x8F};
    return {-1, 0, 0};
}

}  // namespace

Utf8Char decodeUtf8(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    const Lead lead = leadOf(first);
    if (lead.more == 0) return {first, 1, true, false};
    if (lead.more < 0) return {0xFFFD, 1, false, false};
    char32_t code = first & (0x3Fu >> lead.more);
    for (int i = 1; i <= lead.more; ++i) {
        const auto taken = static_cast<std::size_t>(i);
        if (at + taken >= text.size()) return {0xFFFD, taken, false, true};
        const auto byte = static_cast<unsigned char>(text[at + taken]);
        const unsigned char low = i == 1 ? lead.low : 0x80;
        const unsigned char high = i == 1 ? lead.high : 0xBF;
        if (byte < low || byte > high) return {0xFFFD, taken, false, false};
        code = (code << 6) | (byte & 0x3Fu);
    }
    return {code, static_cast<std::size_t>(lead.more) + 1, true, false};
}

void appendUtf8(std::string& out, char32_t code) {
    const auto put = [&](char32_t bits) { out += static_cast<char>(static_cast<unsigned char>(bits)); };
    if (code < 0x80) {
        put(code);
    } else if (code < 0x800) {
        put(0xC0 | (code >> 6));
        put(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        put(0xE0 | (code >> 12));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    } else {
        put(0xF0 | (code >> 18));
        put(0x80 | ((code >> 12) & 0x3F));
        put(0x80 | ((code >> 6) & 0x3F));
        put(0x80 | (code & 0x3F));
    }
}

bool isValidUtf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decodeUtf8(text, at);
        if (!c.valid) return false;
        at += c.bytes;
    }
    return true;
}

std::string repairUtf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const Utf8Char c = decodeUtf8(text, at);
        out += c.valid ? text.substr(at, c.bytes) : kReplacementCharacter;
        at += c.bytes;
    }
    return out;
}

std::size_t completeUtf8(std::string_view text) {
    // A character has at most four bytes, so an unfinished one starts among the last three.
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const std::size_t at = text.size() - back;
        if (decodeUtf8(text, at).unfinished) return at;
    }
    return text.size();
}

std::size_t countUtf8(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace espalier
