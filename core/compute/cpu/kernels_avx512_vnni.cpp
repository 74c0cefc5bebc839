// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/cpu/simd_avx512.h"
// Templates over Simd, in this order.
#include "core/compute/cpu/math_kernels.h"
#include "core/compute/cpu/gemm_kernel.h"
#include "core/compute/cpu/block_kernel.h"
#include "core/compute/cpu/dot_kernel.h"

namespace espalier::cpu {
void useAvx512Vnni(CpuKernels& kernels) {
    const auto table = kernels.gemmRounded;
    table[kQ8_0] = gemmFours<LayoutQ8_0>;
    table[kQ4_0] = gemmFours<LayoutQ4_0>;
    table[kQ4_1] = gemmFours<LayoutQ4_1>;
    table[kQ5_0] = gemmFours<LayoutQ5_0>;
    table[kQ5_1] = gemmFours<LayoutQ5_1>;
    table[kQ4_K] = gemmFours<LayoutQ4_K>;
    table[kQ5_K] = gemmFours<LayoutQ5_K>;
    table[kQ6_K] = gemmFours<LayoutQ6_K>;
    kernels.rounds[2] = fourRounds;
}
}  // namespace espalier::cpu
