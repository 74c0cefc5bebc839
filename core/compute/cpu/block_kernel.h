// SPDX-License-Identifier: GPL-3.0-or-later
// gemm and gather over panels of block types (BlockLayout in kernels.h). A weight is made of its quantised number by
// one multiply-add, w = d q + m with m = -d kZero where the type stores none, which rounds like the formula of
// quantized_block.h; then every output is the same chain of multiply-adds over ascending k as in gemm_kernel.h. So a
// product has the bits of the product with the dequantised f32 matrix. Weights go from the panel through registers into
// the sums, once for every tile of rows: with a dozen rows in a tile that costs less than keeping them as f32 would.
#pragma once

namespace {

// d and m of kWidth columns for one group, and the high bits not yet used.
struct GroupScale {
    F d, m;
    Simd::I high;
};

template <class Layout>
inline __attribute__((always_inline)) GroupScale groupScale(const std::uint8_t* block, const std::uint8_t* group,
                                                            int column) {
    GroupScale scale;
    scale.d = Simd::loadF16(reinterpret_cast<const std::uint16_t*>(block) + column);
    scale.m = Simd::zero();
    if constexpr (Layout::kMinimum)
        scale.m = Simd::loadF16(reinterpret_cast<const std::uint16_t*>(block) + 32 + column);
    if constexpr (Layout::kSuper) {
        const auto sub = Layout::kBits == 6 ? Simd::loadI8(group + column) : Simd::loadU8(group + column);
        scale.d = Simd::mul(scale.d, Simd::toFloat(sub));
        if constexpr (Layout::kMinimum)
            scale.m = Simd::sub(Simd::zero(), Simd::mul(scale.m, Simd::toFloat(Simd::loadU8(group + 32 + column))));
    }
    if constexpr (Layout::kZero > 0) scale.m = Simd::mul(scale.d, Simd::set(-static_cast<float>(Layout::kZero)));
    if constexpr (Layout::kHighBytes > 0) scale.high = Simd::loadU32(group + Layout::kSubBytes + 4 * column);
    return scale;
}

// Four numbers as they are stored, consecutive k byte by byte: i8 for 8 bits, else unsigned with the high bits put in.
template <class Layout>
inline __attribute__((always_inline)) Simd::I withHighBits(GroupScale& scale, Simd::I low) {
    if constexpr (Layout::kBits == 5) {
        low = Simd::either(low, Simd::template left<4>(Simd::bits(scale.high, 0x01010101)));
        scale.high = Simd::template right<1>(scale.high);
    }
    if constexpr (Layout::kBits == 6) {
        low = Simd::either(low, Simd::template left<4>(Simd::bits(scale.high, 0x03030303)));
        scale.high = Simd::template right<2>(scale.high);
    }
    return low;
}

// k = 8j .. 8j + 3 and 8j + 4 .. 8j + 7 of a group, j ascending.
template <class Layout>
inline __attribute__((always_inline)) void eightOf(GroupScale& scale, const std::uint8_t* group, int j, int column,
                                                   Simd::I& first, Simd::I& second) {
    const std::uint8_t* q = group + Layout::kSubBytes + Layout::kHighBytes + 4 * column;
    if constexpr (Layout::kBits == 8) {
        first = Simd::loadU32(q + 256 * j);
        second = Simd::loadU32(q + 256 * j + 128);
    } else {
        const auto both = Simd::loadU32(q + 128 * j);
        first = withHighBits<Layout>(scale, Simd::bits(both, 0x0f0f0f0f));
        second = withHighBits<Layout>(scale, Simd::bits(Simd::template right<4>(both), 0x0f0f0f0f));
    }
}

// Ahead of what eightOf reads of all columns. The heads of blocks follow the numbers before them.
template <class Layout, bool On, int Panels>
inline __attribute__((always_inline)) void prefetchEight(const std::uint8_t* group, int j, std::int64_t panelStride) {
    constexpr int kBytes = Layout::kBits == 8 ? 256 : 128;
    prefetchAhead<On, Panels, kBytes / 64>(group + Layout::kSubBytes + Layout::kHighBytes + kBytes * j, panelStride);
}

template <class Layout, int Byte>
inline __attribute__((always_inline)) F weightOf(const GroupScale& scale, Simd::I four) {
    if constexpr (Layout::kBits == 8)
        return Simd::mul(scale.d, Simd::toFloat(Simd::template signedByte<Byte>(four)));
    else
        return Simd::fma(scale.d, Simd::toFloat(Simd::template byte<Byte>(four)), scale.m);
}

// use(i, weights) for i = 0 .. 7: the weights of k = 8j + i, vector v by weights(v).
template <class Layout, int Vectors, class Use>
inline __attribute__((always_inline)) void eachOfEight(const GroupScale (&scale)[Vectors],
                                                       const Simd::I (&first)[Vectors],
                                                       const Simd::I (&second)[Vectors], const Use& use) {
    use(0, [&](int v) { return weightOf<Layout, 0>(scale[v], first[v]); });
    use(1, [&](int v) { return weightOf<Layout, 1>(scale[v], first[v]); });
    use(2, [&](int v) { return weightOf<Layout, 2>(scale[v], first[v]); });
    use(3, [&](int v) { return weightOf<Layout, 3>(scale[v], first[v]); });
    use(4, [&](int v) { return weightOf<Layout, 0>(scale[v], second[v]); });
    use(5, [&](int v) { return weightOf<Layout, 1>(scale[v], second[v]); });
    use(6, [&](int v) { return weightOf<Layout, 2>(scale[v], second[v]); });
    use(7, [&](int v) { return weightOf<Layout, 3>(scale[v], second[v]); });
}

template <class Layout>
inline std::int64_t blockPanelBytes(std::int64_t k) {
    return k / Layout::kValues * Layout::kBytes;
}

// sum over all k of `Rows` rows with `Vectors` vectors of each of `Panels` panels, straight from the blocks.
template <class Layout, int Rows, int Vectors, int Panels>
inline __attribute__((always_inline)) void sumBlocks(F (&acc)[Rows][Vectors * Panels], const float* x,
                                                     std::int64_t xStride, const std::uint8_t* panel, int column,
                                                     std::int64_t k) {
    constexpr int kAll = Vectors * Panels;
    const std::int64_t panelStride = blockPanelBytes<Layout>(k);
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < kAll; ++v) acc[r][v] = Simd::zero();
    for (std::int64_t done = 0; done < k; done += Layout::kValues, panel += Layout::kBytes) {
        const std::uint8_t* group = panel + Layout::kHeadBytes;
        for (int g = 0; g < Layout::kGroups; ++g, group += Layout::kGroupBytes, x += Layout::kGroup) {
            GroupScale scale[kAll];
#pragma GCC unroll 16
            for (int v = 0; v < kAll; ++v)
                scale[v] = groupScale<Layout>(panel + v / Vectors * panelStride, group + v / Vectors * panelStride,
                                              column + v % Vectors * kWidth);
            for (int j = 0; j < Layout::kGroup / 8; ++j) {
                prefetchEight<Layout, true, Panels>(group, j, panelStride);
                Simd::I first[kAll], second[kAll];
#pragma GCC unroll 16
                for (int v = 0; v < kAll; ++v)
                    eightOf<Layout>(scale[v], group + v / Vectors * panelStride, j, column + v % Vectors * kWidth,
                                    first[v], second[v]);
                eachOfEight<Layout>(scale, first, second,
                                    [&](int i, const auto& weights) { step(acc, x + 8 * j + i, xStride, weights); });
            }
        }
    }
}

template <class Layout>
struct BlockWay {
    static constexpr int kRows = espalier::cpu::kFewTiles ? 2 : kWidth == 16 ? 12 : 6;
    static constexpr int panels(int rows) { return rows == 1 && kWidth == 16 ? 2 : 1; }
    static std::int64_t panelBytes(std::int64_t k) { return blockPanelBytes<Layout>(k); }
    template <int Rows, int Panels>
    static void multiply(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel) {
        constexpr int kColumns = espalier::cpu::kPanelColumns;
        constexpr int kVectors = Rows == 1 && kWidth >= 8 ? kColumns / kWidth : 2;
        const auto* blocks = reinterpret_cast<const std::uint8_t*>(args.panels) + panel * panelBytes(args.k);
        for (int part = 0; part < kColumns; part += kVectors * kWidth) {
            F acc[Rows][kVectors * Panels];
            sumBlocks<Layout, Rows, kVectors, Panels>(acc, args.x + row * args.xStride, args.xStride, blocks, part,
                                                      args.k);
            writeTile<Rows, kVectors, Panels>(args, row, panel, part, acc);
        }
    }
};

template <class Layout>
void gemmBlocks(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                std::int64_t panel1) {
    multiplyAll<BlockWay<Layout>>(args, row0, row1, panel0, panel1);
}

// out[k] = w[row, k].
template <class Layout>
void gatherBlocks(float* out, const std::byte* panels, std::int64_t k, std::int64_t row) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    const auto* block = reinterpret_cast<const std::uint8_t*>(panels) + row / kColumns * blockPanelBytes<Layout>(k);
    const int column = static_cast<int>(row % kColumns) / kWidth * kWidth;
    const int lane = static_cast<int>(row % kColumns) - column;
    for (std::int64_t done = 0; done < k; done += Layout::kValues, block += Layout::kBytes) {
        const std::uint8_t* group = block + Layout::kHeadBytes;
        for (int g = 0; g < Layout::kGroups; ++g, group += Layout::kGroupBytes) {
            GroupScale scale[1] = {groupScale<Layout>(block, group, column)};
            for (int j = 0; j < Layout::kGroup / 8; ++j) {
                Simd::I first[1], second[1];
                eightOf<Layout>(scale[0], group, j, column, first[0], second[0]);
                eachOfEight<Layout>(scale, first, second, [&](int, const auto& weights) {
                    float lanes[kWidth];
                    Simd::store(lanes, weights(0));
                    *out++ = lanes[lane];
                });
            }
        }
    }
}

}  // namespace
