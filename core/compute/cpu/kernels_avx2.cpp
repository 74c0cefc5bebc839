// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cpu/simd_avx2.h"
// Templates over Simd, in this order.
#include "core/compute/cpu/math_kernels.h"
#include "core/compute/cpu/gemm_kernel.h"
#include "core/compute/cpu/block_kernel.h"
#include "core/compute/cpu/dot_kernel.h"
#include "core/compute/cpu/row_kernels.h"
#include "core/compute/cpu/attention_tile.h"
#include "core/compute/cpu/attention_kernel.h"
#include "core/compute/cpu/lora_kernel.h"
#include "core/compute/cpu/kernel_table.h"

namespace espalier::cpu {
const CpuKernels& avx2Kernels() {
    return kTable;
}
}  // namespace espalier::cpu
