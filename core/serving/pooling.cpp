// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/pooling.h"

#include <cmath>

namespace espalier {

bool PooledEmbedding::wants(std::int32_t position, std::int32_t count) const {
    switch (m_pooling) {
        case Pooling::Mean: return true;
        case Pooling::Cls: return position == 0;
        case Pooling::Last: return position == count - 1;
    }
    return true;
}

void PooledEmbedding::add(std::span<const float> row) {
    m_sum.resize(row.size(), 0.0);
    for (std::size_t i = 0; i < row.size(); ++i) m_sum[i] += static_cast<double>(row[i]);
    ++m_rows;
}

Result<std::vector<float>> PooledEmbedding::finish() const {
    CHECK(m_rows > 0);
    std::vector<float> embedding(m_sum.size());
    double squares = 0.0;
    for (const double sum : m_sum) squares += (sum / static_cast<double>(m_rows)) * (sum / static_cast<double>(m_rows));
    if (!std::isfinite(squares)) return fail(ErrorCode::NonFinite, "the model's hidden states are not finite");
    const double length = m_normalize && squares > 0.0 ? std::sqrt(squares) : 1.0;
    for (std::size_t i = 0; i < m_sum.size(); ++i)
        embedding[i] = static_cast<float>(m_sum[i] / static_cast<double>(m_rows) / length);
    return embedding;
}

}  // namespace espalier
