// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/step_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

bool isSame(const StepRecord& a, const StepRecord& b) {
    return a.sequence == b.sequence && a.at == b.at && a.model == b.model;
}

}  // namespace

StepTable::StepTable(QObject* parent)
    : RecordTable({{tr("Time")},
                   {tr("Model")},
                   {tr("Prompt tokens"), true},
                   {tr("Answers"), true},
                   {tr("Adapters"), true},
                   {tr("ms"), true}},
                  parent) {}

void StepTable::setSteps(const std::vector<StepRecord>& steps) {
    const auto known = m_steps.empty() ? steps.end() : std::ranges::find_if(steps, [this](const StepRecord& step) {
        return isSame(step, m_steps.front());
    });
    if (known == steps.end()) {
        beginResetModel();
        m_steps.assign(steps.rbegin(), steps.rend());
        endResetModel();
        return;
    }
    const int more = int(steps.end() - known) - 1;
    if (more > 0) {
        beginInsertRows({}, 0, more - 1);
        for (auto step = known + 1; step != steps.end(); ++step) m_steps.push_front(*step);
        endInsertRows();
    }
    if (rowCount() <= int(kMostStepsKept)) return;
    beginRemoveRows({}, int(kMostStepsKept), rowCount() - 1);
    m_steps.resize(kMostStepsKept);
    endRemoveRows();
}

int StepTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_steps.size());
}

QString StepTable::workText(const StepRecord& step) {
    const QString prompt = counted(step.promptRows, tr("%1 prompt token"), tr("%1 prompt tokens"));
    const QString answers = counted(step.answerRows, tr("%1 answer"), tr("%1 answers"));
    if (step.promptRows == 0) return answers;
    return step.answerRows == 0 ? prompt : tr("%1, %2").arg(prompt, answers);
}

QVariant StepTable::cell(int row, int column, int role) const {
    const StepRecord& step = m_steps[std::size_t(row)];
    const std::int64_t count = column == Prompt ? step.promptRows : column == Answers ? step.answerRows : step.adapters;
    switch (role) {
        case Qt::DisplayRole:
            if (column == Time) return formatClock(step.at);
            if (column == Model) return text(step.model);
            return column == Took ? formatMs(step.seconds * 1000) : formatCount(count);
        case ToneRole:
            return column >= Prompt && column <= Adapters && count == 0 ? QVariant(int(Tone::Secondary)) : QVariant();
        case StrongRole:
            return column == Model;
        case IdRole:
            return qint64(step.sequence);
        default:
            return {};
    }
}

}  // namespace espalier::ui
