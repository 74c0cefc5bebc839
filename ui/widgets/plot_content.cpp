// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_content.h"

#include <QStringList>
#include <algorithm>
#include <array>
#include <cmath>

#include "ui/models/format.h"

namespace espalier::ui {

bool PlotContent::isMirrored() const {
    return std::ranges::any_of(lines, &LineSpec::isBelow);
}

std::optional<double> PlotContent::cursor() const {
    if (!dashboard) return mark;
    const auto x = dashboard->cursor();
    return x && *x >= from() && *x <= to() ? x : std::nullopt;
}

std::vector<PlotColumn> columnsOf(const PlotContent& content) {
    std::vector<PlotColumn> columns;
    for (const LineSpec& line : content.lines) columns.push_back({line.name, line.column});
    for (const AreaSpec& area : content.areas) columns.push_back({ownerName(area.owner), area.column});
    return columns;
}

double valueAt(const PlotContent& content, int column, std::optional<double> x) {
    const SampleRing& source = content.source;
    if (source.isEmpty()) return kGap;
    if (!x) return source.value(source.size() - 1, column);
    const int nearest = source.nearest(*x);
    return std::abs(source.x(nearest) - *x) > content.gapAfter ? kGap : source.value(nearest, column);
}

QString valueText(const PlotContent& content, double stored) {
    if (std::isnan(stored)) return QStringLiteral("–");
    return content.format ? content.format(stored) : QString::number(stored / content.divisor, 'g', 4);
}

QString readingText(const PlotContent& content, std::optional<double> x) {
    QStringList parts;
    if (x && content.dashboard) parts << formatClock(qint64(*x * 1000));
    if (x && content.xText) parts << content.xText(*x);
    for (const PlotColumn& column : columnsOf(content)) {
        const double value = valueAt(content, column.column, x);
        QString part = column.name + QLatin1Char(' ') + valueText(content, value);
        if (!content.unit.isEmpty() && !std::isnan(value)) part += QLatin1Char(' ') + content.unit;
        parts << part;
    }
    return parts.join(QStringLiteral(", "));
}

QPen seriesPen(const ThemeColors& colors, int series, double pixelRatio) {
    static const std::array<QVector<qreal>, 5> kDashes{QVector<qreal>{}, {5, 2}, {2, 2}, {5, 2, 2, 2}, {}};
    const std::size_t at = std::size_t(series) % colors.series.size();
    QPen pen(QColor(colors.series[at]), 0);
    QVector<qreal> dashes = kDashes[at];
    for (qreal& length : dashes) length *= pixelRatio;  // a hairline counts them in pixels of the device
    if (!dashes.isEmpty()) pen.setDashPattern(dashes);
    return pen;
}

QPen linePen(const PlotContent& content, const ThemeColors& colors, const LineSpec& line, double pixelRatio) {
    QPen pen = seriesPen(colors, line.series, pixelRatio);
    if (content.isMirrored()) pen.setStyle(Qt::SolidLine);
    return pen;
}

}  // namespace espalier::ui
