// SPDX-License-Identifier: GPL-3.0-or-later
// PooledEmbedding: final hidden states of a prompt to one vector. Rows come chunk by chunk and are added in token order
// in f64 (or compared, for the maximum), so that chunk borders never change a bit.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/serving/request.h"

namespace espalier {

class PooledEmbedding {
public:
    PooledEmbedding(Pooling pooling, bool normalize) : m_pooling(pooling), m_normalize(normalize) {}

    // Is the hidden state at `position` of `count` wanted at all?
    bool wants(std::int32_t position, std::int32_t count) const;
    void add(std::span<const float> row);  // wanted rows, in order

    // Error non_finite.
    Result<std::vector<float>> finish() const;

private:
    Pooling m_pooling;
    bool m_normalize;           // to Euclidean length 1; a zero vector stays zero
    std::vector<double> m_sum;  // or the maximum
    std::int64_t m_rows = 0;
};

}  // namespace espalier
