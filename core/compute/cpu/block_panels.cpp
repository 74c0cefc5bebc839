// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cpu/block_panels.h"

#include <algorithm>
#include <cstring>

#include "core/base/check.h"
#include "core/tensor/quantized_block.h"

namespace espalier::cpu {
namespace {

void putHalf(std::byte* to, int column, std::uint16_t bits) {
    std::memcpy(to + 2 * column, &bits, sizeof bits);
}

void orInto(std::byte* to, std::uint8_t bits) {
    *to |= static_cast<std::byte>(bits);
}

// One block of one column.
template <class Layout>
void place(std::byte* to, const UnpackedBlock& block, int column) {
    putHalf(to, column, block.scale);
    if (Layout::kMinimum) putHalf(to + 64, column, block.minimum);
    for (int g = 0; g < Layout::kGroups; ++g) {
        std::byte* group = to + Layout::kHeadBytes + g * Layout::kGroupBytes;
        if (Layout::kSuper) group[column] = static_cast<std::byte>(block.subScales[static_cast<std::size_t>(g)]);
        if (Layout::kSuper && Layout::kMinimum)
            group[32 + column] = static_cast<std::byte>(block.subMinima[static_cast<std::size_t>(g)]);
        std::uint32_t high = 0;
        std::byte* quants = group + Layout::kSubBytes + Layout::kHighBytes;
        for (int k = 0; k < Layout::kGroup; ++k) {
            const std::uint8_t q = block.quants[static_cast<std::size_t>(g * Layout::kGroup + k)];
            if (Layout::kBits == 8) {
                quants[128 * (k / 4) + 4 * column + k % 4] = static_cast<std::byte>(q);
                continue;
            }
            orInto(quants + 128 * (k / 8) + 4 * column + k % 4, static_cast<std::uint8_t>((q & 15) << (k / 4 % 2 * 4)));
            high |= static_cast<std::uint32_t>(q >> 4) << (8 * (k % 4) + (Layout::kBits == 6 ? 2 : 1) * (k / 4));
        }
        if (Layout::kHighBytes > 0) std::memcpy(group + Layout::kSubBytes + 4 * column, &high, sizeof high);
    }
}

template <class Layout>
void pack(std::byte* to, DType dtype, const std::byte* from, std::int64_t rows, std::int64_t cols, std::int64_t panel) {
    const std::int64_t first = panel * kPanelColumns;
    const auto count = static_cast<int>(std::min<std::int64_t>(kPanelColumns, rows - first));
    const std::int64_t blocks = cols / Layout::kValues;
    const std::int64_t bytes = blockOf(dtype).bytes;
    for (int column = 0; column < count; ++column)
        for (std::int64_t b = 0; b < blocks; ++b)
            place<Layout>(to + b * Layout::kBytes, unpackBlock(dtype, from + ((first + column) * blocks + b) * bytes),
                          column);
}

template <class Visit>  // visit(layout value)
auto withLayout(DType dtype, const Visit& visit) {
    switch (dtype) {
        case DType::Q8_0:
            return visit(LayoutQ8_0());
        case DType::Q4_0:
            return visit(LayoutQ4_0());
        case DType::Q4_1:
            return visit(LayoutQ4_1());
        case DType::Q5_0:
            return visit(LayoutQ5_0());
        case DType::Q5_1:
            return visit(LayoutQ5_1());
        case DType::Q4_K:
            return visit(LayoutQ4_K());
        case DType::Q5_K:
            return visit(LayoutQ5_K());
        default:
            CHECK(dtype == DType::Q6_K);
            return visit(LayoutQ6_K());
    }
}

}  // namespace

int weightTypeOf(DType dtype) {
    if (isBlock(dtype)) return kStoredTypes + (static_cast<int>(dtype) - static_cast<int>(DType::Q8_0));
    return dtype == DType::F32 ? kF32 : dtype == DType::BF16 ? kBf16 : kF16;
}
static_assert(static_cast<int>(DType::Q6_K) - static_cast<int>(DType::Q8_0) == kQ6_K - kQ8_0);

std::int64_t blockPanelBytes(DType dtype, std::int64_t cols) {
    return withLayout(dtype, [&](auto layout) { return cols / layout.kValues * layout.kBytes; });
}

void packBlockPanel(std::byte* to, DType dtype, const std::byte* from, std::int64_t rows, std::int64_t cols,
                    std::int64_t panel) {
    withLayout(dtype, [&](auto layout) { pack<decltype(layout)>(to, dtype, from, rows, cols, panel); });
}

}  // namespace espalier::cpu
