// SPDX-License-Identifier: GPL-3.0-or-later
// CpuKernels: the inner loops of the CPU backend as one table of plain functions, made once per instruction set
// (kernels_plain.cpp, kernels_avx2.cpp, kernels_avx512.cpp from the same templates) and chosen at run time.
//
// Files compiled for an instruction set hold nothing with external linkage but their table function, and use no inline
// function of the standard library: the linker keeps one copy of such a function, and it might keep the one that an
// older processor cannot run.
//
// Layout of weights: a panel holds 32 output columns, rows beyond N are zero.
//   f32   [ceil(N/32)][K][32]
//   f16   [ceil(N/32)][K][32]
//   bf16  [ceil(N/32)][ceil(K/2)][32][2]   both halves of a 32-bit word belong to one column, k even in the low half
//   block types: BlockLayout below
// Layout of a KV page: K [kvHeads][headDim][16], then V [kvHeads][16][headDim].
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier::cpu {

// Tiles of every height are compiled one by one; a sanitizer makes each of them ten times as long, and a tile's height
// is speed only.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kFewTiles = true;
#else
constexpr bool kFewTiles = false;
#endif

constexpr int kPanelColumns = 32;
constexpr int kPageTokens = 16;

// Index into the per-type members below: those of KV pages and weights, then those of weights alone.
enum StoredType { kF32, kBf16, kF16, kStoredTypes };
enum WeightType { kQ8_0 = kStoredTypes, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K, kWeightTypes };

// A panel of a block type (core/tensor/quantized_block.h) is [K / kValues] blocks of 32 columns; every number of the
// stored blocks is in it, ordered so that a vector holds neighbouring columns. By byte, of a block:
//
//   f16 d[32], f16 m[32]                   m where the type has one
//   then kGroups groups of kGroup consecutive k, each
//     u8 or i8 sc[32], u8 mn[32]           K types; mn where there is an m
//     u32 high[32]                         5 bits: bit 8 (k % 4) + k / 4 of a column is bit 4 of its k-th number;
//                                          6 bits: bits 8 (k % 4) + 2 (k / 4) and the next are bits 4 and 5 of
//                                          the k-th
//     u32 q[kGroup / 8][32]                byte b of word j: k = 8j + b in the low, 8j + 4 + b in the high half;
//                                          8 bits: u32 q[kGroup / 4][32], byte b of word j is k = 4j + b
//
// So a word of a column holds four consecutive k, byte by byte: what the dot instructions of a processor take.
//
// The K types' packed 6-bit scales become whole bytes: 148 bytes for 144 (Q4_K), 180 for 176 (Q5_K); the rest keep
// their size.
template <int Bits, bool Minimum, bool Super>
struct BlockLayout {
    static constexpr int kBits = Bits;
    static constexpr bool kMinimum = Minimum;
    static constexpr bool kSuper = Super;
    static constexpr int kGroup = Bits == 6 ? 16 : 32;
    static constexpr int kGroups = Super ? 256 / kGroup : 1;
    static constexpr int kValues = kGroup * kGroups;
    static constexpr int kHeadBytes = Minimum ? 128 : 64;
    static constexpr int kSubBytes = Super ? (Minimum ? 64 : 32) : 0;
    static constexpr int kHighBytes = Bits == 5 || Bits == 6 ? 128 : 0;
    static constexpr int kGroupBytes = kSubBytes + kHighBytes + kGroup * 32 * (Bits == 8 ? 8 : 4) / 8;
    static constexpr int kBytes = kHeadBytes + kGroups * kGroupBytes;
    static constexpr int kZero = Bits == 8 || Minimum ? 0 : 1 << (Bits - 1);  // w = d (q - kZero), or d q + m
};
using LayoutQ8_0 = BlockLayout<8, false, false>;
using LayoutQ4_0 = BlockLayout<4, false, false>;
using LayoutQ4_1 = BlockLayout<4, true, false>;
using LayoutQ5_0 = BlockLayout<5, false, false>;
using LayoutQ5_1 = BlockLayout<5, true, false>;
using LayoutQ4_K = BlockLayout<4, true, true>;
using LayoutQ5_K = BlockLayout<5, true, true>;
using LayoutQ6_K = BlockLayout<6, false, true>;

struct GemmArgs {
    const float* x;
    std::int64_t xStride;
    const std::byte* panels;
    std::int64_t k;
    std::int64_t n;
    float* y;
    std::int64_t yStride;
    const float* bias;  // or null
    bool accumulate;
    // x as a compute mode below f32 multiplies it, made by round*; the f32 kernels do not look here.
    const std::byte* words = nullptr;    // row r from r * wordStride: bf16 [k], or i8 [k]
    std::int64_t wordStride = 0;         // bytes, a multiple of 4; a last odd bf16 has a zero beside it
    const float* unit = nullptr;         // i8: [rows][k / 32], what 1 means in 32 consecutive k
    const std::int32_t* sums = nullptr;  // i8: [rows][k / 16], of 16 consecutive numbers
};

// Rows of x for GemmArgs::words and what lies beside it.
struct RoundArgs {
    const float* x;
    std::int64_t xStride;
    std::int64_t k;
    std::byte* words;
    std::int64_t wordStride;
    float* unit;
    std::int32_t* sums;
};

struct NormArgs {
    const float* x;
    std::int64_t xStride;
    float* y;
    std::int64_t yStride;
    std::int64_t dim;  // of one group
    std::int64_t groups;
    const float* weight;
    const float* bias;  // or null
    float eps;
    bool subtractMean;
};

struct RopeArgs {
    float* x;
    std::int64_t xStride;
    const float* cos;
    std::int64_t cosStride;
    const float* sin;
    std::int64_t sinStride;
    int heads, headDim, half;
};

struct ActivationArgs {
    float* out;
    std::int64_t outStride;
    const float* gate;
    std::int64_t gateStride;
    const float* up;  // or null
    std::int64_t upStride;
    std::int64_t cols;
};

// Tokens [slot0, slot0 + count) of one page, one kv head; k and v point at the first token's head.
struct StoreArgs {
    std::byte* page;
    int kvHeads, kvHead, headDim;
    int slot0, count;
    const float* k;
    std::int64_t kStride;
    const float* v;
    std::int64_t vStride;
};

// Rows [0, rows) of one segment, first at `position`, for the query heads of one kv head.
struct AttentionArgs {
    const float* q;  // first row, first query head of the group
    std::int64_t qStride;
    float* out;
    std::int64_t outStride;
    const std::byte* base;
    std::int64_t pageBytes;
    const std::int32_t* pages;
    int kvHeads, kvHead, headDim, group;
    int rows, position, window;
    int keys;  // > 0: every query sees keys [0, keys); 0: causal
    float scale;
    int span0, span1;  // runs of kAttentionSpan keys, by position, to attend to
    bool finish;       // write out; else the state after these spans stays in `states`
    float* states;     // rows * group of attentionState(headDim)
    float* scratch;    // attentionScratch(rows * group, headDim) floats; it and `states` begin a line of the cache
};

// One module of one adapter for consecutive rows; pointers are at the first of them. Shrink: from x to v (at the
// module's first rank), tiles of A. Expand: from v to y (at its first output), tiles of B. tileColumns is a multiple of
// 64, so that no vector and no chunk of four crosses a tile.
struct LoraArgs {
    const float* from;
    std::int64_t fromStride;
    float* to;
    std::int64_t toStride;
    std::int64_t rows;
    const std::byte* const* pages;
    std::int64_t tilesPerPage;
    std::int64_t firstTile;
    std::int64_t tileColumns;
    std::int64_t columns;  // inputs or outputs
    std::int64_t rank;
    float scale;
};

// A query begins a new state every so many keys, and states are merged in order: a long text can be cut over threads
// there, and nowhere else.
constexpr int kAttentionSpan = 1024;
constexpr int kAttentionBlock = 64;  // keys that are worked on at a time

constexpr std::int64_t paddedDim(std::int64_t floats) {
    return (floats + 15) / 16 * 16;
}
constexpr std::int64_t attentionState(std::int64_t headDim) {
    return paddedDim(headDim) + 32;
}
constexpr std::int64_t attentionScratch(std::int64_t queries, std::int64_t headDim) {
    return paddedDim(queries * headDim) + queries * attentionState(headDim) + queries * kAttentionSpan;
}

struct CpuKernels {
    // y of rows [row0, row1) and panels [panel0, panel1).
    void (*gemm[kWeightTypes])(const GemmArgs&, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                               std::int64_t panel1);
    int gemmRows;  // the row tile: splitting rows elsewhere wastes work, never bits
    // The same from rounded rows, in pairs of k for bf16 weights, in fours for block types; null where there is none.
    void (*gemmRounded[kWeightTypes])(const GemmArgs&, std::int64_t row0, std::int64_t row1, std::int64_t panel0,
                                      std::int64_t panel1);
    void (*roundToBf16)(const RoundArgs&, std::int64_t row0, std::int64_t row1);
    void (*roundToI8)(const RoundArgs&, std::int64_t row0, std::int64_t row1);
    void (*gather[kWeightTypes])(float* out, const std::byte* panels, std::int64_t k, std::int64_t row);
    void (*norm)(const NormArgs&, std::int64_t row0, std::int64_t row1);
    void (*rope)(const RopeArgs&, std::int64_t row0, std::int64_t row1);
    void (*activation[4])(const ActivationArgs&, std::int64_t row0, std::int64_t row1);  // by ActivationKind
    void (*add)(float* y, const float* x, std::int64_t count);                           // y += x
    void (*storeKv[kStoredTypes])(const StoreArgs&);
    void (*attention[kStoredTypes])(const AttentionArgs&);
    void (*mergeAttention)(const AttentionArgs&);
    void (*loraShrink[kStoredTypes])(const LoraArgs&, std::int64_t slab);
    void (*loraExpand[kStoredTypes])(const LoraArgs&, std::int64_t tileColumn);
    void (*loraGather[kStoredTypes])(const LoraArgs&, const std::int32_t* ids);  // of the rows
    void (*loraRow[kStoredTypes])(const LoraArgs&, float* to);  // the first row of the tiles, `columns` values
    void (*exponential)(float* values, std::int64_t count);     // e^value in place, as activations have it
    void (*powerOfTwo)(float* values, std::int64_t count);      // 2^value in place, value <= 0, as softmax has it
    // For measurements: `rounds` rounds of independent multiply-adds by ComputeMode (their number in *flops, two each);
    // the sum of `count` 32-bit words, read as fast as memory gives them.
    float (*rounds[3])(std::int64_t rounds, std::int64_t* flops);
    std::uint32_t (*sumWords)(const std::uint32_t* words, std::int64_t count);
};

const CpuKernels& plainKernels();
const CpuKernels& avx2Kernels();
const CpuKernels& avx512Kernels();

// Instructions that some processors with AVX-512 have besides: they replace gemmRounded of what they serve.
void useAvx512Bf16(CpuKernels& kernels);  // bf16
void useAvx512Vnni(CpuKernels& kernels);  // block types

}  // namespace espalier::cpu
