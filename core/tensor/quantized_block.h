// SPDX-License-Identifier: GPL-3.0-or-later
// Block-quantised weights as GGUF files store them (ggml-common.h and gguf.quants of the llama.cpp project). Each block
// holds consecutive values of a row; f16 fields are little endian, packed without padding. By byte:
//
//          values  bytes  fields: first byte, type, name                         value w of q
//   Q8_0      32      34  0 f16 d | 2 i8 q[32]                                  d q
//   Q4_0      32      18  0 f16 d | 2 u4 q[32]                                  d (q - 8)
//   Q4_1      32      20  0 f16 d | 2 f16 m | 4 u4 q[32]                        d q + m
//   Q5_0      32      22  0 f16 d | 2 u32 h | 6 u4 q[32]                        d (q - 16)
//   Q5_1      32      24  0 f16 d | 2 f16 m | 4 u32 h | 8 u4 q[32]              d q + m
//   Q4_K     256     144  0 f16 d | 2 f16 m | 4 s[12] | 16 u4 q[256]            (d sc[i / 32]) q - m mn[i / 32]
//   Q5_K     256     176  0 f16 d | 2 f16 m | 4 s[12] | 16 h[32] | 48 u4 q[256] the same
//   Q6_K     256     210  0 u4 q[256] | 128 h[64] | 192 i8 sc[16] | 208 f16 d   (d sc[i / 16]) (q - 32)
//
// h holds what q has above its four bits: bit i of the u32 is bit 4 of q[i].
//
// Nibbles of a run of 2n values: byte i has value i in its low and value n + i in its high half; n is 16 for the blocks
// of 32, 32 for Q4_K and Q5_K, 64 for Q6_K. s packs eight 6-bit scales and eight 6-bit minima (unpackBlock).
//
// Every product above is exact in f32 (d has 11 bits, sc at most 7, q at most 8), so a value is rounded at most once
// and has the same bits however it is computed. Thread: any; no state.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/tensor/dtype.h"

namespace espalier {

// The fields of one block, one number per element.
struct UnpackedBlock {
    std::uint16_t scale = 0;                   // d, f16
    std::uint16_t minimum = 0;                 // m, f16; 0 where the type has none
    std::array<std::uint8_t, 16> subScales{};  // sc; i8 for Q6_K
    std::array<std::uint8_t, 8> subMinima{};   // mn
    std::array<std::uint8_t, 256> quants{};    // q as stored; i8 for Q8_0
};
// Requires: isBlock(type); `block` has blockOf(type).bytes bytes.
UnpackedBlock unpackBlock(DType type, const std::byte* block);

// Values of consecutive blocks. Requires: isBlock(type); out.size() is whole blocks.
void dequantize(DType type, const std::byte* blocks, std::span<float> out);

// Rounds to Q8_0 or Q4_0 as gguf.quants does, bit for bit. Requires: one of these two; values.size() is whole blocks
// and all are finite.
void quantize(DType type, std::span<const float> values, std::byte* blocks);

// Where the f16 fields of a block lie, for who looks for NaN.
std::span<const int> scaleOffsets(DType type);

}  // namespace espalier
