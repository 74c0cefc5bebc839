// SPDX-License-Identifier: GPL-3.0-or-later
// PlotTable: the twin of a plot, the same values as a table. Rows are moments on a round step, newest first, at most
// kMostRows of them; over numbers on x they are the samples. Updates in place, so that a selection stays where it is.
//
// Owner: Plot. Thread: Qt.
#pragma once

#include "ui/models/record_table.h"
#include "ui/widgets/plot_content.h"

namespace espalier::ui {

class PlotTable : public RecordTable {
    Q_OBJECT
public:
    static constexpr int kMostRows = 120;
    PlotTable(const PlotContent& content, QObject* parent);

    void update();  // after samples came or the range moved
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    double xOf(int row) const;
    double valueOf(int row, int column) const;

    const PlotContent& m_content;
    const std::vector<PlotColumn> m_columns;
    double m_step = 0;    // 0: rows are samples
    qint64 m_newest = 0;  // slot of the first row, in steps
    int m_rows = 0;
};

}  // namespace espalier::ui
