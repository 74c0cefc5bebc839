// SPDX-License-Identifier: GPL-3.0-or-later
// What leaves a plot: its samples as CSV, its picture with title and legend, both as files.
#pragma once

#include <QImage>
#include <QPixmap>
#include <memory>

#include "core/base/result.h"
#include "ui/widgets/plot_content.h"

class QWidget;

namespace espalier::ui {

// What a plot shows at one moment, for another thread.
struct FrozenPlot {
    std::shared_ptr<const SampleRing> samples;
    std::vector<PlotColumn> columns;
    QString unit;
    double divisor = 1, from = 0, to = 1;
    bool isTime = false;  // x in Unix seconds
};
// `samples` is a copy of content.source that plots over the same ring share; null: one is made.
FrozenPlot frozen(const PlotContent& content, std::shared_ptr<const SampleRing> samples = nullptr);

// The samples of the range shown, not reduced, in the unit shown. RFC 4180; times as ISO 8601 in UTC and as seconds
// since 1970; a gap is an empty field. Thread: any.
QString csvOf(const FrozenPlot& plot);

// The plot as it stands on `surface`, under its name and the names of its series, at the surface's pixel ratio.
QPixmap pictureOf(const PlotContent& content, QWidget& surface);

// "tokens-s" from "Tokens/s".
QString fileStem(const QString& plotName);

// Error io_error names the file. Thread: any, and not the window's: a disk may sleep.
Result<void> saveCsv(const FrozenPlot& plot, const QString& path);
Result<void> savePicture(const QImage& picture, const QString& path);

}  // namespace espalier::ui
