// SPDX-License-Identifier: GPL-3.0-or-later
// Products in the compute modes below f32: rows of x are rounded once, then multiplied by the stored weights with dots
// of two bf16 or four bytes per lane, where a processor has them at twice to four times the rate of its f32
// multiply-adds.
//
//   bf16 weights   x to nearest bf16; a sum goes over ascending pairs of k, in f32
//   block types    x in runs of 32: unit = largest / 127, numbers to nearest even. Within a group of a block the sum is
//                  one of whole numbers, exact; sum += (d unit) whole, and += m (unit sum_x) where the type has minima,
//                  over ascending groups
//
// As in gemm_kernel.h an output is one chain in one order whatever tile it falls into.
#pragma once

namespace {

inline std::uint32_t wordAt(const std::byte* words, std::int64_t index) {
    std::uint32_t word;
    __builtin_memcpy(&word, words + 4 * index, sizeof word);
    return word;
}

struct PairWay {
    static constexpr int kRows = Simd::kGemmRows;
    static constexpr int panels(int rows) { return Simd::tilePanels(rows); }
    static std::int64_t panelBytes(std::int64_t k) { return (k + 1) / 2 * espalier::cpu::kPanelColumns * 4; }
    template <int Rows, int Panels>
    static void multiply(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel) {
        constexpr int kColumns = espalier::cpu::kPanelColumns;
        constexpr int kVectors = Simd::tileVectors(Rows);
        constexpr int kAll = kVectors * Panels;
        const std::int64_t pairs = (args.k + 1) / 2;
        const std::int64_t panelStride = pairs * kColumns * 4;
        const auto* weights = reinterpret_cast<const std::uint8_t*>(args.panels) + panel * panelStride;
        const std::byte* x = args.words + row * args.wordStride;
        for (int part = 0; part < kColumns; part += kVectors * kWidth) {
            F acc[Rows][kAll];
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
                for (int v = 0; v < kAll; ++v) acc[r][v] = Simd::zero();
            for (std::int64_t i = 0; i < pairs; ++i) {
                const std::uint8_t* at = weights + i * kColumns * 4 + part * 4;
                prefetchAhead<Rows >= kPrefetchRows, Panels, kColumns * 4 / 64>(at, panelStride);
                Simd::I w[kAll];
#pragma GCC unroll 16
                for (int v = 0; v < kAll; ++v)
                    w[v] = Simd::loadU32(at + v / kVectors * panelStride + v % kVectors * kWidth * 4);
#pragma GCC unroll 16
                for (int r = 0; r < Rows; ++r) {
                    const std::uint32_t pair = wordAt(x + r * args.wordStride, i);
#pragma GCC unroll 16
                    for (int v = 0; v < kAll; ++v) acc[r][v] = Simd::dotBf16(acc[r][v], w[v], pair);
                }
            }
            writeTile<Rows, kVectors, Panels>(args, row, panel, part, acc);
        }
    }
};

template <class Layout>
struct FourWay {
    static constexpr int kRows = kWidth == 16 && !espalier::cpu::kFewTiles ? 6 : 2;
    static constexpr int panels(int rows) { return rows == 1 && kWidth == 16 ? 2 : 1; }
    static std::int64_t panelBytes(std::int64_t k) { return blockPanelBytes<Layout>(k); }
    // What is taken from a stored number to have the value's multiple of d, and what makes an i8 unsigned.
    static constexpr int kZero = Layout::kBits == 8 ? 128 : Layout::kZero;

    static Simd::I withoutSign(Simd::I four) {
        if constexpr (Layout::kBits == 8) return Simd::differ(four, static_cast<int>(0x80808080u));
        return four;
    }

    template <int Rows, int Panels>
    static void multiply(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel) {
        constexpr int kColumns = espalier::cpu::kPanelColumns;
        constexpr int kVectors = 2;
        for (int part = 0; part < kColumns; part += kVectors * kWidth) {
            F acc[Rows][kVectors * Panels];
            sum<Rows, kVectors, Panels>(acc, args, row, panel, part);
            writeTile<Rows, kVectors, Panels>(args, row, panel, part, acc);
        }
    }

    template <int Rows, int Vectors, int Panels>
    static inline __attribute__((always_inline)) void sum(F (&acc)[Rows][Vectors * Panels],
                                                          const espalier::cpu::GemmArgs& args, std::int64_t row,
                                                          std::int64_t panel, int column) {
        constexpr int kAll = Vectors * Panels;
        const std::int64_t panelStride = blockPanelBytes<Layout>(args.k);
        const auto* block = reinterpret_cast<const std::uint8_t*>(args.panels) + panel * panelStride;
        const std::byte* x = args.words + row * args.wordStride;
        const float* unit = args.unit + row * (args.k / 32);
        const std::int32_t* sums = args.sums + row * (args.k / 16);
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
            for (int v = 0; v < kAll; ++v) acc[r][v] = Simd::zero();
        for (std::int64_t k = 0; k < args.k; block += Layout::kBytes) {
            const std::uint8_t* group = block + Layout::kHeadBytes;
            for (int g = 0; g < Layout::kGroups; ++g, group += Layout::kGroupBytes, k += Layout::kGroup) {
                GroupScale scale[kAll];
                Simd::I whole[Rows][kAll];
#pragma GCC unroll 16
                for (int v = 0; v < kAll; ++v)
                    scale[v] = groupScale<Layout>(block + v / Vectors * panelStride, group + v / Vectors * panelStride,
                                                  column + v % Vectors * kWidth);
#pragma GCC unroll 16
                for (int r = 0; r < Rows; ++r) {
                    const std::int32_t sumX = sumOf(sums + r * (args.k / 16), k);
#pragma GCC unroll 16
                    for (int v = 0; v < kAll; ++v) whole[r][v] = Simd::set(-kZero * sumX);
                }
#pragma GCC unroll 4
                for (int j = 0; j < Layout::kGroup / 8; ++j) {
                    prefetchEight<Layout, (Rows > 2), Panels>(group, j, panelStride);
                    Simd::I first[kAll], second[kAll];
#pragma GCC unroll 16
                    for (int v = 0; v < kAll; ++v) {
                        eightOf<Layout>(scale[v], group + v / Vectors * panelStride, j, column + v % Vectors * kWidth,
                                        first[v], second[v]);
                        first[v] = withoutSign(first[v]);
                        second[v] = withoutSign(second[v]);
                    }
#pragma GCC unroll 16
                    for (int r = 0; r < Rows; ++r) {
                        const std::byte* numbers = x + r * args.wordStride + k + 8 * j;
#pragma GCC unroll 16
                        for (int v = 0; v < kAll; ++v)
                            whole[r][v] = Simd::dotU8(whole[r][v], first[v], wordAt(numbers, 0));
#pragma GCC unroll 16
                        for (int v = 0; v < kAll; ++v)
                            whole[r][v] = Simd::dotU8(whole[r][v], second[v], wordAt(numbers, 1));
                    }
                }
#pragma GCC unroll 16
                for (int r = 0; r < Rows; ++r) {
                    const float one = unit[r * (args.k / 32) + k / 32];
                    const auto sumX = static_cast<float>(sumOf(sums + r * (args.k / 16), k));
#pragma GCC unroll 16
                    for (int v = 0; v < kAll; ++v) {
                        acc[r][v] =
                            Simd::fma(Simd::mul(scale[v].d, Simd::set(one)), Simd::toFloat(whole[r][v]), acc[r][v]);
                        if constexpr (Layout::kMinimum)
                            acc[r][v] = Simd::fma(scale[v].m, Simd::set(one * sumX), acc[r][v]);
                    }
                }
            }
        }
    }

    static std::int32_t sumOf(const std::int32_t* sums, std::int64_t k) {
        return Layout::kGroup == 16 ? sums[k / 16] : sums[k / 16] + sums[k / 16 + 1];
    }
};

inline void gemmPairs(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                      std::int64_t panel1) {
    multiplyAll<PairWay>(args, row0, row1, panel0, panel1);
}

template <class Layout>
void gemmFours(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
               std::int64_t panel1) {
    multiplyAll<FourWay<Layout>>(args, row0, row1, panel0, panel1);
}

// For measurements, as fmaRounds.
inline float pairRounds(std::int64_t rounds, std::int64_t* flops) {
    constexpr int kChains = 12;
    F acc[kChains];
    for (int i = 0; i < kChains; ++i) acc[i] = Simd::set(static_cast<float>(i));
    const Simd::I w = Simd::set(0x3a003a01);
    for (std::int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 16
        for (int i = 0; i < kChains; ++i) acc[i] = Simd::dotBf16(acc[i], w, 0x3f7f3a02u);
    F total = Simd::zero();
    for (int i = 0; i < kChains; ++i) total = Simd::add(total, acc[i]);
    *flops = rounds * kChains * kWidth * 4;
    return Simd::sum(total);
}
inline float fourRounds(std::int64_t rounds, std::int64_t* flops) {
    constexpr int kChains = 12;
    Simd::I acc[kChains];
    for (int i = 0; i < kChains; ++i) acc[i] = Simd::set(i);
    for (std::int64_t round = 0; round < rounds; ++round)
#pragma GCC unroll 16
        for (int i = 0; i < kChains; ++i) acc[i] = Simd::dotU8(acc[i], Simd::set(0x01020304), 0x01ff0201u);
    F total = Simd::zero();
    for (int i = 0; i < kChains; ++i) total = Simd::add(total, Simd::toFloat(acc[i]));
    *flops = rounds * kChains * kWidth * 8;
    return Simd::sum(total);
}

inline void roundToBf16(const espalier::cpu::RoundArgs& args, std::int64_t row0, std::int64_t row1) {
    for (std::int64_t row = row0; row < row1; ++row) {
        const float* x = args.x + row * args.xStride;
        auto* words = reinterpret_cast<std::uint16_t*>(args.words + row * args.wordStride);
        forVectors(args.k,
                   [&](std::int64_t first, int n) { Simd::storeBf16(words + first, loadSome(x + first, n), n); });
        if (args.k % 2 == 1) words[args.k] = 0;
    }
}

// A row that is not finite has units that are not: the product says so too.
inline void roundToI8(const espalier::cpu::RoundArgs& args, std::int64_t row0, std::int64_t row1) {
    constexpr int kRun = 32;
    for (std::int64_t row = row0; row < row1; ++row) {
        const float* x = args.x + row * args.xStride;
        auto* numbers = reinterpret_cast<std::int8_t*>(args.words + row * args.wordStride);
        for (std::int64_t k = 0; k < args.k; k += kRun) {
            F largest = Simd::zero(), poison = Simd::zero();
#pragma GCC unroll 16
            for (int i = 0; i < kRun; i += kWidth) {
                const F value = Simd::load(x + k + i);
                largest = Simd::max(largest, Simd::abs(value));
                poison = Simd::fma(value, Simd::zero(), poison);  // NaN for NaN and infinity
            }
            const float top = Simd::largest(largest);
            const float unit = top / 127.0f + Simd::sum(poison);
            const bool counts = top > 1e-30f && unit < __FLT_MAX__;  // what is smaller counts as zero
            const F inverse = Simd::set(counts ? 127.0f / top : 0.0f);
            args.unit[row * (args.k / kRun) + k / kRun] = unit;
            for (int i = 0; i < kRun; i += kWidth) {
                const F number = counts ? Simd::round(Simd::mul(Simd::load(x + k + i), inverse)) : Simd::zero();
                Simd::storeI8(numbers + k + i, number);
            }
            for (int half = 0; half < 2; ++half) {
                std::int32_t total = 0;
                for (int i = 0; i < 16; ++i) total += numbers[k + 16 * half + i];
                args.sums[row * (args.k / 16) + k / 16 + half] = total;
            }
        }
    }
}

}  // namespace
