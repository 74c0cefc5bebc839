// SPDX-License-Identifier: GPL-3.0-or-later
// Backend: the seam between the product and a device. Created once in app/, injected, owned by the engine thread.
// Descriptors absorb variety: norm kind, activation kind, page tables are fields, never new operations.
//
// Two steps, both whole: DeviceOps is what any device offers (memory, streams, weights, dense algebra); Backend adds
// the forward operations of a transformer, all of them. Backends: ReferenceBackend (plain fp32 loops, the oracle) and
// CpuBackend (SIMD). The CUDA module implements DeviceOps so far and can therefore not be handed to a Transformer.
//
// One order of summation. Every operation states in which order an output element is accumulated. That order does not
// depend on the number of rows, on how a sequence is cut into chunks, on page placement, on cache hits or on the number
// of threads: a row's bits are a function of that row's inputs alone. (Bits may differ between backends and ISA
// levels.)
//
// Operations enqueue on a Stream and may return before the work is done; device faults are sticky and surface at
// synchronize(). Contracts of shapes are CHECKed: callers validate outside input before it gets here.
// Thread: engine thread only, except allocate/release, which any thread may call, and copy and synchronize, which one
// thread per stream may call: so weights come in beside what is computed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"
#include "core/compute/lora.h"
#include "core/tensor/tensor_view.h"

namespace espalier {

class DeviceOps;

// An ordered queue of work. The CPU backends run everything at once; their streams are empty.
class Stream {
public:
    virtual ~Stream() = default;
};

// A point in a stream that another stream can wait for.
class StreamEvent {
public:
    virtual ~StreamEvent() = default;
};

enum class MemoryKind : std::uint8_t { Device, HostPinned };

// Owns device (or pinned host) memory; 4096-byte aligned. Moves, never copies.
class Buffer {
public:
    Buffer() = default;
    Buffer(DeviceOps& owner, std::byte* data, std::int64_t bytes, MemoryKind kind)
        : m_owner(&owner), m_data(data), m_bytes(bytes), m_kind(kind) {}
    Buffer(Buffer&& other) noexcept { *this = std::move(other); }
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer();

    std::byte* data() const { return m_data; }
    std::int64_t bytes() const { return m_bytes; }
    MemoryKind kind() const { return m_kind; }

private:
    DeviceOps* m_owner = nullptr;
    std::byte* m_data = nullptr;
    std::int64_t m_bytes = 0;
    MemoryKind m_kind = MemoryKind::Device;
};

// A weight matrix W [rows = N out, cols = K in] in the backend's own panel layout. Made once at load by packWeight,
// read by gemm (y = x W^T) and by gather (row n of W), so tied embeddings are stored once.
struct WeightMatrix {
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    DType dtype = DType::F32;  // F32, BF16, F16 or a block type: as stored; no value is changed by packing
    Buffer panels;
};

// y[t,n] = sum_k x[t,k] * w[n,k] (+ bias[n]), k ascending, f32 accumulation from zero, bias added last, and then, with
// `accumulate`, the old y[t,n]. x: [T, K] f32, any row stride; y: [T, N] f32, any row stride. A w of a block type
// counts with the f32 value quantized_block.h gives it: y has the bits of the product with the dequantised f32 matrix.
// That is ComputeMode::F32. In the others x counts as rounded (below), and sums go over pairs or runs of k, ascending.
struct GemmDesc {
    ConstTensorView bias;     // [N] f32, or data == nullptr
    bool accumulate = false;  // y += instead of y =
};

// RMSNorm (Zhang & Sennrich 2019): y[t,d] = x[t,d] * (1 / sqrt(mean_d(x[t,:]^2) + eps)) * w[d].
// LayerNorm: y[t,d] = (x[t,d] - mean) / sqrt(var + eps) * w[d] + b[d].
// x, y: [T, groups * D] f32, each run of D elements normalised by itself (the heads of q or k); w, b: [D] f32;
// statistics in f32 in a fixed order over d, the same for every group. y may be x.
enum class NormKind : std::uint8_t { RmsNorm, LayerNorm };
struct NormDesc {
    NormKind kind = NormKind::RmsNorm;
    float eps = 1e-5f;
    ConstTensorView bias;  // LayerNorm only; data == nullptr: none
    int groups = 1;
};

// Rotates pairs (i, i + rotaryDim/2) of every head by an angle (RoFormer, arXiv 2104.09864, in the half-split layout of
// the Llama checkpoints on Hugging Face): x[i] = x[i] cos - x[i+h] sin;  x[i+h] = x[i+h] cos + x[i] sin.
// x: [T, heads * headDim] f32, in place, any row stride; cos, sin: [T, rotaryDim / 2] f32, already scaled.
struct RopeDesc {
    int heads = 1;
    int headDim = 64;
    int rotaryDim = 64;  // <= headDim; the rest of a head is untouched
};

// KV pages of one layer. Page p lies at base + p * pageBytes and holds kTokensPerPage consecutive tokens of one
// sequence, K and V of all kv heads. What lies where inside a page is the backend's business.
constexpr int kTokensPerPage = 16;
struct KvPages {
    std::byte* base = nullptr;
    std::int64_t pageBytes = 0;  // stride between pages, >= Backend::kvPageBytes(...)
    int kvHeads = 0;
    int headDim = 0;
    DType dtype = DType::F32;  // F32, BF16, F16
};

// Consecutive rows of a batch that belong to one sequence: row firstRow + i is its token at position position0 + i.
// pages[j] holds tokens [16 j, 16 j + 16); it covers at least position0 + rows tokens.
struct Segment {
    std::int32_t firstRow = 0;
    std::int32_t rows = 0;
    std::int32_t position0 = 0;
    std::span<const std::int32_t> pages;  // host memory, valid until the operation returns
};

// out[t, h*d..] = sum_j softmax_j(scale * q[t,h]·k[j,g(h)]) v[j,g(h)], over keys j <= position of t in t's sequence,
// or, when not causal, over all keys of t's segment; g(h) = h / (heads / kvHeads). Keys are taken in ascending order in
// blocks that their positions fix. Not causal: a segment is a whole text, so its position0 is 0.
// q, out: [T, heads * headDim] f32; rows of K and V must have been stored before (storeKv) for the same segments.
struct AttentionDesc {
    int heads = 0;
    float scale = 1.0f;
    std::int32_t window = 0;  // > 0: only the last `window` keys (sliding window); causal only
    bool causal = true;
};

// out[t,f] = act(gate[t,f]) * up[t,f], or act(gate) when up.data == nullptr. All [T, F] f32, any row stride.
enum class ActivationKind : std::uint8_t { Silu, Gelu, GeluTanh, Relu };

// How products with weights are made; everything else is f32 in every mode. A mode includes the one before it.
//   F32    as GemmDesc says
//   Bf16   bf16 weights times x rounded to bf16, two products per step of an f32 sum
//   Int8   block types times x rounded to 8 bits in runs of 32 (unit = largest / 127), exact whole sums within a run
enum class ComputeMode : std::uint8_t { F32, Bf16, Int8 };
std::string_view computeModeName(ComputeMode mode);  // "f32", "bf16", "int8"
// The mode in which a backend at `mode` makes its products with weights of a type.
ComputeMode computeModeFor(DType weights, ComputeMode mode);

enum class DeviceKind : std::uint8_t { Cpu, Cuda };
struct DeviceDesc {
    DeviceKind kind = DeviceKind::Cpu;
    std::string name;  // "AMD EPYC ..., 2 threads, avx512" or "NVIDIA H200"
    std::string isa;   // "avx512", "avx2", "plain", "sm_90", "reference"
    std::int64_t memoryBytes = 0;
    std::int64_t freeBytes = 0;
    int threads = 1;
    ComputeMode compute = ComputeMode::F32;
};

class DeviceOps {
public:
    virtual ~DeviceOps() = default;

    virtual DeviceDesc device() const = 0;
    // Said once by the thread that will own the device from now on: a backend may give it a processor of its own.
    virtual void settle() {}

    // memory
    // Error pool_exhausted when the memory is not there; the contents start as zeros.
    virtual Result<Buffer> allocate(std::int64_t bytes, MemoryKind kind = MemoryKind::Device) = 0;
    virtual void copy(Stream& stream, void* to, const void* from, std::int64_t bytes) = 0;  // any kinds
    virtual void fill(Stream& stream, void* to, int byte, std::int64_t bytes) = 0;

    // streams
    virtual std::unique_ptr<Stream> makeStream() = 0;
    virtual std::unique_ptr<StreamEvent> record(Stream& stream) = 0;
    virtual void wait(Stream& stream, const StreamEvent& event) = 0;
    virtual Result<void> synchronize(Stream& stream) = 0;  // error device_error is sticky

    // weights: source is [N, K] contiguous host memory of dtype F32, BF16, F16 or a block type (K whole blocks), kept
    // in that type, at most a few per cent larger.
    virtual Result<WeightMatrix> packWeight(ConstTensorView source) = 0;
    virtual std::int64_t packedBytes(std::int64_t rows, std::int64_t cols, DType dtype) const = 0;

    // dense algebra
    virtual void gemm(Stream& stream, TensorView y, ConstTensorView x, const WeightMatrix& w, const GemmDesc& desc) = 0;
    virtual void norm(Stream& stream, TensorView y, ConstTensorView x, ConstTensorView weight,
                      const NormDesc& desc) = 0;

protected:
    friend class Buffer;
    virtual void release(std::byte* data, std::int64_t bytes, MemoryKind kind) = 0;
};

class Backend : public DeviceOps {
public:
    // out[t,:] = row ids[t] of the table, as f32. ids: [T] i32. Requires: 0 <= ids[t] < table.rows.
    virtual void gather(Stream& stream, TensorView out, const WeightMatrix& table, ConstTensorView ids) = 0;
    virtual void rope(Stream& stream, TensorView x, ConstTensorView cos, ConstTensorView sin, const RopeDesc& desc) = 0;
    // Writes K and V rows ([T, kvHeads * headDim] f32) of the segments into their pages, rounded to pages.dtype.
    virtual void storeKv(Stream& stream, const KvPages& pages, ConstTensorView k, ConstTensorView v,
                         std::span<const Segment> segments) = 0;
    virtual void attention(Stream& stream, TensorView out, ConstTensorView q, const KvPages& pages,
                           std::span<const Segment> segments, const AttentionDesc& desc) = 0;
    virtual void activation(Stream& stream, TensorView out, ConstTensorView gate, ConstTensorView up,
                            ActivationKind kind) = 0;
    virtual void add(Stream& stream, TensorView y, ConstTensorView x) = 0;  // y[t,d] += x[t,d], [T, D] f32

    // LoRA of several adapters (lora.h), in two steps so that a device may run the first beside the base product. v:
    // [T, W] f32 with the ranks of every module below W; of each row in the batch all 8 ranks of a slab are written. An
    // element of v is summed over ascending k in a fixed pattern of the inputs' number alone, then scaled; one of y is
    // summed over ascending j from zero, then added to what was there. Neither depends on the tile columns.
    virtual void loraShrink(Stream& stream, TensorView v, ConstTensorView x, LoraBatch batch) = 0;
    virtual void loraExpand(Stream& stream, TensorView y, ConstTensorView v, LoraBatch batch) = 0;
    // In place of loraShrink where x is the row ids[t] of a table; inputs of every module: the rows of that table. ids:
    // [T] i32, each below them. An element of v is one product.
    virtual void loraGather(Stream& stream, TensorView v, ConstTensorView ids, LoraBatch batch) = 0;

    // Between shrink and expand of bottleneck adapters. Requires: every module has an activation.
    virtual void loraActivate(Stream& stream, TensorView v, LoraBatch batch) = 0;

    // Bytes a KV page of this shape needs, before the pool rounds it up.
    virtual std::int64_t kvPageBytes(int kvHeads, int headDim, DType dtype) const = 0;
};

}  // namespace espalier
