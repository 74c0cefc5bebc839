// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/serve_page.h"

#include <QDir>
#include <QFileDialog>
#include <QGridLayout>
#include <QJsonArray>
#include <QKeyEvent>
#include <QLineEdit>
#include <QLocale>
#include <QScrollArea>
#include <QShortcut>
#include <QStackedWidget>
#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/api/protocol.h"
#include "ui/models/format.h"
#include "ui/pages/page_map_panel.h"
#include "ui/widgets/key_field.h"
#include "ui/widgets/owner_table.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_export.h"
#include "ui/widgets/plot_legend.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr double kGib = double(1 << 30);
constexpr std::array kSpans{60.0, 300.0, 900.0, 3600.0, 0.0};
constexpr int kFirstSpan = 2;
constexpr int kTableTicks = 5;  // figures in a table change twice a second
constexpr int kMostRequests = 200;
constexpr int kPlotHigh = 136, kPlotLow = 120;
constexpr int kNoteWidth = 320;
constexpr double kNoteReach = 0.01;  // of the time shown: as near as that, a note is the one at the cursor
enum Bottom { kRequests, kModelsLoaded, kTenantLoads, kPageMap };
const std::vector kRequestWidths{7, 16, 16, 8, 8, 14, 9, 8, 12}, kRequestNarrow{9, 20, 20, 10, 0, 18, 11, 0, 12};
const std::vector kTenantWidths{20, 9, 9, 10, 20, 10, 12, 10}, kTenantNarrow{24, 12, 12, 13, 0, 13, 15, 11};
const std::vector kLoadedWidths{20, 12, 10, 8, 8, 10, 10, 8, 18}, kLoadedNarrow{26, 14, 13, 11, 11, 0, 0, 0, 25};

QString shortRate(double value) {
    return value >= 10'000 ? QLocale().toString(value / 1000, 'f', 1) + QStringLiteral("k") : formatRate(value);
}

QString whole(double value) {
    return formatCount(qint64(value));
}

QString perCent(double value) {
    return QLocale().toString(value, 'f', 1);
}

QString cores(double value) {
    return QLocale().toString(value, 'f', 2);
}

QString gib(double bytes) {
    return formatGib(qint64(bytes));
}

// Esc leaves the note as it was.
class NoteEdit : public QLineEdit {
protected:
    void keyPressEvent(QKeyEvent* event) override {
        if (event->key() == Qt::Key_Escape)
            hide();
        else
            QLineEdit::keyPressEvent(event);
    }
};

// As high as its place, whichever view it shows: the page must not move when the last request ends.
class SteadyStack : public QStackedWidget {
public:
    bool hasHeightForWidth() const override { return false; }
};

// Loopback reaches this machine only; everything else is reachable by others.
bool isLoopback(const QString& host) {
    return host == QLatin1String("localhost") || host == QLatin1String("::1") || host.startsWith(QLatin1String("127."));
}

}  // namespace

ServePage::ServePage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions), m_dashboard(new Dashboard(workspace.history(), this)), m_error(new ErrorStrip) {
    static_assert(int(Metric::Free) + 1 == int(kMemoryOwners.size()), "the history stacks owners in their order");
    auto* content = new QWidget;
    m_grid = new QGridLayout;
    m_grid->setSpacing(8);
    m_memory = memoryPanel();
    m_map = new PageMapPanel(workspace, m_requests);
    makePlots();
    m_bottom = bottomPanel();
    content->setLayout(column({m_error, LayoutItem(m_grid, 1)}, 8, {12, 8, 12, 12}));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(content);
    scroll->setFocusPolicy(Qt::NoFocus);
    setLayout(column({serveHeader(), toolRow(), LayoutItem(scroll, 1)}, 0));
    fold(Breadth::Wide);
    connectPage();
    showAddress();
    showBottom(kRequests);
}

void ServePage::makePlots() {
    const auto metric = [](Metric which) { return int(which); };
    const QString none = tr("No samples yet"), quiet = tr("No requests in this time");
    m_queue =
        linesPanel(tr("Queue"), tr("requests"), none,
                   {{tr("Running"), metric(Metric::Running), 0}, {tr("Waiting"), metric(Metric::Waiting), 1}}, whole);
    m_queue->setUnit({});  // its lines say it, and the legend needs the room
    m_rates =
        linesPanel(tr("Tokens/s"), {}, none,
                   {{tr("Decode"), metric(Metric::Decode), 0}, {tr("Prefill"), metric(Metric::Prefill), 1}}, shortRate);
    m_ttftPanel = linesPanel(tr("TTFT"), tr("ms log"), quiet,
                             {{QStringLiteral("p50"), metric(Metric::TtftP50), 0},
                              {QStringLiteral("p95"), metric(Metric::TtftP95), 1},
                              {QStringLiteral("p99"), metric(Metric::TtftP99), 2}},
                             formatMs, true);
    m_tpotPanel = linesPanel(tr("TPOT"), tr("ms"), quiet,
                             {{QStringLiteral("p50"), metric(Metric::TpotP50), 0},
                              {QStringLiteral("p95"), metric(Metric::TpotP95), 1},
                              {QStringLiteral("p99"), metric(Metric::TpotP99), 2}},
                             formatMs);
    m_hits = linesPanel(tr("Prefix cache hits"), tr("% of 1 min"), quiet,
                        {{tr("Hits"), metric(Metric::HitShare), 0, true}}, perCent);
    m_preempted = linesPanel(tr("Preemptions"), tr("per min"), none,
                             {{tr("Preempted"), metric(Metric::PreemptedPerMin), 0, true}}, whole);
    m_processor =
        linesPanel(tr("Processor"), tr("cores"), none, {{tr("Daemon"), metric(Metric::Processor), 0, true}}, cores);
    m_resident = linesPanel(tr("Memory of the daemon"), tr("GiB"), none,
                            {{tr("Resident"), metric(Metric::Resident), 0, true}}, gib);
}

void ServePage::connectPage() {
    connect(&m_workspace, &Workspace::snapshotChanged, this, &ServePage::showSnapshot);
    connect(&engine(), &EngineClient::linkChanged, this, &ServePage::showAddress);
    connect(m_dashboard, &Dashboard::cursorMoved, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::pauseChanged, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::spanChanged, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::tick, this, &ServePage::tick);
    for (Plot* plot : m_plots) {
        connect(plot, &Plot::saveFailed, this,
                [this](const Error& error) { m_error->showError(tr("The plot was not saved"), error); });
        connect(plot, &Plot::tableShown, this, [this] {
            m_tables->setChecked(std::ranges::all_of(m_plots, [](const Plot* each) { return each->isTableShown(); }));
        });
    }
    connect(m_requestTable->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ServePage::refreshCancel);
    auto* remove = new QShortcut(QKeySequence::Delete, m_requestTable);
    remove->setContext(Qt::WidgetShortcut);
    connect(remove, &QShortcut::activated, this, &ServePage::cancelChosen);
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
    header->setLayout(row(
        {m_toggle, drain, 8,
         LayoutItem(column({nullptr, row({title, m_badge, LayoutItem(m_uptime, 1)}, 8), addressRow(), nullptr}, 0), 1),
         figures},
        8, {16, 2, 12, 3}));
    return header;
}

// Where the server is reached, by whom, and with which key.
QWidget* ServePage::addressRow() {
    m_url = new TextLabel;
    m_url->setMono();
    auto* copy = toolButton(QStringLiteral("copy"), tr("Copy the address"));
    copy->setIconSize(QSize(14, 14));
    connect(copy, &QToolButton::clicked, m_actions.get(action::kCopyUrl), &QAction::trigger);
    m_address = toolButton(QStringLiteral("sliders-horizontal"), tr("Port and exposure"));
    m_address->setIconSize(QSize(14, 14));
    QAction* address = m_actions.get(action::kAddress);
    connect(m_address, &QToolButton::clicked, address, &QAction::trigger);
    const auto follow = [this, address] {
        m_address->setVisible(address->isVisible());
        m_address->setEnabled(address->isEnabled());
    };
    connect(address, &QAction::changed, this, follow);
    follow();
    m_exposure = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
    m_exposure->setElide(Qt::ElideNone);
    m_key = new KeyField;
    auto* holder = new QWidget;
    holder->setLayout(row({m_url, copy, m_exposure, m_address, 4, LayoutItem(m_key, 1), nullptr}, 4));
    return holder;
}

QWidget* ServePage::toolRow() {
    auto* spans =
        new SegmentedSwitch({tr("1 min"), tr("5 min"), tr("15 min"), tr("1 h"), tr("Session")}, tr("Time shown"));
    spans->setCurrent(kFirstSpan);
    connect(spans, &SegmentedSwitch::chosen, this,
            [this](int index) { m_dashboard->setSpan(kSpans[std::size_t(index)]); });
    m_pause = buttonFor(m_actions.get(action::kPausePlots), tr("Pause"), ButtonRole::Plain, ControlSize::Small);
    m_cursorText = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_zoomOut = toolButton(QStringLiteral("zoom-out"), tr("Back to the whole time"));
    m_zoomOut->setEnabled(false);
    connect(m_zoomOut, &QToolButton::clicked, m_dashboard, &Dashboard::resetZoom);
    m_flag = toolButton(QStringLiteral("flag"), tr("Note at the cursor"));
    connect(m_flag, &QToolButton::clicked, this, &ServePage::beginNote);
    m_note = new NoteEdit;
    m_note->setAccessibleName(tr("Note at the cursor"));
    m_note->setPlaceholderText(tr("What happened here; empty removes the note"));
    m_note->setMaximumWidth(scaled(kNoteWidth));
    setControlSize(m_note, ControlSize::Small);
    m_note->hide();
    connect(m_note, &QLineEdit::returnPressed, this, &ServePage::endNote);
    m_tables = toolButton(QStringLiteral("table-2"), tr("Show the plots as tables"));
    m_tables->setCheckable(true);
    connect(m_tables, &QToolButton::clicked, this, &ServePage::setTablesShown);
    auto* save = button(tr("Export"), QStringLiteral("download"), ButtonRole::Plain, ControlSize::Small);
    connect(save, &QPushButton::clicked, this, &ServePage::exportPlots);
    auto* bar = new QWidget;
    bar->setFixedHeight(scaled(36));
    bar->setLayout(
        row({spans, m_pause, LayoutItem(m_cursorText, 1), LayoutItem(m_note, 2), m_flag, m_zoomOut, m_tables, save}, 8,
            {16, 0, 12, 0}));
    return bar;
}

Panel* ServePage::memoryPanel() {
    auto* panel = new Panel(tr("Device memory by owner"));
    m_memoryPlot = new Plot(m_workspace.history(), *m_dashboard, tr("Device memory by owner, GiB"));
    std::vector<AreaSpec> areas;
    for (const MemoryOwner owner : kMemoryOwners) areas.push_back({int(owner), owner});
    m_memoryPlot->setDivisor(kGib);
    m_memoryPlot->setUnit(tr("GiB"));
    m_memoryPlot->setFormat(gib);
    m_memoryPlot->setNoDataText(tr("No samples yet"));
    m_memoryPlot->setEvents(&m_workspace.marks());
    m_memoryPlot->setAreas(std::move(areas));
    m_owners = new OwnerTable(m_memoryPlot->content());
    // The twin holds the same values and needs the room.
    connect(m_memoryPlot, &Plot::tableShown, m_owners, &QWidget::setHidden);
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
    plot->setUnit(unit.isEmpty() ? tr("tok/s") : unit.section(QLatin1Char(' '), 0, 0));
    plot->setFormat(format);
    plot->setDivisor(format == gib ? kGib : 1);
    plot->setLogarithmic(logarithmic);
    plot->setWholeNumbers(format == whole);
    plot->setNoDataText(noData);
    plot->setLines(std::move(lines));
    panel->addTitleWidget(new PlotLegend(*plot, *m_dashboard, format));
    panel->setContent(plot, {0, 0, 0, 4});
    m_plots.push_back(plot);
    return panel;
}

QWidget* ServePage::requestsView() {
    m_requestTable = new TableView(&m_requests, tr("Requests"), kLiveRow, kRequestWidths);
    m_requestStack = new SteadyStack;
    auto* quiet = new EmptyView(QStringLiteral("message-square-text"), tr("Nobody asks anything at the moment."));
    quiet->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Ignored);
    m_requestStack->addWidget(quiet);
    m_requestStack->addWidget(m_requestTable);
    return m_requestStack;
}

QWidget* ServePage::tenantsView() {
    m_tenantTable = new TableView(&m_tenants, tr("Tenants that use the server"), kLiveRow, kTenantWidths);
    connect(m_tenantTable, &QAbstractItemView::activated, this,
            [this](const QModelIndex& index) { emit tenantActivated(m_tenants.nameAt(index.row())); });
    m_tenantStack = new SteadyStack;
    auto* quiet = new EmptyView(QStringLiteral("users"), tr("No tenant uses the server at the moment."));
    quiet->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Ignored);
    m_tenantStack->addWidget(quiet);
    m_tenantStack->addWidget(m_tenantTable);
    return m_tenantStack;
}

void ServePage::showTenants() {
    const Snapshot* s = m_workspace.snapshot();
    m_tenants.setTenants(s ? s->tenants : std::vector<TenantLoad>());
    m_tenantStack->setCurrentIndex(m_tenants.rowCount() > 0 ? 1 : 0);
}

Panel* ServePage::bottomPanel() {
    auto* panel = new Panel(tr("Now"));
    m_bottomSwitch = new SegmentedSwitch({tr("Requests"), tr("Models"), tr("Tenants"), tr("Page map")},
                                         tr("What is shown below"));
    connect(m_bottomSwitch, &SegmentedSwitch::chosen, this, &ServePage::showBottom);
    m_cancel = button(tr("Cancel request"), QStringLiteral("x"), ButtonRole::Plain, ControlSize::Small);
    m_cancel->setEnabled(false);
    connect(m_cancel, &QPushButton::clicked, this, &ServePage::cancelChosen);
    m_loadedTable = new TableView(&m_workspace.loaded(), tr("Models on the device"), kLiveRow, kLoadedWidths);
    m_loadedStack = new SteadyStack;
    auto* none = new EmptyView(QStringLiteral("box"), tr("No model is loaded; the first request loads one."));
    none->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Ignored);
    m_loadedStack->addWidget(none);
    m_loadedStack->addWidget(m_loadedTable);
    m_bottomStack = new QStackedWidget;
    m_bottomStack->addWidget(requestsView());
    m_bottomStack->addWidget(m_loadedStack);
    m_bottomStack->addWidget(tenantsView());
    panel->addTitleWidget(m_cancel);
    panel->addTitleWidget(m_bottomSwitch);
    panel->setContent(m_bottomStack);
    panel->setMinimumHeight(scaled(140));
    return panel;
}

void ServePage::showBottom(int index) {
    m_bottomSwitch->setCurrent(index);
    m_bottomStack->setCurrentIndex(index);
    m_cancel->setVisible(index == kRequests);
    showTenants();
    m_map->refresh();
}

// Where the window is narrow, the page map stands behind a tab.
void ServePage::placeMap(bool narrow) {
    const bool isBelow = m_bottomStack->indexOf(m_map) >= 0;
    m_bottomSwitch->setShown(kPageMap, narrow);
    if (narrow == isBelow) return;
    if (narrow) {
        m_grid->removeWidget(m_map);
        m_bottomStack->addWidget(m_map);
    } else {
        if (m_bottomStack->currentIndex() == kPageMap) showBottom(kRequests);
        m_bottomStack->removeWidget(m_map);
        m_map->show();
    }
    m_map->setFramed(!narrow);
}

void ServePage::fold(Breadth breadth) {
    struct Place {
        QWidget* panel;
        int row, column, span;
    };
    // In columns of 24; latencies have three series and long legends.
    const std::array wide{Place{m_memory, 0, 0, 16},   Place{m_map, 0, 16, 8},       Place{m_rates, 1, 0, 6},
                          Place{m_ttftPanel, 1, 6, 7}, Place{m_tpotPanel, 1, 13, 6}, Place{m_queue, 1, 19, 5},
                          Place{m_hits, 2, 0, 6},      Place{m_preempted, 2, 6, 7},  Place{m_processor, 2, 13, 5},
                          Place{m_resident, 2, 18, 6}, Place{m_bottom, 3, 0, 24}};
    const std::array slim{Place{m_memory, 0, 0, 24},   Place{m_rates, 1, 0, 12},      Place{m_ttftPanel, 1, 12, 12},
                          Place{m_queue, 2, 0, 12},    Place{m_tpotPanel, 2, 12, 12}, Place{m_bottom, 3, 0, 24},
                          Place{m_hits, 4, 0, 12},     Place{m_preempted, 4, 12, 12}, Place{m_processor, 5, 0, 12},
                          Place{m_resident, 5, 12, 12}};
    const bool narrow = breadth == Breadth::Narrow;
    placeMap(narrow);
    const std::span<const Place> places = narrow ? std::span<const Place>(slim) : std::span<const Place>(wide);
    for (const Place& place : places) {
        m_grid->removeWidget(place.panel);
        m_grid->addWidget(place.panel, place.row, place.column, 1, place.span);
        if (place.span < 16) place.panel->setMinimumHeight(scaled(narrow ? kPlotLow : kPlotHigh));
    }
    for (int i = 0; i < 24; ++i) m_grid->setColumnStretch(i, 1);
    constexpr std::array kWideRows{5, 3, 3, 4, 0, 0}, kSlimRows{5, 3, 3, 4, 3, 3};
    for (int i = 0; i < int(kWideRows.size()); ++i)
        m_grid->setRowStretch(i, (narrow ? kSlimRows : kWideRows)[std::size_t(i)]);
    m_tpot->setVisible(!narrow);
    m_lastLine->setVisible(!narrow);
    m_key->setVisible(!narrow);
    m_loadedTable->setWidths(narrow ? kLoadedNarrow : kLoadedWidths);
    m_requestTable->setWidths(narrow ? kRequestNarrow : kRequestWidths);
    m_tenantTable->setWidths(narrow ? kTenantNarrow : kTenantWidths);
    m_owners->setFixedWidth(scaled(narrow ? 220 : 248));
}

void ServePage::showNoSnapshot() {
    for (Figure* figure : {m_running, m_waiting, m_decode, m_ttft, m_tpot}) figure->setValue(QStringLiteral("–"));
    m_uptime->setText({});
    m_memory->setUnit({});
    m_memoryPlot->setReference(std::nullopt, {});
    m_loadedStack->setCurrentIndex(0);
    m_requestStack->setCurrentIndex(0);
    m_requests.setRequests({});
    showTenants();
    m_map->clear();
}

void ServePage::showSnapshot() {
    m_badge->setVisible(m_workspace.snapshot() != nullptr);
    if (!m_workspace.snapshot()) return showNoSnapshot();
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
    m_memoryPlot->setReference(s.memory.total > 0 ? std::optional(double(s.memory.total)) : std::nullopt,
                               tr("limit %1").arg(formatGib(s.memory.total)));
    m_loadedStack->setCurrentIndex(s.models.empty() ? 0 : 1);
    if (s.running + s.waiting == 0 && m_requests.rowCount() > 0) m_requests.setRequests({});
    m_requestStack->setCurrentIndex(m_requests.rowCount() > 0 ? 1 : 0);
    m_map->setSnapshot(s);
}

void ServePage::showAddress() {
    const DaemonAddress& address = engine().address();
    m_url->setText(address.url.isEmpty() ? QString() : address.url.toString() + QStringLiteral("/v1"));
    const bool isOpen = !address.url.isEmpty() && !isLoopback(address.url.host());
    m_exposure->setTone(isOpen ? Tone::Warn : Tone::Secondary);
    m_exposure->setText(address.url.isEmpty() ? QString() : isOpen ? tr("This network") : tr("This machine only"));
    m_exposure->setToolTip(isOpen ? tr("Everybody who reaches this address and has the key can use the server.")
                                  : tr("Only programs on this machine reach the server."));
    m_key->setKey(address.key, address.keyFile);
    takeKeptNotes();
    if (engine().isAttached()) return;
    m_requests.setRequests({});
    m_map->clear();
}

// Tables, requests and page map change twice a second; plots decide by themselves.
void ServePage::tick() {
    if (m_dashboard->isPaused() || m_dashboard->cursor()) showCursor();
    if (++m_ticks % kTableTicks != 0) return;
    m_owners->refresh();
    if (m_bottomStack->currentIndex() == kRequests) askForRequests();
    if (m_bottomStack->currentIndex() == kTenantLoads) showTenants();
    m_map->refresh();
}

void ServePage::askForRequests() {
    const Snapshot* s = m_workspace.snapshot();
    if (m_isAsking || !engine().isAttached() || !s || s->running + s->waiting == 0) return;
    m_isAsking = true;
    engine().call(QStringLiteral("requests"), {{"limit", kMostRequests}}, this, [this](const Result<Json>& answer) {
        m_isAsking = false;
        if (!answer) return;  // a daemon that cannot say so now is asked again at the next tick
        auto list = requestsFromJson(*answer);
        if (!list) return;
        m_requests.setRequests(list->requests);
        m_requestStack->setCurrentIndex(m_requests.rowCount() > 0 ? 1 : 0);
        m_bottom->setUnit(list->total > kMostRequests
                              ? tr("oldest %1 of %2 requests").arg(kMostRequests).arg(list->total)
                              : QString());
        refreshCancel();
    });
}

void ServePage::refreshCancel() {
    m_cancel->setEnabled(engine().isAttached() && m_requestTable->currentRow() >= 0);
}

void ServePage::cancelChosen() {
    const int row = m_requestTable->currentRow();
    if (row < 0) return;
    engine().call(QStringLiteral("request-cancel"), {{"id", m_requests.idAt(row)}}, this,
                  [this](const Result<Json>& answer) {
                      if (!answer) m_error->showError(tr("The request was not cancelled"), answer.error());
                      askForRequests();
                  });
}

void ServePage::setTablesShown(bool shown) {
    m_tables->setChecked(shown);
    for (Plot* plot : m_plots) plot->setTableShown(shown);
}

void ServePage::showCursor() {
    m_zoomOut->setEnabled(m_dashboard->isZoomed());
    if (m_dashboard->isPaused()) {
        m_cursorText->setText(
            tr("Paused %1, %2 samples behind")
                .arg(formatClock(qint64(m_dashboard->pausedAt() * 1000)), formatCount(m_dashboard->samplesBehind())));
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

double ServePage::noteTime() const {
    return m_dashboard->cursor().value_or(m_dashboard->to());
}

void ServePage::beginNote() {
    m_noteAt = noteTime();
    const double reach = (m_dashboard->to() - m_dashboard->from()) * kNoteReach;
    const EventMark* there = m_workspace.marks().noteNear(m_noteAt, reach);
    if (there) m_noteAt = there->x;
    m_note->setText(there ? there->text : QString());
    m_note->show();
    m_note->setFocus(Qt::OtherFocusReason);
}

void ServePage::endNote() {
    m_workspace.marks().setNote(m_noteAt, m_note->text().simplified());
    m_note->hide();
    m_flag->setFocus(Qt::OtherFocusReason);
    m_memoryPlot->refresh();
}

QJsonObject ServePage::session() const {
    QJsonArray notes;
    for (const EventMark& mark : m_workspace.marks().all())
        if (mark.kind == MarkKind::Note)
            notes.append(QJsonObject{{QStringLiteral("at"), mark.x}, {QStringLiteral("text"), mark.text}});
    if (notes.isEmpty()) return m_kept;
    return {{QStringLiteral("origin"), m_workspace.origin()}, {QStringLiteral("notes"), notes}};
}

void ServePage::restoreSession(const QJsonObject& session) {
    m_kept = session;
    takeKeptNotes();
}

// Notes belong to a workspace or server: they come back with it.
void ServePage::takeKeptNotes() {
    const QString origin = m_kept.value(QStringLiteral("origin")).toString();
    if (origin.isEmpty() || origin != m_workspace.origin()) return;
    const QJsonArray notes = m_kept.value(QStringLiteral("notes")).toArray();
    for (qsizetype i = 0; i < notes.size(); ++i) {
        const QJsonObject note = notes[i].toObject();
        m_workspace.marks().setNote(note.value(QStringLiteral("at")).toDouble(),
                                    note.value(QStringLiteral("text")).toString());
    }
    m_kept = {};
}

void ServePage::exportPlots() {
    auto* dialog = new QFileDialog(this, tr("Export the plots into a folder"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) {
        m_error->clear();
        for (const Plot* plot : m_plots) {
            const QString stem = QDir(folder).filePath(fileStem(plot->accessibleName()));
            auto saved = saveCsv(plot->content(), stem + QStringLiteral(".csv"));
            if (saved) saved = savePicture(plot->picture(), stem + QStringLiteral(".png"));
            if (!saved) return m_error->showError(tr("The plots were not exported"), saved.error());
        }
    });
    dialog->open();
}

}  // namespace espalier::ui
