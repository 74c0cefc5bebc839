// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/event_marks.h"

#include <algorithm>
#include <cmath>

namespace espalier::ui {
namespace {

bool isBefore(const EventMark& mark, double x) {
    return mark.x < x;
}

}  // namespace

void EventMarks::add(EventMark mark) {
    const auto at = std::upper_bound(m_marks.begin(), m_marks.end(), mark.x,
                                     [](double x, const EventMark& other) { return x < other.x; });
    for (auto same = at; same != m_marks.begin() && std::prev(same)->x == mark.x; --same)
        if (std::prev(same)->text == mark.text) return;
    m_marks.insert(at, std::move(mark));
    if (m_marks.size() > kCapacity) m_marks.erase(m_marks.begin());
}

void EventMarks::setNote(double x, const QString& text) {
    std::erase_if(m_marks, [x](const EventMark& mark) { return mark.kind == MarkKind::Note && mark.x == x; });
    if (!text.isEmpty()) add({x, MarkKind::Note, text});
}

const EventMark* EventMarks::noteNear(double x, double reach) const {
    const EventMark* nearest = nullptr;
    for (const EventMark& mark : between(x - reach, x + reach)) {
        if (mark.kind != MarkKind::Note) continue;
        if (!nearest || std::abs(mark.x - x) < std::abs(nearest->x - x)) nearest = &mark;
    }
    return nearest;
}

std::span<const EventMark> EventMarks::between(double from, double to) const {
    const auto first = std::lower_bound(m_marks.begin(), m_marks.end(), from, isBefore);
    auto last = first;
    while (last != m_marks.end() && last->x <= to) ++last;
    return {first, last};
}

}  // namespace espalier::ui
