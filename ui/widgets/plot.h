// SPDX-License-Identifier: GPL-3.0-or-later
// Plot: the one plot of the workbench. Lines or a stack of areas, read from a SampleRing and reduced to the pixels
// there are. Hairline pens with the dashes of the series; a gap in the data is a gap in the line; without data the axes
// stay and one sentence says so. Plots with a Dashboard share its time span, zoom, cursor and pause; others show a
// fixed range of numbers. Each has a table twin, a reading for screen readers, CSV and PNG.
//
// Keys: Left and Right move the cursor by a pixel column, with Ctrl by ten; Home and End to the ends; + and - zoom
// around it; Esc goes back from a zoom, then removes the cursor; Ctrl+T shows the table; Ctrl+C copies the reading.
//
// Thread: Qt. Inside: PlotContent (what), PlotCanvas (picture), PlotOverlay (what moves), PlotTable (twin).
#pragma once

#include <QElapsedTimer>
#include <QWidget>
#include <functional>

#include "core/base/result.h"
#include "ui/widgets/plot_content.h"

class QAction;

namespace espalier::ui {

class PlotCanvas;
class PlotOverlay;
class PlotTable;
class TableView;

class Plot : public QWidget {
    Q_OBJECT
public:
    Plot(const SampleRing& source, Dashboard& dashboard, const QString& name, QWidget* parent = nullptr);
    Plot(const SampleRing& source, const QString& name, QWidget* parent = nullptr);  // numbers on x, see setRange
    ~Plot() override;

    void setLines(std::vector<LineSpec> lines);
    void setAreas(std::vector<AreaSpec> areas);  // bottom to top
    void setUnit(const QString& unit);           // of table, reading and CSV
    void setDivisor(double divisor);             // shown = stored / divisor
    void setFormat(QString (*format)(double));   // of a stored value
    void setLogarithmic(bool on);
    void setWholeNumbers(bool on);                                      // ticks are whole: counts of things
    void setStillShare(double share) { m_content.stillShare = share; }  // see PlotContent
    void setGapAfter(double x);                                         // a longer step is a gap; default 5
    void setBars(bool on);                                              // see PlotContent
    void setXText(double step, QString (*text)(double x));              // ticks of a plot without a dashboard
    void setNoDataText(const QString& sentence);
    void setRange(double from, double to);
    void setReference(std::optional<double> value, const QString& name);  // a dashed line, in stored units
    void setMark(std::optional<double> x, const QString& name);           // a vertical line, in x
    void setEvents(const EventMarks* events);                             // flags; null: none

    const PlotContent& content() const { return m_content; }
    const std::vector<LineSpec>& lines() const { return m_content.lines; }
    double valueAt(int column, std::optional<double> x) const { return ui::valueAt(m_content, column, x); }
    void refresh();

    void setTableShown(bool shown);
    bool isTableShown() const { return m_table != nullptr; }
    const PlotOverlay& overlay() const { return *m_overlay; }

    QString csv() const;
    QPixmap picture() const;

    QSize sizeHint() const override { return {320, 140}; }
    QSize minimumSizeHint() const override { return {120, 80}; }

signals:
    void saveFailed(const espalier::Error& error);
    void tableShown(bool shown);
    void markStepped(int by);  // an arrow key, where the mark is what the keys move

protected:
    bool event(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    Plot(const SampleRing& source, Dashboard* dashboard, const QString& name, QWidget* parent);
    void makeActions();
    QAction* addPlotAction(const QString& text, const QKeySequence& keys, void (Plot::*run)());
    void moveCursorBy(int pixels);
    void zoomBy(double factor);
    void goBack();
    void sayReading();
    void copyReading();
    void toggleTable();
    void resetZoom();
    void chooseCsv();
    void choosePicture();
    // `save` runs on another thread.
    void chooseFile(const QString& title, const QString& suffix, std::function<Result<void>(const QString&)> save);

    PlotContent m_content;
    PlotCanvas* m_canvas;
    PlotOverlay* m_overlay;
    TableView* m_table = nullptr;
    PlotTable* m_tableModel = nullptr;
    QAction* m_zoomOut = nullptr;
    QElapsedTimer m_sinceTable;
};

}  // namespace espalier::ui
