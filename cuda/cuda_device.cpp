// SPDX-License-Identifier: GPL-3.0-or-later
#include "cuda/cuda_device.h"

#include <algorithm>
#include <vector>

#include "core/tensor/quantized_block.h"
#include "cuda/norm.h"
#include "cuda/split_bf16.h"

namespace espalier::cuda {
namespace {

constexpr std::size_t kBlasWorkspaceBytes = 32u << 20;

// Rows of packed weights start at multiples of 16 bytes, so that every leading dimension suits the tensor cores.
std::int64_t packedStride(std::int64_t cols, DType stored) {
    const std::int64_t step = stored == DType::BF16 ? 8 : 4;
    return (cols + step - 1) / step * step;
}
std::int64_t packedElementBytes(DType dtype) {
    return dtype == DType::BF16 ? 2 : 4;
}  // f16 and blocks widen to f32

class CudaStream final : public Stream {
public:
    explicit CudaStream(cudaStream_t stream) : m_stream(stream) {}
    ~CudaStream() override { cudaStreamDestroy(m_stream); }
    cudaStream_t get() const { return m_stream; }

private:
    cudaStream_t m_stream;
};

class CudaEvent final : public StreamEvent {
public:
    explicit CudaEvent(cudaEvent_t event) : m_event(event) {}
    ~CudaEvent() override { cudaEventDestroy(m_event); }
    cudaEvent_t get() const { return m_event; }

private:
    cudaEvent_t m_event;
};

cudaStream_t raw(Stream& stream) {
    return static_cast<CudaStream&>(stream).get();
}

std::uint32_t alignmentOf(const void* pointer) {
    const auto address = reinterpret_cast<std::uintptr_t>(pointer);
    return static_cast<std::uint32_t>(std::min<std::uintptr_t>(address & (~address + 1), 256));
}

// cuBLASLt's descriptors, destroyed on every way out.
struct Layout {
    cublasLtMatrixLayout_t handle = nullptr;
    Layout(cudaDataType_t type, std::int64_t rows, std::int64_t cols, std::int64_t stride) {
        cublasLtMatrixLayoutCreate(&handle, type, static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(cols),
                                   stride);
    }
    Layout(const Layout&) = delete;
    ~Layout() { cublasLtMatrixLayoutDestroy(handle); }
};
struct Operation {
    cublasLtMatmulDesc_t handle = nullptr;
    Operation() { cublasLtMatmulDescCreate(&handle, CUBLAS_COMPUTE_32F, CUDA_R_32F); }
    Operation(const Operation&) = delete;
    ~Operation() { cublasLtMatmulDescDestroy(handle); }
    template <class T>
    void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
        cublasLtMatmulDescSetAttribute(handle, attribute, &value, sizeof value);
    }
};
struct Preference {
    cublasLtMatmulPreference_t handle = nullptr;
    Preference() { cublasLtMatmulPreferenceCreate(&handle); }
    Preference(const Preference&) = delete;
    ~Preference() { cublasLtMatmulPreferenceDestroy(handle); }
    template <class T>
    void set(cublasLtMatmulPreferenceAttributes_t attribute, const T& value) {
        cublasLtMatmulPreferenceSetAttribute(handle, attribute, &value, sizeof value);
    }
};

}  // namespace

Result<std::unique_ptr<CudaDevice>> CudaDevice::create(int index) {
    std::unique_ptr<CudaDevice> device(new CudaDevice(index));
    const auto check = [](cudaError_t status, const char* doing) -> Result<void> {
        if (status == cudaSuccess) return {};
        return fail(ErrorCode::DeviceError, std::string(doing) + ": " + cudaGetErrorString(status));
    };
    TRY(check(cudaSetDevice(index), "selecting the CUDA device"));
    TRY(check(cudaGetDeviceProperties(&device->m_properties, index), "reading the CUDA device's properties"));
    TRY(check(cudaMalloc(&device->m_blasWorkspace, kBlasWorkspaceBytes), "allocating the cuBLASLt workspace"));
    if (const cublasStatus_t status = cublasLtCreate(&device->m_blas); status != CUBLAS_STATUS_SUCCESS)
        return fail(ErrorCode::DeviceError, std::string("starting cuBLASLt: ") + cublasLtGetStatusString(status));
    return device;
}

CudaDevice::~CudaDevice() {
    makeCurrent();
    if (m_blas) cublasLtDestroy(m_blas);
    cudaFree(m_blasWorkspace);
    cudaFree(m_parts);
}

void CudaDevice::makeCurrent() {
    note(cudaSetDevice(m_index), "selecting the CUDA device");
}

void CudaDevice::note(cudaError_t status, const char* doing) {
    if (status == cudaSuccess) return;
    const std::lock_guard lock(m_mutex);
    if (m_problem.empty()) m_problem = std::string(doing) + ": " + cudaGetErrorString(status);
}

void CudaDevice::note(cublasStatus_t status, const char* doing) {
    if (status == CUBLAS_STATUS_SUCCESS) return;
    const std::lock_guard lock(m_mutex);
    if (m_problem.empty()) m_problem = std::string(doing) + ": " + cublasLtGetStatusString(status);
}

DeviceDesc CudaDevice::device() const {
    DeviceDesc desc;
    desc.kind = DeviceKind::Cuda;
    desc.name = m_properties.name;
    desc.isa = "sm_" + std::to_string(m_properties.major) + std::to_string(m_properties.minor);
    std::size_t free = 0;
    std::size_t total = 0;
    if (cudaSetDevice(m_index) == cudaSuccess) (void)cudaMemGetInfo(&free, &total);
    desc.memoryBytes = static_cast<std::int64_t>(total);
    desc.freeBytes = static_cast<std::int64_t>(free);
    return desc;
}

Result<Buffer> CudaDevice::allocate(std::int64_t bytes, MemoryKind kind) {
    CHECK(bytes > 0);
    makeCurrent();
    void* data = nullptr;
    const auto size = static_cast<std::size_t>(bytes);
    cudaError_t status = kind == MemoryKind::Device ? cudaMalloc(&data, size) : cudaMallocHost(&data, size);
    if (status == cudaSuccess && kind == MemoryKind::Device) status = cudaMemset(data, 0, size);
    if (status == cudaSuccess && kind == MemoryKind::HostPinned)
        std::fill_n(static_cast<std::byte*>(data), size, std::byte{});
    if (status != cudaSuccess) {
        (void)cudaGetLastError();  // an allocation that did not fit is not a fault of the device
        if (data) release(static_cast<std::byte*>(data), bytes, kind);
        return fail(ErrorCode::PoolExhausted, "allocating " + std::to_string(bytes) + " bytes on " + m_properties.name +
                                                  ": " + cudaGetErrorString(status));
    }
    return Buffer(*this, static_cast<std::byte*>(data), bytes, kind);
}

void CudaDevice::release(std::byte* data, std::int64_t, MemoryKind kind) {
    makeCurrent();
    note(kind == MemoryKind::Device ? cudaFree(data) : cudaFreeHost(data), "releasing memory");
}

void CudaDevice::copy(Stream& stream, void* to, const void* from, std::int64_t bytes) {
    makeCurrent();
    note(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), cudaMemcpyDefault, raw(stream)), "copying");
}

void CudaDevice::fill(Stream& stream, void* to, int byte, std::int64_t bytes) {
    makeCurrent();
    note(cudaMemsetAsync(to, byte, static_cast<std::size_t>(bytes), raw(stream)), "filling");
}

std::unique_ptr<Stream> CudaDevice::makeStream() {
    makeCurrent();
    cudaStream_t stream = nullptr;
    note(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
    return std::make_unique<CudaStream>(stream);
}

std::unique_ptr<StreamEvent> CudaDevice::record(Stream& stream) {
    makeCurrent();
    cudaEvent_t event = nullptr;
    note(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    note(cudaEventRecord(event, raw(stream)), "recording an event");
    return std::make_unique<CudaEvent>(event);
}

void CudaDevice::wait(Stream& stream, const StreamEvent& event) {
    makeCurrent();
    note(cudaStreamWaitEvent(raw(stream), static_cast<const CudaEvent&>(event).get(), 0), "waiting for an event");
}

Result<void> CudaDevice::synchronize(Stream& stream) {
    makeCurrent();
    note(cudaStreamSynchronize(raw(stream)), "running on the device");
    const std::lock_guard lock(m_mutex);
    if (!m_problem.empty()) return fail(ErrorCode::DeviceError, std::string(m_properties.name) + ": " + m_problem);
    return {};
}

std::int64_t CudaDevice::packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const {
    return rows * packedStride(cols, dtype) * packedElementBytes(dtype);
}

// Row-major [N, stride], the rest of a row zero. The host copy is made first: packing happens once, at load.
Result<WeightMatrix> CudaDevice::packWeight(ConstTensorView source) {
    CHECK(source.rank == 2 && source.isContiguous());
    const std::int64_t rows = source.rows();
    const std::int64_t cols = source.cols();
    const std::int64_t stride = packedStride(cols, source.dtype);
    const auto count = static_cast<std::size_t>(rows * stride);
    TRY_ASSIGN(Buffer panels, allocate(packedBytes(rows, cols, source.dtype), MemoryKind::Device));
    std::vector<std::byte> host(static_cast<std::size_t>(panels.bytes()));
    if (isBlock(source.dtype)) {
        const BlockSize block = blockOf(source.dtype);
        CHECK(cols % block.values == 0);
        for (std::int64_t row = 0; row < rows; ++row)
            dequantize(source.dtype, source.data + row * cols / block.values * block.bytes,
                       {reinterpret_cast<float*>(host.data()) + row * stride, static_cast<std::size_t>(cols)});
    } else if (source.dtype == DType::F16) {
        auto* wide = reinterpret_cast<float*>(host.data());
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t col = 0; col < cols; ++col)
                wide[row * stride + col] = f16ToF32(source.as<std::uint16_t>()[row * cols + col]);
    } else {
        const auto element = static_cast<std::int64_t>(bytesOf(source.dtype));
        for (std::int64_t row = 0; row < rows; ++row)
            std::copy_n(source.data + row * cols * element, cols * element, host.data() + row * stride * element);
    }
    CHECK(count * static_cast<std::size_t>(packedElementBytes(source.dtype)) == host.size());
    if (const cudaError_t status = cudaMemcpy(panels.data(), host.data(), host.size(), cudaMemcpyHostToDevice);
        status != cudaSuccess)
        return fail(ErrorCode::DeviceError, std::string("copying weights: ") + cudaGetErrorString(status));
    return WeightMatrix{rows, cols, source.dtype, std::move(panels)};
}

void CudaDevice::gemm(Stream& stream, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) {
    CHECK(x.rank == 2 && y.rank == 2 && x.cols() == w.cols && y.cols() == w.rows && x.rows() == y.rows());
    CHECK(x.stride[1] == 1 && y.stride[1] == 1);
    const std::int64_t t = x.rows();
    if (t == 0) return;
    makeCurrent();
    const std::int64_t wStride = packedStride(w.cols, w.dtype);
    const float beta = desc.accumulate ? 1.0f : 0.0f;
    const auto* bias = desc.bias.data ? desc.bias.as<float>() : nullptr;
    Product product{CUDA_R_32F,  x.data, x.stride[0], w.panels.data(), wStride, y.as<float>(),
                    y.stride[0], t,      w.rows,      w.cols,          bias,    beta};
    if (w.dtype != DType::BF16) return multiply(raw(stream), product);

    const std::int64_t partBytes = t * wStride * 2;
    if (3 * partBytes > m_partsBytes) {
        note(cudaStreamSynchronize(raw(stream)), "waiting for the device");
        note(cudaFree(m_parts), "releasing memory");
        m_parts = nullptr;
        m_partsBytes = 0;
        note(cudaMalloc(&m_parts, static_cast<std::size_t>(3 * partBytes)), "allocating the split activation");
        if (!m_parts) return;
        m_partsBytes = 3 * partBytes;
    }
    note(launchSplitBf16(raw(stream), static_cast<unsigned short*>(m_parts), static_cast<int>(wStride), x.as<float>(),
                         x.stride[0], static_cast<int>(t), static_cast<int>(w.cols)),
         "splitting the activation");
    product.type = CUDA_R_16BF;
    product.xStride = wStride;
    for (int part = 0; part < 3; ++part) {
        product.x = static_cast<const std::byte*>(m_parts) + part * partBytes;
        multiply(raw(stream), product);
        product.bias = nullptr;
        product.beta = 1.0f;
    }
}

// Row-major y = x w^T is column-major y^T [N,T] = w [N,K] x^T [K,T]: w is stored [K,N] with stride wStride, transposed.
void CudaDevice::multiply(cudaStream_t stream, const Product& p) {
    Operation operation;
    operation.set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    operation.set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
    if (p.bias) {
        operation.set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        operation.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
    }
    const Layout a(p.type, p.k, p.n, p.wStride);
    const Layout b(p.type, p.k, p.t, p.xStride);
    const Layout c(CUDA_R_32F, p.n, p.t, p.yStride);
    const std::uint32_t alignment = std::min({alignmentOf(p.x), alignmentOf(p.w), alignmentOf(p.y)});
    const AlgorithmKey key{
        p.type, p.t, p.n, p.k, p.xStride, p.wStride, p.yStride, p.bias != nullptr, static_cast<int>(alignment)};
    auto found = m_algorithms.find(key);
    if (found == m_algorithms.end()) {
        Preference preference;
        preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kBlasWorkspaceBytes);
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignmentOf(p.w));
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignmentOf(p.x));
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignmentOf(p.y));
        preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignmentOf(p.y));
        cublasLtMatmulHeuristicResult_t result{};
        int returned = 0;
        const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(
            m_blas, operation.handle, a.handle, b.handle, c.handle, c.handle, preference.handle, 1, &result, &returned);
        if (status != CUBLAS_STATUS_SUCCESS || returned == 0)
            return note(returned == 0 ? CUBLAS_STATUS_NOT_SUPPORTED : status, "choosing a matrix product");
        found = m_algorithms.emplace(key, result.algo).first;
    }
    const float alpha = 1.0f;
    note(cublasLtMatmul(m_blas, operation.handle, &alpha, p.w, a.handle, p.x, b.handle, &p.beta, p.y, c.handle, p.y,
                        c.handle, &found->second, m_blasWorkspace, kBlasWorkspaceBytes, stream),
         "multiplying matrices");
}

void CudaDevice::norm(Stream& stream, TensorView y, ConstTensorView x, ConstTensorView weight, const NormDesc& desc) {
    CHECK(x.rank == 2 && y.rank == 2 && x.rows() == y.rows() && x.cols() == y.cols() &&
          weight.count() * desc.groups == x.cols());
    if (x.rows() == 0) return;
    makeCurrent();
    note(launchNorm(raw(stream), desc.kind == NormKind::LayerNorm, y.as<float>(), y.stride[0], x.as<float>(),
                    x.stride[0], weight.as<float>(), desc.bias.data ? desc.bias.as<float>() : nullptr,
                    static_cast<int>(x.rows()), desc.groups, static_cast<int>(weight.count()), desc.eps),
         "normalising");
}

}  // namespace espalier::cuda
