// SPDX-License-Identifier: GPL-3.0-or-later
// StepTable: the newest steps of the loaded models, newest first: what was computed, for how long, with how many
// adapters. The table twin of the steps' lane of MoveTimeline.
#pragma once

#include <deque>

#include "core/serving/step_trace.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class StepTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Time, Model, Prompt, Answers, Adapters, Took };
    explicit StepTable(QObject* parent = nullptr);

    // Oldest first, as the daemon gives them. Rows that are there already stay.
    void setSteps(const std::vector<StepRecord>& steps);
    const std::deque<StepRecord>& steps() const { return m_steps; }  // newest first

    int rowCount(const QModelIndex& parent = {}) const override;

    static QString workText(const StepRecord& step);  // "64 prompt tokens, 3 answers"

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::deque<StepRecord> m_steps;
};

}  // namespace espalier::ui
