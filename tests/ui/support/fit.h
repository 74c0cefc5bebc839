// SPDX-License-Identifier: GPL-3.0-or-later
// What a person could not read or name in a window: each list is empty when all is well, else it names the widgets.
#pragma once

#include <QStringList>

class QWidget;

namespace espalier::test {

QStringList namelessControls(const QWidget* top);  // that a screen reader would have no word for
QStringList clippedTexts(const QWidget* top);      // cut without an ellipsis and a tooltip, and controls outside
QStringList clippedLegends(const QWidget* top);    // of plots, without a name or a value that no tooltip says

}  // namespace espalier::test
