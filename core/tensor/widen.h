// SPDX-License-Identifier: GPL-3.0-or-later
// Stored floats as f32, many at a time. Thread: any; no state.
#pragma once

#include <cstddef>
#include <span>

#include "core/tensor/dtype.h"

namespace espalier {

// Exact for finite values; what a NaN or an infinity becomes is not said, so look for them first (NonFiniteScan).
// Requires: F32, BF16 or F16; `stored` holds out.size() values, at any address.
void widenFinite(DType type, std::span<const std::byte> stored, std::span<float> out);

}  // namespace espalier
