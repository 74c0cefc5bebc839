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
#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "ui/models/format.h"
#include "ui/pages/now_panel.h"
#include "ui/pages/page_map_panel.h"
#include "ui/pages/serve_header.h"
#include "ui/widgets/owner_table.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"
#include "ui/widgets/plots_save.h"

namespace espalier::ui {
namespace {

constexpr double kGib = double(1 << 30), kMegabyte = 1e6;
constexpr std::array kSpans{60.0, 300.0, 900.0, 3600.0, 0.0};
constexpr int kFirstSpan = 2;
constexpr int kTableTicks = 5;  // figures in a table change twice a second
constexpr int kPlotHigh = 136, kPlotLow = 120;
constexpr int kNoteWidth = 320;
constexpr double kNoteReach = 0.01;  // of the time shown: as near as that, a note is the one at the cursor

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

QString megabytes(double bytes) {
    return formatRate(bytes / kMegabyte);
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

}  // namespace

ServePage::ServePage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_dashboard(new Dashboard(workspace.history(), this)),
      m_header(new ServeHeader(workspace, actions)),
      m_now(new NowPanel(workspace, actions)),
      m_map(new PageMapPanel(workspace, actions, m_now->requests())),
      m_grid(new QGridLayout),
      m_error(new ErrorStrip) {
    static_assert(int(Metric::Free) + 1 == int(kMemoryOwners.size()), "the history stacks owners in their order");
    auto* content = new QWidget;
    m_grid->setSpacing(8);
    m_memory = memoryPanel();
    makePlots();
    content->setLayout(column({m_error, LayoutItem(m_grid, 1)}, 8, {12, 8, 12, 12}));
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(content);
    scroll->setFocusPolicy(Qt::NoFocus);
    setLayout(column({m_header, toolRow(), LayoutItem(scroll, 1)}, 0));
    fold(Breadth::Wide);
    connectPage();
    showSnapshot();  // what is known when the page is made
}

void ServePage::makePlots() {
    const auto metric = [](Metric which) { return int(which); };
    const QString none = tr("No samples yet"), quiet = tr("No requests in this time");
    m_queue =
        linesPanel(tr("Queue"), tr("requests"), none,
                   {{tr("Running"), metric(Metric::Running), 0}, {tr("Waiting"), metric(Metric::Waiting), 1}}, whole);
    m_queue->setUnit({});  // its lines say it
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
    m_hits = linesPanel(
        tr("Cache hits"), tr("% of 1 min"), quiet,
        {{tr("Prefixes"), metric(Metric::HitShare), 0}, {tr("Adapters"), metric(Metric::AdapterHitShare), 1}}, perCent);
    m_swap = linesPanel(tr("Swap"), tr("MB/s"), none,
                        {{tr("In"), metric(Metric::SwapIn), 0}, {tr("Out"), metric(Metric::SwapOut), 1}}, megabytes);
    m_preempted = linesPanel(tr("Preemptions"), tr("per min"), none,
                             {{tr("Preempted"), metric(Metric::PreemptedPerMin), 0, true}}, whole);
    m_processor =
        linesPanel(tr("Processor"), tr("cores"), none, {{tr("Daemon"), metric(Metric::Processor), 0, true}}, cores);
    m_resident =
        linesPanel(tr("Daemon memory"), tr("GiB"), none, {{tr("Resident"), metric(Metric::Resident), 0, true}}, gib);
}

void ServePage::connectPage() {
    connect(&m_workspace, &Workspace::snapshotChanged, this, &ServePage::showSnapshot);
    connect(&engine(), &EngineClient::linkChanged, this, [this] {
        takeKeptNotes();
        if (!engine().isAttached()) m_map->clear();
    });
    connect(m_now, &NowPanel::failed, this, &ServePage::showError);
    connect(m_now, &NowPanel::tenantActivated, this, &ServePage::tenantActivated);
    connect(m_now, &NowPanel::shown, m_map, &PageMapPanel::refresh);
    connect(m_dashboard, &Dashboard::cursorMoved, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::pauseChanged, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::spanChanged, this, &ServePage::showCursor);
    connect(m_dashboard, &Dashboard::tick, this, &ServePage::tick);
    for (Plot* plot : m_plots) {
        connect(plot, &Plot::saveFailed, this,
                [this](const Error& error) { showError(tr("The plot was not saved"), error); });
        connect(plot, &Plot::tableShown, this, [this] {
            m_tables->setChecked(std::ranges::all_of(m_plots, [](const Plot* each) { return each->isTableShown(); }));
        });
    }
}

void ServePage::showError(const QString& what, const Error& error) {
    m_error->showError(what, error);
}

void ServePage::operate(const QString& operation, const QString& failure) {
    m_error->clear();
    engine().call(operation, Json::object(), this, [this, failure](const Result<Json>& answer) {
        if (!answer) showError(failure, answer.error());
    });
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
    if (lines.size() > 1) panel->setUnit(unit);  // beside the value of one that is alone
    auto* plot =
        new Plot(m_workspace.history(), *m_dashboard, unit.isEmpty() ? title : title + QStringLiteral(", ") + unit);
    const QString bare = unit.isEmpty() ? tr("tok/s") : unit.section(QLatin1Char(' '), 0, 0);
    const QString beside = lines.size() > 1 ? bare : unit;
    plot->setUnit(bare);
    plot->setFormat(format);
    plot->setDivisor(format == gib ? kGib : format == megabytes ? kMegabyte : 1);
    plot->setLogarithmic(logarithmic);
    plot->setWholeNumbers(format == whole);
    plot->setNoDataText(noData);
    plot->setLines(std::move(lines));
    panel->addTitleWidget(new PlotLegend(*plot, *m_dashboard, format, beside));
    panel->setContent(plot, {0, 0, 0, 4});
    m_plots.push_back(plot);
    return panel;
}

// Where the window is narrow, the page map stands behind a tab.
void ServePage::placeMap(bool narrow) {
    m_now->setNarrow(narrow);
    if (narrow) {
        m_grid->removeWidget(m_map);
        m_now->lend(m_map);
    } else {
        m_now->giveBack(m_map);
    }
}

void ServePage::fold(Breadth breadth) {
    struct Place {
        QWidget* panel;
        int row, column, span;
    };
    // In columns of 48; legends are as long as their series are many.
    const std::array wide{Place{m_memory, 0, 0, 32},    Place{m_map, 0, 32, 16},       Place{m_rates, 1, 0, 12},
                          Place{m_swap, 1, 12, 10},     Place{m_ttftPanel, 1, 22, 14}, Place{m_tpotPanel, 1, 36, 12},
                          Place{m_queue, 2, 0, 11},     Place{m_hits, 2, 11, 14},      Place{m_preempted, 2, 25, 8},
                          Place{m_processor, 2, 33, 7}, Place{m_resident, 2, 40, 8},   Place{m_now, 3, 0, 48}};
    const std::array slim{Place{m_memory, 0, 0, 48},     Place{m_rates, 1, 0, 24},      Place{m_ttftPanel, 1, 24, 24},
                          Place{m_swap, 2, 0, 24},       Place{m_tpotPanel, 2, 24, 24}, Place{m_now, 3, 0, 48},
                          Place{m_queue, 4, 0, 24},      Place{m_hits, 4, 24, 24},      Place{m_preempted, 5, 0, 16},
                          Place{m_processor, 5, 16, 16}, Place{m_resident, 5, 32, 16}};
    const bool narrow = breadth == Breadth::Narrow;
    placeMap(narrow);
    const std::span<const Place> places = narrow ? std::span<const Place>(slim) : std::span<const Place>(wide);
    for (const Place& place : places) {
        m_grid->removeWidget(place.panel);
        m_grid->addWidget(place.panel, place.row, place.column, 1, place.span);
        if (place.span < 32) place.panel->setMinimumHeight(scaled(narrow ? kPlotLow : kPlotHigh));
    }
    for (int i = 0; i < 48; ++i) m_grid->setColumnStretch(i, 1);
    constexpr std::array kWideRows{5, 3, 3, 4, 0, 0}, kSlimRows{5, 3, 3, 4, 3, 3};
    for (int i = 0; i < int(kWideRows.size()); ++i)
        m_grid->setRowStretch(i, (narrow ? kSlimRows : kWideRows)[std::size_t(i)]);
    m_header->setNarrow(narrow);
    m_owners->setFixedWidth(scaled(narrow ? 220 : 248));
}

void ServePage::showSnapshot() {
    const Snapshot* s = m_workspace.snapshot();
    if (!s) {
        m_memory->setUnit({});
        m_memoryPlot->setReference(std::nullopt, {});
        m_map->clear();
        return;
    }
    m_memory->setUnit(tr("GiB of %1").arg(formatGib(s->memory.total)));
    m_memoryPlot->setReference(s->memory.total > 0 ? std::optional(double(s->memory.total)) : std::nullopt,
                               tr("limit %1").arg(formatGib(s->memory.total)));
    m_map->setSnapshot(*s);
}

// Tables, requests and page map change twice a second; plots decide by themselves.
void ServePage::tick() {
    if (m_dashboard->isPaused() || m_dashboard->cursor()) showCursor();
    if (++m_ticks % kTableTicks != 0) return;
    m_owners->refresh();
    m_now->tick();
    m_map->refresh();
}

bool ServePage::areTablesShown() const {
    return m_tables->isChecked();
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
        m_cursorText->setText(m_saved);
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
    emit sessionChanged();
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
        savePlots(m_plots, folder, this, [this](const Result<QString>& made) {
            if (!made) return showError(tr("The plots were not exported"), made.error());
            m_saved = tr("Exported into %1").arg(QDir::toNativeSeparators(*made));
            showCursor();
        });
    });
    dialog->open();
}

}  // namespace espalier::ui
