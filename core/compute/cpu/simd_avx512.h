// SPDX-License-Identifier: GPL-3.0-or-later
// Simd on AVX-512 (F, BW, VL, DQ): 16 floats. See simd_plain.h for what each member means.
#pragma once

#include <immintrin.h>

#include "core/compute/cpu/kernels.h"

namespace {

struct Simd {
    using F = __m512;
    static constexpr int kWidth = 16;
    static constexpr int kGemmRows = espalier::cpu::kFewTiles ? 3 : 12;
    static constexpr int kAttentionRows = 8;
    static constexpr int tileVectors(int) { return 2; }
    static constexpr int tilePanels(int rows) { return rows == 1 ? 4 : rows <= 6 ? 2 : 1; }

    static F zero() { return _mm512_setzero_ps(); }
    static F set(float x) { return _mm512_set1_ps(x); }
    static __mmask16 first(int n) { return static_cast<__mmask16>((1u << n) - 1u); }
    static F load(const float* p) { return _mm512_loadu_ps(p); }
    static F load(const float* p, int n) { return _mm512_maskz_loadu_ps(first(n), p); }
    static void store(float* p, F x) { _mm512_storeu_ps(p, x); }
    static void store(float* p, F x, int n) { _mm512_mask_storeu_ps(p, first(n), x); }

    static F add(F a, F b) { return _mm512_add_ps(a, b); }
    static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
    static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
    static F div(F a, F b) { return _mm512_div_ps(a, b); }
    static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
    static F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
    static F max(F a, F b) { return _mm512_max_ps(a, b); }
    static F min(F a, F b) { return _mm512_min_ps(a, b); }
    static F abs(F x) { return _mm512_abs_ps(x); }
    static F round(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static F scale(F x, F n) { return _mm512_scalef_ps(x, n); }
    static F ifNegative(F x, F a, F b) {
        return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), b, a);
    }
    static float sqrt(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }
    static float sum(F x) { return _mm512_reduce_add_ps(x); }
    static float largest(F x) { return _mm512_reduce_max_ps(x); }

    static F widenBf16(__m256i x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
    static F loadBf16(const std::uint16_t* p) {
        return widenBf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    static F loadBf16(const std::uint16_t* p, int n) { return widenBf16(_mm256_maskz_loadu_epi16(first(n), p)); }
    static F loadF16(const std::uint16_t* p) {
        return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    }
    static F loadF16(const std::uint16_t* p, int n) { return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(first(n), p)); }
    static F loadEven(const std::uint16_t* p) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(p), 16));
    }
    static F loadOdd(const std::uint16_t* p) {
        return _mm512_castsi512_ps(
            _mm512_and_si512(_mm512_loadu_si512(p), _mm512_set1_epi32(static_cast<int>(0xffff0000u))));
    }

    using I = __m512i;
    static I loadU8(const std::uint8_t* p) {
        return _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static I loadI8(const std::uint8_t* p) {
        return _mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    }
    static I loadU32(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
    static I bits(I x, int mask) { return _mm512_and_si512(x, _mm512_set1_epi32(mask)); }
    static I either(I a, I b) { return _mm512_or_si512(a, b); }
    template <int N>
    static I right(I x) {
        return _mm512_srli_epi32(x, N);
    }
    template <int N>
    static I left(I x) {
        return _mm512_slli_epi32(x, N);
    }
    static I differ(I x, int mask) { return _mm512_xor_si512(x, _mm512_set1_epi32(mask)); }
    template <int B>
    static I byte(I x) {
        if constexpr (B == 3) return _mm512_srli_epi32(x, 24);
        return bits(_mm512_srli_epi32(x, 8 * B), 255);
    }
    template <int B>
    static I signedByte(I x) {
        return _mm512_srai_epi32(_mm512_slli_epi32(x, 24 - 8 * B), 24);
    }
    static F toFloat(I x) { return _mm512_cvtepi32_ps(x); }
    static I set(int x) { return _mm512_set1_epi32(x); }

    static F dotBf16(F acc, I w, std::uint32_t x) {
#ifdef __AVX512BF16__
        return _mm512_dpbf16_ps(acc, reinterpret_cast<__m512bh>(w),
                                reinterpret_cast<__m512bh>(set(static_cast<int>(x))));
#else
        const F even = _mm512_castsi512_ps(_mm512_slli_epi32(w, 16));
        const F odd = _mm512_castsi512_ps(bits(w, static_cast<int>(0xffff0000u)));
        acc = fma(even, _mm512_castsi512_ps(set(static_cast<int>(x << 16))), acc);
        return fma(odd, _mm512_castsi512_ps(set(static_cast<int>(x & 0xffff0000u))), acc);
#endif
    }
    static I dotU8(I acc, I w, std::uint32_t x) {
        const I all = set(static_cast<int>(x));
#ifdef __AVX512VNNI__
        return _mm512_dpbusd_epi32(acc, w, all);
#else
        const I even = _mm512_madd_epi16(bits(w, 0x00ff00ff), _mm512_srai_epi16(_mm512_slli_epi16(all, 8), 8));
        const I odd = _mm512_madd_epi16(_mm512_srli_epi16(w, 8), _mm512_srai_epi16(all, 8));
        return _mm512_add_epi32(acc, _mm512_add_epi32(even, odd));
#endif
    }
    static void storeI8(std::int8_t* p, F x) {
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
    }

    static void storeBf16(std::uint16_t* p, F x, int n) {
        const __m512i bits = _mm512_castps_si512(x);
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
        const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
        rounded = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
        _mm256_mask_storeu_epi16(p, first(n), _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16)));
    }
    static void storeF16(std::uint16_t* p, F x, int n) {
        _mm256_mask_storeu_epi16(p, first(n), _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
};

}  // namespace
