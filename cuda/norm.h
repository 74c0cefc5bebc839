// SPDX-License-Identifier: GPL-3.0-or-later
// Launchers of norm.cu: raw device pointers and a stream, plain C++17.
#pragma once

#include <cuda_runtime_api.h>

namespace espalier::cuda {

// y = RMSNorm or LayerNorm of x over d, per run of dim elements of a row, which has `groups` of them; strides in
// elements; bias may be null. Requires: rows, groups, dim > 0.
cudaError_t launchNorm(cudaStream_t stream, bool layerNorm, float* y, long long yStride, const float* x,
                       long long xStride, const float* weight, const float* bias, int rows, int groups, int dim,
                       float eps);

}  // namespace espalier::cuda
