// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot_canvas.h"

#include <qcustomplot.h>

#include <QDateTime>
#include <algorithm>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/ticks.h"

namespace espalier::ui {
namespace {

// The axes' labels grow with the text; one at the top needs 8.
QMargins margins() {
    return {scaled(40), scaled(8), 10, scaled(20)};
}
constexpr int kTickLength = 4;
constexpr double kThinShare = 0.2, kRoomAbove = 1.6;
constexpr double kBarWidth = 0.8;  // of an x

// Two hairlines half a pixel apart read as a bold line and cost a twentieth of a wide pen.
class HairlineGraph : public QCPGraph {
public:
    HairlineGraph(QCPAxis* keyAxis, QCPAxis* valueAxis, bool isMain) : QCPGraph(keyAxis, valueAxis), m_isMain(isMain) {}

protected:
    void drawLinePlot(QCPPainter* painter, const QVector<QPointF>& lines) const override {
        QCPGraph::drawLinePlot(painter, lines);
        // On a fine screen one hairline is too faint for any series.
        if (!m_isMain && painter->device()->devicePixelRatioF() < 2) return;
        painter->save();
        painter->translate(0, 0.5);
        QCPGraph::drawLinePlot(painter, lines);
        painter->restore();
    }

private:
    bool m_isMain;
};

QSharedPointer<QCPGraphDataContainer> container(const std::vector<PlotPoint>& points, double divisor) {
    QVector<QCPGraphData> data;
    data.reserve(qsizetype(points.size()));
    for (const PlotPoint& point : points) data.append(QCPGraphData(point.x, point.y / divisor));
    auto made = QSharedPointer<QCPGraphDataContainer>::create();
    made->set(data, true);
    return made;
}

}  // namespace

class PlotCanvas::Chart : public QCustomPlot {
public:
    explicit Chart(QWidget* parent) : QCustomPlot(parent) {
        axisRect()->setAutoMargins(QCP::msNone);
        axisRect()->setMargins(margins());
        axisRect()->setMinimumMargins({});
        plotLayout()->setMargins({});
        xAxis->setTicker(xTicks);
        yAxis->setTicker(yTicks);
        xAxis->grid()->setVisible(false);
        yAxis->setBasePen(Qt::NoPen);
        yAxis->setTickPen(Qt::NoPen);
        yAxis->setSubTickPen(Qt::NoPen);
        xAxis->setSubTickPen(Qt::NoPen);
        xAxis->setTickLength(0, kTickLength);
        yAxis->setTickLength(0, 0);
        xAxis->setTickLabelPadding(3);
        yAxis->setTickLabelPadding(6);
        yAxis->grid()->setZeroLinePen(Qt::NoPen);
        setFocusPolicy(Qt::NoFocus);  // the Plot around it takes the keys
        setNotAntialiasedElements(QCP::aeGrid | QCP::aeAxes);
        setAntialiasedElements(QCP::aePlottables);
        setAttribute(Qt::WA_OpaquePaintEvent);
        setAttribute(Qt::WA_TransparentForMouseEvents);  // the overlay takes the mouse
    }

    std::vector<QCPGraph*> graphs;
    std::vector<QCPBars*> bars;  // instead, where the content wants them
    QSharedPointer<QCPAxisTickerText> xTicks{new QCPAxisTickerText}, yTicks{new QCPAxisTickerText};
};

PlotCanvas::PlotCanvas(const PlotContent& content, QWidget* parent)
    : QWidget(parent), m_content(content), m_chart(new Chart(this)) {
    connect(m_chart, &QCustomPlot::afterReplot, this, &PlotCanvas::drawn);
    restyle();
}

PlotCanvas::~PlotCanvas() = default;

QRect PlotCanvas::inside() const {
    return m_chart->axisRect()->rect();
}

int PlotCanvas::pixels() const {
    return qMax(1, inside().width());
}

double PlotCanvas::pixelOfX(double x) const {
    return m_chart->xAxis->coordToPixel(x);
}

double PlotCanvas::pixelOfY(double shown) const {
    return m_chart->yAxis->coordToPixel(shown);
}

double PlotCanvas::xAt(double pixel) const {
    return m_chart->xAxis->pixelToCoord(pixel);
}

std::vector<QRectF> PlotCanvas::tickLabels() const {
    std::vector<QRectF> labels;
    const QFontMetrics metrics(uiFont(text_size::kCaption));
    const auto& ticks = m_chart->xTicks->ticks();
    for (auto tick = ticks.begin(); tick != ticks.end(); ++tick) {
        const double wide = metrics.horizontalAdvance(tick.value());
        labels.emplace_back(pixelOfX(tick.key()) - wide / 2, inside().bottom() + kTickLength + 1, wide,
                            height() - inside().bottom() - kTickLength - 1);
    }
    return labels;
}

void PlotCanvas::rebuild() {
    for (QCPGraph* graph : m_chart->graphs) m_chart->removeGraph(graph);
    m_chart->graphs.clear();
    for (QCPBars* bars : m_chart->bars) m_chart->removePlottable(bars);
    m_chart->bars.clear();
    for (std::size_t i = 0; i < m_content.lines.size() && m_content.bars; ++i) {
        auto* bars = new QCPBars(m_chart->xAxis, m_chart->yAxis);
        bars->setWidth(kBarWidth);
        bars->setStackingGap(1);
        if (i > 0) bars->moveAbove(m_chart->bars.back());
        m_chart->bars.push_back(bars);
    }
    for (std::size_t i = 0; i < m_content.lines.size() && !m_content.bars; ++i)
        m_chart->graphs.push_back(new HairlineGraph(m_chart->xAxis, m_chart->yAxis, i == 0));
    for (std::size_t i = 0; i < m_content.areas.size(); ++i) {
        auto* graph = new QCPGraph(m_chart->xAxis, m_chart->yAxis);
        if (i > 0) graph->setChannelFillGraph(m_chart->graphs.back());
        m_chart->graphs.push_back(graph);
    }
    restyle();
}

void PlotCanvas::restyle() {
    const ThemeColors& c = colorsOf(palette());
    m_chart->setBackground(QBrush(QColor(c.base)));
    const QFont caption = uiFont(text_size::kCaption);
    for (QCPAxis* axis : {m_chart->xAxis, m_chart->yAxis}) {
        axis->setTickLabelFont(caption);
        axis->setTickLabelColor(QColor(c.secondary));
    }
    m_chart->xAxis->setBasePen(QPen(QColor(c.control), 0));
    m_chart->xAxis->setTickPen(QPen(QColor(c.control), 0));
    m_chart->yAxis->grid()->setPen(QPen(QColor(c.grid), 0));
    m_chart->yAxis->grid()->setZeroLinePen(m_content.isMirrored() ? QPen(QColor(c.control), 0) : QPen(Qt::NoPen));
    m_chart->yAxis->setScaleType(m_content.logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    for (std::size_t i = 0; i < m_content.lines.size(); ++i) {
        const LineSpec& line = m_content.lines[i];
        QColor fill(c.series[std::size_t(line.series) % c.series.size()]);
        if (m_content.bars) {
            m_chart->bars[i]->setPen(Qt::NoPen);
            m_chart->bars[i]->setBrush(fill);
            continue;
        }
        m_chart->graphs[i]->setPen(linePen(m_content, c, line, devicePixelRatioF()));
        fill.setAlphaF(0.12f);
        m_chart->graphs[i]->setBrush(line.filled ? QBrush(fill) : QBrush(Qt::NoBrush));
    }
    for (std::size_t i = 0; i < m_content.areas.size(); ++i) {
        m_chart->graphs[i]->setPen(QPen(QColor(c.base), 0));
        m_chart->graphs[i]->setBrush(ownerBrush(c, m_content.areas[i].owner));
    }
}

bool PlotCanvas::isTimeToDraw() const {
    if (!m_content.dashboard) return false;
    const double span = m_content.to() - m_content.from();
    const double moved = std::abs(m_content.to() - m_drawnTo);
    return moved >= span / pixels() / 2 &&
           (moved >= std::min(kStillSeconds, span * m_content.stillShare) || !isStill());
}

// No sample since the last picture differs from that one by as much as can be seen.
bool PlotCanvas::isStill() const {
    const SampleRing& source = m_content.source;
    const int drawn = source.lowerBound(m_drawnTo);
    if (drawn >= source.size() || m_content.to() < m_drawnTo) return false;
    const double perPixel = m_content.logarithmic ? 0 : m_chart->yAxis->range().size() / qMax(1, inside().height());
    const auto isSame = [&](int column) {
        const double before = source.value(drawn, column);
        for (int i = drawn + 1; i < source.size(); ++i) {
            const double now = source.value(i, column);
            if (std::isnan(now) != std::isnan(before) || std::abs(now - before) > perPixel / 2 * m_content.divisor)
                return false;
        }
        return true;
    };
    return std::ranges::all_of(m_content.lines, [&](const LineSpec& line) { return isSame(line.column); }) &&
           std::ranges::all_of(m_content.areas, [&](const AreaSpec& area) { return isSame(area.column); });
}

double PlotCanvas::drawLines() {
    double greatest = 0;
    m_least = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < m_content.lines.size(); ++i) {
        const LineSpec& line = m_content.lines[i];
        const auto points =
            decimateLine(m_content.source, line.column, m_content.from(), m_content.to(), pixels(), m_content.gapAfter);
        double& farthest = line.isBelow ? m_below : greatest;
        for (const PlotPoint& point : points) {
            if (std::isnan(point.y)) continue;
            m_hasData = true;
            farthest = std::max(farthest, point.y / m_content.divisor);
            if (point.y > 0) m_least = std::min(m_least, point.y / m_content.divisor);
        }
        m_chart->graphs[i]->setData(container(points, line.isBelow ? -m_content.divisor : m_content.divisor));
    }
    return greatest;
}

// As many as there are: the spans are days or hours, not pixels.
double PlotCanvas::drawBars() {
    const SampleRing& source = m_content.source;
    const int first = source.lowerBound(m_content.from());
    std::vector<double> sums;
    for (std::size_t i = 0; i < m_content.lines.size(); ++i) {
        QVector<QCPBarsData> data;
        for (int at = first; at < source.size() && source.x(at) <= m_content.to(); ++at) {
            const double value = source.value(at, m_content.lines[i].column) / m_content.divisor;
            data.append(QCPBarsData(source.x(at), value));
            sums.resize(std::max(sums.size(), std::size_t(at - first) + 1));
            if (!std::isnan(value)) sums[std::size_t(at - first)] += value;
        }
        auto made = QSharedPointer<QCPBarsDataContainer>::create();
        made->set(data, true);
        m_chart->bars[i]->setData(made);
    }
    m_hasData = !sums.empty();
    return sums.empty() ? 0 : *std::ranges::max_element(sums);
}

// How high the stack is drawn: to the total, which is a fact about the device, unless what is used would be a thin
// line.
double PlotCanvas::drawAreas() {
    std::vector<int> columns;
    for (const AreaSpec& area : m_content.areas) columns.push_back(area.column);
    const auto edges =
        decimateStack(m_content.source, columns, m_content.from(), m_content.to(), pixels(), m_content.gapAfter);
    double total = 0, used = 0;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        for (const PlotPoint& point : edges[i]) {
            if (std::isnan(point.y)) continue;
            total = std::max(total, point.y / m_content.divisor);
            if (m_content.areas[i].owner != MemoryOwner::Free) used = std::max(used, point.y / m_content.divisor);
        }
        m_chart->graphs[i]->setData(container(edges[i], m_content.divisor));
    }
    m_hasData = total > 0;
    return used > 0 && used < total * kThinShare ? used * kRoomAbove : total;
}

void PlotCanvas::refresh() {
    if (inside().width() < 8 || inside().height() < 8) return;
    m_hasData = false;
    m_drawnTo = m_content.to();
    m_below = 0;
    double greatest = !m_content.areas.empty() ? drawAreas() : m_content.bars ? drawBars() : drawLines();
    // A stack that holds its own free part ends at the limit already.
    const bool endsAtLimit = !m_content.areas.empty() && m_content.areas.back().owner == MemoryOwner::Free;
    if (m_content.reference && !endsAtLimit)
        greatest = std::max(greatest, *m_content.reference / m_content.divisor * 1.08);
    m_chart->xAxis->setRange(m_content.from(), m_content.to());
    if (m_content.dashboard)
        setTimeTicks();
    else
        setNumberTicks();
    if (m_content.logarithmic && greatest > 0)
        setLogTicks(greatest);
    else
        setValueTicks(greatest);
    m_chart->replot(QCustomPlot::rpQueuedReplot);
}

void PlotCanvas::setTimeTicks() {
    const double from = m_content.from(), to = m_content.to(), span = to - from;
    const double step = niceTimeStep(span, qBound(2, pixels() / 80, 6));
    QMap<double, QString> ticks;
    if (m_content.source.isEmpty()) {
        m_chart->xTicks->setTicks(ticks);
        return;
    }
    const qint64 offset = QDateTime::fromSecsSinceEpoch(qint64(to)).offsetFromUtc();
    for (double x = std::ceil((from + double(offset)) / step) * step - double(offset); x <= to; x += step) {
        const double fromEdge = (to - x) / span * pixels();
        if (fromEdge < 12) continue;  // its label would be cut at the edge
        ticks.insert(x, formatClock(qint64(x * 1000), step < 60));
    }
    m_chart->xTicks->setTicks(ticks);
}

void PlotCanvas::setNumberTicks() {
    QMap<double, QString> ticks;
    const double from = m_content.from(), to = m_content.to();
    const double step = m_content.xStep > 0 ? m_content.xStep : niceStep(to - from, 4);
    for (double x = std::ceil(from / step) * step; x <= to + step * 1e-6; x += step)
        ticks.insert(x, m_content.xText ? m_content.xText(x) : tickText(x, step));
    m_chart->xTicks->setTicks(ticks);
}

void PlotCanvas::setValueTicks(double greatest) {
    if (!(greatest + m_below > 0)) greatest = 1;
    double step = niceStep(greatest + m_below, qBound(2, inside().height() / 32, 4));
    if (m_content.wholeNumbers) step = std::max(1.0, step);
    double top = m_content.areas.empty() ? std::ceil(greatest * 1.02 / step) * step : greatest;
    if (m_content.unit == QLatin1String("%") && greatest <= 100) top = std::min(top, 104.0);  // there is no more
    const double bottom = -std::ceil(m_below * 1.02 / step) * step;
    m_chart->yAxis->setRange(bottom, top);
    QMap<double, QString> ticks;
    for (double y = bottom; y <= top + step * 1e-4; y += step) ticks.insert(y, tickText(std::abs(y), step));
    m_chart->yTicks->setTicks(ticks);
}

void PlotCanvas::setLogTicks(double greatest) {
    const std::vector<double> values = logTicks(m_least, greatest, qBound(2, inside().height() / 24, 5));
    // No emptier than need be, as long as two ticks are left to read it by.
    const auto [low, high] = logRange(m_least, greatest);
    const auto inRange = std::ranges::count_if(values, [&](double value) { return value >= low && value <= high; });
    m_chart->yAxis->setRange(inRange >= 2 ? low : values.front(), inRange >= 2 ? high : values.back());
    QMap<double, QString> ticks;
    for (const double value : values) ticks.insert(value, tickText(value, value));
    m_chart->yTicks->setTicks(ticks);
}

// Its own palette counts: that of the Plot around it changes first.
void PlotCanvas::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange && event->type() != QEvent::FontChange) return;
    restyle();
    refresh();
}

void PlotCanvas::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (!rect().isEmpty()) m_chart->setGeometry(rect());  // QCustomPlot cannot draw into nothing
}

}  // namespace espalier::ui
