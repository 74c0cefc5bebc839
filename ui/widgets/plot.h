// SPDX-License-Identifier: GPL-3.0-or-later
// Plot: the one plot of the workbench, over QCustomPlot. Lines or a stack of areas, read from a SampleRing and reduced
// to the pixels there are. Hairline pens with the dashes of the series; a gap in the data is a gap in the line; without
// data the axes stay and one sentence says so. Plots with a Dashboard share its time span, cursor and pause; others
// show a fixed range of numbers.
//
// Thread: Qt. plot.cpp is the only translation unit that includes qcustomplot.h.
#pragma once

#include <QWidget>
#include <optional>

#include "ui/models/sample_ring.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/memory_owner.h"

namespace espalier::ui {

struct LineSpec {
    QString name;
    int column = 0;
    int series = 0;  // position in the theme's series colours
    bool filled = false;
};

struct AreaSpec {
    int column = 0;
    MemoryOwner owner = MemoryOwner::Weights;
};

class PlotCanvas;

class Plot : public QWidget {
    Q_OBJECT
public:
    Plot(const SampleRing& source, Dashboard& dashboard, const QString& name, QWidget* parent = nullptr);
    Plot(const SampleRing& source, const QString& name, QWidget* parent = nullptr);  // numbers on x, see setRange
    ~Plot() override;

    void setLines(std::vector<LineSpec> lines);
    void setAreas(std::vector<AreaSpec> areas);  // bottom to top
    void setDivisor(double divisor);             // shown = stored / divisor
    void setLogarithmic(bool on);
    void setWholeNumbers(bool on);  // ticks are whole: counts of things
    void setGapAfter(double x);     // a longer step is a gap; default 5
    void setNoDataText(const QString& sentence);
    void setRange(double from, double to);
    void setReference(std::optional<double> value, const QString& name);  // a dashed line, in stored units
    void setMark(std::optional<double> x, const QString& name);           // a vertical line, in x

    const std::vector<LineSpec>& lines() const;
    // Value of a column at x (the nearest sample), in stored units; NaN when there is none.
    double valueAt(int column, std::optional<double> x) const;
    void refresh();

    QString csv() const;  // the samples shown, not reduced
    QPixmap picture() const;

    QSize sizeHint() const override { return {320, 140}; }
    QSize minimumSizeHint() const override { return {120, 80}; }

protected:
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    PlotCanvas* m_canvas;
};

// The pen of a series: colour and dash of its position, hairline.
QPen seriesPen(const ThemeColors& colors, int series);

}  // namespace espalier::ui
