// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/dashboard.h"

#include <QEvent>
#include <QWidget>

namespace espalier::ui {
namespace {

constexpr int kTickMs = 100;
constexpr double kLeastSpan = 60;

}  // namespace

Dashboard::Dashboard(const SampleRing& source, QWidget* page) : QObject(page), m_source(source) {
    m_timer.setInterval(kTickMs);
    connect(&m_timer, &QTimer::timeout, this, &Dashboard::tick);
    page->installEventFilter(this);
}

void Dashboard::setSpan(double seconds) {
    m_span = seconds;
    emit spanChanged();
}

double Dashboard::to() const {
    if (m_heldAt) return *m_heldAt;
    return m_source.isEmpty() ? 0 : m_source.lastX();
}

double Dashboard::from() const {
    // A young history is not squeezed into the right edge: the window grows with it up to the span.
    const double held = m_source.isEmpty() ? 0 : to() - m_source.x(0);
    const double grown = std::max(kLeastSpan, held);
    return to() - (m_span > 0 ? std::min(m_span, grown) : grown);
}

void Dashboard::setPaused(bool paused) {
    if (paused == isPaused()) return;
    m_heldAt = paused ? std::optional(to()) : std::nullopt;
    emit pauseChanged();
}

int Dashboard::samplesBehind() const {
    return m_heldAt ? m_source.size() - m_source.lowerBound(*m_heldAt) : 0;
}

void Dashboard::setCursor(std::optional<double> x) {
    if (m_cursor == x) return;
    m_cursor = x;
    emit cursorMoved();
}

bool Dashboard::eventFilter(QObject*, QEvent* event) {
    if (event->type() == QEvent::Show) m_timer.start();
    if (event->type() == QEvent::Hide) m_timer.stop();
    return false;
}

}  // namespace espalier::ui
