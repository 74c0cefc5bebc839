// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/stall_watchdog.h"

#include <QLoggingCategory>
#include <QThread>
#include <cstring>
#include <ctime>

namespace espalier::ui {
namespace {

constexpr std::size_t kMostStalls = 100;

double milliseconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

}  // namespace

void StallWatchdog::record(double wallMs, double cpuMs, const char* receiver, int eventType) {
    if (std::strcmp(receiver, m_ignored) == 0) return;
    ++m_events;
    if (cpuMs > m_longest.cpuMs) m_longest = {wallMs, cpuMs, QString::fromLatin1(receiver), eventType};
    if (wallMs <= kLimitMs) return;
    if (m_stalls.size() < kMostStalls) m_stalls.push_back({wallMs, cpuMs, QString::fromLatin1(receiver), eventType});
    qWarning("stall: %.0f ms (%.0f ms of processor time) in event %d of %s", wallMs, cpuMs, eventType, receiver);
}

bool Application::notify(QObject* receiver, QEvent* event) {
    if (QThread::currentThread() != thread()) return QApplication::notify(receiver, event);
    // An event sent from inside another one is part of it; one that a nested loop (a menu, a dialog) delivers is not,
    // and the event that runs the loop is not a stall.
    const int level = QThread::currentThread()->loopLevel();
    if (level == m_level) return QApplication::notify(receiver, event);
    const int outer = std::exchange(m_level, level);
    const bool outerHostedLoop = std::exchange(m_hostedLoop, false);
    const char* className = receiver->metaObject()->className();
    const int type = event->type();
    const double wall = milliseconds(CLOCK_MONOTONIC), cpu = milliseconds(CLOCK_THREAD_CPUTIME_ID);
    const bool result = QApplication::notify(receiver, event);
    if (!m_hostedLoop)
        m_watchdog.record(milliseconds(CLOCK_MONOTONIC) - wall, milliseconds(CLOCK_THREAD_CPUTIME_ID) - cpu, className,
                          type);
    m_hostedLoop = outer >= 0 || outerHostedLoop;
    m_level = outer;
    return result;
}

}  // namespace espalier::ui
