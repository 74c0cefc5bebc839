// SPDX-License-Identifier: GPL-3.0-or-later
// PlotCanvas: axes and series of a PlotContent, drawn by QCustomPlot from the pixels there are and kept as a picture
// until there is something new. What moves over it (cursor, flags, zoom band) is PlotOverlay.
//
// Owner: Plot. Thread: Qt. plot_canvas.cpp is the only translation unit that includes qcustomplot.h.
#pragma once

#include <QWidget>

#include "ui/widgets/plot_content.h"

namespace espalier::ui {

class PlotCanvas : public QWidget {
    Q_OBJECT
public:
    explicit PlotCanvas(const PlotContent& content, QWidget* parent = nullptr);
    ~PlotCanvas() override;

    void rebuild();  // after lines or areas were replaced
    void restyle();  // after the theme, the scale or the pixel ratio changed
    void refresh();  // draws the samples there are
    // The newest sample would move by half a pixel; where only the time goes on, a share of it is enough.
    bool isTimeToDraw() const;
    static constexpr double kStillSeconds = 5;

    bool hasData() const { return m_hasData; }
    QRect inside() const;  // where data is drawn
    double pixelOfX(double x) const;
    double pixelOfY(double shown) const;
    double xAt(double pixel) const;
    std::vector<QRectF> tickLabels() const;  // under the frame, in pixels

signals:
    void drawn();

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    class Chart;
    double drawLines();
    double drawBars();
    double drawAreas();
    void setTimeTicks();
    void setNumberTicks();
    void setValueTicks(double greatest);
    void setLogTicks(double greatest);
    int pixels() const;
    bool isStill() const;

    const PlotContent& m_content;
    Chart* m_chart;
    bool m_hasData = false;
    double m_least = 0, m_below = 0;  // above nothing; the farthest below the zero line
    double m_drawnTo = 0;
};

}  // namespace espalier::ui
