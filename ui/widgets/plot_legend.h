// SPDX-License-Identifier: GPL-3.0-or-later
// PlotLegend: the lines of a plot in the title row of its panel.
#pragma once

#include "ui/widgets/plot.h"

namespace espalier::ui {

// Pen sample, name and value at the cursor (else the newest) of each line, for the title row of a panel. Gives up
// values, then names, when space is short.
class PlotLegend : public QWidget {
    Q_OBJECT
public:
    PlotLegend(Plot& plot, Dashboard& dashboard, QString (*format)(double), QWidget* parent = nullptr);
    explicit PlotLegend(Plot& plot, QWidget* parent = nullptr);  // names alone
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void read();
    int widthOf(bool names, bool values) const;

    Plot& m_plot;
    Dashboard* m_dashboard = nullptr;
    QString (*m_format)(double) = nullptr;
    QStringList m_values;
};

}  // namespace espalier::ui
