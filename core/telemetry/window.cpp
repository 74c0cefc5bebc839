// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/telemetry/window.h"

#include <algorithm>
#include <cmath>

#include "core/base/check.h"

namespace espalier {

Percentiles percentilesOf(std::vector<double> values) {
    Percentiles result;
    result.samples = static_cast<std::int64_t>(values.size());
    if (values.empty()) return result;
    std::sort(values.begin(), values.end());
    const auto rank = [&](double percent) {
        const auto position = static_cast<std::size_t>(std::ceil(percent / 100.0 * static_cast<double>(values.size())));
        return values[std::clamp<std::size_t>(position, 1, values.size()) - 1];
    };
    result.p50 = rank(50);
    result.p95 = rank(95);
    result.p99 = rank(99);
    return result;
}

LatencyWindow::LatencyWindow(Duration span, std::size_t capacity) : m_span(span), m_capacity(capacity) {
    CHECK(capacity > 0);
    m_samples.reserve(capacity);
}

void LatencyWindow::add(TimePoint at, double value) {
    if (m_samples.size() < m_capacity) {
        m_samples.push_back({at, value});
        return;
    }
    m_samples[m_next] = {at, value};
    m_next = (m_next + 1) % m_capacity;
}

std::vector<double> LatencyWindow::values(TimePoint now) const {
    std::vector<double> recent;
    for (const Sample& sample : m_samples)
        if (now - sample.at < m_span) recent.push_back(sample.value);
    return recent;
}

Percentiles LatencyWindow::percentiles(TimePoint now) const {
    return percentilesOf(values(now));
}

namespace {
constexpr Duration kSlotSpan = std::chrono::milliseconds(50);
std::int64_t slotNumber(TimePoint at) {
    return at.time_since_epoch() / kSlotSpan;
}
}  // namespace

void RateWindow::add(TimePoint at, double count) {
    const std::int64_t number = slotNumber(at);
    Slot& slot = m_slots[static_cast<std::size_t>(number % kSlots)];
    if (slot.number != number) slot = {number, 0.0};
    slot.count += count;
}

double RateWindow::perSecond(TimePoint now) const {
    const std::int64_t newest = slotNumber(now);
    double sum = 0.0;
    for (const Slot& slot : m_slots)
        if (slot.number > newest - kSlots && slot.number <= newest) sum += slot.count;
    return sum;
}

}  // namespace espalier
