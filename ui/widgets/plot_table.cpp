// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_table.h"

#include <cmath>

#include "ui/models/format.h"
#include "ui/shell/icons.h"
#include "ui/widgets/ticks.h"

namespace espalier::ui {
namespace {

constexpr double kSampleReach = 1.5;  // seconds: a quiet daemon sends one sample a second

// Short names: the unit stands in the title of the plot.
std::vector<RecordTable::Column> headOf(const PlotContent& content) {
    const bool isTime = content.dashboard || content.xText;
    std::vector<RecordTable::Column> head{{isTime ? PlotTable::tr("Time") : PlotTable::tr("x")}};
    for (const LineSpec& line : content.lines) head.push_back({line.name, true});
    for (const AreaSpec& area : content.areas) head.push_back({ownerName(area.owner, true), true});
    return head;
}

}  // namespace

PlotTable::PlotTable(const PlotContent& content, QObject* parent)
    : RecordTable(headOf(content), parent), m_content(content), m_columns(columnsOf(content)) {
    update();
}

void PlotTable::update() {
    const double from = m_content.from(), to = m_content.to();
    const double step = m_content.dashboard ? niceTimeStep(to - from, kMostRows - 1) : 0;
    const SampleRing& source = m_content.source;
    qint64 newest = 0;
    int rows = 0;
    if (step > 0 && !source.isEmpty()) {
        newest = qint64(std::floor(to / step));
        rows = qMin(kMostRows, int(newest - qint64(std::ceil(qMax(from, source.x(0)) / step)) + 1));
    } else if (step == 0) {
        rows = source.lowerBound(to + 1e-9) - source.lowerBound(from);
    }
    rows = qMax(0, rows);
    const qint64 moved = newest - m_newest;
    if (step != m_step || moved < 0 || moved >= m_rows || rows < moved) {
        beginResetModel();
        m_step = step;
        m_newest = newest;
        m_rows = rows;
        endResetModel();
        return;
    }
    if (moved > 0) {
        beginInsertRows({}, 0, int(moved) - 1);
        m_newest = newest;
        m_rows += int(moved);
        endInsertRows();
    }
    if (rows < m_rows) {
        beginRemoveRows({}, rows, m_rows - 1);
        m_rows = rows;
        endRemoveRows();
    } else if (rows > m_rows) {
        beginInsertRows({}, m_rows, rows - 1);
        m_rows = rows;
        endInsertRows();
    }
    if (m_rows > 0) rowChanged(0);  // its moment may have got a nearer sample
}

int PlotTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : m_rows;
}

double PlotTable::xOf(int row) const {
    if (m_step > 0) return double(m_newest - row) * m_step;
    return m_content.source.x(m_content.source.lowerBound(m_content.from()) + row);
}

double PlotTable::valueOf(int row, int column) const {
    const double x = xOf(row);
    const int nearest = m_content.source.nearest(x);
    const bool isThere =
        nearest >= 0 && std::abs(m_content.source.x(nearest) - x) <= std::max(m_step / 2, kSampleReach);
    return isThere ? m_content.source.value(nearest, m_columns[std::size_t(column)].column) : kGap;
}

QVariant PlotTable::cell(int row, int column, int role) const {
    if (column == 0) {
        if (role == SortRole) return xOf(row);
        if (role != Qt::DisplayRole) return {};
        if (m_content.dashboard) return formatClock(qint64(xOf(row) * 1000));
        return m_content.xText ? m_content.xText(xOf(row)) : QString::number(xOf(row), 'g', 6);
    }
    const double value = valueOf(row, column - 1);
    if (role == SortRole) return value;
    if (role == ToneRole && value == 0) return int(Tone::Secondary);
    return role == Qt::DisplayRole ? QVariant(valueText(m_content, value)) : QVariant();
}

}  // namespace espalier::ui
