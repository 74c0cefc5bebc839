// SPDX-License-Identifier: GPL-3.0-or-later
// Saving many plots at once without holding up the window: the pictures are taken one in each turn of the event loop,
// values are copied, and another thread writes both into a new folder.
#pragma once

#include <QObject>
#include <functional>
#include <vector>

#include "core/base/result.h"

namespace espalier::ui {

class Plot;

// Makes "espalier-plots-DATE-TIME" in `folder`, with a CSV and a PNG of each plot. `done` gets the folder made or what
// went wrong, on the Qt thread, unless `guard` is gone by then. Requires: the plots live as long as `guard`.
void savePlots(const std::vector<Plot*>& plots, const QString& folder, QObject* guard,
               std::function<void(Result<QString>)> done);

}  // namespace espalier::ui
