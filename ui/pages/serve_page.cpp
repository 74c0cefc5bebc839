// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/serve_page.h"

#include <QDir>
#include <QFileDialog>
#include <QJsonArray>
#include <QKeyEvent>
#include <QLineEdit>
#include <QLocale>
#include <QScrollArea>
#include <QScrollBar>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <cmath>

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

constexpr double kGib = double(1 << 30), kMib = double(1 << 20), kMegabyte = 1e6;
constexpr std::array kSpans{60.0, 300.0, 900.0, 3600.0, 0.0};
constexpr int kFirstSpan = 2;
constexpr int kTableTicks = 5;  // figures in a table change twice a second
constexpr int kPlotHigh = 136, kPlotLow = 120, kMemoryHigh = 232, kMemoryLow = 188, kMapLow = 96;
constexpr int kBetween = 8, kMargin = 12;
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

QString mib(double bytes) {
    return formatMib(qint64(bytes));
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

// Panels beside each other, as wide as they are in a window of 1440; what is more or less is shared.
struct ServePage::PlotRow {
    struct Cell {
        QWidget* panel;
        int width;
    };
    int stretch;  // of the height
    int height;   // at least
    std::vector<Cell> cells;
};

ServePage::ServePage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_dashboard(new Dashboard(workspace.history(), this)),
      m_header(new ServeHeader(workspace, actions)),
      m_now(new NowPanel(workspace, actions)),
      m_map(new PageMapPanel(workspace, actions, m_now->requests())),
      m_rows(new QVBoxLayout),
      m_scroll(new QScrollArea),
      m_error(new ErrorStrip) {
    static_assert(int(Metric::Free) + 1 == int(kMemoryOwners.size()), "the history stacks owners in their order");
    auto* content = new QWidget;
    m_rows->setSpacing(kBetween);
    m_memory = memoryPanel();
    makePlots();
    content->setLayout(column({m_error, LayoutItem(m_rows, 1)}, kBetween, {kMargin, 8, kMargin, kMargin}));
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setWidgetResizable(true);
    m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_scroll->setWidget(content);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    connect(m_scroll->verticalScrollBar(), &QScrollBar::rangeChanged, this, &ServePage::keepMargin);
    setLayout(column({m_header, toolRow(), LayoutItem(m_scroll, 1)}, 0));
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
                        {{tr("In"), metric(Metric::SwapIn), 0}, {tr("Out"), metric(Metric::SwapOut), 1, false, true}},
                        megabytes);
    m_preempted = linesPanel(tr("Preemptions"), tr("per min"), none,
                             {{tr("Preempted"), metric(Metric::PreemptedPerMin), 0, true}}, whole);
    m_processor =
        linesPanel(tr("Processor"), tr("cores"), none, {{tr("Engine"), metric(Metric::Processor), 0, true}}, cores);
    m_resident =
        linesPanel(tr("Engine memory"), tr("GiB"), none, {{tr("Resident"), metric(Metric::Resident), 0, true}}, gib);
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
    m_memoryPlot = new Plot(m_workspace.history(), *m_dashboard, tr("Device memory by owner"));
    std::vector<AreaSpec> areas;
    for (const MemoryOwner owner : kMemoryOwners) areas.push_back({int(owner), owner});
    countMemoryIn(false);
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
    // Beside a value: without what is said of the axis or of the time.
    const bool isMore = logarithmic || unit.startsWith(QLatin1Char('%'));
    const QString bare = unit.isEmpty() ? tr("tok/s") : isMore ? unit.section(QLatin1Char(' '), 0, 0) : unit;
    plot->setUnit(bare);
    plot->setFormat(format);
    plot->setDivisor(format == gib ? kGib : format == megabytes ? kMegabyte : 1);
    plot->setLogarithmic(logarithmic);
    plot->setWholeNumbers(format == whole);
    plot->setNoDataText(noData);
    plot->setLines(std::move(lines));
    panel->addTitleWidget(new PlotLegend(*plot, *m_dashboard, format, bare));
    panel->setContent(plot, {0, 0, 0, 4});
    m_plots.push_back(plot);
    return panel;
}

// Where the window is narrow, the page map stands behind a tab.
void ServePage::placeMap(bool narrow) {
    if (narrow) {
        m_map->setMinimumHeight(scaled(kMapLow));
        m_now->lend(m_map);
    } else {
        m_now->giveBack(m_map);
    }
}

// Each row shares its width anew; the panels themselves stay.
void ServePage::placeRows(const std::vector<PlotRow>& rows) {
    while (QLayoutItem* item = m_rows->takeAt(0)) delete item;
    for (const PlotRow& plots : rows) {
        auto* line = row({}, kBetween);
        for (const PlotRow::Cell& cell : plots.cells) {
            cell.panel->setMinimumHeight(scaled(plots.height));
            line->addWidget(cell.panel, cell.width);
        }
        m_rows->addLayout(line, plots.stretch);
    }
}

// A scroll bar stands in the margin, so that the panels are as wide with it as without.
void ServePage::keepMargin() {
    const QScrollBar* bar = m_scroll->verticalScrollBar();
    const int right = bar->maximum() > bar->minimum() ? qMax(0, kMargin - bar->sizeHint().width()) : kMargin;
    QLayout* layout = m_scroll->widget()->layout();
    if (layout->contentsMargins().right() != right) layout->setContentsMargins(kMargin, 8, right, kMargin);
}

void ServePage::fold(Breadth breadth) {
    const bool narrow = breadth == Breadth::Narrow, medium = breadth == Breadth::Medium;
    placeRows({});  // before the page map goes elsewhere
    m_now->fold(breadth);
    placeMap(narrow);
    if (narrow) {
        placeRows({{0, kMemoryLow, {{m_memory, 1}}},
                   {3, kPlotLow, {{m_rates, 1}, {m_ttftPanel, 1}}},
                   {3, kPlotLow, {{m_swap, 1}, {m_tpotPanel, 1}}},
                   {4, kPlotHigh, {{m_now, 1}}},
                   {3, kPlotLow, {{m_queue, 1}, {m_hits, 1}}},
                   {3, kPlotLow, {{m_preempted, 1}, {m_processor, 1}, {m_resident, 1}}}});
    } else {
        const int rates = medium ? 262 : 312, swap = medium ? 262 : 256;
        const int ttft = medium ? 262 : 344, tpot = medium ? 262 : 296;  // the names of three percentiles
        const PlotRow::Cell memory{m_memory, medium ? 712 : 820}, map{m_map, medium ? 352 : 404};
        placeRows(
            {{5, kMemoryHigh, {memory, map}},
             {3, kPlotHigh, {{m_rates, rates}, {m_swap, swap}, {m_ttftPanel, ttft}, {m_tpotPanel, tpot}}},
             {3, kPlotHigh, {{m_queue, 268}, {m_hits, 348}, {m_preempted, 188}, {m_processor, 184}, {m_resident, 212}}},
             {4, kPlotHigh, {{m_now, 1}}}});
    }
    m_header->setNarrow(narrow);
    m_owners->setBrief(narrow);
    m_owners->setFixedWidth(scaled(narrow ? 196 : 248));
}

void ServePage::countMemoryIn(bool mebibytes) {
    m_isMib = mebibytes;
    m_memoryPlot->setDivisor(mebibytes ? kMib : kGib);
    m_memoryPlot->setUnit(mebibytes ? tr("MiB") : tr("GiB"));
    m_memoryPlot->setFormat(mebibytes ? mib : gib);
    m_memoryPlot->refresh();
}

void ServePage::showSnapshot() {
    const Snapshot* s = m_workspace.snapshot();
    if (!s) {
        m_memory->setUnit({});
        m_memoryPlot->setReference(std::nullopt, {});
        m_map->clear();
        return;
    }
    if (const bool isLittle = isCountedInMib(s->memory); isLittle != m_isMib) countMemoryIn(isLittle);
    m_memory->setUnit((m_isMib ? tr("MiB of %1 GiB") : tr("GiB of %1")).arg(formatGib(s->memory.total)));
    m_memoryPlot->setReference(s->memory.total > 0 ? std::optional(double(s->memory.total)) : std::nullopt,
                               tr("limit %1 GiB").arg(formatGib(s->memory.total)));
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

// Ago is from now, also where a zoom or a pause shows something older.
QString ServePage::cursorText() const {
    const auto cursor = m_dashboard->cursor();
    if (!cursor || m_dashboard->source().isEmpty()) return {};
    return tr("Cursor %1, %2 ago")
        .arg(formatClock(qint64(*cursor * 1000)), formatDuration(m_dashboard->source().lastX() - *cursor));
}

void ServePage::showCursor() {
    m_zoomOut->setEnabled(m_dashboard->isZoomed());
    const bool paused = m_dashboard->isPaused();
    QStringList said{cursorText()};
    if (paused)
        said.prepend(
            tr("Paused %1, %2 samples behind")
                .arg(formatClock(qint64(m_dashboard->pausedAt() * 1000)), formatCount(m_dashboard->samplesBehind())));
    said.removeAll(QString());
    m_cursorText->setText(said.isEmpty() ? m_saved : said.join(QStringLiteral("  ·  ")));
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
