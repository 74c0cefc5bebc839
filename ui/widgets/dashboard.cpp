// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/dashboard.h"

#include <QEvent>
#include <QWidget>
#include <algorithm>
#include <utility>

namespace espalier::ui {
namespace {

constexpr int kTickMs = 100;
constexpr double kLeastSpan = 60;
constexpr double kWholeSlack = 1e-3;  // seconds; what rounding leaves of the way back

}  // namespace

Dashboard::Dashboard(const SampleRing& source, QWidget* page) : QObject(page), m_source(source), m_page(page) {
    m_timer.setInterval(kTickMs);
    connect(&m_timer, &QTimer::timeout, this, &Dashboard::beat);
    page->installEventFilter(this);
}

void Dashboard::setSpan(double seconds) {
    m_span = seconds;
    m_zoom.reset();
    emit spanChanged();
}

double Dashboard::newest() const {
    if (m_heldAt) return *m_heldAt;
    return m_source.isEmpty() ? 0 : m_source.lastX();
}

double Dashboard::oldest() const {
    // A young history is not squeezed into the right edge: the window grows with it up to the span.
    const double held = m_source.isEmpty() ? 0 : newest() - m_source.x(0);
    const double grown = std::max(kLeastSpan, held);
    return newest() - (m_span > 0 ? std::min(m_span, grown) : grown);
}

double Dashboard::to() const {
    return m_zoom ? m_zoom->to : newest();
}

double Dashboard::from() const {
    return m_zoom ? m_zoom->from : oldest();
}

void Dashboard::zoom(double from, double to) {
    if (from > to) std::swap(from, to);
    if (to - from < kLeastZoom) {
        const double middle = (from + to) / 2;
        from = middle - kLeastZoom / 2;
        to = middle + kLeastZoom / 2;
    }
    m_zoom = Window{from, to};
    emit spanChanged();
}

void Dashboard::zoomBy(double factor, double around) {
    const double left = around - (around - from()) * factor, right = around + (to() - around) * factor;
    if (left <= oldest() + kWholeSlack && right >= newest() - kWholeSlack)
        resetZoom();
    else
        zoom(std::max(left, oldest()), std::min(right, newest()));
}

void Dashboard::resetZoom() {
    if (!m_zoom) return;
    m_zoom.reset();
    emit spanChanged();
}

void Dashboard::setPaused(bool paused) {
    if (paused == isPaused()) return;
    m_heldAt = paused ? std::optional(newest()) : std::nullopt;
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

bool Dashboard::eventFilter(QObject* watched, QEvent* event) {
    const auto type = event->type();
    if (type != QEvent::Show && type != QEvent::Hide && type != QEvent::WindowStateChange) return false;
    if (watched == m_page && type == QEvent::Show) {
        m_shown = true;
        m_page->window()->installEventFilter(this);  // a minimised window hides nothing by itself
    }
    if (watched == m_page && type == QEvent::Hide) m_shown = false;
    if (isSeen() && !m_timer.isActive()) m_timer.start();
    if (!isSeen()) m_timer.stop();
    return false;
}

bool Dashboard::isSeen() const {
    return m_shown && !m_page->window()->isMinimized();
}

void Dashboard::arrived() {
    m_isTold = m_hasArrived = true;
    if (isSeen() && !m_timer.isActive()) m_timer.start();
}

// Samples that come at the pace of the timer keep it going; a second without any does not wake the window ten times.
void Dashboard::beat() {
    if (m_isTold && !std::exchange(m_hasArrived, false)) m_timer.stop();
    emit tick();
}

}  // namespace espalier::ui
