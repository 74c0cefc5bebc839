// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/move_detail.h"

#include <QBoxLayout>
#include <QGridLayout>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/models/move_table.h"

namespace espalier::ui {
namespace {

// Steps that ran while it moved, and the share of its time in which any of them did.
std::pair<int, double> computedMeanwhile(const AdapterMove& move, const std::deque<StepRecord>& steps) {
    const double end = double(move.at), begin = end - move.seconds * 1000;
    int count = 0;
    double covered = 0;
    for (const StepRecord& step : steps) {
        const double last = std::min(end, double(step.at));
        const double first = std::max(begin, double(step.at) - step.seconds * 1000);
        if (last <= first) continue;
        ++count;
        covered += last - first;
    }
    return {count, end > begin ? std::min(1.0, covered / (end - begin)) : 0.0};
}

QString wayWithRate(const AdapterMove& move) {
    const QString way = MoveTable::wayText(move);
    if (move.seconds <= 0) return way;
    return MoveDetail::tr("%1, %2 ms at %3")
        .arg(way, formatMs(move.seconds * 1000), formatTransfer(double(move.bytes) / move.seconds));
}

}  // namespace

QString moveCostText(const AdapterMove& move) {
    if (move.seconds <= 0) return MoveDetail::tr("Nothing was copied");
    if (move.waiters == 0) return MoveDetail::tr("No added wait");
    return counted(move.waiters, MoveDetail::tr("%1 request waited, up to %2 ms"),
                   MoveDetail::tr("%1 requests waited, up to %2 ms"))
        .arg(formatMs(move.waitedSeconds * 1000));
}

MoveDetail::MoveDetail(QWidget* parent)
    : QWidget(parent),
      m_title(new TextLabel(tr("Selected move"), text_size::kTable, QFont::DemiBold)),
      m_badge(new Badge),
      m_none(paragraph(tr("Choose a move to see its cause and cost."))),
      m_form(new QWidget) {
    setAccessibleName(tr("Selected move"));
    auto* grid = new QGridLayout(m_form);
    grid->setContentsMargins({});
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(1, 1);
    for (const QString& name : {tr("What"), tr("Size"), tr("Path"), tr("Why"), tr("Cost"), tr("Meanwhile")}) {
        const int row = int(m_names.size());
        m_names.push_back(fieldLabel(name));
        m_values.push_back(new TextLabel({}, text_size::kTable, row == What ? QFont::Medium : QFont::Normal));
        grid->addWidget(m_names.back(), row, 0);
        grid->addWidget(m_values.back(), row, 1);
    }
    setLayout(column({row({LayoutItem(m_title, 1), m_badge}, 8), m_none, m_form, nullptr}, 6, {12, 4, 12, 4}));
    clear();
}

void MoveDetail::clear() {
    m_badge->hide();
    m_form->hide();
    m_none->show();
    for (TextLabel* value : m_values) value->setText({});
    setAccessibleDescription({});
}

void MoveDetail::setLine(Line line, const QString& value) {
    const auto at = std::size_t(line);
    m_values[at]->setText(value);
    m_values[at]->setAccessibleName(m_names[at]->text() + QLatin1Char(' ') + value);
    m_values[at]->setVisible(!value.isEmpty());
    m_names[at]->setVisible(!value.isEmpty());
}

void MoveDetail::show(const AdapterMove& move, const QString& base, const std::deque<StepRecord>& steps) {
    const QString adapter = ui::text(move.adapter);
    setLine(What, base.isEmpty() ? adapter : tr("%1, adapter of %2").arg(adapter, base));
    setLine(Size, formatBytes(move.bytes));
    setLine(Way, wayWithRate(move));
    const QString why = MoveTable::whyText(move);
    setLine(Why, move.tenant.empty() ? why : tr("%1; for %2").arg(why, ui::text(move.tenant)));
    setLine(Cost, moveCostText(move));
    const auto [count, share] = computedMeanwhile(move, steps);
    setLine(
        Meanwhile,
        count == 0
            ? QString()
            : tr("%1 in %2 % of its time").arg(counted(count, tr("%1 step"), tr("%1 steps"))).arg(qRound(share * 100)));
    m_badge->setVisible(move.seconds > 0);
    if (move.waiters > 0)
        m_badge->show(QStringLiteral("clock-alert"), tr("Added up to %1 ms").arg(formatMs(move.waitedSeconds * 1000)),
                      Tone::Warn);
    else
        m_badge->show(QStringLiteral("check"), count > 0 ? tr("Hidden behind compute") : tr("No added wait"),
                      Tone::Accent);
    m_none->hide();
    m_form->show();
    setAccessibleDescription(text());
}

QString MoveDetail::text() const {
    QStringList lines;
    for (std::size_t i = 0; i < m_values.size(); ++i)
        if (!m_values[i]->text().isEmpty()) lines << m_names[i]->text() + QLatin1Char(' ') + m_values[i]->text();
    return lines.join(QLatin1Char('\n'));
}

}  // namespace espalier::ui
