// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/part_canvas.h"

#include <QAccessible>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include "ui/shell/theme.h"

namespace espalier::ui {

PartCanvas::PartCanvas(const QString& accessibleName, QWidget* parent) : QWidget(parent) {
    setAccessibleName(accessibleName);
    setFocusPolicy(Qt::TabFocus);
    setMouseTracking(true);
}

void PartCanvas::choose(int part) {
    if (part == m_chosen) return;
    m_chosen = part;
    setAccessibleDescription(partText(part));
    QAccessibleEvent said(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&said);
    update();
    emit partChosen(part);
}

void PartCanvas::renumber(int chosen) {
    m_chosen = chosen;
    update();
}

void PartCanvas::paintFocus(QPainter& painter) const {
    if (!hasFocus()) return;
    painter.setRenderHint(QPainter::Antialiasing, false);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(QColor(colorsOf(palette()).accentText), 1));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
}

bool PartCanvas::event(QEvent* event) {
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) update();
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int part = partAt(help->pos());
    if (part == kNone)
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), partText(part), this, partRect(part));
    return true;
}

void PartCanvas::mouseMoveEvent(QMouseEvent* event) {
    choose(partAt(event->position().toPoint()));
}

// A click keeps what is chosen when the pointer leaves, as the keys do.
void PartCanvas::mousePressEvent(QMouseEvent* event) {
    setFocus(Qt::MouseFocusReason);
    choose(partAt(event->position().toPoint()));
}

void PartCanvas::leaveEvent(QEvent*) {
    if (!hasFocus()) choose(kNone);
}

void PartCanvas::keyPressEvent(QKeyEvent* event) {
    switch (event->key()) {
        case Qt::Key_Escape:
            return choose(kNone);
        case Qt::Key_Left:
        case Qt::Key_Right:
        case Qt::Key_Up:
        case Qt::Key_Down:
            break;
        default:
            return QWidget::keyPressEvent(event);
    }
    const int to = partBeside(m_chosen, event->key());
    const QRect rect = to == kNone ? QRect() : partRect(to);
    if (rect.isNull()) return;
    choose(to);
    QToolTip::showText(mapToGlobal(rect.bottomRight()), partText(to), this, rect);
}

}  // namespace espalier::ui
