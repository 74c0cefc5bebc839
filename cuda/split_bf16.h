// SPDX-License-Identifier: GPL-3.0-or-later
// Launchers of split_bf16.cu.
#pragma once

#include <cuda_runtime_api.h>

namespace espalier::cuda {

// parts: three [rows, ldParts] bf16 matrices one after the other (ldParts >= dim, the rest of a row is zeroed).
cudaError_t launchSplitBf16(cudaStream_t stream, unsigned short* parts, int ldParts, const float* x, long long xStride,
                            int rows, int dim);

}  // namespace espalier::cuda
