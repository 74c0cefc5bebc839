// SPDX-License-Identifier: GPL-3.0-or-later
// StallWatchdog: how long the window took over its events. Nothing may hold the Qt thread for more than 50 ms; what
// does is logged with receiver and event, and the tests read the figures. Application feeds it from notify().
//
// Thread: Qt. Costs two clock reads an event.
#pragma once

#include <QApplication>

namespace espalier::ui {

class StallWatchdog {
public:
    static constexpr double kLimitMs = 50;

    struct Stall {
        double wallMs = 0, cpuMs = 0;  // cpu: of the Qt thread
        QString receiver;              // class of the receiver
        int eventType = 0;             // QEvent::Type
    };

    void record(double wallMs, double cpuMs, const char* receiver, int eventType);
    const Stall& longest() const { return m_longest; }             // by processor time
    const std::vector<Stall>& stalls() const { return m_stalls; }  // over the limit in wall time, the first hundred
    qint64 events() const { return m_events; }
    void reset() { *this = StallWatchdog(); }
    void ignore(const char* receiver) { m_ignored = receiver; }  // a class whose events are not the window's

private:
    Stall m_longest;
    std::vector<Stall> m_stalls;
    qint64 m_events = 0;
    const char* m_ignored = "";
};

// The application object: QApplication with the watchdog around every event.
class Application : public QApplication {
    Q_OBJECT
public:
    Application(int& argc, char** argv) : QApplication(argc, argv) {}
    bool notify(QObject* receiver, QEvent* event) override;
    StallWatchdog& watchdog() { return m_watchdog; }

private:
    StallWatchdog m_watchdog;
    int m_level = -1;  // loop level of the event being handled; -1: none
    bool m_hostedLoop = false;
};

}  // namespace espalier::ui
