// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/ticks.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

namespace espalier::ui {

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

std::vector<double> logTicks(double low, double high, int most) {
    static constexpr double kParts[] = {1, 2, 5};
    std::vector<double> all;
    for (int power = int(std::floor(std::log10(low))) - 1; power <= int(std::ceil(std::log10(high))) + 1; ++power)
        for (const double part : kParts) all.push_back(part * std::pow(10.0, power));
    const auto first = std::upper_bound(all.begin(), all.end(), low * (1 + 1e-9)) - 1;
    auto last = std::lower_bound(all.begin(), all.end(), high * (1 - 1e-9));
    if (last - first < 2) last = first + 2;
    const std::ptrdiff_t stride = std::max<std::ptrdiff_t>(1, (last - first + most - 1) / most);
    std::vector<double> ticks;
    for (auto at = first; at < all.end(); at += stride) {
        ticks.push_back(*at);
        if (at >= last || all.end() - at <= stride) break;
    }
    return ticks;
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
