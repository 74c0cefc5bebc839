// SPDX-License-Identifier: GPL-3.0-or-later
// Icons: the bundled SVGs, drawn in a colour of the theme at the device's pixel ratio. An icon made here follows a
// change of theme by itself. Names are those of the files in resources/icons.
#pragma once

#include <QIcon>
#include <QPixmap>
#include <QRgb>
#include <QString>

#include "ui/shell/theme.h"

namespace espalier::ui {

// Which colour of the theme a mark takes.
enum class Tone { Text, Secondary, Accent, OnAccent, Warn, Error };
QRgb toneColor(const ThemeColors& colors, Tone tone);

QIcon icon(const QString& name, Tone tone = Tone::Text);
QPixmap iconPixmap(const QString& name, QRgb color, int size, double pixelRatio);

}  // namespace espalier::ui
