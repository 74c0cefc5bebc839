// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/format.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>
#include <array>
#include <cmath>

namespace espalier::ui {
namespace {

// The locale that goes with the language in use.
QLocale locale() {
    return QLocale();
}

QString significant(double value, int figures) {
    if (value == 0) return QStringLiteral("0");
    const int whole = int(std::floor(std::log10(std::abs(value)))) + 1;
    return locale().toString(value, 'f', qBound(0, figures - whole, 2));
}

// Two decimals under ten, one under a hundred, `least` from there.
QString inUnits(qint64 bytes, double unit, int least) {
    constexpr double kLeastShown = 0.005;
    if (bytes == 0) return QStringLiteral("0");
    const double value = double(bytes) / unit;
    if (value > 0 && value < kLeastShown) return QLatin1Char('<') + locale().toString(0.01, 'f', 2);
    return locale().toString(value, 'f', value < 10 ? 2 : value < 100 ? 1 : least);
}

}  // namespace

QString formatCount(qint64 value) {
    return locale().toString(value);
}

QString formatNumber(double value) {
    if (value == 0) return QStringLiteral("0");
    const int whole = int(std::floor(std::log10(std::abs(value)))) + 1;
    if (whole < -3 || whole > 6) return locale().toString(value, 'e', 2);
    return locale().toString(value, 'f', qBound(0, 4 - whole, 7));
}

QString formatShort(double value) {
    const double size = std::abs(value);
    if (size >= 1e9) return significant(value / 1e9, 3) + QStringLiteral(" B");
    if (size >= 1e6) return significant(value / 1e6, 3) + QStringLiteral(" M");
    if (size >= 1e4) return significant(value / 1e3, 3) + QStringLiteral(" k");
    return locale().toString(value, 'f', 0);
}

QString formatBytes(qint64 bytes) {
    static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
    double value = double(bytes);
    std::size_t unit = 0;
    while (std::abs(value) >= 1000 && unit + 1 < kUnits.size()) {
        value /= 1024;
        ++unit;
    }
    const int decimals = unit == 0 ? 0 : unit >= 3 ? (value < 100 ? 2 : 1) : (value < 100 ? 1 : 0);
    return locale().toString(value, 'f', decimals) + QLatin1Char(' ') + QLatin1String(kUnits[unit]);
}

QString formatGib(qint64 bytes) {
    return inUnits(bytes, double(1 << 30), 1);
}

QString formatMib(qint64 bytes) {
    return inUnits(bytes, double(1 << 20), 0);
}

QString formatMs(double ms) {
    return locale().toString(ms, 'f', ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

QString formatRate(double perSecond) {
    return locale().toString(perSecond, 'f', perSecond > 0 && perSecond < 100 ? 1 : 0);
}

QString formatTransfer(double bytesPerS) {
    const bool isGiga = bytesPerS >= 1e9;
    return significant(bytesPerS / (isGiga ? 1e9 : 1e6), 3) + QLatin1Char(' ') +
           (isGiga ? QLatin1String("GB/s") : QLatin1String("MB/s"));
}

QString formatAge(double seconds) {
    constexpr double kExact = 9.95;
    if (seconds >= kExact) return formatDuration(seconds);
    return QCoreApplication::translate("format", "%1 s").arg(locale().toString(std::max(0.0, seconds), 'f', 1));
}

QString formatDuration(double seconds) {
    const qint64 s = qint64(std::max(0.0, std::round(seconds)));
    if (s >= 86400) return QCoreApplication::translate("format", "%1 d %2 h").arg(s / 86400).arg(s % 86400 / 3600);
    if (s >= 3600) return QCoreApplication::translate("format", "%1 h %2 min").arg(s / 3600).arg(s % 3600 / 60);
    if (s >= 60) return QCoreApplication::translate("format", "%1 min %2 s").arg(s / 60).arg(s % 60);
    return QCoreApplication::translate("format", "%1 s").arg(s);
}

QString formatClock(qint64 unixMs, bool seconds) {
    return QDateTime::fromMSecsSinceEpoch(unixMs).toString(seconds ? QStringLiteral("HH:mm:ss")
                                                                   : QStringLiteral("HH:mm"));
}

QString formatDay(qint64 unixMs) {
    return locale().toString(QDateTime::fromMSecsSinceEpoch(unixMs).date(), QStringLiteral("d MMM"));
}

QString formatDigest(const std::string& digest) {
    QString hex = text(digest);
    if (hex.startsWith(QLatin1String("sha256:"))) hex.remove(0, 7);
    return hex.size() > 12 ? hex.left(6) + QStringLiteral("…") + hex.right(4) : hex;
}

QString counted(qint64 n, const QString& one, const QString& many) {
    return (n == 1 ? one : many).arg(formatCount(n));
}

QString text(const std::string& utf8) {
    return QString::fromUtf8(utf8.data(), qsizetype(utf8.size()));
}

}  // namespace espalier::ui
