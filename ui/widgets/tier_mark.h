// SPDX-License-Identifier: GPL-3.0-or-later
// Where an adapter is, as a fill and never as a hue: on the device solid, in memory slanted lines, on disk hollow.
#pragma once

#include <QRect>

#include "core/serving/adapter_trace.h"

class QPainter;

namespace espalier::ui {

struct ThemeColors;

void paintTierMark(QPainter& painter, const QRect& mark, const ThemeColors& colors, AdapterTier tier);

}  // namespace espalier::ui
