// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_overlay.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <cmath>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kPauseStrip = 8;
constexpr int kNamedStratum = 16;
constexpr int kFlag = 7, kFlagReach = 5, kFlagTextGap = 8;
constexpr int kLeastDrag = 5;  // pixels; less is a click
constexpr int kLabel = 15, kTag = 17;
constexpr double kWheelStep = 0.8;

QRgb flagColor(const ThemeColors& c, MarkKind kind) {
    return kind == MarkKind::Error ? c.error : kind == MarkKind::Preemption ? c.warn : c.secondary;
}

// Error and preemption differ from the rest in shape, not by colour alone.
QPolygonF flagShape(double x, double top, MarkKind kind) {
    if (kind == MarkKind::Error || kind == MarkKind::Preemption)
        return QPolygonF(QList<QPointF>{QPointF(x - 4, top), QPointF(x + 4, top), QPointF(x, top + kFlag)});
    return QPolygonF(QList<QPointF>{QPointF(x, top), QPointF(x + kFlag, top), QPointF(x + kFlag - 2, top + 3),
                                    QPointF(x + kFlag, top + 6), QPointF(x, top + 6)});
}

}  // namespace

PlotOverlay::PlotOverlay(const PlotContent& content, const PlotCanvas& canvas, QWidget* parent)
    : QWidget(parent), m_content(content), m_canvas(canvas) {
    setMouseTracking(true);
    setFocusPolicy(Qt::NoFocus);
}

void PlotOverlay::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = m_canvas.inside();
    QPainter painter(this);
    if (!m_canvas.hasData()) {
        painter.setFont(uiFont(text_size::kTable));
        painter.setPen(QColor(c.secondary));
        painter.drawText(inside, Qt::AlignCenter | Qt::TextWordWrap, m_content.noDataText);
    } else {
        painter.setFont(uiFont(text_size::kCaption));
        if (!m_content.areas.empty()) paintStrata(painter);
        if (m_content.reference) paintReference(painter);
        if (m_content.events) paintEvents(painter);
        paintPause(painter);
        paintCursor(painter);
        paintDrag(painter);
    }
    if (!parentWidget()->hasFocus()) return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(QColor(c.accentText), 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRect(rect().adjusted(1, 1, -2, -2));
}

void PlotOverlay::paintStrata(QPainter& painter) {
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = m_canvas.inside();
    const int middle = inside.left() + inside.width() * 2 / 5;
    const SampleRing& source = m_content.source;
    const double x = m_canvas.xAt(middle);
    const int sample = source.nearest(x);
    if (sample < 0 || std::abs(source.x(sample) - x) > (m_content.to() - m_content.from()) / 20) return;
    double below = 0;
    for (const AreaSpec& area : m_content.areas) {
        const double value = source.value(sample, area.column) / m_content.divisor;
        const double lower = m_canvas.pixelOfY(below), upper = m_canvas.pixelOfY(below + value);
        below += value;
        if (!(lower - upper >= kNamedStratum)) continue;  // also in a gap
        const QRectF band(middle - 80, std::max(upper, double(inside.top())), 160,
                          lower - std::max(upper, double(inside.top())));
        const QString name = ownerName(area.owner, true);
        if (area.owner == MemoryOwner::KvCached || area.owner == MemoryOwner::Free) {
            QRectF under = painter.fontMetrics().boundingRect(name);
            under.moveCenter(band.center());
            painter.fillRect(under.adjusted(-4, 0, 4, 0),
                             QColor(area.owner == MemoryOwner::Free ? c.free : c.kvCached));
        }
        painter.setPen(QColor(ownerNameColor(c, area.owner)));
        painter.drawText(band, Qt::AlignCenter, name);
    }
}

void PlotOverlay::paintReference(QPainter& painter) {
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = m_canvas.inside();
    const int y = qRound(m_canvas.pixelOfY(*m_content.reference / m_content.divisor));
    if (y < inside.top() - 1 || y > inside.bottom()) return;
    QPen pen(QColor(c.text), 0);
    pen.setDashPattern({4 * devicePixelRatioF(), 3 * devicePixelRatioF()});
    painter.setPen(pen);
    painter.drawLine(inside.left(), y, inside.right(), y);
    // Above the right end; below it where the frame leaves no room.
    const int high = scaled(kLabel);
    const int top = y - inside.top() < high ? y + 2 : y - high - 1;
    const QRect label(inside.left(), top, inside.width() - 4, high);
    if (!m_content.areas.empty()) {
        QRect ground = painter.boundingRect(label, Qt::AlignRight | Qt::AlignVCenter, m_content.referenceName);
        painter.fillRect(ground.adjusted(-4, 0, 4, 0), QColor(c.base));
    }
    painter.setPen(QColor(c.secondary));
    painter.drawText(label, Qt::AlignRight | Qt::AlignVCenter, m_content.referenceName);
}

void PlotOverlay::paintEvents(QPainter& painter) {
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = m_canvas.inside();
    const auto marks = m_content.events->between(m_content.from(), m_content.to());
    for (std::size_t i = 0; i < marks.size(); ++i) {
        const EventMark& mark = marks[i];
        const double x = std::floor(m_canvas.pixelOfX(mark.x)) + 0.5;
        const double next = i + 1 < marks.size() ? m_canvas.pixelOfX(marks[i + 1].x) : double(inside.right());
        QPen line(QColor(flagColor(c, mark.kind)), 0);
        line.setDashPattern({1 * devicePixelRatioF(), 3 * devicePixelRatioF()});
        painter.setPen(line);
        painter.drawLine(QPointF(x, inside.top()), QPointF(x, inside.bottom()));
        painter.setPen(Qt::NoPen);
        painter.setBrush(QColor(flagColor(c, mark.kind)));
        painter.setRenderHint(QPainter::Antialiasing);
        painter.drawPolygon(flagShape(x, inside.top(), mark.kind));
        painter.setRenderHint(QPainter::Antialiasing, false);
        const int width = painter.fontMetrics().horizontalAdvance(mark.text);
        if (x + kFlag + 4 + width + kFlagTextGap > next) continue;  // else the tooltip says it
        const QRectF ground(x + kFlag + 1, inside.top(), width + 6, scaled(kLabel));
        painter.fillRect(ground, QColor(c.base));
        painter.setPen(QColor(c.text));
        painter.drawText(ground.adjusted(3, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, mark.text);
    }
}

QString PlotOverlay::eventsAt(int pixel) const {
    if (!m_content.events) return {};
    QStringList lines;
    const double from = m_canvas.xAt(pixel - kFlagReach - kFlag), to = m_canvas.xAt(pixel + kFlagReach);
    for (const EventMark& mark : m_content.events->between(from, to))
        lines << formatClock(qint64(mark.x * 1000)) + QStringLiteral("  ") + mark.text;
    return lines.join(QLatin1Char('\n'));
}

void PlotOverlay::paintPause(QPainter& painter) {
    const Dashboard* dashboard = m_content.dashboard;
    if (!dashboard || !dashboard->isPaused() || dashboard->isZoomed()) return;
    const QRect inside = m_canvas.inside();
    const QBrush hatch(QColor(colorsOf(palette()).control), Qt::BDiagPattern);
    painter.fillRect(QRect(inside.right() - kPauseStrip + 1, inside.top(), kPauseStrip, inside.height()), hatch);
}

void PlotOverlay::paintCursor(QPainter& painter) {
    const auto x = m_content.cursor();
    if (!x) return;
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = m_canvas.inside();
    const double px = m_canvas.pixelOfX(*x);
    painter.setPen(QPen(QColor(c.text), 1));
    painter.drawLine(QPointF(std::floor(px), inside.top()), QPointF(std::floor(px), inside.bottom()));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    for (const LineSpec& line : m_content.lines) {
        if (m_content.bars) break;  // each is as wide as the line's neighbourhood
        const double value =
            valueAt(m_content, line.column, *x) / (line.isBelow ? -m_content.divisor : m_content.divisor);
        if (std::isnan(value) || (m_content.logarithmic && value <= 0)) continue;
        painter.setBrush(QColor(c.series[std::size_t(line.series) % c.series.size()]));
        painter.drawEllipse(QPointF(px, m_canvas.pixelOfY(value)), 2.5, 2.5);
    }
    if (m_content.dashboard && m_content.areas.empty()) return;  // the tag stands in the topmost plot
    paintTag(painter, px, m_content.dashboard ? formatClock(qint64(*x * 1000)) : m_content.markName);
}

void PlotOverlay::paintTag(QPainter& painter, double x, const QString& text) {
    const ThemeColors& c = colorsOf(palette());
    painter.setFont(uiFont(text_size::kCaption));
    QRectF tag(0, m_canvas.inside().bottom() + 2, painter.fontMetrics().horizontalAdvance(text) + 12, scaled(kTag));
    tag.moveLeft(qBound(0.0, x - tag.width() / 2, double(width()) - tag.width()));
    // A label that is half covered reads as another one.
    for (const QRectF& label : m_canvas.tickLabels())
        if (label.intersects(tag.adjusted(-2, 0, 2, 0))) painter.fillRect(label.adjusted(-1, 0, 1, 0), QColor(c.base));
    painter.setBrush(QColor(c.tooltip));
    painter.drawRoundedRect(tag, 3, 3);
    painter.setPen(QColor(c.tooltipText));
    painter.drawText(tag, Qt::AlignCenter, text);
}

void PlotOverlay::paintDrag(QPainter& painter) {
    if (!m_dragFrom || std::abs(m_dragTo - *m_dragFrom) < kLeastDrag) return;
    const QRect inside = m_canvas.inside();
    QColor band(colorsOf(palette()).accentText);
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setPen(QPen(band, 1));
    band.setAlphaF(0.16f);
    painter.setBrush(band);
    painter.drawRect(
        QRect(QPoint(qMin(*m_dragFrom, m_dragTo), inside.top()), QPoint(qMax(*m_dragFrom, m_dragTo), inside.bottom())));
}

bool PlotOverlay::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const QString events = eventsAt(help->pos().x());
    if (events.isEmpty())
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), events, this);
    return true;
}

void PlotOverlay::mouseMoveEvent(QMouseEvent* event) {
    const QPoint at = event->position().toPoint();
    const QRect inside = m_canvas.inside();
    if (m_dragFrom) {
        m_dragTo = qBound(inside.left(), at.x(), inside.right());
        update();
    }
    if (m_content.dashboard && inside.contains(at)) m_content.dashboard->setCursor(m_canvas.xAt(at.x()));
    event->ignore();
}

void PlotOverlay::mousePressEvent(QMouseEvent* event) {
    parentWidget()->setFocus(Qt::MouseFocusReason);
    const QPoint at = event->position().toPoint();
    if (event->button() == Qt::LeftButton && m_content.dashboard && m_canvas.hasData() &&
        m_canvas.inside().contains(at))
        m_dragFrom = m_dragTo = at.x();
    event->accept();
}

void PlotOverlay::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !m_dragFrom) return event->ignore();
    const int from = *std::exchange(m_dragFrom, std::nullopt), to = m_dragTo;
    if (std::abs(to - from) >= kLeastDrag) m_content.dashboard->zoom(m_canvas.xAt(from), m_canvas.xAt(to));
    update();
}

void PlotOverlay::mouseDoubleClickEvent(QMouseEvent* event) {
    cancelDrag();
    if (m_content.dashboard) m_content.dashboard->resetZoom();
    event->accept();
}

void PlotOverlay::wheelEvent(QWheelEvent* event) {
    const bool zooms = event->modifiers() & Qt::ControlModifier && m_content.dashboard && m_canvas.hasData();
    if (!zooms) return event->ignore();
    const double steps = event->angleDelta().y() / 120.0;
    m_content.dashboard->zoomBy(std::pow(kWheelStep, steps), m_canvas.xAt(event->position().x()));
    event->accept();
}

void PlotOverlay::cancelDrag() {
    m_dragFrom.reset();
    update();
}

}  // namespace espalier::ui
