// SPDX-License-Identifier: GPL-3.0-or-later
// MoveDetail: one move of an adapter in words: what, how much, from where to where, why, and what it cost whom. Keeps
// the move that was chosen last, until another is.
//
// Owner: a page. Thread: Qt.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "core/serving/adapter_trace.h"
#include "core/serving/step_trace.h"
#include "ui/widgets/controls.h"

namespace espalier::ui {

class MoveDetail : public QWidget {
    Q_OBJECT
public:
    explicit MoveDetail(QWidget* parent = nullptr);

    // `base`: the name of its model, empty when it is not known; `steps`: what was computed, newest first.
    void show(const AdapterMove& move, const QString& base, const std::deque<StepRecord>& steps);
    void clear();
    QString text() const;  // "What math\nSize 1.0 MiB\n...", empty when nothing is shown

private:
    enum Line { What, Size, Way, Why, Cost, Meanwhile, kLines };
    void setLine(Line line, const QString& value);

    TextLabel* m_title;
    Badge* m_badge;
    QLabel* m_none;
    QWidget* m_form;
    std::vector<TextLabel*> m_names, m_values;
};

// What it cost those who waited: "No added wait", "2 requests waited, up to 3.1 ms".
QString moveCostText(const AdapterMove& move);

}  // namespace espalier::ui
