// SPDX-License-Identifier: GPL-3.0-or-later
// Transformer: the only layer loop. Built from an ArchSpec and a TensorSource on a Backend; knows nothing of requests,
// schedulers or files. It computes what a batch plan says: some rows of some sequences against their KV pages.
//
// Owner: a loaded model in the engine. Thread: engine.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/compute/backend.h"
#include "core/formats/arch_spec.h"
#include "core/formats/tensor_source.h"

namespace espalier {

// What an adapter may change: the projection groups of a layer, of which the modules read the same rows and give
// columns of one matrix (q, k, v side by side; gate, then up), the embedding of tokens, and the vocabulary projection.
// A bottleneck adapter adds to what attention or MLP give to the residual.
enum class LoraSite : std::uint8_t { Qkv, AttentionOut, GateUp, Down, AfterAttention, AfterMlp, Embedding, LmHead };
constexpr std::size_t kLoraLayerSites = 6;                               // the first six
using LoraLayer = std::array<std::vector<LoraModule>, kLoraLayerSites>;  // by LoraSite; an empty group is left alone

// What a bottleneck adapter reads: what the block adds to the residual (Houlsby), or the residual after that,
// normalised where norms come after blocks (Pfeiffer et al., arXiv 2005.00247).
enum class BottleneckInput : std::uint8_t { Addend, Sum };

// All that an adapter changes, in the order of computing.
struct LoraStack {
    std::vector<LoraModule> embedding;  // one or none; inputs: the vocabulary
    std::vector<LoraLayer> layers;      // one per layer
    std::vector<LoraModule> lmHead;     // one or none; outputs: the vocabulary. With tied weights the head alone
    BottleneckInput bottleneckInput = BottleneckInput::Addend;
};

// Consecutive rows that use one adapter.
struct AdapterRows {
    std::int32_t firstRow = 0;
    std::int32_t rows = 0;
    const LoraStack* adapter = nullptr;
};

// Weights of adapters that may still be on their way while the step runs: before layer i is computed, its part must be
// there. What the embedding needs comes with layer 0; the vocabulary projection counts as the layer after the last.
// Thread: engine.
class LayerGate {
public:
    virtual ~LayerGate() = default;
    virtual Result<void> await(std::size_t layer) = 0;  // error: it will never come
};

// Rows of a step. Segments are consecutive and cover all T rows; row t of a segment is at position0 + (t - firstRow).
struct ForwardBatch {
    std::span<const std::int32_t> tokens;  // [T], each below spec().vocabulary
    std::span<const Segment> segments;
    std::span<const std::int32_t> logitRows;        // ascending; rows whose logits are wanted
    std::span<const std::int32_t> hiddenRows;       // ascending; rows whose final normalised hidden state is wanted
    std::span<const std::int32_t> tokenTypes = {};  // [T], each below spec().tokenTypes; empty: all 0
    // Ascending, without overlap; rows in none of them are the base model's, bit for bit. Empty: no operation for
    // adapters is called at all.
    std::span<const AdapterRows> adapters = {};
    TensorView adapterRanks = {};  // [T, every module's ranks] f32 scratch on the device; needed with adapters alone
    LayerGate* gate = nullptr;     // asked before each part; null: everything is there
};

struct TransformerOptions {
    std::int32_t maxBatchTokens = 256;  // T of the largest step; the activation arena is made for it
    std::int32_t maxLogitRows = 256;
    std::function<void(std::int64_t doneBytes, std::int64_t allBytes)> progress;
    std::stop_token stop;
};

// Rows that a step of this model must take when `wanted` would do: an encoder reads a whole text at once.
inline std::int32_t batchTokensFor(const ArchSpec& spec, std::int32_t wanted) {
    return spec.causal ? wanted : std::max(wanted, spec.context);
}

class Transformer {
public:
    // Checks every tensor by name, shape and dtype before any is packed. Errors: missing_tensor, shape_mismatch,
    // unsupported (dtype), pool_exhausted, cancelled; each names the tensor, what was expected and found.
    static Result<std::unique_ptr<Transformer>> load(Backend& backend, const ArchSpec& spec,
                                                     const TensorSource& tensors, const TransformerOptions& options);
    virtual ~Transformer() = default;

    virtual const ArchSpec& spec() const = 0;
    virtual std::int64_t weightBytes() const = 0;     // packed, on the device
    virtual std::int64_t workspaceBytes() const = 0;  // activations
    virtual std::int32_t maxBatchTokens() const = 0;
    virtual std::int32_t maxLogitRows() const = 0;

    // Runs the batch. kv has one entry per layer (base of that layer's page array). Writes logits
    // [logitRows, vocabulary] f32 and hidden [hiddenRows, hidden] f32 into memory owned by the Transformer, readable by
    // the host until the next call. Requires: sizes within the options; ids valid; pages cover every position;
    // positions below the context where they are learned; without a head no logit rows; not causal: segments are whole
    // texts. Errors: device_error; those of the gate.
    struct Output {
        ConstTensorView logits;
        ConstTensorView hidden;
    };
    virtual Result<Output> forward(Stream& stream, const ForwardBatch& batch, std::span<const KvPages> kv) = 0;
};

// What a folder must hold for this spec: name as found in the file, shape, and whether it may be absent. The importer
// checks with it, `inspect` lists with it.
struct ExpectedTensor {
    std::string name;
    std::vector<std::int64_t> shape;
    bool optional = false;
    bool isCopy = false;  // of tied weights: never read
};
std::vector<ExpectedTensor> expectedTensors(const ArchSpec& spec);

struct WeightReport {
    std::int64_t parameters = 0;        // tied weights once, rope frequencies not counted
    std::int64_t bytes = 0;             // as stored
    std::vector<std::string> warnings;  // tensors that are not used, ids beyond the embedding, ...
};
// All names, shapes and dtypes; reads no weight data.
Result<WeightReport> checkWeights(const ArchSpec& spec, const TensorSource& tensors);

// Memory a model needs, before it is loaded. Pure. Used by inspect, serve and the workbench alike.
struct MemoryEstimate {
    std::int64_t weightsBytes = 0;
    std::int64_t kvBytesPerToken = 0;
    std::int64_t workspaceBytes = 0;
    std::int64_t decodeBytes = 0;  // of weights that one token of an answer reads; 0 for encoders
};
MemoryEstimate estimateMemory(const Backend& backend, const ArchSpec& spec, const TensorSource& tensors, DType kvType,
                              const TransformerOptions& options);

}  // namespace espalier
