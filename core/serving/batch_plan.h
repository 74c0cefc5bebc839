// SPDX-License-Identifier: GPL-3.0-or-later
// BatchPlan: the rows of one step as the Transformer reads them, and which results belong to whom. Built once per step;
// its memory is reused.
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/models/transformer.h"
#include "core/serving/sequence.h"

namespace espalier {

class BatchPlan {
public:
    struct Part {
        Sequence* sequence = nullptr;
        std::int32_t rows = 0;
        std::int32_t firstLogit = 0, logits = 0;  // its rows of the logits
        std::int32_t firstHidden = 0, hiddens = 0;
    };

    void clear();

    // The next `rows` tokens of the sequence. Requires: its pages cover them and do not change until the step has run.
    void add(Sequence& sequence, std::int32_t rows);

    // Rows that use the same adapter and lie side by side are one piece of work: add sequences of an adapter in a row.
    bool isEmpty() const { return m_parts.empty(); }
    bool hasAdapters() const { return !m_adapters.empty(); }
    std::span<const Part> parts() const { return m_parts; }
    // ranks: AdapterCache::ranks(). gate: of adapters that are not whole yet, or null.
    ForwardBatch forwardBatch(const TensorView& ranks, LayerGate* gate) const {
        return {m_tokens, m_segments, m_logitRows, m_hiddenRows, {}, m_adapters, ranks, gate};
    }

private:
    std::vector<TokenId> m_tokens;
    std::vector<Segment> m_segments;
    std::vector<std::int32_t> m_logitRows;
    std::vector<std::int32_t> m_hiddenRows;
    std::vector<AdapterRows> m_adapters;
    std::vector<Part> m_parts;
};

}  // namespace espalier
