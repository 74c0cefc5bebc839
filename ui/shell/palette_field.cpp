// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/palette_field.h"

#include <QPainter>

#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

constexpr int kFieldWide = 320, kFieldNarrow = 260;
constexpr int kFieldHeight = 24;
constexpr int kFieldSide = 8, kFieldIcon = 16;

}  // namespace

PaletteField::PaletteField(const QString& text) : QPushButton(text) {
    setAccessibleName(text);
    setFont(uiFont(text_size::kTable));
    setFocusPolicy(Qt::TabFocus);
    setNarrow(false);
}

void PaletteField::setNarrow(bool narrow) {
    setFixedSize(scaled(narrow ? kFieldNarrow : kFieldWide), scaled(kFieldHeight));
}

void PaletteField::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(c.line));
    painter.setBrush(QColor(c.base));
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
    const QRect mark(kFieldSide, (height() - kFieldIcon) / 2, kFieldIcon, kFieldIcon);
    painter.drawPixmap(mark, iconPixmap(QStringLiteral("search"), c.secondary, kFieldIcon, devicePixelRatioF()));
    painter.setPen(QColor(c.secondary));
    painter.setFont(uiFont(text_size::kCaption));
    const QString keys = QStringLiteral("Ctrl+K");
    const QRect inside = rect().adjusted(mark.right() + 1 + kFieldSide, 0, -kFieldSide, 0);
    painter.drawText(inside, Qt::AlignRight | Qt::AlignVCenter, keys);
    const int room = inside.width() - painter.fontMetrics().horizontalAdvance(keys) - kFieldSide;
    painter.setFont(font());
    painter.drawText(inside, Qt::AlignLeft | Qt::AlignVCenter,
                     painter.fontMetrics().elidedText(text(), Qt::ElideRight, room));
}

}  // namespace espalier::ui
