// SPDX-License-Identifier: GPL-3.0-or-later
// Packs rows of block-quantised weights into the panels of kernels.h (BlockLayout): numbers move, none changes.
// Thread: any; no state.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/compute/cpu/kernels.h"
#include "core/tensor/dtype.h"

namespace espalier::cpu {

int weightTypeOf(DType dtype);  // index into the per-type members of CpuKernels

// Of one panel of 32 rows. Requires: isBlock(dtype), cols is whole blocks.
std::int64_t blockPanelBytes(DType dtype, std::int64_t cols);

// Rows [32 panel, ...) of a row-major [rows, cols] matrix of blocks into `to`, which is zero.
void packBlockPanel(std::byte* to, DType dtype, const std::byte* from, std::int64_t rows, std::int64_t cols,
                    std::int64_t panel);

}  // namespace espalier::cpu
