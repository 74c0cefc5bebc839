// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/plot.h"

#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QFileDialog>
#include <QKeyEvent>
#include <QMenu>
#include <QPointer>
#include <QThreadPool>

#include "ui/widgets/plot_canvas.h"
#include "ui/widgets/plot_export.h"
#include "ui/widgets/plot_overlay.h"
#include "ui/widgets/plot_table.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kTableMs = 450;  // figures change twice a second
constexpr int kFarStep = 10;   // pixel columns, with Ctrl
constexpr double kKeyZoom = 0.8;

}  // namespace

Plot::Plot(const SampleRing& source, Dashboard* dashboard, const QString& name, QWidget* parent)
    : QWidget(parent),
      m_content{.source = source, .dashboard = dashboard, .name = name},
      m_canvas(new PlotCanvas(m_content, this)),
      m_overlay(new PlotOverlay(m_content, *m_canvas, this)) {
    setAccessibleName(name);
    setFocusPolicy(Qt::TabFocus);
    connect(m_canvas, &PlotCanvas::drawn, m_overlay, qOverload<>(&QWidget::update));
    makeActions();
}

Plot::Plot(const SampleRing& source, Dashboard& dashboard, const QString& name, QWidget* parent)
    : Plot(source, &dashboard, name, parent) {
    connect(&dashboard, &Dashboard::tick, this, [this] {
        if (!isVisible()) return;
        if (m_table && (!m_sinceTable.isValid() || m_sinceTable.elapsed() >= kTableMs)) {
            m_sinceTable.start();
            m_tableModel->update();
        }
        if (!m_table && m_canvas->isTimeToDraw()) refresh();
    });
    connect(&dashboard, &Dashboard::spanChanged, this, &Plot::refresh);
    connect(&dashboard, &Dashboard::pauseChanged, this, &Plot::refresh);
    connect(&dashboard, &Dashboard::cursorMoved, m_overlay, qOverload<>(&QWidget::update));
}

Plot::Plot(const SampleRing& source, const QString& name, QWidget* parent) : Plot(source, nullptr, name, parent) {
    m_content.gapAfter = std::numeric_limits<double>::infinity();
}

Plot::~Plot() = default;

QAction* Plot::addPlotAction(const QString& text, const QKeySequence& keys, void (Plot::*run)()) {
    auto* made = new QAction(text, this);
    made->setShortcut(keys);
    made->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(made, &QAction::triggered, this, run);
    addAction(made);
    return made;
}

void Plot::makeActions() {
    addPlotAction(tr("Copy the values"), QKeySequence::Copy, &Plot::copyReading);
    addPlotAction(tr("Table or plot"), QKeySequence(QStringLiteral("Ctrl+T")), &Plot::toggleTable);
    m_zoomOut = addPlotAction(tr("Back to the whole time"), {}, &Plot::resetZoom);
    m_zoomOut->setVisible(m_content.dashboard != nullptr);
    addPlotAction(tr("Save as CSV…"), {}, &Plot::chooseCsv);
    addPlotAction(tr("Save as PNG…"), {}, &Plot::choosePicture);
}

void Plot::setLines(std::vector<LineSpec> lines) {
    m_content.areas.clear();
    m_content.lines = std::move(lines);
    m_canvas->rebuild();
    refresh();
}

void Plot::setAreas(std::vector<AreaSpec> areas) {
    m_content.lines.clear();
    m_content.areas = std::move(areas);
    m_canvas->rebuild();
    refresh();
}

void Plot::setUnit(const QString& unit) {
    m_content.unit = unit;
}

void Plot::setDivisor(double divisor) {
    m_content.divisor = divisor;
}

void Plot::setFormat(QString (*format)(double)) {
    m_content.format = format;
}

void Plot::setLogarithmic(bool on) {
    m_content.logarithmic = on;
    m_canvas->restyle();
}

void Plot::setWholeNumbers(bool on) {
    m_content.wholeNumbers = on;
}

void Plot::setGapAfter(double x) {
    m_content.gapAfter = x;
}

void Plot::setBars(bool on) {
    m_content.bars = on;
    m_canvas->rebuild();
}

void Plot::setXText(double step, QString (*text)(double)) {
    m_content.xStep = step;
    m_content.xText = text;
}

void Plot::setNoDataText(const QString& sentence) {
    m_content.noDataText = sentence;
}

void Plot::setRange(double from, double to) {
    m_content.rangeFrom = from;
    m_content.rangeTo = to;
}

void Plot::setReference(std::optional<double> value, const QString& name) {
    m_content.reference = value;
    m_content.referenceName = name;
}

void Plot::setMark(std::optional<double> x, const QString& name) {
    m_content.mark = x;
    m_content.markName = name;
    m_overlay->update();
    if (hasFocus()) sayReading();
}

void Plot::setEvents(const EventMarks* events) {
    m_content.events = events;
    m_overlay->update();
}

void Plot::refresh() {
    if (!isVisible()) return;
    if (m_table)
        m_tableModel->update();
    else
        m_canvas->refresh();
}

QString Plot::csv() const {
    return csvOf(frozen(m_content));
}

QPixmap Plot::picture() const {
    return pictureOf(m_content, *const_cast<Plot*>(this));
}

// The twin stands in the place of the picture and takes the keys.
void Plot::setTableShown(bool shown) {
    if (shown == isTableShown()) return;
    const bool hadFocus = hasFocus() || (m_table && m_table->hasFocus());
    if (shown) {
        m_tableModel = new PlotTable(m_content, this);
        std::vector<int> widths(std::size_t(m_tableModel->columnCount()), 3);
        widths.front() = 4;  // a time is longer than most values
        m_table = new TableView(m_tableModel, tr("%1, table").arg(m_content.name), kLiveRow, widths, this);
        m_table->setGeometry(rect());
        m_table->show();
        setFocusPolicy(Qt::NoFocus);
        if (hadFocus) m_table->setFocus(Qt::OtherFocusReason);
    } else {
        setFocusPolicy(Qt::TabFocus);
        if (hadFocus) setFocus(Qt::OtherFocusReason);
        m_table->hide();
        m_table->deleteLater();
        m_tableModel->deleteLater();
        m_table = nullptr;
        m_tableModel = nullptr;
    }
    m_canvas->setVisible(!shown);
    m_overlay->setVisible(!shown);
    refresh();
    emit tableShown(shown);
}

void Plot::toggleTable() {
    setTableShown(!isTableShown());
}

void Plot::resetZoom() {
    if (m_content.dashboard) m_content.dashboard->resetZoom();
}

void Plot::copyReading() {
    const auto cursor = m_content.cursor();
    QApplication::clipboard()->setText(readingText(m_content, cursor));
}

void Plot::sayReading() {
    setAccessibleDescription(readingText(m_content, m_content.cursor()));
    QAccessibleEvent said(this, QAccessible::DescriptionChanged);
    QAccessible::updateAccessibility(&said);
}

void Plot::chooseCsv() {
    chooseFile(tr("Save the values"), QStringLiteral("csv"),
               [seen = frozen(m_content)](const QString& path) { return saveCsv(seen, path); });
}

void Plot::choosePicture() {
    // The picture is the one that was seen, without the dialog's traces.
    chooseFile(tr("Save the picture"), QStringLiteral("png"),
               [seen = picture().toImage()](const QString& path) { return savePicture(seen, path); });
}

void Plot::chooseFile(const QString& title, const QString& suffix, std::function<Result<void>(const QString&)> save) {
    auto* dialog = new QFileDialog(this, title);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(suffix);
    dialog->setNameFilter(QStringLiteral("*.") + suffix);
    dialog->selectFile(fileStem(m_content.name) + QLatin1Char('.') + suffix);
    connect(dialog, &QFileDialog::fileSelected, this, [this, save = std::move(save)](const QString& path) {
        QThreadPool::globalInstance()->start([self = QPointer<Plot>(this), save, path] {
            const auto saved = save(path);
            if (saved) return;
            QMetaObject::invokeMethod(
                qApp,
                [self, error = saved.error()] {
                    if (self) emit self->saveFailed(error);
                },
                Qt::QueuedConnection);
        });
    });
    dialog->open();
}

void Plot::moveCursorBy(int by) {
    Dashboard* dashboard = m_content.dashboard;
    const double from = m_content.from(), to = m_content.to();
    const double now = qBound(from, dashboard->cursor().value_or(to), to);
    dashboard->setCursor(qBound(from, m_canvas->xAt(m_canvas->pixelOfX(now) + by), to));
    sayReading();
}

void Plot::zoomBy(double factor) {
    Dashboard* dashboard = m_content.dashboard;
    dashboard->zoomBy(factor, m_content.cursor().value_or((dashboard->from() + dashboard->to()) / 2));
}

// One step back: from a band being drawn, from a zoom, from the cursor.
void Plot::goBack() {
    Dashboard* dashboard = m_content.dashboard;
    if (m_overlay->isDragging())
        m_overlay->cancelDrag();
    else if (dashboard->isZoomed())
        dashboard->resetZoom();
    else
        dashboard->setCursor(std::nullopt);
}

bool Plot::event(QEvent* event) {
    if (event->type() == QEvent::ScreenChangeInternal) {  // perhaps to a finer screen
        m_canvas->restyle();
        refresh();
    }
    if (event->type() == QEvent::FocusIn) sayReading();
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) m_overlay->update();
    return QWidget::event(event);
}

void Plot::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    refresh();  // what came while it was hidden
}

void Plot::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    m_canvas->setGeometry(rect());
    m_overlay->setGeometry(rect());
    if (m_table) m_table->setGeometry(rect());
    refresh();
}

void Plot::keyPressEvent(QKeyEvent* event) {
    const int step = event->modifiers() & Qt::ControlModifier ? kFarStep : 1;
    if (!m_content.dashboard) {
        if (event->key() == Qt::Key_Left || event->key() == Qt::Key_Right)
            return emit markStepped(event->key() == Qt::Key_Left ? -step : step);
        return QWidget::keyPressEvent(event);
    }
    switch (event->key()) {
        case Qt::Key_Left:
            return moveCursorBy(-step);
        case Qt::Key_Right:
            return moveCursorBy(step);
        case Qt::Key_Home:
            return moveCursorBy(-m_canvas->inside().width());
        case Qt::Key_End:
            return moveCursorBy(m_canvas->inside().width());
        case Qt::Key_Plus:
        case Qt::Key_Equal:
            return zoomBy(kKeyZoom);
        case Qt::Key_Minus:
            return zoomBy(1 / kKeyZoom);
        case Qt::Key_Escape:
            return goBack();
        default:
            QWidget::keyPressEvent(event);
    }
}

void Plot::contextMenuEvent(QContextMenuEvent* event) {
    m_zoomOut->setEnabled(m_content.dashboard && m_content.dashboard->isZoomed());
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addActions(actions());
    menu->popup(event->globalPos());
}

}  // namespace espalier::ui
