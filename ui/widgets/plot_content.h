// SPDX-License-Identifier: GPL-3.0-or-later
// PlotContent: what one plot shows, as plain values: which columns of which ring, as lines or as a stack of areas, in
// which unit, over which range, with which flags and limits. The canvas, the overlay, the table twin and the exports
// all read it; only Plot writes it.
#pragma once

#include <QPen>
#include <QString>
#include <optional>
#include <vector>

#include "ui/models/event_marks.h"
#include "ui/models/sample_ring.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/memory_owner.h"

namespace espalier::ui {

struct LineSpec {
    QString name;
    int column = 0;
    int series = 0;  // position in the theme's series colours
    bool filled = false;
    bool isBelow = false;  // drawn downward from zero; its values are positive all the same
};

struct AreaSpec {
    int column = 0;
    MemoryOwner owner = MemoryOwner::Weights;
};

struct PlotContent {
    const SampleRing& source;
    Dashboard* dashboard = nullptr;  // null: the x are numbers in a fixed range
    QString name = {}, unit = {};
    std::vector<LineSpec> lines = {};
    std::vector<AreaSpec> areas = {};  // bottom to top
    double divisor = 1;                // shown = stored / divisor
    double gapAfter = 5;               // a longer step in x is a gap
    double stillShare = 0.01;          // of the time shown: how old a picture may be in which only the time goes on
    double rangeFrom = 0, rangeTo = 1;
    bool logarithmic = false, wholeNumbers = false;
    bool bars = false;                     // sums over an x each: bars, the lines of the list upon each other
    double xStep = 0;                      // without a dashboard: between ticks; 0: a nice one
    QString (*xText)(double x) = nullptr;  // without a dashboard: how an x reads; null: as a number
    QString noDataText = {};
    std::optional<double> reference = {}, mark = {};  // a dashed horizontal line in stored units, a vertical one in x
    QString referenceName = {}, markName = {};
    const EventMarks* events = nullptr;
    QString (*format)(double) = nullptr;  // of a stored value

    // Lines on both sides of zero: where one lies says which it is.
    bool isMirrored() const;
    double from() const { return dashboard ? dashboard->from() : rangeFrom; }
    double to() const { return dashboard ? dashboard->to() : rangeTo; }
    std::optional<double> cursor() const;  // the vertical line, when it is in the range shown
};

// One column of the table twin and of the exports, in the order of the legend.
struct PlotColumn {
    QString name;
    int column = 0;
};
std::vector<PlotColumn> columnsOf(const PlotContent& content);

// Value of a column at x: the nearest sample, in stored units; the newest without an x. NaN in a gap.
double valueAt(const PlotContent& content, int column, std::optional<double> x);
QString valueText(const PlotContent& content, double stored);  // "–" for NaN

// "14:29:40, Decode 3,015 tok/s, Prefill 4,488 tok/s": what a screen reader says and Copy puts on the clipboard.
QString readingText(const PlotContent& content, std::optional<double> x);

// The pen of a series: colour and dash of its position, hairline. Dashes are as long on a fine screen as on a coarse.
QPen seriesPen(const ThemeColors& colors, int series, double pixelRatio = 1);
// Of a line: solid where the lines lie on both sides of zero.
QPen linePen(const PlotContent& content, const ThemeColors& colors, const LineSpec& line, double pixelRatio = 1);

}  // namespace espalier::ui
