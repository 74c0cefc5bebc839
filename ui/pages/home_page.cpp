// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/home_page.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QLocale>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <algorithm>

#include "core/api/protocol.h"
#include "ui/models/format.h"
#include "ui/pages/home_tenants.h"
#include "ui/pages/job_row.h"
#include "ui/widgets/memory_bar.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/resource_row.h"
#include "ui/widgets/scroll_list.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kSparkSpan = 900;
constexpr std::size_t kNeedsShown = 4;
constexpr qint64 kMachineIdleMs = 10'000, kMachineBusyMs = 2'000;  // how old its figures may be

// The day's events: information and worse, newest first.
class NewestFirst : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    QVariant data(const QModelIndex& index, int role) const override {
        return role == MonoRole ? QVariant() : QSortFilterProxyModel::data(index, role);  // prose here, not log lines
    }

protected:
    bool lessThan(const QModelIndex& a, const QModelIndex& b) const override { return a.row() < b.row(); }
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override {
        return sourceModel()->index(row, LogTable::Level, parent).data(SortRole).toInt() >= 1;
    }
};

QStackedLayout* withEmptyView(Panel* panel, QWidget* content, EmptyView* empty) {
    auto* holder = new QWidget;
    auto* stack = new QStackedLayout(holder);
    stack->addWidget(content);
    stack->addWidget(empty);
    panel->setContent(holder);
    return stack;
}

}  // namespace

HomePage::HomePage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_header(new PageHeader(tr("Home"))),
      m_overview(new QWidget),
      m_error(new ErrorStrip),
      m_grid(new QGridLayout(m_overview)) {
    m_dashboard = new Dashboard(workspace.history(), this);
    m_dashboard->setSpan(kSparkSpan);
    connect(&workspace, &Workspace::snapshotChanged, m_dashboard, &Dashboard::arrived);
    m_header->add(buttonFor(actions.get(action::kOpenSample), tr("Open sample")));
    m_header->add(buttonFor(actions.get(action::kAttach), tr("Attach to a server")));
    m_header->add(buttonFor(actions.get(action::kImport), tr("Import model"), ButtonRole::Primary));

    m_panels = {serverPanel(), memoryPanel(), needsYouPanel(),
                jobsPanel(),   modelsPanel(), new HomeTenants(workspace, actions),
                todayPanel()};
    connect(static_cast<HomeTenants*>(m_panels[5]), &HomeTenants::tenantActivated, this, &HomePage::tenantActivated);
    m_grid->setContentsMargins(12, 8, 12, 12);
    m_grid->setSpacing(8);
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(m_overview);
    scroll->setFocusPolicy(Qt::NoFocus);

    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(scroll);
    m_stack->addWidget(beginning());
    setLayout(column({m_header, row({LayoutItem(m_error, 1)}, 0, {12, 0, 12, 0}), LayoutItem(holder, 1)}, 0));
    fold(Breadth::Wide);

    connect(&workspace, &Workspace::snapshotChanged, this, &HomePage::showSnapshot);
    connect(&workspace, &Workspace::modelsChanged, this, &HomePage::showModels);
    connect(&workspace, &Workspace::adaptersChanged, this, &HomePage::showModels);
    connect(&workspace, &Workspace::jobsChanged, this, &HomePage::showJobs);
    connect(&workspace, &Workspace::logChanged, this, &HomePage::showToday);
    connect(&workspace, &Workspace::left, this, [this] {
        m_machine.reset();
        m_isAskingMachine = false;
    });
    connect(&engine(), &EngineClient::linkChanged, this, &HomePage::showLink);
    showJobs();  // and the models
    showToday();
    showSnapshot();
}

void HomePage::fold(Breadth breadth) {
    for (Panel* panel : m_panels) m_grid->removeWidget(panel);
    for (int i = 0; i < 3; ++i) {
        m_grid->setColumnStretch(i, 0);
        m_grid->setColumnMinimumWidth(i, 0);
        m_grid->setRowStretch(i, 0);
    }
    const bool narrow = breadth == Breadth::Narrow;
    // Pairs, the last alone; where there is room, the second of a pair is as wide as two and the last row has three.
    for (int i = 0; i < 6; ++i)
        m_grid->addWidget(m_panels[std::size_t(i)], i / 2, i % 2, 1, !narrow && i % 2 == 1 && i < 5 ? 2 : 1);
    m_grid->addWidget(m_panels[6], narrow ? 3 : 2, narrow ? 0 : 2, 1, narrow ? 2 : 1);
    m_grid->setRowStretch(3, narrow ? 6 : 0);
    m_grid->setColumnStretch(0, narrow ? 1 : 0);
    m_grid->setColumnStretch(1, 1);
    m_grid->setColumnStretch(2, narrow ? 0 : 1);
    if (!narrow) m_grid->setColumnMinimumWidth(0, scaled(breadth == Breadth::Wide ? 400 : 348));
    m_overview->setMinimumHeight(narrow ? scaled(960) : 0);
    m_jobTable->setWidths(narrow ? std::vector{32, 0, 26, 26, 0, 18} : std::vector{22, 12, 15, 24, 13, 14});
    m_today->setWidths({20, 0, 0, 80});
    for (ResourceRow* resource : {m_ram, m_disk, m_processor}) resource->setNarrow(narrow);
    m_grid->setRowMinimumHeight(0, scaled(204));
    m_grid->setRowStretch(1, 5);
    m_grid->setRowStretch(2, 6);
}

QWidget* HomePage::beginning() {
    auto* view = new QWidget;
    auto* mark =
        new EmptyView(QStringLiteral("sprout"), tr("Import a model to serve it, or begin with the sample workspace."),
                      buttonFor(m_actions.get(action::kImport), tr("Import model"), ButtonRole::Primary));
    mark->offer(buttonFor(m_actions.get(action::kOpenSample), tr("Open sample")));
    mark->offer(buttonFor(m_actions.get(action::kAttach), tr("Attach to a server")));
    view->setLayout(column({LayoutItem(mark, 1)}, 0));
    return view;
}

Panel* HomePage::serverPanel() {
    auto* panel = new Panel(tr("Server"));
    m_serveBadge = new Badge;
    panel->addTitleWidget(m_serveBadge);
    panel->addTitleWidget(smallButtonFor(m_actions.get(action::kGoServe), tr("Open")));
    m_running = new Figure(tr("Running"), text_size::kFigure);
    m_waiting = new Figure(tr("Waiting"), text_size::kFigure);
    m_decode = new Figure(tr("Decode"), text_size::kFigure);
    m_ttft = new Figure(tr("TTFT p95"), text_size::kFigure);
    m_decodePlot = new Plot(m_workspace.history(), *m_dashboard, tr("Decode rate, tokens per second"));
    m_decodePlot->setLines({{tr("Decode"), int(Metric::Decode), 0, true}});
    m_decodePlot->setNoDataText(tr("No samples yet"));
    m_decodePlot->setMinimumHeight(scaled(100));
    m_decodePlot->setStillShare(0.1);  // no other plot to stand beside
    panel->setContent(column(
        {row({m_running, m_waiting, m_decode, m_ttft, nullptr}, 24, {11, 0, 11, 0}), LayoutItem(m_decodePlot, 1)}, 4,
        {0, 0, 0, 4}));
    return panel;
}

Panel* HomePage::memoryPanel() {
    m_memory = new Panel(tr("Device memory"));
    m_memoryBar = new MemoryBar;
    m_ram = new ResourceRow(QStringLiteral("memory-stick"), tr("RAM"));
    m_disk = new ResourceRow(QStringLiteral("hard-drive"), tr("Disk"));
    m_processor = new ResourceRow(QStringLiteral("cpu"), tr("Processor"));
    m_memory->setContent(column({m_memoryBar, 4, horizontalLine(), 4, column({m_ram, m_disk, m_processor}, 8), nullptr},
                                4, {11, 4, 11, 11}));
    return m_memory;
}

Panel* HomePage::needsYouPanel() {
    m_needs = new Panel(tr("Needs you"));
    m_needs->addTitleLine();
    auto* list = new ScrollList;
    list->setAccessibleName(tr("Needs you"));
    m_needsList = list->rows();
    auto* holder = new QWidget;
    holder->setLayout(column({list, nullptr}, 0));
    m_needsStack = withEmptyView(m_needs, holder,
                                 new EmptyView(QStringLiteral("circle-check"), tr("Nothing needs you."),
                                               buttonFor(m_actions.get(action::kLogDock), tr("Look into the log"))));
    return m_needs;
}

Panel* HomePage::jobsPanel() {
    m_jobs = new Panel(tr("Jobs"));
    m_jobs->addTitleWidget(smallButtonFor(m_actions.get(action::kJobsDock), tr("Open")));
    m_jobTable = new TableView(&m_workspace.jobs(), tr("Jobs"), kListRow, {22, 12, 15, 24, 13, 14});
    m_jobsStack = withEmptyView(m_jobs, m_jobTable,
                                new EmptyView(QStringLiteral("list-checks"), tr("No jobs yet: an import is the first."),
                                              buttonFor(m_actions.get(action::kImport), tr("Import model"))));
    return m_jobs;
}

Panel* HomePage::modelsPanel() {
    m_models = new Panel(tr("Models"));
    m_models->addTitleWidget(smallButtonFor(m_actions.get(action::kGoModels), tr("Open")));
    m_models->setContent(new TableView(&m_workspace.models(), tr("Models"), kListRow, {44, 0, 24, 24, 16, 0, 0}));
    return m_models;
}

Panel* HomePage::todayPanel() {
    auto* panel = new Panel(tr("Events"));
    panel->addTitleWidget(smallButtonFor(m_actions.get(action::kLogDock), tr("Log")));
    auto* newest = new NewestFirst(this);
    newest->setSourceModel(&m_workspace.log());
    newest->sort(0, Qt::DescendingOrder);
    m_today = new TableView(newest, tr("Events"), kShortRow, {13, 0, 13, 74});
    m_today->horizontalHeader()->hide();
    m_todayStack = withEmptyView(panel, m_today,
                                 new EmptyView(QStringLiteral("scroll-text"), tr("Nothing has happened yet."),
                                               buttonFor(m_actions.get(action::kImport), tr("Import model"))));
    return panel;
}

void HomePage::showNoSnapshot() {
    const QString none = QStringLiteral("–");
    for (Figure* figure : {m_running, m_waiting, m_decode, m_ttft}) figure->setValue(none);
    for (ResourceRow* resource : {m_ram, m_disk, m_processor}) resource->clear();
    m_memory->setUnit({});
    m_memoryBar->setMemory({});
}

void HomePage::showSnapshot() {
    m_serveBadge->setVisible(m_workspace.snapshot() != nullptr);
    if (!m_workspace.snapshot()) return showNoSnapshot();
    if (!isVisible()) return;  // shown when the page is
    const Snapshot& s = *m_workspace.snapshot();
    const StateMark mark = markOf(s.serve);
    m_serveBadge->show(mark.icon, mark.word, mark.tone);
    m_running->setValue(formatCount(s.running));
    m_waiting->setValue(formatCount(s.waiting));
    m_decode->setValue(formatRate(s.decodeTokensPerS), tr("tok/s"));
    m_ttft->setValue(s.ttftMs.samples > 0 ? formatMs(s.ttftMs.p95) : QStringLiteral("–"), tr("ms"));
    m_memory->setUnit(tr("%1 of %2 GiB").arg(formatGib(s.memory.total - s.memory.free), formatGib(s.memory.total)));
    m_memoryBar->setMemory(s.memory);
    showMachine();
    askMachine();
}

// Asked when a snapshot comes, so that no timer of its own wakes the window.
void HomePage::askMachine() {
    const Snapshot& s = *m_workspace.snapshot();
    const bool isBusy = s.running + s.waiting > 0 || std::ranges::any_of(s.jobs, isActive);
    const qint64 age = std::abs(s.at - m_machineAsked);
    if (m_isAskingMachine || !engine().isAttached() || (m_machine && age < (isBusy ? kMachineBusyMs : kMachineIdleMs)))
        return;
    m_isAskingMachine = true;
    m_machineAsked = s.at;
    engine().call(QStringLiteral("machine"), Json::object(), this, [this](const Result<Json>& answer) {
        if (!answer && answer.error().code == ErrorCode::Cancelled) return;  // it was another machine
        m_isAskingMachine = false;
        const auto stats = answer ? machineFromJson(*answer) : Result<MachineStats>(answer.error());
        m_machine = stats ? *stats : MachineStats();  // not known
        if (m_workspace.snapshot()) showMachine();
    });
}

void HomePage::showMachine() {
    const Snapshot& s = *m_workspace.snapshot();
    const MachineStats machine = m_machine.value_or(MachineStats());
    const auto showUse = [](ResourceRow* row, qint64 all, qint64 free, const QString& more) {
        if (all <= 0) return row->clear();
        row->show(double(all - free) / double(all), formatBytes(all - free), tr("of %1").arg(formatBytes(all)), more);
    };
    showUse(m_ram, machine.memoryBytes, machine.memoryFreeBytes, tr("engine %1").arg(formatBytes(s.residentBytes)));
    showUse(m_disk, machine.diskBytes, machine.diskFreeBytes,
            tr("%1 free, workspace %2").arg(formatBytes(machine.diskFreeBytes), formatBytes(m_ownBytes)));
    const QString device =
        text(s.device) + (s.computeMode.empty() ? QString() : QStringLiteral(", ") + text(s.computeMode));
    m_processor->show(
        machine.processors > 0 ? s.processorShare / machine.processors : 0,
        QLocale().toString(s.processorShare, 'f', 2),
        machine.processors > 0 ? counted(machine.processors, tr("of %1 core"), tr("of %1 cores")) : tr("cores"),
        device);
}

void HomePage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    showSnapshot();
}

void HomePage::showError(const QString& what, const Error& error) {
    m_error->showError(what, error);
}

// What is wrong with the connection stands above every page.
void HomePage::showLink() {
    if (engine().isAttached()) m_error->clear();
    showModels();
}

void HomePage::showModels() {
    const bool empty =
        m_workspace.hasModelList() && m_workspace.models().rowCount() == 0 && m_workspace.jobs().rowCount() == 0;
    m_stack->setCurrentIndex(empty ? 1 : 0);
    m_ownBytes = 0;
    for (const ModelTable* table : {&m_workspace.models(), &m_workspace.bin()})
        for (const ModelRecord& model : table->models()) m_ownBytes += model.linked ? 0 : model.bytes;
    for (const AdapterRecord& adapter : m_workspace.adapters()) m_ownBytes += adapter.bytes;
    const QString models = formatCount(m_workspace.models().rowCount());
    const qint64 adapters = qint64(m_workspace.adapters().size());
    m_models->setUnit(adapters == 0
                          ? models
                          : models + QStringLiteral(", ") + counted(adapters, tr("%1 adapter"), tr("%1 adapters")));
    m_header->setFacts(m_workspace.name() + QStringLiteral(" · ") + engine().workspace());
}

void HomePage::showJobs() {
    const auto& jobs = m_workspace.jobs().jobs();
    const auto count = [&](JobState state) {
        return std::count_if(jobs.begin(), jobs.end(), [&](const JobRecord& job) { return job.state == state; });
    };
    m_jobs->setUnit(tr("%1 running, %2 queued").arg(count(JobState::Running)).arg(count(JobState::Queued)));
    m_jobsStack->setCurrentIndex(jobs.empty() ? 1 : 0);

    showNeeds();
    showModels();
}

void HomePage::showNeeds() {
    std::vector<const JobRecord*> needs;
    for (const JobRecord& job : m_workspace.jobs().jobs())
        if (needsYou(job)) needs.push_back(&job);
    m_needs->setUnit(needs.empty() ? QString() : formatCount(qint64(needs.size())));
    needs.resize(std::min(needs.size(), kNeedsShown));
    showJobRows(m_needsList, m_workspace, needs);
    m_needsStack->setCurrentIndex(needs.empty() ? 1 : 0);
}

void HomePage::showToday() {
    m_todayStack->setCurrentIndex(m_today->model()->rowCount() == 0 ? 1 : 0);
}

}  // namespace espalier::ui
