// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/byte_alphabet.h"

#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr int kAlphabetEnd = 0x100 + 68;

struct Alphabet {
    std::array<std::string, 256> characters;
    std::array<int, kAlphabetEnd> bytes;  // by code point, -1 outside

    Alphabet() {
        bytes.fill(-1);
        char32_t next = 0x100;
        for (int byte = 0; byte < 256; ++byte) {
            const bool visible = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            const char32_t code = visible ? static_cast<char32_t>(byte) : next++;
            appendUtf8(characters[static_cast<std::size_t>(byte)], code);
            bytes[code] = byte;
        }
    }
};

const Alphabet& alphabet() {
    static const Alphabet table;
    return table;
}

}  // namespace

const std::array<std::string, 256>& byteCharacters() {
    return alphabet().characters;
}

std::optional<std::string> bytesOfToken(std::string_view token) {
    const auto& bytes = alphabet().bytes;
    std::string out;
    for (std::size_t at = 0; at < token.size();) {
        const Utf8Char c = decodeUtf8(token, at);
        if (c.code >= bytes.size() || bytes[c.code] < 0) return std::nullopt;
        out += static_cast<char>(static_cast<unsigned char>(bytes[c.code]));
        at += c.bytes;
    }
    return out;
}

}  // namespace espalier
