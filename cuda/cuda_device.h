// SPDX-License-Identifier: GPL-3.0-or-later
// CudaDevice: DeviceOps on one NVIDIA device. gemm goes through cuBLASLt, norm through norm.cu.
//
// Numerics: weights f32 and f16 (widened to f32 when packed; no value changes) multiply in full f32, never TF32. bf16
// weights multiply an f32 activation split into three bf16 parts (split_bf16.cu). The order of summation over k is
// cuBLASLt's and may change with the row count: outputs agree with the fp64 oracle within 4e-6 * sum_k |x w|, not bit
// for bit across batch sizes. norm has one order, see norm.cu.
//
// Owner: who called espalier_cuda_create. Thread: as DeviceOps says.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>

#include "core/compute/backend.h"

namespace espalier::cuda {

class CudaDevice final : public DeviceOps {
public:
    static Result<std::unique_ptr<CudaDevice>> create(int index);
    ~CudaDevice() override;

    DeviceDesc device() const override;
    Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind) override;
    void copy(Stream& stream, void* to, const void* from, std::int64_t bytes) override;
    void fill(Stream& stream, void* to, int byte, std::int64_t bytes) override;
    std::unique_ptr<Stream> makeStream() override;
    std::unique_ptr<StreamEvent> record(Stream& stream) override;
    void wait(Stream& stream, const StreamEvent& event) override;
    Result<void> synchronize(Stream& stream) override;
    Result<WeightMatrix> packWeight(ConstTensorView source) override;
    std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const override;
    void gemm(Stream& stream, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) override;
    void norm(Stream& stream, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) override;

private:
    explicit CudaDevice(int index) : m_index(index) {}
    void release(std::byte* data, std::int64_t bytes, MemoryKind kind) override;

    // One product y[T,N] = beta y + x[T,K] w[N,K]^T (+ bias), all of one element type for x and w, y in f32.
    struct Product {
        cudaDataType_t type;
        const void* x;
        std::int64_t xStride;
        const void* w;
        std::int64_t wStride;
        float* y;
        std::int64_t yStride;
        std::int64_t t, n, k;
        const float* bias;  // null: none
        float beta;
    };
    void multiply(cudaStream_t stream, const Product& product);
    void note(cudaError_t status, const char* doing);
    void note(cublasStatus_t status, const char* doing);
    void makeCurrent();

    const int m_index;
    cudaDeviceProp m_properties{};
    cublasLtHandle_t m_blas = nullptr;
    void* m_blasWorkspace = nullptr;
    void* m_parts = nullptr;  // bf16 parts of the activation, grown as needed
    std::int64_t m_partsBytes = 0;
    using AlgorithmKey =
        std::tuple<int, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, bool, int>;
    std::map<AlgorithmKey, cublasLtMatmulAlgo_t> m_algorithms;
    mutable std::mutex m_mutex;  // guards m_problem: allocate may be called from any thread
    std::string m_problem;       // the first fault; sticky
};

}  // namespace espalier::cuda
