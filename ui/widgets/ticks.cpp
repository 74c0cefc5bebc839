// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/ticks.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

namespace espalier::ui {
namespace {

constexpr double kAlike = 1e-9;

// 1, 2 and 5 times powers of ten, from below `low` to two above `high`.
std::vector<double> roundNumbers(double low, double high) {
    std::vector<double> all;
    const int least = int(std::floor(std::log10(low))), greatest = int(std::ceil(std::log10(high)));
    for (int power = least - 1; power <= greatest + 1; ++power)
        for (const double part : {1.0, 2.0, 5.0}) all.push_back(part * std::pow(10.0, power));
    return all;
}

}  // namespace

double niceStep(double range, int parts) {
    const double rough = range / parts;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    const double part = rough / power;
    return power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
}

double niceTimeStep(double seconds, int most) {
    static constexpr double kSteps[] = {1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800};
    for (const double step : kSteps)
        if (seconds / step <= most) return step;
    return 3600;
}

// Either every 1, 2 and 5, or whole decades, so that a tick is as far from the next as that from the one after.
std::vector<double> logTicks(double low, double high, int most) {
    const std::vector<double> all = roundNumbers(low, high);
    const auto [lowest, highest] = logRange(low, high);
    const auto first = std::ranges::find(all, lowest);
    auto last = std::ranges::find(all, highest);
    if (last - first < 2) last = first + 2;
    if (last - first <= most) return {first, last + 1};
    const int least = int(std::floor(std::log10(low) + kAlike)), greatest = int(std::ceil(std::log10(high) - kAlike));
    const int decades = greatest - least, stride = decades <= most + 1 ? 1 : (decades + most - 1) / most;
    std::vector<double> ticks;
    for (int power = least; ticks.empty() || ticks.back() < high * (1 - kAlike); power += stride)
        ticks.push_back(std::pow(10.0, power));
    return ticks;
}

std::pair<double, double> logRange(double low, double high) {
    const std::vector<double> all = roundNumbers(low, high);
    return {*(std::ranges::upper_bound(all, low * (1 + kAlike)) - 1),
            *std::ranges::lower_bound(all, high * (1 - kAlike))};
}

QString tickText(double value, double step) {
    const double size = std::abs(value);
    QLocale locale;
    locale.setNumberOptions(QLocale::OmitGroupSeparator);
    if (size >= 1e6) return locale.toString(value / 1e6, 'g', 4) + QStringLiteral("M");
    if (size >= 1e4 || (size >= 1000 && std::fmod(value, 1000) == 0))
        return locale.toString(value / 1e3, 'g', 4) + QStringLiteral("k");
    const int decimals = step >= 1 ? 0 : std::min(4, int(std::ceil(-std::log10(step) - 1e-9)));
    return locale.toString(value, 'f', decimals);
}

}  // namespace espalier::ui
