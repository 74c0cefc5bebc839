// SPDX-License-Identifier: GPL-3.0-or-later
// What leaves a plot: its samples as CSV, its picture with title and legend, both as files.
#pragma once

#include <QPixmap>

#include "core/base/result.h"
#include "ui/widgets/plot_content.h"

class QWidget;

namespace espalier::ui {

// The samples of the range shown, not reduced, in the unit shown. RFC 4180; times as ISO 8601 in UTC and as seconds
// since 1970; a gap is an empty field.
QString csvOf(const PlotContent& content);

// The plot as it stands on `surface`, under its name and the names of its series, at the surface's pixel ratio.
QPixmap pictureOf(const PlotContent& content, QWidget& surface);

// "tokens-s" from "Tokens/s".
QString fileStem(const QString& plotName);

// Error io_error names the file.
Result<void> saveCsv(const PlotContent& content, const QString& path);
Result<void> savePicture(const QPixmap& picture, const QString& path);

}  // namespace espalier::ui
