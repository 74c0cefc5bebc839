// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/adapter_pass.h"

#include <algorithm>

namespace espalier {

void AdapterPass::shrinkAndExpand(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView x) {
    if (m_rows.empty()) return;
    const TensorView ranks = batch.adapterRanks.firstRows(y.rows());
    m_ops.loraShrink(stream, ranks, x, m_rows);
    m_ops.loraExpand(stream, y, ranks, m_rows);
}

void AdapterPass::addToProjection(Stream& stream, const ForwardBatch& batch, std::size_t layer, LoraSite site,
                                  TensorView y, ConstTensorView x) {
    m_rows.clear();
    for (const AdapterRows& part : batch.adapters) {
        const auto& modules = part.adapter->layers[layer][static_cast<std::size_t>(site)];
        if (!modules.empty()) m_rows.push_back({part.firstRow, part.rows, modules});
    }
    shrinkAndExpand(stream, batch, y, x);
}

void AdapterPass::addToEmbedding(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView ids) {
    m_rows.clear();
    for (const AdapterRows& part : batch.adapters)
        if (!part.adapter->embedding.empty()) m_rows.push_back({part.firstRow, part.rows, part.adapter->embedding});
    if (m_rows.empty()) return;
    const TensorView ranks = batch.adapterRanks.firstRows(y.rows());
    m_ops.loraGather(stream, ranks, ids, m_rows);
    m_ops.loraExpand(stream, y, ranks, m_rows);
}

void AdapterPass::addToLogits(Stream& stream, const ForwardBatch& batch, TensorView logits, ConstTensorView x) {
    m_rows.clear();
    const auto wanted = batch.logitRows;
    for (const AdapterRows& part : batch.adapters) {
        const auto first = std::ranges::lower_bound(wanted, part.firstRow);
        const auto end = std::ranges::lower_bound(wanted, part.firstRow + part.rows);
        if (!part.adapter->lmHead.empty() && first != end)
            m_rows.push_back({static_cast<std::int32_t>(first - wanted.begin()), static_cast<std::int32_t>(end - first),
                              part.adapter->lmHead});
    }
    shrinkAndExpand(stream, batch, logits, x);
}

bool AdapterPass::takeBottlenecks(const ForwardBatch& batch, std::size_t layer, LoraSite site, BottleneckInput input) {
    m_rows.clear();
    for (const AdapterRows& part : batch.adapters) {
        const auto& modules = part.adapter->layers[layer][static_cast<std::size_t>(site)];
        if (!modules.empty() && part.adapter->bottleneckInput == input)
            m_rows.push_back({part.firstRow, part.rows, modules});
    }
    return !m_rows.empty();
}

void AdapterPass::addBottlenecks(Stream& stream, const ForwardBatch& batch, TensorView y, ConstTensorView x) {
    const TensorView ranks = batch.adapterRanks.firstRows(y.rows());
    m_ops.loraShrink(stream, ranks, x, m_rows);
    m_ops.loraActivate(stream, ranks, m_rows);
    m_ops.loraExpand(stream, y, ranks, m_rows);
}

}  // namespace espalier
