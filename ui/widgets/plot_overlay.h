// SPDX-License-Identifier: GPL-3.0-or-later
// PlotOverlay: what lies over the picture of a plot and moves: names of strata, limit, flags, the shared cursor, the
// band of a zoom being drawn, the mark of a pause, the focus ring. Takes the mouse: moving it moves the cursor of the
// page, dragging zooms, a double click goes back, Ctrl and the wheel zoom around the pointer; a plain wheel scrolls the
// page.
//
// Owner: Plot. Thread: Qt.
#pragma once

#include <QWidget>

#include "ui/widgets/plot_canvas.h"

namespace espalier::ui {

class PlotOverlay : public QWidget {
    Q_OBJECT
public:
    PlotOverlay(const PlotContent& content, const PlotCanvas& canvas, QWidget* parent);

    bool isDragging() const { return m_dragFrom.has_value(); }
    void cancelDrag();
    QString eventsAt(int pixel) const;  // one line per flag near the pixel

protected:
    bool event(QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    void paintStrata(QPainter& painter);
    void paintReference(QPainter& painter);
    void paintEvents(QPainter& painter);
    void paintPause(QPainter& painter);
    void paintCursor(QPainter& painter);
    void paintTag(QPainter& painter, double x, const QString& text);
    void paintDrag(QPainter& painter);

    const PlotContent& m_content;
    const PlotCanvas& m_canvas;
    std::optional<int> m_dragFrom;
    int m_dragTo = 0;
};

}  // namespace espalier::ui
