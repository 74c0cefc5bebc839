// SPDX-License-Identifier: GPL-3.0-or-later
// EventMarks: what happened on the daemon, as flags over the plots: a model came or went, a job began, a request was
// preempted, something failed; and what a person noted there. The newest are kept, in order of time.
//
// Owner: Workspace. Thread: Qt.
#pragma once

#include <QString>
#include <span>
#include <vector>

namespace espalier::ui {

enum class MarkKind { Model, Job, Preemption, Serve, Error, Note };

struct EventMark {
    double x = 0;  // Unix seconds
    MarkKind kind = MarkKind::Model;
    QString text;
};

class EventMarks {
public:
    static constexpr std::size_t kCapacity = 500;

    // A mark that is there already (same time, same text) is not added again.
    void add(EventMark mark);
    // What a person writes at a moment takes the place of the note that stands there; an empty text removes it.
    void setNote(double x, const QString& text);
    const EventMark* noteNear(double x, double reach) const;  // the nearest; null when there is none within reach
    void clear() { m_marks.clear(); }
    const std::vector<EventMark>& all() const { return m_marks; }
    std::span<const EventMark> between(double from, double to) const;  // both ends included

private:
    std::vector<EventMark> m_marks;
};

}  // namespace espalier::ui
