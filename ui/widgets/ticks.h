// SPDX-License-Identifier: GPL-3.0-or-later
// Where a plot puts its ticks and how they read. Pure.
#pragma once

#include <QString>
#include <utility>
#include <vector>

namespace espalier::ui {

// A step of 1, 2 or 5 times a power of ten that cuts `range` into about `parts` parts. Requires: range > 0, parts > 0.
double niceStep(double range, int parts);

// The shortest step a clock would use (1, 2, 5 s ... 1 h) that gives at most `most` ticks.
double niceTimeStep(double seconds, int most);

// 1, 2 and 5 times powers of ten from at or below `low` to at or above `high`; where these are more than about `most`,
// powers of ten alone, evenly thinned.
// Requires: 0 < low <= high.
std::vector<double> logTicks(double low, double high, int most);

// The narrowest range from one 1, 2 or 5 to another that holds [low, high]. Requires: 0 < low <= high.
std::pair<double, double> logRange(double low, double high);

// "1.5", "250", "4k", "1.2M"; as many decimals as the step has.
QString tickText(double value, double step);

}  // namespace espalier::ui
