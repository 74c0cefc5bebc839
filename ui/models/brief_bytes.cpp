// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/brief_bytes.h"

#include <QLocale>
#include <array>
#include <cmath>

namespace espalier::ui {

QString formatBytesBriefly(qint64 bytes) {
    static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = double(bytes);
    std::size_t unit = 0;
    // 999.5 would read as four figures.
    while (std::abs(value) >= 999.5 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    const int decimals = unit == 0 || std::abs(value) >= 99.95 ? 0 : std::abs(value) >= 9.995 ? 1 : 2;
    return QLocale().toString(value, 'f', decimals) + QLatin1Char(' ') + QLatin1String(kUnits[unit]);
}

}  // namespace espalier::ui
