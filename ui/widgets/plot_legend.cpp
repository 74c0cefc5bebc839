// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_legend.h"

#include <QPainter>
#include <cmath>

#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kPenSample = 10, kEntryGap = 12;
constexpr int kPlotLegendHeight = 24;
constexpr int kLegendEveryTicks = 5;  // values change twice a second

}  // namespace

PlotLegend::PlotLegend(Plot& plot, QWidget* parent) : QWidget(parent), m_plot(plot) {
    setFont(uiFont(text_size::kCaption));
    setFixedHeight(scaled(kPlotLegendHeight));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("%1, legend").arg(plot.accessibleName()));
}

PlotLegend::PlotLegend(Plot& plot, Dashboard& dashboard, QString (*format)(double), QWidget* parent)
    : PlotLegend(plot, parent) {
    m_dashboard = &dashboard;
    m_format = format;
    connect(&dashboard, &Dashboard::tick, this, [this, ticks = 0]() mutable {
        if (++ticks % kLegendEveryTicks == 0) read();
    });
    connect(&dashboard, &Dashboard::cursorMoved, this, &PlotLegend::read);
    connect(&dashboard, &Dashboard::spanChanged, this, &PlotLegend::read);
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
    update();
}

int PlotLegend::widthOf(bool names, bool values) const {
    const QFontMetrics plain = fontMetrics();
    const QFontMetrics medium(uiFont(text_size::kCaption, QFont::Medium));
    int width = 0;
    for (std::size_t i = 0; i < m_plot.lines().size(); ++i) {
        width += kPenSample + 4 + (i > 0 ? kEntryGap : 0);
        if (names) width += plain.horizontalAdvance(m_plot.lines()[i].name) + 4;
        if (values && qsizetype(i) < m_values.size()) width += medium.horizontalAdvance(m_values[qsizetype(i)]);
    }
    return width;
}

QSize PlotLegend::sizeHint() const {
    return QSize(widthOf(true, true) + 4, scaled(kPlotLegendHeight));
}

QSize PlotLegend::minimumSizeHint() const {
    return QSize(widthOf(false, false), scaled(kPlotLegendHeight));
}

void PlotLegend::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    const bool values = widthOf(true, true) <= width();
    const bool names = widthOf(true, false) <= width();
    QPainter painter(this);
    int x = width() - widthOf(names, values);
    for (std::size_t i = 0; i < m_plot.lines().size(); ++i) {
        const LineSpec& line = m_plot.lines()[i];
        QPen pen = seriesPen(c, line.series);
        pen.setWidth(2);
        pen.setCapStyle(Qt::FlatCap);
        if (line.series > 0) pen.setDashPattern(line.series == 2 ? QVector<qreal>{1, 1} : QVector<qreal>{2, 1});
        painter.setPen(pen);
        painter.drawLine(x, height() / 2, x + kPenSample, height() / 2);
        x += kPenSample + 4;
        const auto write = [&](const QString& text, QRgb color, QFont::Weight weight) {
            painter.setFont(uiFont(text_size::kCaption, weight));
            painter.setPen(QColor(color));
            painter.drawText(QRect(x, 0, width() - x, height()), Qt::AlignLeft | Qt::AlignVCenter, text);
            x += painter.fontMetrics().horizontalAdvance(text);
        };
        if (names) {
            write(line.name, c.secondary, QFont::Normal);
            x += 4;
        }
        if (values && qsizetype(i) < m_values.size()) write(m_values[qsizetype(i)], c.text, QFont::Medium);
        x += kEntryGap;
    }
}

}  // namespace espalier::ui
