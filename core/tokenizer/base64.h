// SPDX-License-Identifier: GPL-3.0-or-later
// Base64 (RFC 4648, section 4) to bytes.
// Thread: any (free functions).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// Nothing when a character is outside the alphabet or the padding is wrong.
std::optional<std::string> bytesOfBase64(std::string_view text);

}  // namespace espalier
