// SPDX-License-Identifier: GPL-3.0-or-later
// PlotLegend: the lines of a plot in the title row of its panel.
#pragma once

#include "ui/widgets/plot.h"

namespace espalier::ui {

// Pen sample, name and value at the cursor (else the newest) of each line, for the title row of a panel. A line that is
// alone is named by the panel's title, beside which the unit stands. Where space is short, names are elided, then left
// out; the tooltip has them.
class PlotLegend : public QWidget {
    Q_OBJECT
public:
    PlotLegend(Plot& plot, Dashboard& dashboard, QString (*format)(double), const QString& unit = {},
               QWidget* parent = nullptr);
    explicit PlotLegend(Plot& plot, QWidget* parent = nullptr);  // names alone
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    QStringList shownNames() const;  // as they are drawn now
    QStringList values() const { return m_values; }

protected:
    void paintEvent(QPaintEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void read();
    int widthOf(const QStringList& names) const;
    QStringList names() const;
    void refreshToolTip();

    Plot& m_plot;
    Dashboard* m_dashboard = nullptr;
    QString (*m_format)(double) = nullptr;
    QString m_unit;
    QStringList m_values;
};

}  // namespace espalier::ui
