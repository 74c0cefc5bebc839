// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/models_page.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>

#include "ui/models/format.h"
#include "ui/pages/memory_estimate_panel.h"
#include "ui/pages/model_inspector.h"
#include "ui/pages/tokenizer_panel.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kInspectorWide = 488, kInspectorMedium = 448;
constexpr qint64 kStaysListedMs = 10 * 60 * 1000;

// An import that runs, or failed and was not dismissed: what stands above the list.
class JobRow : public QWidget {
public:
    explicit JobRow(Workspace& workspace, qint64 id) : m_workspace(workspace), m_id(id) {
        m_cancel = button(ModelsPage::tr("Cancel"), {}, ButtonRole::Plain, ControlSize::Small);
        m_title = new TextLabel({}, text_size::kTable, QFont::Medium);
        m_step = new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary);
        m_percent = new TextLabel({}, text_size::kTable, QFont::DemiBold);
        m_left = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
        m_percent->setElide(Qt::ElideNone);
        m_bar = new ProgressBar;
        m_bar->setFixedWidth(120);
        m_error = new ErrorStrip;
        m_running = new QWidget;
        m_running->setLayout(
            row({LayoutItem(column({m_title, m_step}, 0), 1), m_bar, m_percent, m_left, m_cancel}, 8, {11, 4, 8, 4}));
        setLayout(column({m_running, m_error, horizontalLine()}, 0));
        connect(m_cancel, &QPushButton::clicked, this, [this] {
            m_cancel->setEnabled(false);
            m_workspace.engine().call(QStringLiteral("job-cancel"), {{"id", m_id}}, this, [](const Result<Json>&) {});
        });
    }
    void show(const JobRecord& job) {
        m_title->setText(text(job.title));
        const bool failed = job.state == JobState::Failed;
        m_running->setVisible(!failed);
        if (failed && m_error->isHidden() && !m_wasShown) {
            m_wasShown = true;
            m_error->showError(ModelsPage::tr("%1 failed").arg(text(job.title)), job.error.value_or(Error{}));
        }
        m_step->setText(job.state == JobState::Queued ? ModelsPage::tr("Waiting for its turn") : text(job.step));
        m_bar->setShare(job.progress);
        m_bar->setAccessibleName(text(job.title));
        m_percent->setText(QStringLiteral("%1 %").arg(qRound(job.progress * 100)));
        m_left->setText(job.etaS >= 0 ? ModelsPage::tr("%1 left").arg(formatDuration(job.etaS))
                                      : formatBytes(job.doneBytes));
        setVisible(!failed || !m_error->isHidden());
    }

private:
    Workspace& m_workspace;
    qint64 m_id;
    QWidget* m_running;
    TextLabel *m_title, *m_step, *m_percent, *m_left;
    ProgressBar* m_bar;
    QPushButton* m_cancel;
    ErrorStrip* m_error;
    bool m_wasShown = false;
};

}  // namespace

ModelsPage::ModelsPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_header(new PageHeader(tr("Models"))),
      m_filtered(new QSortFilterProxyModel(this)),
      m_inspector(new ModelInspector(workspace, actions)),
      m_estimate(new MemoryEstimatePanel(workspace)),
      m_tokenizer(new TokenizerPanel(workspace)),
      m_splitter(new QSplitter) {
    m_filtered->setSourceModel(&workspace.models());
    m_filtered->setSortRole(SortRole);
    m_filtered->setSortCaseSensitivity(Qt::CaseInsensitive);
    m_filtered->setFilterKeyColumn(-1);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    auto* filter = new QLineEdit;
    filter->setPlaceholderText(tr("Filter"));
    filter->setAccessibleName(tr("Filter models"));
    filter->setFixedWidth(200);
    filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    connect(filter, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    m_header->add(filter);
    m_header->add(buttonFor(actions.get(action::kImport), tr("Import model"), ButtonRole::Primary));

    auto* left = new QSplitter(Qt::Vertical);
    left->addWidget(listPanel());
    left->addWidget(m_estimate);
    left->addWidget(m_tokenizer);
    left->setStretchFactor(0, 5);
    left->setStretchFactor(1, 6);
    left->setStretchFactor(2, 4);
    left->setSizes({250, 300, 220});
    m_splitter->addWidget(left);
    m_splitter->addWidget(m_inspector);
    m_splitter->setChildrenCollapsible(false);
    left->setChildrenCollapsible(false);
    m_splitter->setStretchFactor(0, 1);
    m_inspector->setMinimumWidth(320);
    setLayout(column({m_header, LayoutItem(row({LayoutItem(m_splitter, 1)}, 0, {12, 8, 12, 12}), 1)}, 0));

    connect(&workspace, &Workspace::modelsChanged, this, &ModelsPage::showModels);
    connect(&workspace, &Workspace::jobsChanged, this, &ModelsPage::showJobs);
    connect(&workspace, &Workspace::snapshotChanged, this, [this] {
        for (const JobRecord& job : m_workspace.snapshot()->jobs)
            if (isActive(job)) return showJobs();
    });
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &ModelsPage::showCurrent);
    showModels();
    showJobs();
    fold(Breadth::Wide);
}

Panel* ModelsPage::listPanel() {
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Models of the workspace"));
    m_table = new TableView(m_filtered, tr("Models"), kListRow, {27, 11, 16, 14, 9, 16, 13});
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(ModelTable::Name, Qt::AscendingOrder);
    auto* begin = buttonFor(m_actions.get(action::kImport), tr("Import model"), ButtonRole::Primary);
    auto* list = new QWidget;
    m_listStack = new QStackedLayout(list);
    m_listStack->addWidget(m_table);
    m_listStack->addWidget(new EmptyView(
        QStringLiteral("box"),
        tr("No models yet. Import a folder with config.json and safetensors files, or drop it here."), begin));
    m_jobs = new QWidget;
    m_jobs->setLayout(column({}, 0));
    m_error = new ErrorStrip;
    panel->setContent(column(
        {m_jobs, row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(list, 1), horizontalLine(), binStrip()},
        0));
    m_table->setMinimumHeight(24 + 2 * kListRow);
    return panel;
}

QWidget* ModelsPage::binStrip() {
    auto* hint = new TextLabel(tr("Drop a model folder anywhere in the window"), text_size::kTable, QFont::Normal,
                               Tone::Secondary);
    m_binText = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    m_bin = new QWidget;
    m_bin->setLayout(row({m_binText, smallButtonFor(m_actions.get(action::kUndo), tr("Restore")),
                          smallButtonFor(m_actions.get(action::kEmptyBin), tr("Empty"))},
                         8));
    m_bin->hide();
    auto* strip = new QWidget;
    strip->setFixedHeight(36);
    strip->setLayout(row({LayoutItem(hint, 1), m_bin}, 8, {11, 0, 8, 0}));
    return strip;
}

void ModelsPage::fold(Breadth breadth) {
    const bool narrow = breadth == Breadth::Narrow;
    m_splitter->setOrientation(narrow ? Qt::Vertical : Qt::Horizontal);
    const int inspector = breadth == Breadth::Wide ? kInspectorWide : kInspectorMedium;
    m_estimate->setVisible(!narrow);
    m_tokenizer->setVisible(!narrow);
    m_table->setWidths(breadth == Breadth::Medium ? std::vector{30, 12, 18, 16, 10, 0, 14}
                                                  : std::vector{27, 11, 16, 14, 9, 16, 13});
    if (narrow)
        m_splitter->setSizes({220, 420});
    else
        m_splitter->setSizes({qMax(400, width() - inspector - 32), inspector});
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

void ModelsPage::beginRename() {
    if (!currentId().isEmpty()) m_inspector->beginRename();
}

void ModelsPage::act(const QString& operation, const QString& failure) {
    const QString id = currentId();
    if (id.isEmpty()) return;
    engine().call(operation, {{"model", id.toStdString()}}, this, [this, failure](const Result<Json>& answer) {
        if (!answer)
            m_error->showError(failure, answer.error());
        else
            m_workspace.refreshModels();
    });
}

void ModelsPage::showModels() {
    ModelTable& models = m_workspace.models();
    m_listStack->setCurrentIndex(models.rowCount() == 0 && m_workspace.hasModelList() ? 1 : 0);
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
    const qint64 now = m_workspace.snapshot() ? m_workspace.snapshot()->at : 0;
    for (const JobRecord& job : m_workspace.jobs().jobs()) {
        const bool failedLately = job.state == JobState::Failed && now - job.endedAt < kStaysListedMs;
        if (isActive(job) || failedLately) shown.push_back(&job);
    }
    QLayout* list = m_jobs->layout();
    for (int i = list->count() - 1; i >= 0; --i) {
        QWidget* widget = list->itemAt(i)->widget();
        const auto id = widget->property("job").toLongLong();
        const bool stays = std::any_of(shown.begin(), shown.end(), [&](const JobRecord* job) { return job->id == id; });
        if (!stays) {
            list->removeWidget(widget);
            widget->deleteLater();
        }
    }
    for (const JobRecord* job : shown) {
        JobRow* row = nullptr;
        for (int i = 0; i < list->count(); ++i)
            if (list->itemAt(i)->widget()->property("job").toLongLong() == job->id)
                row = static_cast<JobRow*>(list->itemAt(i)->widget());
        if (!row) {
            row = new JobRow(m_workspace, job->id);
            row->setProperty("job", qlonglong(job->id));
            list->addWidget(row);
        }
        row->show(*job);
    }
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
