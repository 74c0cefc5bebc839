// SPDX-License-Identifier: GPL-3.0-or-later
// Element types and their conversions. bf16 and f16 are storage: arithmetic happens in f32.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace espalier {

// Operations take the first five; the rest exist in files (position ids, masks) and are only ever listed.
enum class DType : std::uint8_t { F32, BF16, F16, I32, U8, I8, I16, I64, F64, Bool };

constexpr std::size_t bytesOf(DType type) {
    switch (type) {
        case DType::F32:
        case DType::I32: return 4;
        case DType::BF16:
        case DType::F16: return 2;
        case DType::U8:
        case DType::I8:
        case DType::Bool: return 1;
        case DType::I16: return 2;
        case DType::I64:
        case DType::F64: return 8;
    }
    return 0;
}

std::string_view dtypeName(DType type);                         // "f32", "bf16", "f16", "i32", "u8", ...
std::optional<DType> dtypeFromName(std::string_view name);

constexpr float bf16ToF32(std::uint16_t bits) { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
std::uint16_t f32ToBf16(float value);  // round to nearest even; NaN stays NaN
float f16ToF32(std::uint16_t bits);
std::uint16_t f32ToF16(float value);   // round to nearest even; overflow to infinity

}  // namespace espalier
