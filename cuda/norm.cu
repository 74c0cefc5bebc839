// SPDX-License-Identifier: GPL-3.0-or-later
// RMSNorm:   y[t,d] = x[t,d] * (1 / sqrt(mean_d(x[t,:]^2) + eps)) * w[d]
// LayerNorm: y[t,d] = (x[t,d] - mean) / sqrt(var + eps) * w[d] + b[d]
//   x, y: [T, groups * D] f32, any row stride; y may be x; overwrites y; nothing is saved.
// One block per group. Order of summation: thread i sums d = i, i + 256, ... ascending, then a tree over 256 partial
// sums: the same for every row count, so a group's bits depend on that group alone.
#include "cuda/norm.h"

namespace espalier::cuda {
namespace {

constexpr int kThreads = 256;

__device__ float blockSum(float value, float* shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = kThreads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    const float sum = shared[0];
    __syncthreads();  // shared is written again by the next sum
    return sum;
}

__global__ void normKernel(bool layerNorm, float* y, long long yStride, const float* x, long long xStride,
                           const float* weight, const float* bias, int groups, int dim, float eps) {
    __shared__ float shared[kThreads];
    const long long row = blockIdx.x / groups;
    const long long first = static_cast<long long>(blockIdx.x % groups) * dim;
    const float* in = x + row * xStride + first;
    float* out = y + row * yStride + first;
    float mean = 0.0f;
    if (layerNorm) {
        float sum = 0.0f;
        for (int d = threadIdx.x; d < dim; d += kThreads) sum += in[d];
        mean = blockSum(sum, shared) / dim;
    }
    float squares = 0.0f;
    for (int d = threadIdx.x; d < dim; d += kThreads) {
        const float centred = in[d] - mean;
        squares += centred * centred;
    }
    const float scale = 1.0f / sqrtf(blockSum(squares, shared) / dim + eps);
    for (int d = threadIdx.x; d < dim; d += kThreads) {
        const float value = (in[d] - mean) * scale * weight[d];
        out[d] = bias ? value + bias[d] : value;
    }
}

}  // namespace

cudaError_t launchNorm(cudaStream_t stream, bool layerNorm, float* y, long long yStride, const float* x,
                       long long xStride, const float* weight, const float* bias, int rows, int groups, int dim,
                       float eps) {
    normKernel<<<rows * groups, kThreads, 0, stream>>>(layerNorm, y, yStride, x, xStride, weight, bias, groups, dim,
                                                       eps);
    return cudaGetLastError();
}

}  // namespace espalier::cuda
