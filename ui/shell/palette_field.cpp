// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/palette_field.h"

#include <QPainter>

#include "ui/shell/icons.h"

namespace espalier::ui {

PaletteField::PaletteField(const QString& text) : QPushButton(text) {
    setAccessibleName(text);
    setFixedSize(kWide, scaled(24));
    setFocusPolicy(Qt::TabFocus);
}

void PaletteField::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(c.line));
    painter.setBrush(QColor(c.base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    painter.drawPixmap(QRect(8, 4, 16, 16), iconPixmap(QStringLiteral("search"), c.secondary, 16, devicePixelRatioF()));
    painter.setFont(uiFont(text_size::kTable));
    painter.setPen(QColor(c.secondary));
    painter.drawText(rect().adjusted(32, 0, -8, 0), Qt::AlignLeft | Qt::AlignVCenter, text());
    painter.setFont(uiFont(text_size::kCaption));
    painter.drawText(rect().adjusted(0, 0, -8, 0), Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("Ctrl+K"));
}

}  // namespace espalier::ui
