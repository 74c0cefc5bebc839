// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/home_page.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QLocale>
#include <QRegularExpression>
#include <QResizeEvent>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QStackedLayout>
#include <algorithm>
#include <array>

#include "ui/models/brief_bytes.h"
#include "ui/models/format.h"
#include "ui/pages/home_adapters.h"
#include "ui/pages/home_tenants.h"
#include "ui/pages/job_row.h"
#include "ui/pages/limit_row.h"
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

constexpr int kFirstRow = 204, kUnit = 4;  // of the page; heights of panels are multiples
constexpr double kLeastShown = 0.005;      // less reads 0.00, and a bar of nothing has no end
constexpr int kSecondShare = 5, kThirdShare = 6;

// What is written to the log is a sentence of its own here, without what stands in parentheses behind it.
QString eventText(QString line) {
    static const QRegularExpression details(QStringLiteral(" \\([^()]*\\)$"));
    line.remove(details);
    if (!line.isEmpty()) line[0] = line[0].toUpper();
    return line;
}

// The day's events: information and worse, newest first.
class NewestFirst : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    QVariant data(const QModelIndex& index, int role) const override {
        if (role == MonoRole) return {};  // prose here, not log lines
        const QVariant value = QSortFilterProxyModel::data(index, role);
        if (role != Qt::DisplayRole && role != Qt::AccessibleTextRole) return value;
        if (index.column() == LogTable::Time) return value.toString().left(5);  // to the minute
        return index.column() == LogTable::Message ? eventText(value.toString()) : value;
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
    m_scroll = new QScrollArea;
    QScrollArea* scroll = m_scroll;
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
    m_scroll->viewport()->installEventFilter(this);
    fold(Breadth::Wide);

    connect(&workspace, &Workspace::snapshotChanged, this, &HomePage::showSnapshot);
    connect(&workspace, &Workspace::modelsChanged, this, &HomePage::showModels);
    connect(&workspace, &Workspace::adaptersChanged, this, &HomePage::showModels);
    connect(&workspace, &Workspace::jobsChanged, this, &HomePage::showJobs);
    connect(&workspace, &Workspace::tenantsChanged, this, &HomePage::showNeeds);
    connect(&workspace, &Workspace::logChanged, this, &HomePage::showToday);
    connect(&workspace, &Workspace::machineChanged, this, [this] {
        if (isVisible() && m_workspace.snapshot()) showMachine();
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
    const bool narrow = m_isNarrow = breadth == Breadth::Narrow;
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
    m_today->setWidths({16, 0, 0, 84});
    for (ResourceRow* resource : {m_ram, m_disk, m_processor}) resource->setNarrow(narrow);
    m_grid->setRowStretch(1, kSecondShare);
    m_grid->setRowStretch(2, kThirdShare);
    shareHeight();
}

// Where all of the page is seen at once: rows in whole units of the grid. The last takes what is left.
void HomePage::shareHeight() {
    const QMargins margins = m_grid->contentsMargins();
    const int room = m_scroll->viewport()->height() - margins.top() - margins.bottom() - 2 * m_grid->spacing();
    int taken = 0;
    for (const std::size_t row : {0u, 1u}) {
        const std::array pair{m_panels[2 * row], m_panels[2 * row + 1]};
        if (m_isNarrow) {
            for (Panel* panel : pair) panel->setMinimumHeight(row == 0 ? scaled(kFirstRow) : 0);
            for (Panel* panel : pair) panel->setMaximumHeight(QWIDGETSIZE_MAX);
            continue;
        }
        int height = row == 0 ? scaled(kFirstRow) : (room - taken) * kSecondShare / (kSecondShare + kThirdShare);
        for (const Panel* panel : pair) height = qMax(height, panel->minimumSizeHint().height());
        height = (height + kUnit - 1) / kUnit * kUnit;
        for (Panel* panel : pair) panel->setFixedHeight(height);
        taken += height;
    }
}

bool HomePage::eventFilter(QObject* watched, QEvent* event) {
    if (watched == m_scroll->viewport() && event->type() == QEvent::Resize) shareHeight();
    return Page::eventFilter(watched, event);
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
    m_needsList = column({}, 0);
    m_limitsList = column({}, 0);
    list->rows()->addLayout(m_needsList);
    list->rows()->addLayout(m_limitsList);
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
    auto* table = new TableView(&m_workspace.models(), tr("Models"), kListRow, {36, 0, 22, 21, 0, 0, 0, 0, 23});
    m_adapters = new HomeAdapters;
    m_models->setContent(column({LayoutItem(table, 1), m_adapters}, 0));
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
    showAdapters();
    showMachine();
    const bool isBusy = s.running + s.waiting > 0 || std::ranges::any_of(s.jobs, isActive);
    m_workspace.refreshMachine(isBusy ? kMachineBusyMs : kMachineIdleMs);
}

void HomePage::showMachine() {
    const Snapshot& s = *m_workspace.snapshot();
    const MachineStats machine = m_workspace.machine().value_or(MachineStats());
    const auto showUse = [](ResourceRow* row, qint64 all, qint64 free, const QString& more) {
        if (all <= 0) return row->clear();
        row->show(double(all - free) / double(all), formatBytesBriefly(all - free),
                  tr("of %1").arg(formatBytesBriefly(all)), more);
    };
    showUse(m_ram, machine.memoryBytes, machine.memoryFreeBytes,
            tr("engine %1").arg(formatBytesBriefly(s.residentBytes)));
    showUse(m_disk, machine.diskBytes, machine.diskFreeBytes,
            tr("%1 free, workspace %2").arg(formatBytesBriefly(machine.diskFreeBytes), formatBytesBriefly(m_ownBytes)));
    const QString device =
        text(s.device) + (s.computeMode.empty() ? QString() : QStringLiteral(", ") + text(s.computeMode));
    m_processor->show(
        machine.processors > 0 && s.processorShare >= kLeastShown ? s.processorShare / machine.processors : 0,
        QLocale().toString(s.processorShare, 'f', 2),
        machine.processors > 0 ? counted(machine.processors, tr("of %1 core"), tr("of %1 cores")) : tr("cores"),
        tr("by the engine, %1").arg(device));
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
    m_models->setUnit(formatCount(m_workspace.models().rowCount()));
    showAdapters();
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
    std::vector<const TenantRecord*> tenants;
    for (const TenantRecord& tenant : m_workspace.tenants().tenants())
        if (isNearLimit(tenant)) tenants.push_back(&tenant);
    const std::size_t all = needs.size() + tenants.size();
    m_needs->setUnit(all == 0 ? QString() : formatCount(qint64(all)));
    needs.resize(std::min(needs.size(), kNeedsShown));
    tenants.resize(std::min(tenants.size(), kNeedsShown - needs.size()));
    showJobRows(m_needsList, m_workspace, needs);
    showLimits(tenants);
    m_needsStack->setCurrentIndex(all == 0 ? 1 : 0);
}

void HomePage::showLimits(const std::vector<const TenantRecord*>& tenants) {
    const auto rowOf = [this](int i) { return static_cast<LimitRow*>(m_limitsList->itemAt(i)->widget()); };
    for (int i = 0; i < int(tenants.size()); ++i) {
        const QString name = text(tenants[std::size_t(i)]->name);
        // Rows of others before it are gone: they were in the same order.
        while (i < m_limitsList->count() && rowOf(i)->tenant() != name) delete rowOf(i);
        if (i == m_limitsList->count()) {
            auto* row = new LimitRow(name);
            connect(row, &LimitRow::asked, this, &HomePage::tenantActivated);
            m_limitsList->addWidget(row);
        }
        rowOf(i)->show(*tenants[std::size_t(i)]);
    }
    while (m_limitsList->count() > int(tenants.size())) delete rowOf(m_limitsList->count() - 1);
}

void HomePage::showAdapters() {
    const Snapshot* s = m_workspace.snapshot();
    qint64 onDevice = 0;
    for (const LoadedModel& model : s ? s->models : std::vector<LoadedModel>()) onDevice += model.adapters;
    m_adapters->show(qint64(m_workspace.adapters().size()), onDevice, s ? s->hostAdapters : 0);
}

void HomePage::showToday() {
    m_todayStack->setCurrentIndex(m_today->model()->rowCount() == 0 ? 1 : 0);
}

}  // namespace espalier::ui
