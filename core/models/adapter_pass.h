// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterPass: what the adapters of a step's rows add to the values that the Transformer computes, place by place. A
// step without adapters calls no operation here.
//
// Owner: a Transformer. Thread: engine.
#pragma once

#include "core/models/transformer.h"

namespace espalier {

class AdapterPass {
public:
    // The backend outlives it.
    explicit AdapterPass(Backend& ops) : m_ops(ops) {}

    // y += LoRA of x, in one projection group of a layer.
    void addToProjection(Stream& stream, const ForwardBatch& batch, std::size_t layer, LoraSite site, TensorView y,
                         ConstTensorView x);
    // y += LoRA of the tokens' rows of the embedding.
    void addToEmbedding(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView ids);
    // logits += LoRA of x; both hold the rows batch.logitRows alone.
    void addToLogits(Stream& stream, const ForwardBatch& batch, TensorView logits, ConstTensorView x);

    // Whether bottleneck adapters behind this block read that input; if so addBottlenecks() is about them: y += of x.
    bool takeBottlenecks(const ForwardBatch& batch, std::size_t layer, LoraSite site, BottleneckInput input);
    void addBottlenecks(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView x);

private:
    void shrinkAndExpand(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView x);

    Backend& m_ops;
    std::vector<LoraRows> m_rows;  // of one place; kept for its capacity
};

}  // namespace espalier
