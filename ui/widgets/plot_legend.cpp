// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_legend.h"

#include <QPainter>
#include <algorithm>
#include <cmath>

#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kPenSample = 10, kAfterSample = 3, kAfterName = 3, kEntryGap = 8;
constexpr int kPlotLegendHeight = 24;
constexpr int kLegendEveryTicks = 5;  // values change twice a second

}  // namespace

PlotLegend::PlotLegend(Plot& plot, QWidget* parent) : QWidget(parent), m_plot(plot) {
    setFont(uiFont(text_size::kCaption));
    setFixedHeight(scaled(kPlotLegendHeight));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("%1, legend").arg(plot.accessibleName()));
}

PlotLegend::PlotLegend(Plot& plot, Dashboard& dashboard, QString (*format)(double), const QString& unit,
                       QWidget* parent)
    : PlotLegend(plot, parent) {
    m_dashboard = &dashboard;
    m_format = format;
    m_unit = unit;
    connect(&dashboard, &Dashboard::tick, this, [this, ticks = 0]() mutable {
        if (++ticks % kLegendEveryTicks == 0) read();
    });
    connect(&dashboard, &Dashboard::cursorMoved, this, &PlotLegend::read);
    connect(&dashboard, &Dashboard::spanChanged, this, &PlotLegend::read);
    read();
}

void PlotLegend::read() {
    QStringList values;
    for (const LineSpec& line : m_plot.lines()) {
        const auto x = m_dashboard->cursor() ? m_dashboard->cursor() : std::optional(m_dashboard->to());
        const double value = m_plot.valueAt(line.column, x);
        values << (std::isnan(value) ? QStringLiteral("–") : m_format(value));
    }
    if (values == m_values) return;
    const bool wider = values.join(QString()).size() > m_values.join(QString()).size();
    m_values = values;
    if (wider) updateGeometry();
    refreshToolTip();
    update();
}

// A line alone has the title's name, where it has a value to show.
QStringList PlotLegend::names() const {
    QStringList all;
    const bool isAlone = m_plot.lines().size() == 1 && m_dashboard, isMirrored = m_plot.content().isMirrored();
    for (const LineSpec& line : m_plot.lines()) {
        const QString side = !isMirrored ? QString() : line.isBelow ? QStringLiteral(" ↓") : QStringLiteral(" ↑");
        all << (isAlone ? QString() : line.name + side);
    }
    return all;
}

int PlotLegend::widthOf(const QStringList& names) const {
    const QFontMetrics plain = fontMetrics();
    const QFontMetrics medium(uiFont(text_size::kCaption, QFont::Medium));
    int width = 0;
    for (qsizetype i = 0; i < names.size(); ++i) {
        width += kPenSample + kAfterSample + (i > 0 ? kEntryGap : 0);
        if (!names[i].isEmpty()) width += plain.horizontalAdvance(names[i]) + (m_values.isEmpty() ? 0 : kAfterName);
        if (i < m_values.size()) width += medium.horizontalAdvance(m_values[i]);
    }
    return width;
}

QStringList PlotLegend::shownNames() const {
    QStringList shown = names();
    int missing = widthOf(shown) - width();
    if (missing <= 0) return shown;
    // The longest gives way first, so that short names stay whole.
    const QFontMetrics plain = fontMetrics();
    const int least = plain.horizontalAdvance(QStringLiteral("mm…"));
    while (missing > 0) {
        auto longest = std::max_element(shown.begin(), shown.end(), [&](const QString& a, const QString& b) {
            return plain.horizontalAdvance(a) < plain.horizontalAdvance(b);
        });
        const int wide = longest == shown.end() ? 0 : plain.horizontalAdvance(*longest);
        if (wide <= least) break;
        *longest = plain.elidedText(*longest, Qt::ElideRight, qMax(least, wide - qMax(4, missing / int(shown.size()))));
        if (plain.horizontalAdvance(*longest) >= wide) break;
        missing = widthOf(shown) - width();
    }
    if (missing > 0) shown.fill(QString());
    return shown;
}

void PlotLegend::refreshToolTip() {
    const QStringList all = names();
    QStringList lines;
    for (qsizetype i = 0; i < all.size(); ++i)
        lines << (all[i] + QLatin1Char(' ') + m_values.value(i) +
                  (m_unit.isEmpty() ? QString() : QLatin1Char(' ') + m_unit))
                     .trimmed();
    setAccessibleDescription(lines.join(QStringLiteral(", ")));
    setToolTip(shownNames() == all && widthOf(all) <= width() ? QString() : lines.join(QLatin1Char('\n')));
}

void PlotLegend::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    refreshToolTip();
}

QSize PlotLegend::sizeHint() const {
    return QSize(widthOf(names()) + 4, scaled(kPlotLegendHeight));
}

// Values are never left out.
QSize PlotLegend::minimumSizeHint() const {
    return QSize(widthOf(QStringList(names().size(), QString())), scaled(kPlotLegendHeight));
}

void PlotLegend::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    const QStringList names = shownNames();
    QPainter painter(this);
    int x = width() - widthOf(names);
    for (std::size_t i = 0; i < m_plot.lines().size(); ++i) {
        const LineSpec& line = m_plot.lines()[i];
        QPen pen = linePen(m_plot.content(), c, line);
        if (m_plot.content().bars) {
            painter.fillRect(QRect(x, (height() - kPenSample) / 2, kPenSample, kPenSample), pen.color());
        } else {
            pen.setWidth(2);
            pen.setCapStyle(Qt::FlatCap);
            if (pen.style() != Qt::SolidLine)
                pen.setDashPattern(line.series == 2 ? QVector<qreal>{1, 1} : QVector<qreal>{2, 1});
            painter.setPen(pen);
            painter.drawLine(x, height() / 2, x + kPenSample, height() / 2);
        }
        x += kPenSample + kAfterSample;
        const auto write = [&](const QString& text, QRgb color, QFont::Weight weight) {
            painter.setFont(uiFont(text_size::kCaption, weight));
            painter.setPen(QColor(color));
            painter.drawText(QRect(x, 0, width() - x, height()), Qt::AlignLeft | Qt::AlignVCenter, text);
            x += painter.fontMetrics().horizontalAdvance(text);
        };
        const QString& name = names[qsizetype(i)];
        if (!name.isEmpty()) {
            write(name, c.secondary, QFont::Normal);
            x += m_values.isEmpty() ? 0 : kAfterName;
        }
        if (qsizetype(i) < m_values.size()) write(m_values[qsizetype(i)], c.text, QFont::Medium);
        x += kEntryGap;
    }
}

}  // namespace espalier::ui
