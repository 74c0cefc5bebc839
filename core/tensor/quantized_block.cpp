// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tensor/quantized_block.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/base/check.h"

namespace espalier {
namespace {

std::uint16_t half(const std::byte* at) {
    std::uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return bits;
}

std::uint8_t byteAt(const std::byte* at) {
    return std::to_integer<std::uint8_t>(*at);
}

// Runs of 2n values: the low halves of n bytes, then the high ones.
void unpackNibbles(const std::byte* from, int count, int n, std::uint8_t* to) {
    for (int i = 0; i < count; ++i) {
        const int inRun = i % (2 * n);
        const std::uint8_t both = byteAt(from + i / (2 * n) * n + inRun % n);
        to[i] = inRun < n ? both & 15 : both >> 4;
    }
}

void addFifthBits(const std::byte* high, std::uint8_t* quants) {
    std::uint32_t bits;
    std::memcpy(&bits, high, sizeof bits);
    for (int i = 0; i < 32; ++i) quants[i] = static_cast<std::uint8_t>(quants[i] | (bits >> i & 1u) << 4);
}

// Twelve bytes of 6-bit numbers: scales 0 to 3 and minima 0 to 3 in the low six bits of the first eight bytes; the rest
// has its low four bits in the last four bytes and its high two bits on top of the first eight.
void unpackSubScales(const std::byte* packed, UnpackedBlock& block) {
    for (std::size_t i = 0; i < 4; ++i) {
        const std::uint8_t scale = byteAt(packed + i);
        const std::uint8_t minimum = byteAt(packed + 4 + i);
        const std::uint8_t rest = byteAt(packed + 8 + i);
        block.subScales[i] = scale & 63;
        block.subMinima[i] = minimum & 63;
        block.subScales[4 + i] = static_cast<std::uint8_t>((rest & 15) | (scale >> 2 & 48));
        block.subMinima[4 + i] = static_cast<std::uint8_t>(rest >> 4 | (minimum >> 2 & 48));
    }
}

void unpackSixBits(const std::byte* block, UnpackedBlock& unpacked) {
    unpackNibbles(block, 256, 64, unpacked.quants.data());
    for (int i = 0; i < 256; ++i) {
        const int high = byteAt(block + 128 + i / 128 * 32 + i % 32) >> (i / 32 % 4 * 2) & 3;
        auto& quant = unpacked.quants[static_cast<std::size_t>(i)];
        quant = static_cast<std::uint8_t>(quant | high << 4);
    }
    std::memcpy(unpacked.subScales.data(), block + 192, 16);
}

struct Fields {  // byte offsets; -1: the type has no such field
    int scale, minimum, subScales, high, quants, run;
};
constexpr Fields fieldsOf(DType type) {
    switch (type) {
        case DType::Q4_0:
            return {0, -1, -1, -1, 2, 16};
        case DType::Q4_1:
            return {0, 2, -1, -1, 4, 16};
        case DType::Q5_0:
            return {0, -1, -1, 2, 6, 16};
        case DType::Q5_1:
            return {0, 2, -1, 4, 8, 16};
        case DType::Q4_K:
            return {0, 2, 4, -1, 16, 32};
        case DType::Q5_K:
            return {0, 2, 4, 16, 48, 32};
        case DType::Q6_K:
            return {208, -1, 192, 128, 0, 64};
        default:
            return {0, -1, -1, -1, 2, 0};
    }
}

// 0 where there is none: for a scale of 0, and for one so small that only 0 is stored.
float inverseOf(float scale) {
    const float inverse = 1.0f / scale;
    return std::isfinite(inverse) ? inverse : 0.0f;
}

// std::round in a form that compiles to vectors: half away from zero. Requires: |value| < 2^31.
int rounded(float value) {
    const auto whole = static_cast<int>(value);
    const float rest = value - static_cast<float>(whole);  // exact
    return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

// Magnitudes of finite floats compare like their bits, which compilers do in vectors.
std::int32_t magnitudeBits(float value) {
    return std::bit_cast<std::int32_t>(value) & 0x7fffffff;
}

std::int32_t largestMagnitudeBits(const float* values) {
    std::int32_t largest = 0;
    for (int i = 0; i < 32; ++i) largest = std::max(largest, magnitudeBits(values[i]));
    return largest;
}

void quantizeQ8(const float* values, std::byte* block) {
    const float scale = std::bit_cast<float>(largestMagnitudeBits(values)) / 127.0f;
    const float inverse = inverseOf(scale);
    const std::uint16_t stored = f32ToF16(scale);
    std::memcpy(block, &stored, sizeof stored);
    for (int i = 0; i < 32; ++i) block[2 + i] = static_cast<std::byte>(rounded(values[i] * inverse));
}

// The value of the largest magnitude, the first of several, becomes -8, so the scale has its opposite sign.
void quantizeQ4(const float* values, std::byte* block) {
    const std::int32_t largest = largestMagnitudeBits(values);
    const float* const first =
        std::find_if(values, values + 32, [&](float value) { return magnitudeBits(value) == largest; });
    const float scale = *first / -8.0f;
    const float inverse = inverseOf(scale);
    const std::uint16_t stored = f32ToF16(scale);
    std::memcpy(block, &stored, sizeof stored);
    std::array<int, 32> quants;
    for (std::size_t i = 0; i < 32; ++i) quants[i] = std::clamp(static_cast<int>(values[i] * inverse + 8.5f), 0, 15);
    for (std::size_t i = 0; i < 16; ++i) block[2 + i] = static_cast<std::byte>(quants[i] | quants[16 + i] << 4);
}

}  // namespace

UnpackedBlock unpackBlock(DType type, const std::byte* block) {
    CHECK(isBlock(type));
    const Fields fields = fieldsOf(type);
    UnpackedBlock unpacked;
    unpacked.scale = half(block + fields.scale);
    if (fields.minimum >= 0) unpacked.minimum = half(block + fields.minimum);
    if (type == DType::Q6_K) {
        unpackSixBits(block, unpacked);
    } else if (type == DType::Q8_0) {
        std::memcpy(unpacked.quants.data(), block + fields.quants, 32);
    } else {
        unpackNibbles(block + fields.quants, static_cast<int>(blockOf(type).values), fields.run,
                      unpacked.quants.data());
        if (fields.subScales >= 0) unpackSubScales(block + fields.subScales, unpacked);
        if (type == DType::Q5_K) {
            for (int i = 0; i < 256; ++i) {
                const int bit = byteAt(block + fields.high + i % 32) >> (i / 32) & 1;
                auto& quant = unpacked.quants[static_cast<std::size_t>(i)];
                quant = static_cast<std::uint8_t>(quant | bit << 4);
            }
        } else if (fields.high >= 0) {
            addFifthBits(block + fields.high, unpacked.quants.data());
        }
    }
    return unpacked;
}

void dequantize(DType type, const std::byte* blocks, std::span<float> out) {
    const BlockSize size = blockOf(type);
    CHECK(static_cast<std::int64_t>(out.size()) % size.values == 0);
    for (std::size_t first = 0; first < out.size();
         first += static_cast<std::size_t>(size.values), blocks += size.bytes) {
        const UnpackedBlock block = unpackBlock(type, blocks);
        const float scale = f16ToF32(block.scale);
        const float minimum = f16ToF32(block.minimum);
        for (std::size_t i = 0; i < static_cast<std::size_t>(size.values); ++i) {
            const std::uint8_t q = block.quants[i];
            const auto wide = static_cast<float>(q);
            float value = 0.0f;
            switch (type) {
                case DType::Q8_0:
                    value = scale * static_cast<float>(static_cast<std::int8_t>(q));
                    break;
                case DType::Q4_0:
                    value = scale * (wide - 8.0f);
                    break;
                case DType::Q5_0:
                    value = scale * (wide - 16.0f);
                    break;
                case DType::Q4_1:
                case DType::Q5_1:
                    value = scale * wide + minimum;
                    break;
                case DType::Q6_K:
                    value =
                        scale * static_cast<float>(static_cast<std::int8_t>(block.subScales[i / 16])) * (wide - 32.0f);
                    break;
                default:
                    value = scale * static_cast<float>(block.subScales[i / 32]) * wide -
                            minimum * static_cast<float>(block.subMinima[i / 32]);
            }
            out[first + i] = value;
        }
    }
}

void quantize(DType type, std::span<const float> values, std::byte* blocks) {
    CHECK((type == DType::Q8_0 || type == DType::Q4_0) && values.size() % 32 == 0);
    for (std::size_t first = 0; first < values.size(); first += 32, blocks += blockOf(type).bytes)
        type == DType::Q8_0 ? quantizeQ8(&values[first], blocks) : quantizeQ4(&values[first], blocks);
}

std::span<const int> scaleOffsets(DType type) {
    static constexpr std::array<int, 2> kBoth = {0, 2};
    static constexpr std::array<int, 1> kLast = {208};
    CHECK(isBlock(type));
    if (type == DType::Q6_K) return kLast;
    return std::span(kBoth).first(fieldsOf(type).minimum >= 0 ? 2 : 1);
}

}  // namespace espalier
