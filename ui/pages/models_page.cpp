// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/models_page.h"

#include <QDateTime>
#include <QHeaderView>
#include <QJsonArray>
#include <QLineEdit>
#include <QScrollArea>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/pages/adapters_panel.h"
#include "ui/pages/job_row.h"
#include "ui/pages/memory_estimate_panel.h"
#include "ui/pages/model_inspector.h"
#include "ui/pages/template_panel.h"
#include "ui/pages/tokenizer_panel.h"
#include "ui/widgets/scroll_list.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kInspectorWide = 488, kInspectorMedium = 448;
constexpr int kLeastStacked = 560;  // list over inspector; less scrolls
constexpr int kAroundList = 68;     // head, strip and frame
constexpr int kMostStackedRows = 5;
const std::vector kWidths{25, 11, 15, 13, 9, 15, 12, 12, 0};
constexpr qint64 kStaysListedMs = 10 * 60 * 1000;
constexpr std::size_t kMostJobs = 4;
enum ListPart { kList, kNoModels, kBinList, kNoMatch };

}  // namespace

ModelsPage::ModelsPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_header(new PageHeader(tr("Models"))),
      m_filtered(new QSortFilterProxyModel(this)),
      m_filter(new QLineEdit),
      m_inspector(new ModelInspector(workspace, actions)),
      m_estimate(new MemoryEstimatePanel(workspace)),
      m_tokenizer(new TokenizerPanel(workspace, actions)),
      m_estimatePart(scrolled(m_estimate)),
      m_tokenizerPart(scrolled(m_tokenizer)),
      m_splitter(new QSplitter),
      m_left(new QSplitter(Qt::Vertical)) {
    m_filtered->setSourceModel(&workspace.models());
    m_filtered->setSortRole(SortRole);
    m_filtered->setSortCaseSensitivity(Qt::CaseInsensitive);
    m_filtered->setFilterKeyColumn(-1);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter models"));
    m_filter->setFixedWidth(scaled(200));
    m_filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    connect(m_filter, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    connect(m_filter, &QLineEdit::textChanged, this, &ModelsPage::showList);
    m_header->add(m_filter);
    m_header->add(buttonFor(actions.get(action::kImport), tr("Import model"), ButtonRole::Primary));

    m_left->addWidget(listPanel());
    m_left->addWidget(m_estimatePart);
    m_left->addWidget(m_tokenizerPart);
    m_left->setStretchFactor(0, 3);
    m_left->setStretchFactor(1, 6);
    m_left->setStretchFactor(2, 4);
    m_left->setSizes({176, 348, 236});
    m_splitter->addWidget(m_left);
    m_splitter->addWidget(m_inspector);
    m_splitter->setChildrenCollapsible(false);
    m_left->setChildrenCollapsible(false);
    m_splitter->setStretchFactor(0, 1);
    m_inspector->setMinimumWidth(scaled(320));
    auto* content = new QWidget;
    content->setLayout(row({LayoutItem(m_splitter, 1)}, 0, {12, 8, 12, 12}));
    setLayout(column({m_header, LayoutItem(scrolled(content), 1)}, 0));

    connect(&workspace, &Workspace::modelsChanged, this, &ModelsPage::showModels);
    connect(&workspace, &Workspace::jobsChanged, this, &ModelsPage::showJobs);
    connect(&workspace, &Workspace::snapshotChanged, this, [this] {
        const Snapshot* snapshot = m_workspace.snapshot();
        if (snapshot && std::ranges::any_of(snapshot->jobs, isActive)) showJobs();
    });
    connect(&engine(), &EngineClient::jobChanged, this, [this](const JobRecord& job) {
        // What a scan or a verification found belongs to the inspection.
        const bool found = job.state == JobState::Finished && (job.kind == "scan" || job.kind == "verify");
        if (found && !m_inspected.isEmpty()) inspect(m_inspected);
    });
    connect(&engine(), &EngineClient::attached, this, [this] { m_inspected.clear(); });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ModelsPage::showCurrent);
    connect(&m_inspector->adapters(), &AdaptersPanel::choiceChanged, this, &ModelsPage::currentChanged);
    connect(&m_tokenizer->preview(), &TemplatePreview::changed, this, &Page::sessionChanged);
    showModels();
    showJobs();
    fold(Breadth::Wide);
}

Panel* ModelsPage::listPanel() {
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Models of the workspace"));
    m_table = new TableView(m_filtered, tr("Models"), kListRow, kWidths);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(ModelTable::Name, Qt::AscendingOrder);
    auto* begin = buttonFor(m_actions.get(action::kImport), tr("Import model"), ButtonRole::Primary);
    m_binTable = new TableView(&m_workspace.bin(), tr("Models in the bin"), kListRow, {30, 14, 18, 18, 0, 20, 0, 0, 0});
    auto* list = new QWidget;
    m_listStack = new QStackedLayout(list);
    m_listStack->addWidget(m_table);
    m_listStack->addWidget(new EmptyView(
        QStringLiteral("box"), tr("No models yet. Import a model folder or a GGUF file, or drop it here."), begin));
    m_listStack->addWidget(m_binTable);
    m_listStack->addWidget(filterMiss(m_filter));
    auto* jobs = new ScrollList;
    jobs->setAccessibleName(tr("Jobs about models"));
    m_jobs = jobs->rows();
    m_error = new ErrorStrip;
    panel->setContent(column(
        {jobs, row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(list, 1), horizontalLine(), binStrip()}, 0));
    m_table->setMinimumHeight(scaled(24 + 2 * kListRow));
    return panel;
}

QWidget* ModelsPage::binStrip() {
    m_listHint = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_binText = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_showBin = button({}, {}, ButtonRole::Plain, ControlSize::Small);
    connect(m_showBin, &QPushButton::clicked, this, [this] {
        m_binShown = !m_binShown;
        showList();
    });
    m_bin = new QWidget;
    m_bin->setLayout(row({m_binText, m_showBin, smallButtonFor(m_actions.get(action::kUndo), tr("Restore")),
                          smallButtonFor(m_actions.get(action::kEmptyBin), tr("Empty"))},
                         8));
    m_bin->hide();
    auto* strip = new QWidget;
    strip->setFixedHeight(scaled(36));
    strip->setLayout(row({LayoutItem(m_listHint, 1), m_bin}, 8, {11, 0, 8, 0}));
    return strip;
}

// A panel that may be higher than its place: it scrolls rather than being cut.
QWidget* ModelsPage::scrolled(QWidget* panel) {
    auto* scroll = new QScrollArea;
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->setWidget(panel);
    return scroll;
}

void ModelsPage::foldSideParts(bool narrow) {
    for (Panel* panel : std::initializer_list<Panel*>{m_estimate, m_tokenizer}) panel->setFramed(!narrow);
    if (narrow) {
        m_inspector->lendTab(tr("Memory"), m_estimatePart);
        m_inspector->lendTab(tr("Tokenizer"), m_tokenizerPart);
        return;
    }
    for (QWidget* part : {m_estimatePart, m_tokenizerPart}) {
        m_inspector->returnTab(part);
        if (m_left->indexOf(part) < 0) m_left->addWidget(part);
        part->show();
    }
}

void ModelsPage::fold(Breadth breadth) {
    const bool narrow = breadth == Breadth::Narrow;
    m_splitter->setOrientation(narrow ? Qt::Vertical : Qt::Horizontal);
    const int inspector = breadth == Breadth::Wide ? kInspectorWide : kInspectorMedium;
    foldSideParts(narrow);
    m_splitter->setMinimumHeight(narrow ? scaled(kLeastStacked) : 0);
    m_table->setWidths(breadth == Breadth::Medium ? std::vector{29, 12, 18, 16, 10, 0, 13, 13, 0} : kWidths);
    // The list as high as a few rows of it need, the rest is the inspector's.
    const int list = kAroundList + kListRow * qBound(2, m_workspace.models().rowCount(), kMostStackedRows);
    if (narrow)
        m_splitter->setSizes({scaled(list), scaled(640 - list)});
    else
        m_splitter->setSizes({qMax(scaled(400), width() - scaled(inspector) - 32), scaled(inspector)});
}

QJsonObject ModelsPage::session() const {
    if (!m_tokenizer->preview().isChanged()) return {};
    QJsonArray messages;
    for (const ChatMessage& message : m_tokenizer->preview().messages())
        messages.append(QJsonArray{message.role, message.content});
    return {{QStringLiteral("template"), messages}};
}

void ModelsPage::restoreSession(const QJsonObject& session) {
    std::vector<ChatMessage> messages;
    const QJsonArray kept = session.value(QStringLiteral("template")).toArray();
    for (qsizetype i = 0; i < kept.size(); ++i)
        messages.push_back({kept[i].toArray().at(0).toString(), kept[i].toArray().at(1).toString()});
    m_tokenizer->preview().setMessages(messages);
}

QString ModelsPage::currentId() const {
    const int row = m_table->currentRow();
    return row < 0 ? QString() : m_filtered->index(row, 0).data(IdRole).toString();
}

void ModelsPage::select(const QString& id) {
    for (int row = 0; row < m_filtered->rowCount(); ++row) {
        if (m_filtered->index(row, 0).data(IdRole).toString() != id) continue;
        m_table->selectRow(row);
        return;
    }
    m_selectNext = id;  // it is on its way
}

void ModelsPage::importAdapters(const QStringList& folders) {
    m_inspector->importAdapters(folders);
}

bool ModelsPage::hasChosenAdapter() const {
    return m_inspector->adapters().hasChosen();
}

void ModelsPage::reloadAdapter() {
    m_inspector->adapters().reloadChosen();
}

void ModelsPage::removeAdapter() {
    m_inspector->adapters().removeChosen();
}

void ModelsPage::chooseAdapter() {
    m_inspector->chooseAdapter();
}

void ModelsPage::beginRename() {
    if (!currentId().isEmpty()) m_inspector->beginRename();
}

void ModelsPage::call(const QString& operation, const Json& arguments, const QString& failure,
                      std::function<void()> done) {
    m_error->clear();
    engine().call(operation, arguments, this, [this, failure, done = std::move(done)](const Result<Json>& answer) {
        if (!answer) {
            m_error->showError(failure, answer.error());
            emit refused();
            return;
        }
        m_workspace.refreshModels();
        if (done) done();
    });
}

void ModelsPage::act(const QString& operation, const QString& failure) {
    const QString id = currentId();
    if (!id.isEmpty()) call(operation, {{"model", id.toStdString()}}, failure, {});
}

void ModelsPage::restore() {
    const auto& bin = m_workspace.bin().models();
    if (bin.empty()) return;
    auto wanted = std::max_element(bin.begin(), bin.end(), [](const ModelRecord& a, const ModelRecord& b) {
        return a.removedAt.value_or(0) < b.removedAt.value_or(0);
    });
    if (const int row = m_binTable->currentRow(); m_binShown && row >= 0) wanted = bin.begin() + row;
    const QString id = text(wanted->id);
    call(QStringLiteral("restore"), {{"id", wanted->id}}, tr("%1 was not restored").arg(text(wanted->name)),
         [this, id] { select(id); });
}

void ModelsPage::emptyBin() {
    call(QStringLiteral("empty-bin"), Json::object(), tr("The bin was not emptied"), {});
}

void ModelsPage::showList() {
    const bool none = m_workspace.models().rowCount() == 0 && m_workspace.hasModelList();
    if (m_workspace.bin().rowCount() == 0) m_binShown = false;
    const bool missed = !none && m_workspace.models().rowCount() > 0 && m_filtered->rowCount() == 0;
    m_listStack->setCurrentIndex(m_binShown ? kBinList : none ? kNoModels : missed ? kNoMatch : kList);
    if (m_binShown && m_binTable->currentRow() < 0) m_binTable->selectRow(0);
    m_showBin->setText(m_binShown ? tr("Back to the models") : tr("Show"));
    m_showBin->setAccessibleName(m_binShown ? tr("Back to the models") : tr("Show the bin"));
    m_listHint->setText(m_binShown ? tr("In the bin until it is emptied")
                                   : tr("Drop a model folder or file anywhere in the window"));
}

void ModelsPage::showModels() {
    ModelTable& models = m_workspace.models();
    showList();
    m_header->setFacts(
        tr("%1, %2 on disk")
            .arg(counted(models.rowCount(), tr("%1 model"), tr("%1 models")), formatBytes(models.totalBytes())));
    const ModelTable& bin = m_workspace.bin();
    m_bin->setVisible(bin.rowCount() > 0);
    m_binText->setText(
        tr("Bin: %1, %2").arg(counted(bin.rowCount(), tr("%1 model"), tr("%1 models")), formatBytes(bin.totalBytes())));
    if (!m_selectNext.isEmpty() && models.find(m_selectNext)) select(std::exchange(m_selectNext, {}));
    if (currentId().isEmpty() && m_filtered->rowCount() > 0) m_table->selectRow(0);
    showCurrent();
}

void ModelsPage::showJobs() {
    std::vector<const JobRecord*> shown;
    const qint64 now = m_workspace.snapshot() ? m_workspace.snapshot()->at : QDateTime::currentMSecsSinceEpoch();
    for (const JobRecord& job : m_workspace.jobs().jobs()) {
        const bool failedLately = job.state == JobState::Failed && now - job.endedAt < kStaysListedMs;
        if (isActive(job) || job.state == JobState::Interrupted || failedLately) shown.push_back(&job);
        if (shown.size() == kMostJobs) break;  // the dock has them all
    }
    showJobRows(m_jobs, m_workspace, shown);
}

void ModelsPage::showCurrent() {
    const QString id = currentId();
    const ModelRecord* model = m_workspace.models().find(id);
    m_inspector->show(model);
    m_tokenizer->show(model);
    if (m_inspected != id) {
        m_inspected = id;
        m_estimate->show(nullptr);
        if (model) inspect(id);
    }
    emit currentChanged();
}

void ModelsPage::inspect(const QString& id) {
    engine().inspect(id, this, [this, id](Result<ModelInspection> inspection) {
        if (id != m_inspected) return;
        if (!inspection) {
            m_error->showError(tr("The model could not be read"), inspection.error());
            return;
        }
        m_inspector->setInspection(*inspection);
        m_estimate->show(&*inspection);
    });
}

}  // namespace espalier::ui
