// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/drop_overlay.h"

#include <QPainter>

#include "ui/shell/icons.h"

namespace espalier::ui {

DropOverlay::DropOverlay(QWidget* window) : QWidget(window) {
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAccessibleName(tr("Drop here"));
    hide();
}

void DropOverlay::cover(const QString& sentence) {
    m_sentence = sentence;
    setAccessibleDescription(sentence);
    setGeometry(parentWidget()->rect());
    raise();
    show();
}

void DropOverlay::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QColor ground(c.window);
    ground.setAlphaF(0.92f);
    painter.fillRect(rect(), ground);
    painter.setPen(QPen(QColor(c.accentText), 2, Qt::DashLine));
    painter.drawRoundedRect(rect().adjusted(12, 12, -12, -12), 6, 6);
    painter.drawPixmap(QRect(rect().center() - QPoint(12, 36), QSize(24, 24)),
                       iconPixmap(QStringLiteral("import"), c.accentText, 24, devicePixelRatioF()));
    painter.setFont(uiFont(text_size::kTitle, QFont::DemiBold));
    painter.setPen(QColor(c.text));
    painter.drawText(rect().adjusted(24, 12, -24, 0), Qt::AlignCenter, m_sentence);
}

}  // namespace espalier::ui
