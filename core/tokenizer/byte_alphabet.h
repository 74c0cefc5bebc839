// SPDX-License-Identifier: GPL-3.0-or-later
// The byte alphabet of byte-level BPE (Radford et al. 2019): every byte stands as one visible character. The bytes
// 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for themselves as Latin-1; the other 68 follow from U+0100 in order.
// Thread: any (constant tables).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

const std::array<std::string, 256>& byteCharacters();  // each byte's character as UTF-8

// The bytes a token spells, or nothing when one of its characters is outside the alphabet.
std::optional<std::string> bytesOfToken(std::string_view token);

}  // namespace espalier
