// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/batch_plan.h"

namespace espalier {

void BatchPlan::clear() {
    m_tokens.clear();
    m_segments.clear();
    m_logitRows.clear();
    m_hiddenRows.clear();
    m_adapters.clear();
    m_parts.clear();
}

void BatchPlan::add(Sequence& sequence, std::int32_t rows) {
    const auto firstRow = static_cast<std::int32_t>(m_tokens.size());
    const std::int32_t begin = sequence.computed, end = begin + rows;
    Part part{&sequence,
              rows,
              static_cast<std::int32_t>(m_logitRows.size()),
              0,
              static_cast<std::int32_t>(m_hiddenRows.size()),
              0};
    m_tokens.insert(m_tokens.end(), sequence.tokens.begin() + begin, sequence.tokens.begin() + end);
    m_segments.push_back({firstRow, rows, begin, sequence.pages});
    if (sequence.adapter) {
        AdapterRows* last = m_adapters.empty() ? nullptr : &m_adapters.back();
        const LoraStack* modules = &sequence.adapter->modules;
        if (last && last->adapter == modules && last->firstRow + last->rows == firstRow)
            last->rows += rows;
        else
            m_adapters.push_back({firstRow, rows, modules});
    }
    for (std::int32_t position = begin; position < end; ++position) {
        const std::int32_t row = firstRow + position - begin;
        switch (sequence.request.kind) {
            case RequestKind::Generate:
                if (position + 1 == sequence.target()) m_logitRows.push_back(row);
                break;
            case RequestKind::Score:
                if (position + 1 < sequence.promptTokens()) m_logitRows.push_back(row);
                break;
            case RequestKind::Embed:
                if (sequence.embedding->wants(position, sequence.target())) m_hiddenRows.push_back(row);
                break;
        }
    }
    part.logits = static_cast<std::int32_t>(m_logitRows.size()) - part.firstLogit;
    part.hiddens = static_cast<std::int32_t>(m_hiddenRows.size()) - part.firstHidden;
    m_parts.push_back(part);
}

}  // namespace espalier
