// SPDX-License-Identifier: GPL-3.0-or-later
// OwnerTable: the legend of a stack of memory owners as a table, in stack order from the top: at the cursor, and now.
// Where the window is narrow it has one column, without a head: at the cursor, or now.
#pragma once

#include <QWidget>

#include "ui/widgets/plot_content.h"

namespace espalier::ui {

class OwnerTable : public QWidget {
    Q_OBJECT
public:
    // `plot`: its areas are the rows, its values bytes. Requires: it outlives the table and has a dashboard.
    explicit OwnerTable(const PlotContent& plot, QWidget* parent = nullptr);
    void refresh();
    void setBrief(bool brief);
    QStringList valuesNow() const;  // from the top

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString value(int column, std::optional<double> x) const;
    int rowHeight() const;
    void paintHead(QPainter& painter);
    void paintRow(QPainter& painter, int y, const AreaSpec& area);
    void paintValue(QPainter& painter, QRect cell, const QString& value, bool isStrong);

    const PlotContent& m_plot;
    bool m_isBrief = false;
};

}  // namespace espalier::ui
