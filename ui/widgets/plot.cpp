// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot.h"

#include <qcustomplot.h>

#include <QDateTime>
#include <array>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/ticks.h"

namespace espalier::ui {
namespace {

constexpr QMargins kMargins(40, 8, 10, 20);  // a label at the top needs 8
constexpr int kPauseStrip = 8;
constexpr int kNamedStratum = 16;
constexpr double kThinShare = 0.2, kRoomAbove = 1.6;

// Two hairlines half a pixel apart read as a bold line and cost a twentieth of a wide pen.
class HairlineGraph : public QCPGraph {
public:
    HairlineGraph(QCPAxis* keyAxis, QCPAxis* valueAxis, bool doubled)
        : QCPGraph(keyAxis, valueAxis), m_doubled(doubled) {}

protected:
    void drawLinePlot(QCPPainter* painter, const QVector<QPointF>& lines) const override {
        QCPGraph::drawLinePlot(painter, lines);
        if (!m_doubled) return;
        painter->save();
        painter->translate(0, 0.5);
        QCPGraph::drawLinePlot(painter, lines);
        painter->restore();
    }

private:
    bool m_doubled;
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

QPen seriesPen(const ThemeColors& colors, int series) {
    static const std::array<QVector<qreal>, 5> kDashes{QVector<qreal>{}, {5, 2}, {2, 2}, {5, 2, 2, 2}, {}};
    const std::size_t at = std::size_t(series) % colors.series.size();
    QPen pen(QColor(colors.series[at]), 0);
    if (!kDashes[at].isEmpty()) pen.setDashPattern(kDashes[at]);
    return pen;
}

class PlotCanvas : public QCustomPlot {
public:
    PlotCanvas(const SampleRing& source, Dashboard* dashboard, QWidget* parent);

    void setLines(std::vector<LineSpec> lines);
    void setAreas(std::vector<AreaSpec> areas);
    void restyle();
    void refresh();
    void moveCursorBy(int pixels);
    bool isTimeToDraw() const;

    const SampleRing& source;
    Dashboard* dashboard;
    std::vector<LineSpec> lines;
    std::vector<AreaSpec> areas;
    double divisor = 1, gapAfter = 5, rangeFrom = 0, rangeTo = 1;
    bool logarithmic = false, wholeNumbers = false;
    QString noDataText;
    std::optional<double> reference, mark;
    QString referenceName, markName;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;

private:
    double from() const { return dashboard ? dashboard->from() : rangeFrom; }
    double to() const { return dashboard ? dashboard->to() : rangeTo; }
    int pixels() const { return qMax(1, axisRect()->width()); }
    void clearGraphs_();
    double drawLines();
    double drawAreas();
    void setTimeTicks();
    void setNumberTicks();
    void setValueTicks(double greatest);
    void setLogTicks(double greatest);
    std::optional<double> cursorX() const;
    void paintStrata(QPainter& painter);
    void paintCursor(QPainter& painter);
    void paintReference(QPainter& painter);
    void paintTag(QPainter& painter, double x, const QString& text);

    std::vector<QCPGraph*> m_graphs;
    QSharedPointer<QCPAxisTickerText> m_xTicks{new QCPAxisTickerText}, m_yTicks{new QCPAxisTickerText};
    bool m_hasData = false;
    double m_least = 0, m_drawnTo = 0;
};

PlotCanvas::PlotCanvas(const SampleRing& ring, Dashboard* shared, QWidget* parent)
    : QCustomPlot(parent), source(ring), dashboard(shared) {
    axisRect()->setAutoMargins(QCP::msNone);
    axisRect()->setMargins(kMargins);
    axisRect()->setMinimumMargins({});
    plotLayout()->setMargins({});
    xAxis->setTicker(m_xTicks);
    yAxis->setTicker(m_yTicks);
    xAxis->grid()->setVisible(false);
    yAxis->setBasePen(Qt::NoPen);
    yAxis->setTickPen(Qt::NoPen);
    yAxis->setSubTickPen(Qt::NoPen);
    xAxis->setSubTickPen(Qt::NoPen);
    xAxis->setTickLength(0, 4);
    yAxis->setTickLength(0, 0);
    xAxis->setTickLabelPadding(3);
    yAxis->setTickLabelPadding(6);
    yAxis->grid()->setZeroLinePen(Qt::NoPen);
    setMouseTracking(true);
    setFocusPolicy(Qt::NoFocus);  // the Plot around it takes the keys
    setNotAntialiasedElements(QCP::aeGrid | QCP::aeAxes);
    setAntialiasedElements(QCP::aePlottables);
    setAttribute(Qt::WA_OpaquePaintEvent);
    restyle();
}

void PlotCanvas::clearGraphs_() {
    for (QCPGraph* graph : m_graphs) removeGraph(graph);
    m_graphs.clear();
}

void PlotCanvas::setLines(std::vector<LineSpec> specs) {
    clearGraphs_();
    areas.clear();
    lines = std::move(specs);
    for (std::size_t i = 0; i < lines.size(); ++i) m_graphs.push_back(new HairlineGraph(xAxis, yAxis, i == 0));
    restyle();
}

void PlotCanvas::setAreas(std::vector<AreaSpec> specs) {
    clearGraphs_();
    lines.clear();
    areas = std::move(specs);
    for (std::size_t i = 0; i < areas.size(); ++i) {
        auto* graph = new QCPGraph(xAxis, yAxis);
        if (i > 0) graph->setChannelFillGraph(m_graphs.back());
        m_graphs.push_back(graph);
    }
    restyle();
}

void PlotCanvas::restyle() {
    const ThemeColors& c = colorsOf(palette());
    setBackground(QBrush(QColor(c.base)));
    const QFont caption = uiFont(text_size::kCaption);
    for (QCPAxis* axis : {xAxis, yAxis}) {
        axis->setTickLabelFont(caption);
        axis->setTickLabelColor(QColor(c.secondary));
    }
    xAxis->setBasePen(QPen(QColor(c.control), 0));
    xAxis->setTickPen(QPen(QColor(c.control), 0));
    yAxis->grid()->setPen(QPen(QColor(c.grid), 0));
    yAxis->setScaleType(logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        m_graphs[i]->setPen(seriesPen(c, lines[i].series));
        QColor fill(c.series[std::size_t(lines[i].series) % c.series.size()]);
        fill.setAlphaF(0.12f);
        m_graphs[i]->setBrush(lines[i].filled ? QBrush(fill) : QBrush(Qt::NoBrush));
    }
    for (std::size_t i = 0; i < areas.size(); ++i) {
        m_graphs[i]->setPen(QPen(QColor(c.base), 0));
        m_graphs[i]->setBrush(ownerBrush(c, areas[i].owner));
    }
}

// Drawing again is due when the newest sample would move by half a pixel.
bool PlotCanvas::isTimeToDraw() const {
    if (!dashboard) return false;
    return std::abs(to() - m_drawnTo) >= (to() - from()) / pixels() / 2;
}

double PlotCanvas::drawLines() {
    double greatest = 0;
    m_least = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto points = decimateLine(source, lines[i].column, from(), to(), pixels(), gapAfter);
        for (const PlotPoint& point : points) {
            if (std::isnan(point.y)) continue;
            m_hasData = true;
            greatest = std::max(greatest, point.y / divisor);
            if (point.y > 0) m_least = std::min(m_least, point.y / divisor);
        }
        m_graphs[i]->setData(container(points, divisor));
    }
    return greatest;
}

// How high the stack is drawn: to the total, which is a fact about the device, unless what is used would be a thin
// line.
double PlotCanvas::drawAreas() {
    std::vector<int> columns;
    for (const AreaSpec& area : areas) columns.push_back(area.column);
    const auto edges = decimateStack(source, columns, from(), to(), pixels(), gapAfter);
    double total = 0, used = 0;
    for (std::size_t i = 0; i < edges.size(); ++i) {
        for (const PlotPoint& point : edges[i]) {
            if (std::isnan(point.y)) continue;
            total = std::max(total, point.y / divisor);
            if (areas[i].owner != MemoryOwner::Free) used = std::max(used, point.y / divisor);
        }
        m_graphs[i]->setData(container(edges[i], divisor));
    }
    m_hasData = total > 0;
    return used > 0 && used < total * kThinShare ? used * kRoomAbove : total;
}

void PlotCanvas::refresh() {
    if (axisRect()->width() < 8 || axisRect()->height() < 8) return;
    m_hasData = false;
    m_drawnTo = to();
    double greatest = areas.empty() ? drawLines() : drawAreas();
    if (reference) greatest = std::max(greatest, *reference / divisor * 1.08);
    xAxis->setRange(from(), to());
    if (dashboard)
        setTimeTicks();
    else
        setNumberTicks();
    if (logarithmic && greatest > 0)
        setLogTicks(greatest);
    else
        setValueTicks(greatest);
    replot(QCustomPlot::rpQueuedReplot);
}

void PlotCanvas::setTimeTicks() {
    const double span = to() - from();
    const double step = niceTimeStep(span, qBound(2, pixels() / 80, 6));
    QMap<double, QString> ticks;
    if (source.isEmpty()) {
        m_xTicks->setTicks(ticks);
        return;
    }
    const qint64 offset = QDateTime::fromSecsSinceEpoch(qint64(to())).offsetFromUtc();
    for (double x = std::ceil((from() + double(offset)) / step) * step - double(offset); x <= to(); x += step) {
        const double fromEdge = (to() - x) / span * pixels();
        if (fromEdge < 12) continue;  // its label would be cut at the edge
        ticks.insert(x, formatClock(qint64(x * 1000), step < 60));
    }
    m_xTicks->setTicks(ticks);
}

void PlotCanvas::setNumberTicks() {
    QMap<double, QString> ticks;
    const double step = niceStep(to() - from(), 4);
    for (double x = std::ceil(from() / step) * step; x <= to() + step * 1e-6; x += step)
        ticks.insert(x, tickText(x, step));
    m_xTicks->setTicks(ticks);
}

void PlotCanvas::setValueTicks(double greatest) {
    if (!(greatest > 0)) greatest = 1;
    double step = niceStep(greatest, qBound(2, axisRect()->height() / 32, 4));
    if (wholeNumbers) step = std::max(1.0, step);
    const double top = areas.empty() ? std::ceil(greatest * 1.02 / step) * step : greatest;
    yAxis->setRange(0, top);
    QMap<double, QString> ticks;
    for (double y = 0; y <= top * 1.0001; y += step) ticks.insert(y, tickText(y, step));
    m_yTicks->setTicks(ticks);
}

void PlotCanvas::setLogTicks(double greatest) {
    const std::vector<double> values = logTicks(m_least, greatest, qBound(2, axisRect()->height() / 24, 5));
    yAxis->setRange(values.front(), values.back());
    QMap<double, QString> ticks;
    for (const double value : values) ticks.insert(value, tickText(value, value));
    m_yTicks->setTicks(ticks);
}

std::optional<double> PlotCanvas::cursorX() const {
    if (!dashboard) return mark;
    const auto x = dashboard->cursor();
    return x && *x >= from() && *x <= to() ? x : std::nullopt;
}

void PlotCanvas::paintEvent(QPaintEvent* event) {
    QCustomPlot::paintEvent(event);
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = axisRect()->rect();
    QPainter painter(this);
    painter.setFont(uiFont(text_size::kCaption));
    if (!m_hasData) {
        painter.setFont(uiFont(text_size::kTable));
        painter.setPen(QColor(c.secondary));
        painter.drawText(inside, Qt::AlignCenter | Qt::TextWordWrap, noDataText);
        return;
    }
    if (!areas.empty()) paintStrata(painter);
    if (reference) paintReference(painter);
    if (dashboard && dashboard->isPaused()) {
        QBrush hatch(QColor(c.control), Qt::BDiagPattern);
        painter.fillRect(QRect(inside.right() - kPauseStrip + 1, inside.top(), kPauseStrip, inside.height()), hatch);
    }
    paintCursor(painter);
}

void PlotCanvas::paintStrata(QPainter& painter) {
    const ThemeColors& c = colorsOf(palette());
    const int middle = axisRect()->left() + axisRect()->width() * 2 / 5;
    const int sample = source.nearest(xAxis->pixelToCoord(middle));
    if (sample < 0 || std::abs(source.x(sample) - xAxis->pixelToCoord(middle)) > (to() - from()) / 20) return;
    painter.setFont(uiFont(text_size::kCaption));
    double below = 0;
    for (const AreaSpec& area : areas) {
        const double value = source.value(sample, area.column) / divisor;
        const double lower = yAxis->coordToPixel(below), upper = yAxis->coordToPixel(below + value);
        below += value;
        if (lower - upper < kNamedStratum) continue;
        painter.setPen(QColor(ownerNameColor(c, area.owner)));
        const QRectF band(middle - 80, upper, 160, lower - upper);
        const QString name = ownerName(area.owner, true);
        if (area.owner == MemoryOwner::KvCached || area.owner == MemoryOwner::Free) {
            QRectF under = painter.fontMetrics().boundingRect(name);
            under.moveCenter(band.center());
            painter.fillRect(under.adjusted(-4, 0, 4, 0),
                             QColor(area.owner == MemoryOwner::Free ? c.free : c.kvCached));
        }
        painter.drawText(band, Qt::AlignCenter, name);
    }
}

void PlotCanvas::paintReference(QPainter& painter) {
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = axisRect()->rect();
    const int y = qRound(yAxis->coordToPixel(*reference / divisor));
    if (y < inside.top() || y > inside.bottom()) return;
    QPen pen(QColor(c.text), 0);
    pen.setDashPattern({4, 3});
    painter.setPen(pen);
    painter.drawLine(inside.left(), y, inside.right(), y);
    painter.setPen(QColor(c.secondary));
    painter.drawText(QRect(inside.left(), y - 16, inside.width() - 4, 15), Qt::AlignRight | Qt::AlignVCenter,
                     referenceName);
}

void PlotCanvas::paintCursor(QPainter& painter) {
    const auto x = cursorX();
    if (!x) return;
    const ThemeColors& c = colorsOf(palette());
    const QRect inside = axisRect()->rect();
    const double px = xAxis->coordToPixel(*x);
    painter.setPen(QPen(QColor(c.text), 1));
    painter.drawLine(QPointF(std::floor(px), inside.top()), QPointF(std::floor(px), inside.bottom()));
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    const int sample = source.nearest(*x);
    for (const LineSpec& line : lines) {
        const double value = sample < 0 ? kGap : source.value(sample, line.column) / divisor;
        if (std::isnan(value) || (logarithmic && value <= 0)) continue;
        painter.setBrush(QColor(c.series[std::size_t(line.series) % c.series.size()]));
        painter.drawEllipse(QPointF(px, yAxis->coordToPixel(value)), 2.5, 2.5);
    }
    if (dashboard && areas.empty()) return;  // the tag stands in the topmost plot
    paintTag(painter, px, dashboard ? formatClock(qint64(*x * 1000)) : markName);
}

void PlotCanvas::paintTag(QPainter& painter, double x, const QString& text) {
    const ThemeColors& c = colorsOf(palette());
    painter.setFont(uiFont(text_size::kCaption));
    QRectF tag(0, axisRect()->bottom() + 2, painter.fontMetrics().horizontalAdvance(text) + 12, 17);
    tag.moveLeft(qBound(0.0, x - tag.width() / 2, double(width()) - tag.width()));
    painter.setBrush(QColor(c.tooltip));
    painter.drawRoundedRect(tag, 3, 3);
    painter.setPen(QColor(c.tooltipText));
    painter.drawText(tag, Qt::AlignCenter, text);
}

void PlotCanvas::mouseMoveEvent(QMouseEvent* event) {
    const QPoint at = event->position().toPoint();
    if (dashboard && axisRect()->rect().contains(at)) dashboard->setCursor(xAxis->pixelToCoord(at.x()));
    event->ignore();
}

void PlotCanvas::mousePressEvent(QMouseEvent* event) {
    parentWidget()->setFocus(Qt::MouseFocusReason);
    event->accept();
}

void PlotCanvas::moveCursorBy(int by) {
    if (!dashboard) return;
    const double now = dashboard->cursor().value_or(to());
    const double moved = xAxis->pixelToCoord(xAxis->coordToPixel(now) + by);
    dashboard->setCursor(qBound(from(), moved, to()));
}

Plot::Plot(const SampleRing& source, Dashboard& dashboard, const QString& name, QWidget* parent)
    : QWidget(parent), m_canvas(new PlotCanvas(source, &dashboard, this)) {
    setAccessibleName(name);
    setFocusPolicy(Qt::TabFocus);
    connect(&dashboard, &Dashboard::tick, this, [this] {
        if (m_canvas->isTimeToDraw()) refresh();
    });
    connect(&dashboard, &Dashboard::spanChanged, this, &Plot::refresh);
    connect(&dashboard, &Dashboard::pauseChanged, this, &Plot::refresh);
    connect(&dashboard, &Dashboard::cursorMoved, this, [this] { m_canvas->update(); });
}

Plot::Plot(const SampleRing& source, const QString& name, QWidget* parent)
    : QWidget(parent), m_canvas(new PlotCanvas(source, nullptr, this)) {
    setAccessibleName(name);
    m_canvas->gapAfter = std::numeric_limits<double>::infinity();
}

Plot::~Plot() = default;

void Plot::setLines(std::vector<LineSpec> lines) {
    m_canvas->setLines(std::move(lines));
    refresh();
}

void Plot::setAreas(std::vector<AreaSpec> areas) {
    m_canvas->setAreas(std::move(areas));
    refresh();
}

void Plot::setDivisor(double divisor) {
    m_canvas->divisor = divisor;
}

void Plot::setLogarithmic(bool on) {
    m_canvas->logarithmic = on;
    m_canvas->restyle();
}

void Plot::setWholeNumbers(bool on) {
    m_canvas->wholeNumbers = on;
}

void Plot::setGapAfter(double x) {
    m_canvas->gapAfter = x;
}

void Plot::setNoDataText(const QString& sentence) {
    m_canvas->noDataText = sentence;
}

void Plot::setRange(double from, double to) {
    m_canvas->rangeFrom = from;
    m_canvas->rangeTo = to;
}

void Plot::setReference(std::optional<double> value, const QString& name) {
    m_canvas->reference = value;
    m_canvas->referenceName = name;
}

void Plot::setMark(std::optional<double> x, const QString& name) {
    m_canvas->mark = x;
    m_canvas->markName = name;
    m_canvas->update();
}

const std::vector<LineSpec>& Plot::lines() const {
    return m_canvas->lines;
}

double Plot::valueAt(int column, std::optional<double> x) const {
    const SampleRing& source = m_canvas->source;
    if (source.isEmpty()) return kGap;
    return source.value(x ? source.nearest(*x) : source.size() - 1, column);
}

void Plot::refresh() {
    if (isVisible()) m_canvas->refresh();
}

QString Plot::csv() const {
    const SampleRing& source = m_canvas->source;
    std::vector<int> columns;
    QStringList head{m_canvas->dashboard ? QStringLiteral("unix_seconds") : QStringLiteral("x")};
    for (const LineSpec& line : m_canvas->lines) {
        columns.push_back(line.column);
        head << line.name;
    }
    for (const AreaSpec& area : m_canvas->areas) {
        columns.push_back(area.column);
        head << ownerName(area.owner, true);
    }
    QString out = head.join(QLatin1Char(',')) + QLatin1Char('\n');
    const double from = m_canvas->xAxis->range().lower, to = m_canvas->xAxis->range().upper;
    for (int i = source.lowerBound(from); i < source.size() && source.x(i) <= to; ++i) {
        out += QString::number(source.x(i), 'f', 3);
        for (const int column : columns) {
            const double value = source.value(i, column);
            out += QLatin1Char(',') + (std::isnan(value) ? QString() : QString::number(value, 'g', 12));
        }
        out += QLatin1Char('\n');
    }
    return out;
}

QPixmap Plot::picture() const {
    return m_canvas->grab();
}

void Plot::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        m_canvas->setPalette(palette());
        m_canvas->restyle();
        refresh();
    }
}

void Plot::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();  // what came while it was hidden
}

void Plot::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    if (!rect().isEmpty()) m_canvas->setGeometry(rect());  // QCustomPlot cannot draw into nothing
    refresh();
}

void Plot::keyPressEvent(QKeyEvent* event) {
    const int step = event->modifiers() & Qt::ControlModifier ? 10 : 1;
    if (event->key() == Qt::Key_Left)
        m_canvas->moveCursorBy(-step);
    else if (event->key() == Qt::Key_Right)
        m_canvas->moveCursorBy(step);
    else if (event->key() == Qt::Key_Escape && m_canvas->dashboard)
        m_canvas->dashboard->setCursor(std::nullopt);
    else
        QWidget::keyPressEvent(event);
}

}  // namespace espalier::ui
