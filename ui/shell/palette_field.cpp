// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/palette_field.h"

#include <QPainter>

#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

constexpr int kWide = 320, kNarrow = 260;
constexpr int kHeight = 24;
constexpr int kSide = 8, kIcon = 16;

}  // namespace

PaletteField::PaletteField(const QString& text) : QPushButton(text) {
    setAccessibleName(text);
    setFont(uiFont(text_size::kTable));
    setFocusPolicy(Qt::TabFocus);
    setNarrow(false);
}

void PaletteField::setNarrow(bool narrow) {
    setFixedSize(scaled(narrow ? kNarrow : kWide), scaled(kHeight));
}

void PaletteField::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(c.line));
    painter.setBrush(QColor(c.base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    const QRect mark(kSide, (height() - kIcon) / 2, kIcon, kIcon);
    painter.drawPixmap(mark, iconPixmap(QStringLiteral("search"), c.secondary, kIcon, devicePixelRatioF()));
    painter.setPen(QColor(c.secondary));
    painter.setFont(uiFont(text_size::kCaption));
    const QString keys = QStringLiteral("Ctrl+K");
    const QRect inside = rect().adjusted(mark.right() + 1 + kSide, 0, -kSide, 0);
    painter.drawText(inside, Qt::AlignRight | Qt::AlignVCenter, keys);
    const int room = inside.width() - painter.fontMetrics().horizontalAdvance(keys) - kSide;
    painter.setFont(font());
    painter.drawText(inside, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(text(), Qt::ElideRight, room));
}

}  // namespace espalier::ui
