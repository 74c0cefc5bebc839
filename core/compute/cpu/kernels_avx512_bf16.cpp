// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cpu/simd_avx512.h"
// Templates over Simd, in this order.
#include "core/compute/cpu/math_kernels.h"
#include "core/compute/cpu/gemm_kernel.h"
#include "core/compute/cpu/block_kernel.h"
#include "core/compute/cpu/dot_kernel.h"

namespace espalier::cpu {
void useAvx512Bf16(CpuKernels& kernels) {
    kernels.gemmRounded[kBf16] = gemmPairs;
    kernels.rounds[1] = pairRounds;
}
}  // namespace espalier::cpu
