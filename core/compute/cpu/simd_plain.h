// SPDX-License-Identifier: GPL-3.0-or-later
// Simd: the few vector operations that the kernel templates are written in. Every kernels_*.cpp sees exactly one of the
// simd_*.h, each a struct of this name in its own unnamed namespace. This one is portable: compiler vectors of 4 floats
// (SSE2, NEON or whatever the target has), products and sums rounded separately.
#pragma once

#include "core/compute/cpu/kernels.h"
#include "core/tensor/dtype.h"

namespace {

struct Simd {
    typedef float F __attribute__((vector_size(16)));
    typedef int I __attribute__((vector_size(16)));
    static constexpr int kWidth = 4;
    static constexpr int kGemmRows = 4;                                       // rows of the largest gemm tile
    static constexpr int kAttentionRows = 2;                                  // queries of the largest attention tile
    static constexpr int tileVectors(int rows) { return rows == 1 ? 8 : 2; }  // of a panel, in a tile of `rows`
    static constexpr int tilePanels(int) { return 1; }                        // panels side by side, independent chains

    static F zero() { return F{}; }
    static F set(float x) { return F{x, x, x, x}; }
    static F load(const float* p) {
        F x;
        __builtin_memcpy(&x, p, sizeof x);
        return x;
    }
    static F load(const float* p, int n) {  // n of the lanes; the rest is zero and not touched
        F x{};
        for (int i = 0; i < n; ++i) x[i] = p[i];
        return x;
    }
    static void store(float* p, F x) { __builtin_memcpy(p, &x, sizeof x); }
    static void store(float* p, F x, int n) {
        for (int i = 0; i < n; ++i) p[i] = x[i];
    }

    static F add(F a, F b) { return a + b; }
    static F sub(F a, F b) { return a - b; }
    static F mul(F a, F b) { return a * b; }
    static F div(F a, F b) { return a / b; }
    static F fma(F a, F b, F c) { return a * b + c; }
    static F fnma(F a, F b, F c) { return c - a * b; }
    static F select(I mask, F a, F b) { return (F)((mask & (I)a) | (~mask & (I)b)); }
    static F max(F a, F b) { return select(a > b, a, b); }  // b when either is NaN, like the x86 instruction
    static F min(F a, F b) { return select(a < b, a, b); }
    static F abs(F x) { return (F)((I)x & 0x7fffffff); }
    static F round(F x) {  // |x| < 2^22, to nearest even
        const F shift = set(12582912.0f);
        return (x + shift) - shift;
    }
    static F power2(I n) { return (F)((n + 127) << 23); }
    static F scale(F x, F n) {  // x * 2^n, n whole, -252 <= n <= 254
        const I whole = __builtin_convertvector(n, I);
        const I half = whole >> 1;
        return x * power2(half) * power2(whole - half);
    }
    static F ifNegative(F x, F a, F b) { return select(x < zero(), a, b); }
    static float sqrt(float x) { return __builtin_sqrtf(x); }
    static float sum(F x) { return (x[0] + x[2]) + (x[1] + x[3]); }
    static float largest(F x) {
        const float a = x[0] > x[1] ? x[0] : x[1];
        const float b = x[2] > x[3] ? x[2] : x[3];
        return a > b ? a : b;
    }

    static I words(const std::uint16_t* p, int n) {
        I x{};
        for (int i = 0; i < n; ++i) x[i] = p[i];
        return x;
    }
    static F loadBf16(const std::uint16_t* p, int n = kWidth) { return (F)(words(p, n) << 16); }
    static F loadF16(const std::uint16_t* p, int n = kWidth) {
        const I bits = words(p, n);
        const I magnitude = bits & 0x7fff;
        // Exact for subnormals too; infinity and NaN need their exponent filled.
        const I scaled = (I)((F)(magnitude << 13) * set(0x1p112f));
        return (F)(scaled | ((bits & 0x8000) << 16) | ((magnitude > 0x7bff) & 0x7f800000));
    }
    static I pairs(const std::uint16_t* p) {
        I x;
        __builtin_memcpy(&x, p, sizeof x);
        return x;
    }
    static F loadEven(const std::uint16_t* p) { return (F)(pairs(p) << 16); }  // low halves of 32-bit words
    static F loadOdd(const std::uint16_t* p) { return (F)(pairs(p) & static_cast<int>(0xffff0000u)); }

    // Whole numbers of a block type: kWidth of them, each in a lane of 32 bits.
    static I loadU8(const std::uint8_t* p) { return I{p[0], p[1], p[2], p[3]}; }
    static I loadI8(const std::uint8_t* p) {
        return I{static_cast<std::int8_t>(p[0]), static_cast<std::int8_t>(p[1]), static_cast<std::int8_t>(p[2]),
                 static_cast<std::int8_t>(p[3])};
    }
    static I loadU32(const std::uint8_t* p) {
        I x;
        __builtin_memcpy(&x, p, sizeof x);
        return x;
    }
    static I bits(I x, int mask) { return x & mask; }
    static I either(I a, I b) { return a | b; }
    template <int N>
    static I right(I x) {  // unsigned
        typedef unsigned U __attribute__((vector_size(16)));
        return (I)((U)x >> N);
    }
    template <int N>
    static I left(I x) {
        return x << N;
    }
    static I differ(I x, int mask) { return x ^ mask; }
    template <int B>
    static I byte(I x) {
        return right<8 * B>(x) & 255;
    }  // unsigned, B = 0 the lowest
    template <int B>
    static I signedByte(I x) {
        return (x << (24 - 8 * B)) >> 24;
    }
    static F toFloat(I x) { return __builtin_convertvector(x, F); }
    static I set(int x) { return I{x, x, x, x}; }

    // Dots within a lane, `x` the same for all lanes. bf16: acc + the two products. u8 times i8: acc + the four.
    static F dotBf16(F acc, I w, std::uint32_t x) {
        const I even = w << 16, odd = w & static_cast<int>(0xffff0000u);
        const I x0 = set(static_cast<int>(x << 16)), x1 = set(static_cast<int>(x & 0xffff0000u));
        return fma((F)odd, (F)x1, fma((F)even, (F)x0, acc));
    }
    static I dotU8(I acc, I w, std::uint32_t x) {
        const I all = set(static_cast<int>(x));
        return acc + byte<0>(w) * signedByte<0>(all) + byte<1>(w) * signedByte<1>(all) +
               byte<2>(w) * signedByte<2>(all) + byte<3>(w) * signedByte<3>(all);
    }
    static void storeI8(std::int8_t* p, F x) {  // whole numbers within [-128, 127]
        for (int i = 0; i < kWidth; ++i) p[i] = static_cast<std::int8_t>(x[i]);
    }

    static void storeBf16(std::uint16_t* p, F x, int n) {
        for (int i = 0; i < n; ++i) p[i] = espalier::f32ToBf16(x[i]);
    }
    static void storeF16(std::uint16_t* p, F x, int n) {
        for (int i = 0; i < n; ++i) p[i] = espalier::f32ToF16(x[i]);
    }
};

}  // namespace
