// SPDX-License-Identifier: GPL-3.0-or-later
// The two steps of LoRA over tiles of 8 ranks (core/compute/lora.h). How many rows a register tile takes is speed only:
// every output keeps a chain of its own. Shrink sums lane l over columns l, l + width, ... and adds the lanes last;
// expand is one chain over ascending ranks.
#pragma once

namespace {

constexpr int kLoraSlab = 8;
constexpr int kShrinkRows = kWidth == 16 ? 3 : 1;
constexpr int kExpandRows = kWidth == 16 ? 4 : 2;
constexpr int kExpandVectors = 4;
constexpr int kOneRowVectors = kWidth == 16 ? 8 : 4;  // longer runs of each rank of a tile

template <class Stored>
inline const typename Stored::T* loraTile(const espalier::cpu::LoraArgs& args, std::int64_t tile) {
    return reinterpret_cast<const typename Stored::T*>(args.pages[tile / args.tilesPerPage]) +
           tile % args.tilesPerPage * kLoraSlab * args.tileColumns;
}

// The line of value k, when one begins there, of what is read next: the rows of a tile are too short for the processor
// to see it coming.
template <class T>
inline __attribute__((always_inline)) void fetchNext(const T* at, std::int64_t k) {
    if (k * static_cast<std::int64_t>(sizeof(T)) % 64 == 0) __builtin_prefetch(at + k);
}

template <class Stored, int Rows>
inline void shrinkRows(const espalier::cpu::LoraArgs& args, std::int64_t row, std::int64_t slab) {
    const std::int64_t across = (args.columns + args.tileColumns - 1) / args.tileColumns;
    const float* x = args.from + row * args.fromStride;
    F acc[Rows][kLoraSlab];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int j = 0; j < kLoraSlab; ++j) acc[r][j] = Simd::zero();
    for (std::int64_t c = 0; c < across; ++c) {
        const std::int64_t first = c * args.tileColumns;
        const std::int64_t left = args.columns - first;
        const auto* tile = loraTile<Stored>(args, args.firstTile + slab * across + c);
        const auto* next = loraTile<Stored>(args, args.firstTile + slab * across + c + 1);  // of B after the last of A
        forVectors(left < args.tileColumns ? left : args.tileColumns, [&](std::int64_t k, int n) {
#pragma GCC unroll 16
            for (int j = 0; j < kLoraSlab; ++j) fetchNext(next + j * args.tileColumns, k);
            F input[Rows];
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) input[r] = loadSome(x + r * args.fromStride + first + k, n);
#pragma GCC unroll 16
            for (int j = 0; j < kLoraSlab; ++j) {
                const F a = Stored::load(tile + j * args.tileColumns + k);
#pragma GCC unroll 16
                for (int r = 0; r < Rows; ++r) acc[r][j] = Simd::fma(input[r], a, acc[r][j]);
            }
        });
    }
    for (int r = 0; r < Rows; ++r)
        for (int j = 0; j < kLoraSlab; ++j)
            args.to[(row + r) * args.toStride + slab * kLoraSlab + j] = args.scale * Simd::sum(acc[r][j]);
}

// Slab `slab` of v for rows [0, args.rows).
template <class Stored>
void loraShrink(const espalier::cpu::LoraArgs& args, std::int64_t slab) {
    std::int64_t row = 0;
    if constexpr (kShrinkRows > 1)
        for (; row + kShrinkRows <= args.rows; row += kShrinkRows) shrinkRows<Stored, kShrinkRows>(args, row, slab);
    for (; row < args.rows; ++row) shrinkRows<Stored, 1>(args, row, slab);
}

// Columns [first, first + n) of a tile column c, n at most `Vectors` vectors, which the tile has.
template <class Stored, int Rows, int Vectors>
inline void expandRows(const espalier::cpu::LoraArgs& args, std::int64_t row, std::int64_t c, std::int64_t first,
                       int n) {
    const std::int64_t across = (args.columns + args.tileColumns - 1) / args.tileColumns;
    const float* v = args.from + row * args.fromStride;
    F acc[Rows][Vectors];
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 16
        for (int i = 0; i < Vectors; ++i) acc[r][i] = Simd::zero();
    for (std::int64_t slab = 0; slab * kLoraSlab < args.rank; ++slab) {
        const auto* tile = loraTile<Stored>(args, args.firstTile + slab * across + c) + first;
        const std::int64_t left = args.rank - slab * kLoraSlab;
        const int ranks = left < kLoraSlab ? static_cast<int>(left) : kLoraSlab;
        // The same slab of the columns that follow: as far ahead as the slabs are many.
        const auto* next = first + Vectors * kWidth < args.tileColumns ? tile + Vectors * kWidth
                           : c + 1 < across ? loraTile<Stored>(args, args.firstTile + slab * across + c + 1)
                                            : tile;
        for (int j = 0; j < ranks; ++j) {
            if constexpr (Rows == 1)
#pragma GCC unroll 16
                for (int i = 0; i < Vectors; ++i) fetchNext(next + j * args.tileColumns, i * kWidth);
            F b[Vectors];
#pragma GCC unroll 16
            for (int i = 0; i < Vectors; ++i) b[i] = Stored::load(tile + j * args.tileColumns + i * kWidth);
#pragma GCC unroll 16
            for (int r = 0; r < Rows; ++r) {
                const F factor = Simd::set(v[r * args.fromStride + slab * kLoraSlab + j]);
#pragma GCC unroll 16
                for (int i = 0; i < Vectors; ++i) acc[r][i] = Simd::fma(factor, b[i], acc[r][i]);
            }
        }
    }
    float* y = args.to + row * args.toStride + c * args.tileColumns + first;
    for (int r = 0; r < Rows; ++r, y += args.toStride)
#pragma GCC unroll 16
        for (int i = 0; i < Vectors; ++i) {
            const int here = n - i * kWidth;
            if (here >= kWidth)
                Simd::store(y + i * kWidth, Simd::add(Simd::load(y + i * kWidth), acc[r][i]));
            else if (here > 0)
                Simd::store(y + i * kWidth, Simd::add(Simd::load(y + i * kWidth, here), acc[r][i]), here);
        }
}

// Tile column `c` of y for rows [0, args.rows).
template <class Stored>
void loraExpand(const espalier::cpu::LoraArgs& args, std::int64_t c) {
    const std::int64_t left = args.columns - c * args.tileColumns;
    const std::int64_t end = left < args.tileColumns ? left : args.tileColumns;
    std::int64_t first = 0;
    const auto columnsOf = [&](int chunk) { return end - first < chunk ? static_cast<int>(end - first) : chunk; };
    if (args.rows == 1) {
        constexpr int kChunk = kOneRowVectors * kWidth;
        for (; first < end && first + kChunk <= args.tileColumns; first += kChunk)
            expandRows<Stored, 1, kOneRowVectors>(args, 0, c, first, columnsOf(kChunk));
    }
    constexpr int kChunk = kExpandVectors * kWidth;
    for (; first < end; first += kChunk) {
        std::int64_t row = 0;
        for (; row + kExpandRows <= args.rows; row += kExpandRows)
            expandRows<Stored, kExpandRows, kExpandVectors>(args, row, c, first, columnsOf(kChunk));
        for (; row < args.rows; ++row) expandRows<Stored, 1, kExpandVectors>(args, row, c, first, columnsOf(kChunk));
    }
}

// Column ids[t] of A for every row t: a few values each, from as many places.
template <class Stored>
void loraGather(const espalier::cpu::LoraArgs& args, const std::int32_t* ids) {
    const std::int64_t across = (args.columns + args.tileColumns - 1) / args.tileColumns;
    for (std::int64_t t = 0; t < args.rows; ++t)
        for (std::int64_t slab = 0; slab * kLoraSlab < args.rank; ++slab) {
            const auto* tile = loraTile<Stored>(args, args.firstTile + slab * across + ids[t] / args.tileColumns);
            for (int j = 0; j < kLoraSlab; ++j) {
                const F value = Stored::load(tile + j * args.tileColumns + ids[t] % args.tileColumns, 1);
                Simd::store(args.to + t * args.toStride + slab * kLoraSlab + j, Simd::mul(Simd::set(args.scale), value),
                            1);
            }
        }
}

// The first row of a matrix in tiles, widened.
template <class Stored>
void loraRow(const espalier::cpu::LoraArgs& args, float* to) {
    for (std::int64_t first = 0; first < args.columns; first += args.tileColumns) {
        const std::int64_t left = args.columns - first;
        const auto* tile = loraTile<Stored>(args, args.firstTile + first / args.tileColumns);
        forVectors(left < args.tileColumns ? left : args.tileColumns,
                   [&](std::int64_t k, int n) { Simd::store(to + first + k, Stored::load(tile + k, n), n); });
    }
}

}  // namespace
