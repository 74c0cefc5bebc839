// SPDX-License-Identifier: GPL-3.0-or-later
// How numbers, sizes and times read on every page: grouping from 1,000, three significant figures, unit after a space.
#pragma once

#include <QString>
#include <cstdint>
#include <string>

namespace espalier::ui {

QString formatCount(qint64 value);   // "128,256"
QString formatNumber(double value);  // "66.41", "0.0012": four significant figures
QString formatShort(double value);   // "8.03 B", "412 M", "12.1 k", "640"
QString formatBytes(qint64 bytes);   // "14.96 GiB", "8.0 KiB"
// For columns and legends whose unit stands above: "14.96", "0" for none, "<0.01" for what would round to none.
QString formatGib(qint64 bytes);
QString formatMib(qint64 bytes);           // likewise: "266", "6.25"
QString formatMs(double ms);               // "163", "14.1"
QString formatRate(double perSecond);      // "2,914", "63.4"
QString formatTransfer(double bytesPerS);  // "27.3 GB/s", "412 MB/s"
QString formatDuration(double seconds);    // "5 h 14 min", "3 min 20 s", "9 s"
QString formatAge(double seconds);         // as a duration, under ten seconds "0.4 s"
QString formatClock(qint64 unixMs, bool seconds = true);
QString formatDay(qint64 unixMs);                                    // "12 Nov"
QString formatDigest(const std::string& digest);                     // "3f9a1c…70e2"
QString counted(qint64 n, const QString& one, const QString& many);  // "1 model", "4 models"; %1 is the number
QString text(const std::string& utf8);

}  // namespace espalier::ui
