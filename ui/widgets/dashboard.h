// SPDX-License-Identifier: GPL-3.0-or-later
// Dashboard: what the plots of a page share: the span of time shown, one cursor, pause, and the one timer, which runs
// only while the page is visible. Pausing holds the right edge; sampling goes on.
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
    void setSpan(double seconds);                          // 0: all that is held
    double from() const;
    double to() const;  // the newest sample, or where pausing held it
    void setPaused(bool paused);
    bool isPaused() const { return m_heldAt.has_value(); }
    int samplesBehind() const;
    std::optional<double> cursor() const { return m_cursor; }
    void setCursor(std::optional<double> x);

signals:
    void tick();
    void cursorMoved();
    void pauseChanged();
    void spanChanged();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    const SampleRing& m_source;
    QTimer m_timer;
    double m_span = 900;
    std::optional<double> m_heldAt;
    std::optional<double> m_cursor;
};

}  // namespace espalier::ui
