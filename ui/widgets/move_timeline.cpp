// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/move_timeline.h"

#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>
#include <array>

#include "ui/models/format.h"
#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kLanes = 3, kAxisHeight = 16, kNameWidth = 92, kMargin = 8;
constexpr int kLeastBlock = 3, kDiamond = 9;

int laneOf(const AdapterMove& move) {
    if (move.to == AdapterTier::Pool) return 1;
    return move.from == AdapterTier::Disk ? 0 : 2;
}

}  // namespace

MoveTimeline::MoveTimeline(const MoveTable& moves, qint64 spanMs, QWidget* parent)
    : QWidget(parent), m_moves(moves), m_spanMs(spanMs) {
    setAccessibleName(tr("Swap timeline"));
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
    const auto changed = [this] {
        m_chosen = -1;
        update();
    };
    connect(&moves, &QAbstractItemModel::rowsInserted, this, changed);
    connect(&moves, &QAbstractItemModel::modelReset, this, changed);
}

QRect MoveTimeline::laneRect(int lane) const {
    const int lanes = height() - scaled(kAxisHeight);
    const int top = lanes * lane / kLanes, bottom = lanes * (lane + 1) / kLanes;
    return {scaled(kNameWidth), top, width() - scaled(kNameWidth) - kMargin, bottom - top};
}

double MoveTimeline::xOf(double at) const {
    const QRect lane = laneRect(0);
    const double newest = double(m_moves.moves().front().at);
    return lane.left() + (at - newest + double(m_spanMs)) / double(m_spanMs) * lane.width();
}

QRect MoveTimeline::moveRect(int row) const {
    if (row < 0 || row >= m_moves.rowCount()) return {};
    const AdapterMove& move = m_moves.moves()[std::size_t(row)];
    const QRect lane = laneRect(laneOf(move));
    const double end = xOf(double(move.at));
    if (end < lane.left()) return {};
    const int high = qMin(lane.height() - 4, scaled(12)), top = lane.center().y() - high / 2;
    if (move.seconds <= 0) return {qRound(end) - kDiamond / 2, lane.center().y() - kDiamond / 2, kDiamond, kDiamond};
    const double begin = qMax(double(lane.left()), xOf(double(move.at) - move.seconds * 1000));
    const int wide = qMax(kLeastBlock, qRound(end - begin));
    return {qRound(end) - wide, top, wide, high};
}

QString MoveTimeline::moveText(int row) const {
    if (row < 0 || row >= m_moves.rowCount()) return {};
    const AdapterMove& move = m_moves.moves()[std::size_t(row)];
    QString said = tr("%1 · %2").arg(text(move.adapter), MoveTable::wayText(move));
    said += QLatin1Char('\n') + formatBytes(move.bytes);
    if (move.seconds > 0) said += QStringLiteral(" · ") + tr("%1 ms").arg(formatMs(move.seconds * 1000));
    said += QLatin1Char('\n') + MoveTable::whyText(move);
    if (!move.tenant.empty()) said += QStringLiteral(" · ") + tr("for %1").arg(text(move.tenant));
    return said;
}

void MoveTimeline::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setFont(uiFont(text_size::kCaption, QFont::Normal));
    const std::array names{tr("Disk → RAM"), tr("RAM → pool"), tr("Given up")};
    for (int lane = 0; lane < kLanes; ++lane) {
        const QRect rect = laneRect(lane);
        painter.fillRect(rect, QColor(lane % 2 == 0 ? c.base : c.alternateBase));
        painter.setPen(QColor(c.secondary));
        painter.drawText(QRect(0, rect.top(), scaled(kNameWidth) - 6, rect.height()), Qt::AlignRight | Qt::AlignVCenter,
                         names[std::size_t(lane)]);
    }
    if (m_moves.rowCount() == 0) return;
    const QRect axis(laneRect(0).left(), height() - scaled(kAxisHeight), laneRect(0).width(), scaled(kAxisHeight));
    painter.drawText(axis, Qt::AlignLeft | Qt::AlignVCenter, tr("-%1 s").arg(m_spanMs / 1000));
    painter.drawText(axis, Qt::AlignRight | Qt::AlignVCenter, formatClock(m_moves.moves().front().at));
    painter.setRenderHint(QPainter::Antialiasing);
    for (int row = m_moves.rowCount(); row-- > 0;) {
        const QRect rect = moveRect(row);
        if (rect.isNull()) continue;
        const bool isBlock = m_moves.moves()[std::size_t(row)].seconds > 0;
        painter.setPen(row == m_chosen ? QPen(QColor(c.text), 1.5) : Qt::NoPen);
        painter.setBrush(QColor(isBlock ? c.adapters : c.kvCached));
        if (isBlock) {
            painter.drawRect(rect);
        } else {
            const QPoint middle = rect.center();
            painter.drawPolygon(QPolygon({{middle.x(), rect.top()}, {rect.right(), middle.y()},
                                          {middle.x(), rect.bottom()}, {rect.left(), middle.y()}}));
        }
    }
    if (!hasFocus()) return;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(QColor(c.accentText), 1));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

int MoveTimeline::moveAt(QPoint point) const {
    for (int row = 0; row < m_moves.rowCount(); ++row) {
        const QRect rect = moveRect(row);
        if (rect.isNull()) return -1;
        if (rect.adjusted(-2, -2, 2, 2).contains(point)) return row;
    }
    return -1;
}

void MoveTimeline::choose(int row) {
    if (row == m_chosen) return;
    m_chosen = row;
    setAccessibleDescription(moveText(row));
    QAccessibleEvent said(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&said);
    update();
}

bool MoveTimeline::event(QEvent* event) {
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int row = moveAt(help->pos());
    if (row < 0)
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), moveText(row), this, moveRect(row));
    return true;
}

void MoveTimeline::mouseMoveEvent(QMouseEvent* event) {
    choose(moveAt(event->position().toPoint()));
}

void MoveTimeline::leaveEvent(QEvent*) {
    if (!hasFocus()) choose(-1);
}

// Left is older.
void MoveTimeline::keyPressEvent(QKeyEvent* event) {
    const int by = event->key() == Qt::Key_Left ? 1 : event->key() == Qt::Key_Right ? -1 : 0;
    if (event->key() == Qt::Key_Escape) return choose(-1);
    if (by == 0) return QWidget::keyPressEvent(event);
    const int to = m_chosen < 0 ? 0 : m_chosen + by;
    if (moveRect(to).isNull()) return;
    choose(to);
    QToolTip::showText(mapToGlobal(moveRect(to).bottomRight()), moveText(to), this, moveRect(to));
}

}  // namespace espalier::ui
