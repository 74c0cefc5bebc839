// SPDX-License-Identifier: GPL-3.0-or-later
// What the Transformer keeps of a model's tensors, by role. A role is a stack: the rows of one or more tensors of the
// folder, one below the other, so that projections of the same input (q, k, v; gate, up) are one matrix product.
//
// Thread: any; plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/compute/backend.h"
#include "core/formats/arch_spec.h"
#include "core/formats/family.h"
#include "core/formats/tensor_source.h"

namespace espalier {

struct TensorStack {
    std::vector<std::string> names;  // as the folder has them, top first; empty: the model has none
    bool transposed = false;         // each is stored as [cols, rows]

    bool empty() const { return names.empty(); }
};

struct LayerTensors {
    TensorStack attentionNorm;  // [hidden]
    TensorStack attentionNormBias;
    TensorStack qkv;  // [(heads + 2 kvHeads) headDim, hidden]: all of q, then k, then v
    TensorStack qkvBias;
    TensorStack queryNorm;  // [headDim]
    TensorStack keyNorm;
    TensorStack attentionOut;  // [hidden, heads headDim]
    TensorStack attentionOutBias;
    TensorStack mlpNorm;  // [hidden]
    TensorStack mlpNormBias;
    TensorStack gateUp;  // [2 neurons, hidden]: all of gate, then up; [neurons, hidden] without a gate
    TensorStack gateUpBias;
    TensorStack down;  // [hidden, neurons]
    TensorStack downBias;
};

struct ModelTensors {
    TensorStack embedding;   // [vocabulary, hidden]
    TensorStack positions;   // [firstPosition + context, hidden]
    TensorStack tokenTypes;  // [tokenTypes, hidden]
    TensorStack embeddingNorm;
    TensorStack embeddingNormBias;
    std::vector<LayerTensors> layers;
    TensorStack finalNorm;  // [hidden]
    TensorStack finalNormBias;
    TensorStack lmHead;  // [vocabulary, hidden]; empty when it is the embedding, or there is none
};

// The tensor that a name of the family's table means in this folder: by that name, without the family's prefix, or by
// the old names of a norm's parameters (gamma, beta). nullptr when there is none.
const TensorEntry* findTensor(const Family& family, const TensorSource& tensors, std::string_view name);

// Requires: spec.family is known (an ArchSpec that was read is), checkWeights passed for these tensors.
ModelTensors modelTensors(const ArchSpec& spec, const TensorSource& tensors);

// Neighbours of a stack that have one element type, which is how they lie on a device: a Q6_K tensor beside two Q4_K
// ones (Q4_K_M files) is a second matrix, nothing is widened.
struct StackPart {
    std::vector<const TensorEntry*> entries;
    std::int64_t rows = 0;
    std::int64_t cols = 1;
    DType dtype = DType::F32;
    std::int64_t bytes = 0;  // as stored
};
// Requires: checkWeights passed for the spec the names come from.
std::vector<StackPart> partsOf(const TensorStack& stack, const TensorSource& tensors);

// The matrices of a stack, top first.
using WeightStack = std::vector<WeightMatrix>;

// y = x W^T of the whole stack, as Backend::gemm of each matrix into its columns of y.
void multiply(Backend& backend, Stream& stream, TensorView y, ConstTensorView x, const WeightStack& stack,
              const GemmDesc& desc);

// Packs stacks onto a device; reads one part at a time. Requires: checkWeights passed.
class WeightLoader {
public:
    WeightLoader(Backend& backend, Stream& stream, const TensorSource& tensors)
        : m_backend(backend), m_stream(stream), m_tensors(tensors) {}

    Result<WeightStack> stack(const TensorStack& stack);
    Result<WeightMatrix> matrix(const TensorStack& stack);      // Requires: one tensor
    Result<Buffer> vector(const TensorStack& stack);            // as f32; no memory for an empty stack
    std::int64_t loadedBytes() const { return m_loadedBytes; }  // of the folder's data, so far
    std::int64_t deviceBytes() const { return m_deviceBytes; }

private:
    Result<WeightMatrix> pack(const StackPart& part, bool transposed);

    Backend& m_backend;
    Stream& m_stream;
    const TensorSource& m_tensors;
    std::int64_t m_loadedBytes = 0;
    std::int64_t m_deviceBytes = 0;
};

}  // namespace espalier
