// SPDX-License-Identifier: GPL-3.0-or-later
// How each control is painted: one function a control, colours from the palette of its option. Style calls them.
#pragma once

#include <QStyleOption>

#include "ui/shell/theme.h"

class QPainter;

namespace espalier::ui {

inline constexpr int kControlRadius = 4;
inline constexpr int kArrowSize = 14;

void box(QPainter* painter, const QRect& rect, QRgb fill, QRgb border, double radius = kControlRadius);
void drawIconAt(QPainter* painter, const QRect& rect, const QString& name, QRgb color);
QRect centred(const QRect& rect, int size);
void drawButton(const QStyleOption* option, QPainter* painter, const QWidget* widget);
void drawField(const QStyleOption* option, QPainter* painter, const QWidget* widget);
void drawRow(const QStyleOptionViewItem* option, QPainter* painter, const QWidget* widget);
void drawTab(const QStyleOptionTab* option, QPainter* painter);
void drawHeaderGround(const QStyleOption* option, QPainter* painter);
void drawHeader(const QStyleOptionHeader* option, QPainter* painter);
void drawMenuItem(const QStyleOptionMenuItem* option, QPainter* painter);
void drawMenuBarItem(const QStyleOptionMenuItem* option, QPainter* painter);
void drawCheckBox(const QStyleOption* option, QPainter* painter);
void drawScrollBar(const QStyleOptionSlider* option, QPainter* painter, const QRect& handle);
void drawSpinArrows(const QStyleOption* option, QPainter* painter, const QRect& arrows);
bool isPrimary(const QWidget* widget);

}  // namespace espalier::ui
