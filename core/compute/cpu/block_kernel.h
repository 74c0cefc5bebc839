// SPDX-License-Identifier: GPL-3.0-or-later
// gemm and gather over panels of block types (BlockLayout in kernels.h). A weight is made of its quantised number by
// one multiply-add, w = d q + m with m = -d kZero where the type stores none, which rounds like the formula of
// quantized_block.h; then every output is the same chain of multiply-adds over ascending k as in gemm_kernel.h. So a
// product has the bits of the product with the dequantised f32 matrix, on either way:
//
//   few rows    weights go from the panel through registers into the sums: memory speed
//   many rows   256 k of a panel become f32 in the first-level cache and all rows pass over them; sums wait in between
#pragma once

namespace {

constexpr int kDirectRows = espalier::cpu::kFewTiles ? 2 : 4;
constexpr int kChunk = 256;       // k that are f32 at a time; a multiple of every block
constexpr int kWaitingRows = 96;  // rows whose sums wait

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

template <class Layout, int Rows, int Panels>
inline void multiplyBlocks(const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    constexpr int kVectors = Rows == 1 && kWidth >= 8 ? kColumns / kWidth : 2;
    const auto* blocks = reinterpret_cast<const std::uint8_t*>(args.panels) + panel * blockPanelBytes<Layout>(args.k);
    for (int part = 0; part < kColumns; part += kVectors * kWidth) {
        F acc[Rows][kVectors * Panels];
        sumBlocks<Layout, Rows, kVectors, Panels>(acc, args.x + row * args.xStride, args.xStride, blocks, part, args.k);
        writeTile<Rows, kVectors, Panels>(args, row, panel, part, acc);
    }
}

template <class Layout, int Rows>
void directRows(int rows, const espalier::cpu::GemmArgs& args, std::int64_t row, std::int64_t panel0,
                std::int64_t panel1) {
    if (rows == Rows) {
        constexpr int kPanels = Rows == 1 && kWidth == 16 ? 2 : 1;
        std::int64_t panel = panel0;
        for (; panel + kPanels <= panel1; panel += kPanels) multiplyBlocks<Layout, Rows, kPanels>(args, row, panel);
        for (; panel < panel1; ++panel) multiplyBlocks<Layout, Rows, 1>(args, row, panel);
        return;
    }
    if constexpr (Rows > 1) directRows<Layout, Rows - 1>(rows, args, row, panel0, panel1);
}

// Blocks of one panel, `count` values of each column, as f32: to[k][32].
template <class Layout>
void widenBlocks(float* to, const std::uint8_t* block, int count) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    for (int done = 0; done < count; done += Layout::kValues, block += Layout::kBytes) {
        const std::uint8_t* group = block + Layout::kHeadBytes;
        for (int g = 0; g < Layout::kGroups; ++g, group += Layout::kGroupBytes, to += Layout::kGroup * kColumns)
            for (int column = 0; column < kColumns; column += kWidth) {
                GroupScale scale[1] = {groupScale<Layout>(block, group, column)};
                for (int j = 0; j < Layout::kGroup / 8; ++j) {
                    Simd::I first[1], second[1];
                    eightOf<Layout>(scale[0], group, j, column, first[0], second[0]);
                    eachOfEight<Layout>(scale, first, second, [&](int i, const auto& weights) {
                        Simd::store(to + (8 * j + i) * kColumns + column, weights(0));
                    });
                }
            }
    }
}

// One step of the many-row way: where its k lie and whether sums begin, go on or end with it.
struct Chunk {
    const float* weights;  // [count][32]
    std::int64_t first;
    int count;
    bool isFirst, isLast;
    float* sums;  // [rows][32] of the rows that wait
};

template <int Rows>
inline void passChunk(const espalier::cpu::GemmArgs& args, const Chunk& chunk, std::int64_t row, std::int64_t panel) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    constexpr int kVectors = Simd::tileVectors(Rows);
    for (int part = 0; part < kColumns; part += kVectors * kWidth) {
        F acc[Rows][kVectors];
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
            for (int v = 0; v < kVectors; ++v)
                acc[r][v] = chunk.isFirst ? Simd::zero() : Simd::load(chunk.sums + r * kColumns + part + v * kWidth);
        const float* x = args.x + row * args.xStride + chunk.first;
        const float* weights = chunk.weights + part;
        for (int i = 0; i < chunk.count; ++i)
            step(acc, x + i, args.xStride, [&](int v) { return Simd::load(weights + i * kColumns + v * kWidth); });
#pragma GCC unroll 16
        for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
            for (int v = 0; v < kVectors; ++v)
                if (chunk.isLast)
                    writeOutput(args, row + r, panel * kColumns + part + v * kWidth, acc[r][v]);
                else
                    Simd::store(chunk.sums + r * kColumns + part + v * kWidth, acc[r][v]);
    }
}

template <int Rows>
void passRows(int rows, const espalier::cpu::GemmArgs& args, const Chunk& chunk, std::int64_t row, std::int64_t panel) {
    if (rows == Rows) return passChunk<Rows>(args, chunk, row, panel);
    if constexpr (Rows > 1) passRows<Rows - 1>(rows, args, chunk, row, panel);
}

template <class Layout>
void widenAndPass(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel) {
    constexpr int kColumns = espalier::cpu::kPanelColumns;
    alignas(64) float weights[kChunk * kColumns];
    alignas(64) float sums[kWaitingRows * kColumns];
    const auto* block = reinterpret_cast<const std::uint8_t*>(args.panels) + panel * blockPanelBytes<Layout>(args.k);
    const std::int64_t tiles = (row1 - row0 + Simd::kGemmRows - 1) / Simd::kGemmRows;
    for (std::int64_t first = 0; first < args.k; first += kChunk) {
        const int count = args.k - first < kChunk ? static_cast<int>(args.k - first) : kChunk;
        widenBlocks<Layout>(weights, block, count);
        block += count / Layout::kValues * Layout::kBytes;
        for (std::int64_t tile = 0, row = row0; tile < tiles; ++tile) {
            const auto rows = static_cast<int>((row1 - row + tiles - tile - 1) / (tiles - tile));
            const Chunk chunk{
                weights, first, count, first == 0, first + count == args.k, sums + (row - row0) * kColumns};
            passRows<Simd::kGemmRows>(rows, args, chunk, row, panel);
            row += rows;
        }
    }
}

template <class Layout>
void gemmBlocks(const espalier::cpu::GemmArgs& args, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                std::int64_t panel1) {
    const std::int64_t rows = row1 - row0;
    if (rows <= 0) return;
    if (rows <= kDirectRows) return directRows<Layout, kDirectRows>(static_cast<int>(rows), args, row0, panel0, panel1);
    for (std::int64_t row = row0; row < row1; row += kWaitingRows) {
        const std::int64_t end = row + kWaitingRows < row1 ? row + kWaitingRows : row1;
        for (std::int64_t panel = panel0; panel < panel1; ++panel) widenAndPass<Layout>(args, row, end, panel);
    }
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
