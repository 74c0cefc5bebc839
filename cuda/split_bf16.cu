// SPDX-License-Identifier: GPL-3.0-or-later
// x = hi + mid + lo with bf16 parts: hi = bf16(x), mid = bf16(x - hi), lo = bf16(x - hi - mid). Three times 8 bits of
// mantissa cover the 24 of f32, and bf16 x bf16 products are exact in f32, so three tensor-core products summed in f32
// multiply an f32 activation by a bf16 weight without rounding the activation.
#include <cuda_bf16.h>

#include "cuda/split_bf16.h"

namespace espalier::cuda {
namespace {

__global__ void splitKernel(__nv_bfloat16* parts, int ldParts, const float* x, long long xStride, int rows, int dim) {
    const int d = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y;
    if (d >= ldParts) return;
    const long long size = static_cast<long long>(rows) * ldParts;
    const long long at = static_cast<long long>(row) * ldParts + d;
    float rest = d < dim ? x[row * xStride + d] : 0.0f;
    for (int part = 0; part < 3; ++part) {
        const __nv_bfloat16 rounded = __float2bfloat16_rn(rest);
        parts[part * size + at] = rounded;
        rest -= __bfloat162float(rounded);
    }
}

}  // namespace

cudaError_t launchSplitBf16(cudaStream_t stream, unsigned short* parts, int ldParts, const float* x, long long xStride,
                            int rows, int dim) {
    const dim3 grid((ldParts + 255) / 256, rows);
    splitKernel<<<grid, 256, 0, stream>>>(reinterpret_cast<__nv_bfloat16*>(parts), ldParts, x, xStride, rows, dim);
    return cudaGetLastError();
}

}  // namespace espalier::cuda
