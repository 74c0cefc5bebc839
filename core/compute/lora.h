// SPDX-License-Identifier: GPL-3.0-or-later
// LoRA (Hu et al., arXiv 2106.09685) for a batch in which each row may use another adapter, or none, and ranks differ:
//
//   shrink   v[t, firstRank + j]  = scale * sum_k x[t, k] A[j, k]         A: [rank, inputs]
//   expand   y[t, firstOutput + n] += sum_j v[t, firstRank + j] B[n, j]   B: [outputs, rank], kept transposed
//   gather   v[t, firstRank + j]  = scale * A[j, id[t]]                   in place of shrink
//            where x is row id[t] of a table
//
// A bottleneck adapter (Houlsby et al., arXiv 1902.00751) is the same with an activation between, A's bias a and B's b:
//
//   shrink     v[t, firstRank + j] = sum_k x[t, k] A[j, k]                  j < rank - 1
//   activate   v[t, firstRank + j] = scale * act(v[t, firstRank + j] + a[j]), and v[t, firstRank + rank - 1] = scale
//   expand     as above: the last row of B^T is b
//
// A and B^T are both cut into tiles of 8 ranks by `tileColumns` columns, [8][tileColumns] row-major in the stored type;
// ranks beyond the rank and columns beyond the matrix are zero. Slab s (ranks 8s to 8s + 7) and columns from
// c * tileColumns on are tile s * columnTiles + c; the tiles of A come first, those of B^T follow, then, with an
// activation, those of a, of which the first row alone is used. Pages hold whole tiles and lie anywhere: tile i is the
// (i % tilesPerPage)-th of pages[i / tilesPerPage].
//
// Plain values. Source of the layout: S-LoRA (arXiv 2311.03285) section 5, made independent of the width of a KV head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor/dtype.h"

namespace espalier {

constexpr int kLoraSlab = 8;                 // ranks of a tile
constexpr std::int32_t kMaxLoraRank = 4096;  // ample for a bottleneck half as wide as its base

constexpr std::int64_t loraTileBytes(std::int32_t tileColumns, DType dtype) {
    return std::int64_t{kLoraSlab} * tileColumns * static_cast<std::int64_t>(bytesOf(dtype));
}
constexpr std::int32_t loraTilesAcross(std::int32_t width, std::int32_t tileColumns) {
    return (width + tileColumns - 1) / tileColumns;
}
constexpr std::int32_t loraSlabs(std::int32_t rank) {
    return (rank + kLoraSlab - 1) / kLoraSlab;
}

enum class ActivationKind : std::uint8_t;  // backend.h

// A and B of one projection in one layer. Several modules may read the same x (q, k and v).
struct LoraModule {
    std::int32_t rank = 0;  // 1 to kMaxLoraRank; with an activation one more than A has rows, of which the last is zero
    std::int32_t inputs = 0;
    std::int32_t outputs = 0;
    std::int32_t firstOutput = 0;  // column of y where its outputs begin
    std::int32_t firstRank = 0;    // column of v where its ranks begin; a multiple of 8
    std::int32_t firstTile = 0;    // of A, in the tiles that `pages` hold
    std::int32_t tileColumns = 0;  // a multiple of 64
    DType dtype = DType::F32;      // F32, BF16 or F16, of A and B
    float scale = 1.0f;
    std::optional<ActivationKind> activation = {};  // of a bottleneck adapter
    std::int32_t tilesPerPage = 0;
    std::span<const std::byte* const> pages = {};  // device addresses; the list itself is in host memory

    std::int32_t firstTileOfB() const { return firstTile + loraSlabs(rank) * loraTilesAcross(inputs, tileColumns); }
    std::int32_t firstTileOfBias() const {
        return firstTileOfB() + loraSlabs(rank) * loraTilesAcross(outputs, tileColumns);
    }
    std::int32_t tiles() const {
        return firstTileOfBias() - firstTile + (activation ? loraTilesAcross(rank, tileColumns) : 0);
    }
};

// Consecutive rows that use the same modules.
struct LoraRows {
    std::int32_t firstRow = 0;
    std::int32_t rows = 0;
    std::span<const LoraModule> modules = {};  // their ranges of ranks differ; so do their outputs
};

// What one projection group of one layer needs: disjoint, ascending. Rows that are in no entry are not touched.
using LoraBatch = std::span<const LoraRows>;

}  // namespace espalier
