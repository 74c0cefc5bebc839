// SPDX-License-Identifier: GPL-3.0-or-later
// Token ids as configuration files spell them. Thread: any; no state.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace espalier {

// An id, a list of at most 256 ids, or nothing (absent or null). Ids are below 2^31; negative ones mean
// that there is no such token.
Result<std::vector<std::int32_t>> readTokenIds(const JsonReader& reader, std::string_view key);

}  // namespace espalier
