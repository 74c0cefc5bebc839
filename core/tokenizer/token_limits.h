// SPDX-License-Identifier: GPL-3.0-or-later
// What a tokenizer.json may hold, far above any published one, and the sentences when it holds more.
// Thread: any (constants and free functions).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/json.h"

namespace espalier {

inline constexpr std::size_t kMaxTokens = 4u << 20;
inline constexpr std::size_t kMaxMerges = 8u << 20;
inline constexpr std::size_t kMaxAddedTokens = 1u << 20;
inline constexpr std::size_t kMaxTokenBytes = 4096;
inline constexpr std::size_t kMaxAddedTokenBytes = 1024;
inline constexpr std::size_t kMaxNormalizedTokenBytes = 4 * kMaxAddedTokenBytes;  // of an added token
inline constexpr std::int64_t kMaxTokenId = INT32_MAX;
inline constexpr std::size_t kMaxEncodedBytes = 256u << 20;

// What a normaliser may make of a text; published ones make at most some twenty times of it.
constexpr std::size_t mostNormalizedBytes(std::size_t bytes) {
    return bytes < kMaxEncodedBytes / 64 ? std::size_t{4096} + 64 * bytes : kMaxEncodedBytes;
}

Error tooMany(const std::string& where, std::string_view what, std::size_t found, std::size_t most);
// `where: the WHAT "TYPE" is not supported; understood are KNOWN`
Error unknownType(const std::string& where, std::string_view what, std::string_view type, std::string_view known);
std::string inQuotes(std::string_view text);    // in double quotes, cut after 60 bytes, control bytes escaped
std::string byteTokenName(unsigned char byte);  // "<0x0A>"

}  // namespace espalier
