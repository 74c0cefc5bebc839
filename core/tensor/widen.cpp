// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/widen.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/base/check.h"

namespace espalier {
namespace {

// Without a branch, so that it compiles to vectors: the 15 bits below the sign, moved to where f32 has its exponent,
// are the value divided by 2^112, subnormal or not.
float finiteF16ToF32(std::uint16_t bits) {
    const std::uint32_t wide = bits;
    const float magnitude = std::bit_cast<float>((wide & 0x7fffu) << 13) * 0x1p112f;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | (wide & 0x8000u) << 16);
}

template <float (*toFloat)(std::uint16_t)>
void widenHalves(std::span<const std::byte> stored, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, stored.data() + 2 * i, sizeof bits);
        out[i] = toFloat(bits);
    }
}

}  // namespace

void widenFinite(DType type, std::span<const std::byte> stored, std::span<float> out) {
    CHECK(stored.size() == out.size() * bytesOf(type));
    if (out.empty()) return;
    switch (type) {
        case DType::F32:
            return void(std::memcpy(out.data(), stored.data(), stored.size()));
        case DType::BF16:
            return widenHalves<bf16ToF32>(stored, out);
        default:
            CHECK(type == DType::F16);
            return widenHalves<finiteF16ToF32>(stored, out);
    }
}

}  // namespace espalier
