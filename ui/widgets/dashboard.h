// SPDX-License-Identifier: GPL-3.0-or-later
// Dashboard: what the plots of a page share: the span of time shown, a part of it zoomed into, one cursor, pause, and
// the one timer, which runs only while the page can be seen. Pausing holds the right edge; sampling goes on.
//
// Owner: the page. Thread: Qt.
#pragma once

#include <QObject>
#include <QTimer>
#include <optional>

#include "ui/models/sample_ring.h"

class QWidget;

namespace espalier::ui {

class Dashboard : public QObject {
    Q_OBJECT
public:
    Dashboard(const SampleRing& source, QWidget* page);

    const SampleRing& source() const { return m_source; }
    void setInterval(int ms) { m_timer.setInterval(ms); }  // between two pictures
    void setSpan(double seconds);                          // 0: all that is held; ends a zoom
    double from() const;
    double to() const;  // the newest sample, where pausing held it, or the end of the zoom

    // Holds a part of the time for all plots until resetZoom; it is never shorter than kLeastZoom.
    static constexpr double kLeastZoom = 1;
    void zoom(double from, double to);
    void zoomBy(double factor, double around);  // factor < 1: closer
    void resetZoom();
    bool isZoomed() const { return m_zoom.has_value(); }

    // A sample came. Whoever tells of them is not looked for: without samples nothing ticks. Until the first call the
    // source is looked at at every interval.
    void arrived();

    void setPaused(bool paused);
    bool isPaused() const { return m_heldAt.has_value(); }
    double pausedAt() const { return m_heldAt.value_or(0); }
    int samplesBehind() const;
    std::optional<double> cursor() const { return m_cursor; }
    void setCursor(std::optional<double> x);
    bool isRunning() const { return m_timer.isActive(); }

signals:
    void tick();
    void cursorMoved();
    void pauseChanged();
    void spanChanged();  // another part of the time is shown

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    struct Window {
        double from, to;
    };
    bool isSeen() const;
    void beat();
    double newest() const;
    double oldest() const;  // where the span begins

    const SampleRing& m_source;
    QWidget* m_page;
    QTimer m_timer{this};
    double m_span = 900;
    bool m_shown = false;
    bool m_isTold = false, m_hasArrived = false;  // of samples; since the last tick
    std::optional<double> m_heldAt;
    std::optional<Window> m_zoom;
    std::optional<double> m_cursor;
};

}  // namespace espalier::ui
