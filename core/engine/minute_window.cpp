// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/minute_window.h"

namespace espalier {
namespace {

constexpr Duration kSpan = std::chrono::minutes(1);
constexpr Duration kSlot = std::chrono::milliseconds(10);

}  // namespace

void MinuteWindow::add(TimePoint at, std::int64_t amount) {
    if (amount <= 0) return;
    forget(at);
    const Duration sinceEpoch = at.time_since_epoch();
    const auto slots = (sinceEpoch + kSlot - Duration(1)) / kSlot;
    const TimePoint ends = TimePoint(slots * kSlot) + kSpan;
    if (m_entries.empty() || m_entries.back().ends != ends) m_entries.push_back({ends, 0});
    m_entries.back().amount += amount;
    m_amount += amount;
}

void MinuteWindow::forget(TimePoint now) {
    while (!m_entries.empty() && m_entries.front().ends <= now) {
        m_amount -= m_entries.front().amount;
        m_entries.pop_front();
    }
}

std::int64_t MinuteWindow::amount(TimePoint now) {
    forget(now);
    return m_amount;
}

Duration MinuteWindow::untilAtMost(TimePoint now, std::int64_t most) {
    forget(now);
    std::int64_t left = m_amount;
    for (const Entry& entry : m_entries) {
        if (left <= most) break;
        left -= entry.amount;
        if (left <= most) return entry.ends - now;
    }
    return Duration::zero();
}

}  // namespace espalier
