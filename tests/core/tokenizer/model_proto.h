// SPDX-License-Identifier: GPL-3.0-or-later
// Protocol-buffer fields and SentencePiece pieces as bytes, to write files that lie.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

namespace espalier::test {

inline std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(static_cast<unsigned char>(value | 0x80));
    return out + static_cast<char>(static_cast<unsigned char>(value));
}

// A text, bytes or a message.
inline std::string bytes(std::uint64_t field, const std::string& content) {
    return varint(field << 3 | 2) + varint(content.size()) + content;
}

inline std::string fixed32(std::uint64_t field, std::uint32_t bits) {
    std::string out = varint(field << 3 | 5);
    for (int i = 0; i < 4; ++i) out += static_cast<char>(static_cast<unsigned char>(bits >> (8 * i)));
    return out;
}

inline std::string piece(const std::string& text, float score, std::uint64_t type) {
    return bytes(1, bytes(1, text) + fixed32(2, std::bit_cast<std::uint32_t>(score)) + varint(3 << 3) + varint(type));
}

}  // namespace espalier::test
