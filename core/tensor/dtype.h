// SPDX-License-Identifier: GPL-3.0-or-later
// Element types and their conversions. bf16 and f16 are storage: arithmetic happens in f32. A block type stores some
// consecutive values of a row together (quantized_block.h draws them); it has no size per element.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace espalier {

// Operations take the first five, and the block types as weights; the rest exist in files (position ids, masks) and are
// only ever listed.
enum class DType : std::uint8_t {
    F32,
    BF16,
    F16,
    I32,
    U8,
    I8,
    I16,
    I64,
    F64,
    Bool,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q4_K,
    Q5_K,
    Q6_K
};

constexpr bool isBlock(DType type) {
    return type >= DType::Q8_0;
}

constexpr std::size_t bytesOf(DType type) {  // of one element; 0 for block types
    switch (type) {
        case DType::F32:
        case DType::I32:
            return 4;
        case DType::BF16:
        case DType::F16:
            return 2;
        case DType::U8:
        case DType::I8:
        case DType::Bool:
            return 1;
        case DType::I16:
            return 2;
        case DType::I64:
        case DType::F64:
            return 8;
        default:
            return 0;
    }
}

// What is stored together: `values` of a row in `bytes`. A plain type is its own block.
struct BlockSize {
    std::int64_t values = 1;
    std::int64_t bytes = 0;
};
constexpr BlockSize blockOf(DType type) {
    switch (type) {
        case DType::Q8_0:
            return {32, 34};
        case DType::Q4_0:
            return {32, 18};
        case DType::Q4_1:
            return {32, 20};
        case DType::Q5_0:
            return {32, 22};
        case DType::Q5_1:
            return {32, 24};
        case DType::Q4_K:
            return {256, 144};
        case DType::Q5_K:
            return {256, 176};
        case DType::Q6_K:
            return {256, 210};
        default:
            return {1, static_cast<std::int64_t>(bytesOf(type))};
    }
}
// Requires: `values` is a multiple of blockOf(type).values, and the product fits.
constexpr std::int64_t storedBytes(DType type, std::int64_t values) {
    return values / blockOf(type).values * blockOf(type).bytes;
}

std::string_view dtypeName(DType type);  // "f32", "bf16", "i32", "q4_k", ...
std::optional<DType> dtypeFromName(std::string_view name);

constexpr float bf16ToF32(std::uint16_t bits) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
std::uint16_t f32ToBf16(float value);  // round to nearest even; NaN stays NaN
float f16ToF32(std::uint16_t bits);
std::uint16_t f32ToF16(float value);  // round to nearest even; overflow to infinity

}  // namespace espalier
