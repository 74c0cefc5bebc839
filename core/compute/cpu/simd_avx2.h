// SPDX-License-Identifier: GPL-3.0-or-later
// Simd on AVX2 with FMA and F16C: 8 floats. See simd_plain.h for what each member means.
#pragma once

#include <immintrin.h>

#include "core/compute/cpu/kernels.h"

namespace {

struct Simd {
    using F = __m256;
    static constexpr int kWidth = 8;
    static constexpr int kGemmRows = espalier::cpu::kFewTiles ? 3 : 6;
    static constexpr int kAttentionRows = 4;
    static constexpr int tileVectors(int rows) { return rows <= 3 ? 4 : 2; }
    static constexpr int tilePanels(int rows) { return rows == 1 ? 2 : 1; }

    static F zero() { return _mm256_setzero_ps(); }
    static F set(float x) { return _mm256_set1_ps(x); }
    static __m256i first(int n) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static F load(const float* p) { return _mm256_loadu_ps(p); }
    static F load(const float* p, int n) { return _mm256_maskload_ps(p, first(n)); }
    static void store(float* p, F x) { _mm256_storeu_ps(p, x); }
    static void store(float* p, F x, int n) { _mm256_maskstore_ps(p, first(n), x); }

    static F add(F a, F b) { return _mm256_add_ps(a, b); }
    static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
    static F div(F a, F b) { return _mm256_div_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
    static F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
    static F max(F a, F b) { return _mm256_max_ps(a, b); }
    static F min(F a, F b) { return _mm256_min_ps(a, b); }
    static F abs(F x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
    static F round(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static F power2(__m256i n) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
    }
    static F scale(F x, F n) {
        const __m256i whole = _mm256_cvtps_epi32(n);
        const __m256i half = _mm256_srai_epi32(whole, 1);
        return mul(mul(x, power2(half)), power2(_mm256_sub_epi32(whole, half)));
    }
    static F ifNegative(F x, F a, F b) { return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, zero(), _CMP_LT_OQ)); }
    static float sqrt(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
    static float sum(F x) {
        __m128 v = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        v = _mm_add_ps(v, _mm_movehl_ps(v, v));
        return _mm_cvtss_f32(_mm_add_ss(v, _mm_movehdup_ps(v)));
    }
    static float largest(F x) {
        __m128 v = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        v = _mm_max_ps(v, _mm_movehl_ps(v, v));
        return _mm_cvtss_f32(_mm_max_ss(v, _mm_movehdup_ps(v)));
    }

    // Eight 16-bit words, of which only the first n are touched.
    static __m128i words(const std::uint16_t* p, int n) {
        alignas(16) std::uint16_t part[8] = {};
        for (int i = 0; i < n; ++i) part[i] = p[i];
        return _mm_load_si128(reinterpret_cast<const __m128i*>(part));
    }
    static void storeWords(std::uint16_t* p, __m128i x, int n) {
        if (n == kWidth) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), x);
        alignas(16) std::uint16_t part[8];
        _mm_store_si128(reinterpret_cast<__m128i*>(part), x);
        for (int i = 0; i < n; ++i) p[i] = part[i];
    }
    static F widenBf16(__m128i x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
    static F loadBf16(const std::uint16_t* p) {
        return widenBf16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static F loadBf16(const std::uint16_t* p, int n) { return widenBf16(words(p, n)); }
    static F loadF16(const std::uint16_t* p) {
        return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static F loadF16(const std::uint16_t* p, int n) { return _mm256_cvtph_ps(words(p, n)); }
    static F loadEven(const std::uint16_t* p) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)), 16));
    }
    static F loadOdd(const std::uint16_t* p) {
        return _mm256_castsi256_ps(_mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
                                                    _mm256_set1_epi32(static_cast<int>(0xffff0000u))));
    }

    using I = __m256i;
    static I loadU8(const std::uint8_t* p) {
        return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
    static I loadI8(const std::uint8_t* p) {
        return _mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    }
    static I loadU32(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
    static I bits(I x, int mask) { return _mm256_and_si256(x, _mm256_set1_epi32(mask)); }
    static I either(I a, I b) { return _mm256_or_si256(a, b); }
    template <int N>
    static I right(I x) {
        return _mm256_srli_epi32(x, N);
    }
    template <int N>
    static I left(I x) {
        return _mm256_slli_epi32(x, N);
    }
    static I differ(I x, int mask) { return _mm256_xor_si256(x, _mm256_set1_epi32(mask)); }
    template <int B>
    static I byte(I x) {
        if constexpr (B == 3) return _mm256_srli_epi32(x, 24);
        return bits(_mm256_srli_epi32(x, 8 * B), 255);
    }
    template <int B>
    static I signedByte(I x) {
        return _mm256_srai_epi32(_mm256_slli_epi32(x, 24 - 8 * B), 24);
    }
    static F toFloat(I x) { return _mm256_cvtepi32_ps(x); }
    static I set(int x) { return _mm256_set1_epi32(x); }

    static F dotBf16(F acc, I w, std::uint32_t x) {
        const F even = _mm256_castsi256_ps(_mm256_slli_epi32(w, 16));
        const F odd = _mm256_castsi256_ps(bits(w, static_cast<int>(0xffff0000u)));
        acc = fma(even, _mm256_castsi256_ps(set(static_cast<int>(x << 16))), acc);
        return fma(odd, _mm256_castsi256_ps(set(static_cast<int>(x & 0xffff0000u))), acc);
    }
    // In words of 16 bits, where no product and no sum of two is cut off.
    static I dotU8(I acc, I w, std::uint32_t x) {
        const I all = set(static_cast<int>(x));
        const I even = _mm256_madd_epi16(bits(w, 0x00ff00ff), _mm256_srai_epi16(_mm256_slli_epi16(all, 8), 8));
        const I odd = _mm256_madd_epi16(_mm256_srli_epi16(w, 8), _mm256_srai_epi16(all, 8));
        return _mm256_add_epi32(acc, _mm256_add_epi32(even, odd));
    }
    static void storeI8(std::int8_t* p, F x) {
        const __m256i n = _mm256_cvtps_epi32(x);
        const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
        _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
    }

    static void storeBf16(std::uint16_t* p, F x, int n) {
        const __m256i bits = _mm256_castps_si256(x);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
        const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
        const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
        const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
        storeWords(p, _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1)), n);
    }
    static void storeF16(std::uint16_t* p, F x, int n) {
        storeWords(p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC), n);
    }
};

}  // namespace
