// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/step_trace.h"

#include <algorithm>

namespace espalier {

void StepTrace::add(StepRecord step) {
    step.sequence = ++m_last;
    if (m_steps.size() < kMostStepsKept)
        m_steps.push_back(std::move(step));
    else
        m_steps[m_next] = std::move(step);
    m_next = (m_next + 1) % kMostStepsKept;
}

std::vector<StepRecord> StepTrace::newest(std::size_t most) const {
    const std::size_t count = std::min(most, m_steps.size());
    const std::size_t first = (m_next + kMostStepsKept - count) % kMostStepsKept;
    std::vector<StepRecord> steps;
    for (std::size_t i = 0; i < count; ++i) steps.push_back(m_steps[(first + i) % kMostStepsKept]);
    return steps;
}

}  // namespace espalier
