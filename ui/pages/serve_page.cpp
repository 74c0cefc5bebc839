// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/serve_page.h"

#include <QDateTime>
#include <QFile>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QScrollArea>
#include <QStackedLayout>
#include <array>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr double kGib = double(1 << 30);
constexpr std::array kSpans{60.0, 300.0, 900.0, 3600.0, 0.0};
constexpr int kFirstSpan = 2;
constexpr int kTableTicks = 5;  // figures in a table change twice a second

QString shortRate(double value) {
    return value >= 10'000 ? QString::number(value / 1000, 'f', 1) + QStringLiteral("k") : formatRate(value);
}

QString whole(double value) {
    return formatCount(qint64(value));
}

}  // namespace

// The table beside the memory plot, in stack order from the top: at the cursor, and now.
class OwnerTable : public QWidget {
public:
    OwnerTable(const SampleRing& history, Dashboard& dashboard) : m_history(history), m_dashboard(dashboard) {
        setFont(uiFont(text_size::kTable));
        setAccessibleName(ServePage::tr("Device memory by owner, at the cursor and now"));
        connect(&dashboard, &Dashboard::cursorMoved, this, qOverload<>(&QWidget::update));
        setMinimumHeight(int(kMemoryOwners.size() + 1) * kRow);
    }

protected:
    void paintEvent(QPaintEvent*) override {
        const ThemeColors& c = colorsOf(palette());
        QPainter painter(this);
        painter.setPen(QColor(c.secondary));
        painter.setFont(uiFont(text_size::kCaption, QFont::Medium));
        const int right = width(), middle = width() - 64;
        const auto cells = [&](int y, const QString& a, const QString& b) {
            painter.drawText(QRect(middle - 80, y, 80, kRow), Qt::AlignRight | Qt::AlignVCenter, a);
            painter.drawText(QRect(right - 60, y, 60, kRow), Qt::AlignRight | Qt::AlignVCenter, b);
        };
        painter.drawText(QRect(0, 0, middle - 80, kRow), Qt::AlignLeft | Qt::AlignVCenter, ServePage::tr("Owner"));
        cells(0, ServePage::tr("At cursor"), ServePage::tr("Now"));
        for (std::size_t i = 0; i < kMemoryOwners.size(); ++i) {
            const MemoryOwner owner = kMemoryOwners[kMemoryOwners.size() - 1 - i];
            const int y = int(i + 1) * kRow;
            painter.fillRect(QRect(0, y - 1, width(), 1), QColor(c.grid));
            painter.setBrush(ownerBrush(c, owner));
            painter.setPen(Qt::NoPen);
            painter.drawRoundedRect(QRect(0, y + (kRow - 10) / 2, 10, 10), 2, 2);
            painter.setFont(font());
            painter.setPen(QColor(c.text));
            const bool brief = middle - 64 < painter.fontMetrics().horizontalAdvance(ownerName(owner)) + 18;
            painter.drawText(QRect(18, y, middle - 64, kRow), Qt::AlignLeft | Qt::AlignVCenter,
                             ownerName(owner, brief));
            const auto at = m_dashboard.cursor();
            const QString there = at ? value(owner, m_history.nearest(*at)) : QStringLiteral("–");
            cells(y, there, QString());
            painter.setFont(uiFont(text_size::kTable, QFont::DemiBold));
            cells(y, QString(), value(owner, m_history.size() - 1));
        }
    }

private:
    static constexpr int kRow = 21;
    QString value(MemoryOwner owner, int sample) const {
        return sample < 0 ? QStringLiteral("–") : formatGib(qint64(m_history.value(sample, int(owner))));
    }

    const SampleRing& m_history;
    Dashboard& m_dashboard;
};

ServePage::ServePage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions), m_dashboard(new Dashboard(workspace.history(), this)), m_error(new ErrorStrip) {
    static_assert(int(Metric::Free) + 1 == int(kMemoryOwners.size()), "the history stacks owners in their order");
    auto* content = new QWidget;
    m_grid = new QGridLayout;
    m_grid->setSpacing(8);
    m_memory = memoryPanel();
    m_queue = linesPanel(tr("Queue"), tr("requests"), tr("No samples yet"),
                         {{tr("Running"), int(Metric::Running), 0}, {tr("Waiting"), int(Metric::Waiting), 1}}, whole);
    m_rates = linesPanel(tr("Tokens/s"), {}, tr("No samples yet"),
                         {{tr("Decode"), int(Metric::Decode), 0}, {tr("Prefill"), int(Metric::Prefill), 1}}, shortRate);
    m_ttftPanel = linesPanel(tr("TTFT"), tr("ms log"), tr("No requests in this time"),
                             {{QStringLiteral("p50"), int(Metric::TtftP50), 0},
                              {QStringLiteral("p95"), int(Metric::TtftP95), 1},
                              {QStringLiteral("p99"), int(Metric::TtftP99), 2}},
                             formatMs, true);
    m_tpotPanel = linesPanel(tr("TPOT"), tr("ms"), tr("No requests in this time"),
                             {{QStringLiteral("p50"), int(Metric::TpotP50), 0},
                              {QStringLiteral("p95"), int(Metric::TpotP95), 1},
                              {QStringLiteral("p99"), int(Metric::TpotP99), 2}},
                             formatMs);
    m_loaded = loadedPanel();
    content->setLayout(column({m_error, LayoutItem(m_grid, 1)}, 8, {12, 8, 12, 12}));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(content);
    scroll->setFocusPolicy(Qt::NoFocus);
    setLayout(column({serveHeader(), toolRow(), LayoutItem(scroll, 1)}, 0));
    fold(Breadth::Wide);

    connect(&workspace, &Workspace::snapshotChanged, this, &ServePage::showSnapshot);
    connect(&engine(), &EngineClient::linkChanged, this, &ServePage::showAddress);
    connect(m_dashboard, &Dashboard::cursorMoved, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::pauseChanged, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::tick, this, [this, ticks = 0]() mutable {
        if (++ticks % kTableTicks == 0) m_owners->update();
        if (m_dashboard->isPaused() || m_dashboard->cursor()) showCursor();
    });
    showAddress();
}

void ServePage::operate(const QString& operation, const QString& failure) {
    m_error->clear();
    engine().call(operation, Json::object(), this, [this, failure](const Result<Json>& answer) {
        if (!answer) m_error->showError(failure, answer.error());
    });
}

QWidget* ServePage::serveHeader() {
    m_toggle =
        buttonFor(m_actions.get(action::kServeToggle), tr("Start server"), ButtonRole::Primary, ControlSize::Large);
    m_toggle->setMinimumWidth(132);
    auto* drain = buttonFor(m_actions.get(action::kDrain), tr("Drain"), ButtonRole::Plain, ControlSize::Large);
    auto* title = new TextLabel(tr("Serve"), text_size::kTitle, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    m_badge = new Badge;
    m_uptime = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_url = new TextLabel;
    m_url->setMono();
    m_keyFile = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    auto* copy = toolButton(QStringLiteral("copy"), tr("Copy the address"));
    copy->setIconSize(QSize(14, 14));
    connect(copy, &QToolButton::clicked, m_actions.get(action::kCopyUrl), &QAction::trigger);
    m_running = new Figure(tr("Running"));
    m_waiting = new Figure(tr("Waiting"));
    m_decode = new Figure(tr("Decode"));
    m_ttft = new Figure(tr("TTFT p95"));
    m_tpot = new Figure(tr("TPOT p50"));
    m_lastLine = verticalLine();
    auto* figures = row(
        {m_running, verticalLine(), m_waiting, verticalLine(), m_decode, verticalLine(), m_ttft, m_lastLine, m_tpot},
        16, {0, 10, 4, 10});
    auto* header = new HeaderBar(56);
    header->setLayout(row({m_toggle, drain, 8,
                           LayoutItem(column({row({title, m_badge, LayoutItem(m_uptime, 1)}, 8),
                                              row({m_url, copy, LayoutItem(m_keyFile, 1), nullptr}, 4)},
                                             0),
                                      1),
                           figures},
                          8, {16, 2, 12, 3}));
    return header;
}

QWidget* ServePage::toolRow() {
    auto* spans =
        new SegmentedSwitch({tr("1 min"), tr("5 min"), tr("15 min"), tr("1 h"), tr("Session")}, tr("Time shown"));
    spans->setCurrent(kFirstSpan);
    connect(spans, &SegmentedSwitch::chosen, this,
            [this](int index) { m_dashboard->setSpan(kSpans[std::size_t(index)]); });
    m_pause = buttonFor(m_actions.get(action::kPausePlots), tr("Pause"), ButtonRole::Plain, ControlSize::Small);
    m_cursorText = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* save = button(tr("Export"), QStringLiteral("download"), ButtonRole::Plain, ControlSize::Small);
    connect(save, &QPushButton::clicked, this, &ServePage::exportPlots);
    auto* bar = new QWidget;
    bar->setFixedHeight(36);
    bar->setLayout(row({spans, m_pause, LayoutItem(m_cursorText, 1), save}, 8, {16, 0, 12, 0}));
    return bar;
}

Panel* ServePage::memoryPanel() {
    auto* panel = new Panel(tr("Device memory by owner"));
    m_memoryPlot = new Plot(m_workspace.history(), *m_dashboard, tr("Device memory by owner, GiB"));
    std::vector<AreaSpec> areas;
    for (const MemoryOwner owner : kMemoryOwners) areas.push_back({int(owner), owner});
    m_memoryPlot->setDivisor(kGib);
    m_memoryPlot->setNoDataText(tr("No samples yet"));
    m_memoryPlot->setAreas(std::move(areas));
    m_owners = new OwnerTable(m_workspace.history(), *m_dashboard);
    m_owners->setFixedWidth(276);
    panel->setContent(row({LayoutItem(m_memoryPlot, 1), m_owners}, 8, {0, 0, 11, 8}));
    m_plots.push_back(m_memoryPlot);
    return panel;
}

Panel* ServePage::linesPanel(const QString& title, const QString& unit, const QString& noData,
                             std::vector<LineSpec> lines, QString (*format)(double), bool logarithmic) {
    auto* panel = new Panel(title);
    panel->setUnit(unit);
    auto* plot =
        new Plot(m_workspace.history(), *m_dashboard, unit.isEmpty() ? title : title + QStringLiteral(", ") + unit);
    plot->setLogarithmic(logarithmic);
    plot->setWholeNumbers(format == whole);
    plot->setNoDataText(noData);
    plot->setLines(std::move(lines));
    panel->addTitleWidget(new PlotLegend(*plot, *m_dashboard, format));
    panel->setContent(plot, {0, 0, 0, 4});
    panel->setMinimumHeight(136);
    m_plots.push_back(plot);
    return panel;
}

Panel* ServePage::loadedPanel() {
    auto* panel = new Panel(tr("Models on the device"));
    m_loadedTable =
        new TableView(&m_workspace.loaded(), tr("Models on the device"), kLiveRow, {20, 12, 10, 8, 8, 10, 10, 8, 18});
    auto* holder = new QWidget;
    m_loadedStack = new QStackedLayout(holder);
    m_loadedStack->addWidget(m_loadedTable);
    m_loadedStack->addWidget(
        new EmptyView(QStringLiteral("box"), tr("No model is loaded; the first request loads one.")));
    panel->setContent(holder);
    panel->setMinimumHeight(116);
    return panel;
}

void ServePage::fold(Breadth breadth) {
    for (Panel* panel : {m_memory, m_queue, m_rates, m_ttftPanel, m_tpotPanel, m_loaded}) m_grid->removeWidget(panel);
    for (int i = 0; i < 6; ++i) m_grid->setColumnStretch(i, 0);
    for (int i = 0; i < 4; ++i) m_grid->setRowStretch(i, 0);
    const bool narrow = breadth == Breadth::Narrow;
    m_tpot->setVisible(!narrow);
    m_lastLine->setVisible(!narrow);
    m_loadedTable->setWidths(narrow ? std::vector{26, 14, 13, 11, 11, 0, 0, 0, 25}
                                    : std::vector{20, 12, 10, 8, 8, 10, 10, 8, 18});
    m_keyFile->setVisible(!narrow);
    m_owners->setFixedWidth(narrow ? 220 : 276);
    if (narrow) {
        m_grid->addWidget(m_memory, 0, 0, 1, 2);
        m_grid->addWidget(m_rates, 1, 0);
        m_grid->addWidget(m_ttftPanel, 1, 1);
        m_grid->addWidget(m_queue, 2, 0);
        m_grid->addWidget(m_tpotPanel, 2, 1);
        m_grid->addWidget(m_loaded, 3, 0, 1, 2);
        m_grid->setColumnStretch(0, 1);
        m_grid->setColumnStretch(1, 1);
    } else {
        m_grid->addWidget(m_memory, 0, 0, 1, 4);
        m_grid->addWidget(m_queue, 0, 4, 1, 2);
        m_grid->addWidget(m_rates, 1, 0, 1, 2);
        m_grid->addWidget(m_ttftPanel, 1, 2, 1, 2);
        m_grid->addWidget(m_tpotPanel, 1, 4, 1, 2);
        m_grid->addWidget(m_loaded, 2, 0, 1, 6);
        for (int i = 0; i < 6; ++i) m_grid->setColumnStretch(i, 1);
    }
    m_grid->setRowStretch(0, 5);
    m_grid->setRowStretch(1, 3);
    m_grid->setRowStretch(2, narrow ? 3 : 2);
    m_grid->setRowStretch(3, narrow ? 2 : 0);
}

void ServePage::showSnapshot() {
    const Snapshot& s = *m_workspace.snapshot();
    const StateMark mark = markOf(s.serve);
    m_badge->show(mark.icon, mark.word, mark.tone);
    const bool stopped = s.serve == ServeState::Stopped;
    const QString verb = stopped ? tr("Start server") : tr("Stop server");
    if (m_toggle->accessibleName() != verb) {
        m_toggle->setText(QLatin1Char(' ') + verb);
        m_toggle->setAccessibleName(verb);
        m_toggle->setIcon(
            icon(stopped ? QStringLiteral("play") : QStringLiteral("square"), stopped ? Tone::OnAccent : Tone::Text));
        setButtonRole(m_toggle, stopped ? ButtonRole::Primary : ButtonRole::Plain);
    }
    m_uptime->setText(s.startedAt > 0 ? formatDuration(double(s.at - s.startedAt) / 1000) : QString());
    m_running->setValue(formatCount(s.running));
    m_waiting->setValue(formatCount(s.waiting));
    m_decode->setValue(formatRate(s.decodeTokensPerS), tr("tok/s"));
    m_ttft->setValue(s.ttftMs.samples > 0 ? formatMs(s.ttftMs.p95) : QStringLiteral("–"), tr("ms"));
    m_tpot->setValue(s.tpotMs.samples > 0 ? formatMs(s.tpotMs.p50) : QStringLiteral("–"), tr("ms"));
    m_memory->setUnit(tr("GiB of %1").arg(formatGib(s.memory.total)));
    m_loadedStack->setCurrentIndex(s.models.empty() ? 1 : 0);
    m_loaded->setUnit(formatCount(qint64(s.models.size())));
}

void ServePage::showAddress() {
    const DaemonAddress& address = engine().address();
    m_url->setText(address.url.isEmpty() ? QString() : address.url.toString() + QStringLiteral("/v1"));
    m_keyFile->setText(address.keyFile.isEmpty() ? QString() : tr("key in %1").arg(address.keyFile));
}

void ServePage::showCursor() {
    if (m_dashboard->isPaused()) {
        m_cursorText->setText(
            tr("Paused %1, %2 samples behind")
                .arg(formatClock(qint64(m_dashboard->to() * 1000)), formatCount(m_dashboard->samplesBehind())));
    } else if (const auto cursor = m_dashboard->cursor()) {
        m_cursorText->setText(
            tr("Cursor %1, %2 ago")
                .arg(formatClock(qint64(*cursor * 1000)), formatDuration(m_dashboard->to() - *cursor)));
    } else {
        m_cursorText->setText({});
    }
    const bool paused = m_dashboard->isPaused();
    const QString verb = paused ? tr("Resume") : tr("Pause");
    if (m_pause->accessibleName() == verb) return;
    m_pause->setText(QLatin1Char(' ') + verb);
    m_pause->setAccessibleName(verb);
    m_pause->setIcon(icon(paused ? QStringLiteral("play") : QStringLiteral("pause")));
}

void ServePage::exportPlots() {
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Export the plots into a folder"));
    if (folder.isEmpty()) return;
    for (const Plot* plot : m_plots) {
        const QString stem = folder + QLatin1Char('/') +
                             plot->accessibleName()
                                 .section(QLatin1Char(','), 0, 0)
                                 .toLower()
                                 .replace(QLatin1Char(' '), QLatin1Char('-'))
                                 .replace(QLatin1Char('/'), QLatin1Char('-'));
        QFile csv(stem + QStringLiteral(".csv"));
        const bool written = csv.open(QIODevice::WriteOnly) && csv.write(plot->csv().toUtf8()) >= 0 && csv.flush() &&
                             plot->picture().save(stem + QStringLiteral(".png"));
        if (!written) {
            m_error->showError(
                tr("The plots were not exported"),
                fail(ErrorCode::IoError, tr("%1 cannot be written: %2").arg(stem, csv.errorString()).toStdString()));
            return;
        }
    }
}

}  // namespace espalier::ui
