// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/pooling.h"

#include <cmath>
#include <limits>

namespace espalier {

bool PooledEmbedding::wants(std::int32_t position, std::int32_t count) const {
    switch (m_pooling) {
        case Pooling::Mean:
            return true;
        case Pooling::Cls:
            return position == 0;
        case Pooling::Last:
            return position == count - 1;
        case Pooling::Max:
            return true;
    }
    return true;
}

void PooledEmbedding::add(std::span<const float> row) {
    const bool isMax = m_pooling == Pooling::Max;
    m_sum.resize(row.size(), isMax ? -std::numeric_limits<double>::infinity() : 0.0);
    for (std::size_t i = 0; i < row.size(); ++i) {
        const auto value = static_cast<double>(row[i]);
        if (!isMax)
            m_sum[i] += value;
        else if (!(value <= m_sum[i]) && !std::isnan(m_sum[i]))  // a NaN stays
            m_sum[i] = value;
    }
    ++m_rows;
}

Result<std::vector<float>> PooledEmbedding::finish() const {
    CHECK(m_rows > 0);
    std::vector<float> embedding(m_sum.size());
    const double divisor = m_pooling == Pooling::Max ? 1.0 : static_cast<double>(m_rows);
    double squares = 0.0;
    for (const double sum : m_sum) squares += (sum / divisor) * (sum / divisor);
    if (!std::isfinite(squares)) return fail(ErrorCode::NonFinite, "the model's hidden states are not finite");
    const double length = m_normalize && squares > 0.0 ? std::sqrt(squares) : 1.0;
    for (std::size_t i = 0; i < m_sum.size(); ++i) embedding[i] = static_cast<float>(m_sum[i] / divisor / length);
    return embedding;
}

}  // namespace espalier
