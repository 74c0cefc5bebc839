// SPDX-License-Identifier: GPL-3.0-or-later
// Extended grapheme clusters (Unicode Standard Annex 29, rules GB3 to GB13), by ICU's property data.
// Thread: any (free functions).
#pragma once

#include <cstddef>
#include <string_view>

namespace espalier {

// Where the cluster that starts at `at` ends. Requires: text is well-formed UTF-8, at is a cluster's start below its
// end.
std::size_t graphemeEnd(std::string_view text, std::size_t at);

}  // namespace espalier
