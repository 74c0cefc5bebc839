// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/adapters_panel.h"

#include <QBoxLayout>
#include <QFileDialog>
#include <QFileInfo>
#include <QStackedLayout>
#include <algorithm>

#include "core/api/protocol.h"
#include "ui/models/adapter_folders.h"
#include "ui/models/format.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

const std::vector kWidths{24, 10, 26, 14, 10, 16};
const std::vector kNarrowWidths{26, 12, 20, 17, 0, 25};  // without the version, which the name's tooltip says
constexpr int kNarrow = 600;
constexpr std::size_t kNamedFailures = 3;

}  // namespace

AdaptersPanel::AdaptersPanel(Workspace& workspace)
    : m_workspace(workspace),
      m_table(new TableView(&m_adapters, tr("Adapters"), kLiveRow, kWidths)),
      m_error(new ErrorStrip) {
    auto* begin = button(tr("Import adapter…"), QStringLiteral("import"), ButtonRole::Primary);
    begin->setAccessibleName(tr("Import the first adapter"));
    connect(begin, &QPushButton::clicked, this, &AdaptersPanel::chooseFolder);
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(m_table);
    m_stack->addWidget(new EmptyView(
        QStringLiteral("box"),
        tr("No adapters of this model yet. Drop adapter folders (PEFT or AdapterHub) here, or import one."), begin));
    setLayout(
        column({toolRow(), removedRow(), row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(holder, 1)}, 0));
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &AdaptersPanel::refreshButtons);
    connect(&workspace, &Workspace::adaptersChanged, this, &AdaptersPanel::showAdapters);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &AdaptersPanel::refreshButtons);
    connect(&workspace.engine(), &EngineClient::jobChanged, this, &AdaptersPanel::finish);
    show(nullptr);
}

QWidget* AdaptersPanel::toolRow() {
    m_import = button(tr("Import…"), QStringLiteral("import"), ButtonRole::Plain, ControlSize::Small);
    m_import->setAccessibleName(tr("Import an adapter"));
    m_reload = button(tr("Reload"), QStringLiteral("refresh-cw"), ButtonRole::Plain, ControlSize::Small);
    m_reload->setAccessibleName(tr("Reload the adapter"));
    m_reload->setToolTip(tr("Read its files again; what runs finishes on the old version"));
    m_remove = button(tr("Remove"), QStringLiteral("trash-2"), ButtonRole::Plain, ControlSize::Small);
    m_remove->setAccessibleName(tr("Remove the adapter"));
    connect(m_import, &QPushButton::clicked, this, &AdaptersPanel::chooseFolder);
    connect(m_reload, &QPushButton::clicked, this, &AdaptersPanel::reloadChosen);
    connect(m_remove, &QPushButton::clicked, this, &AdaptersPanel::removeChosen);
    m_busy = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* bar = new QWidget;
    bar->setLayout(row({m_import, LayoutItem(m_busy, 1), m_reload, m_remove}, 8, {11, 6, 11, 6}));
    return bar;
}

// In place of a question before: what was removed, and the way back.
QWidget* AdaptersPanel::removedRow() {
    m_removedText = new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary);
    auto* back = button(tr("Undo"), QStringLiteral("undo-2"), ButtonRole::Plain, ControlSize::Small);
    back->setAccessibleName(tr("Bring the adapter back"));
    connect(back, &QPushButton::clicked, this, &AdaptersPanel::bringBack);
    m_removedRow = new QWidget;
    m_removedRow->setLayout(row({LayoutItem(m_removedText, 1), back}, 8, {11, 0, 11, 6}));
    m_removedRow->hide();
    return m_removedRow;
}

void AdaptersPanel::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    m_table->setWidths(width() < scaled(kNarrow) ? kNarrowWidths : kWidths);
}

void AdaptersPanel::show(const ModelRecord* model) {
    const std::string id = model ? model->id : std::string();
    m_modelName = model ? model->name : std::string();
    if (id != m_model) {
        m_model = id;
        m_removed.reset();
        m_removedRow->hide();
        m_error->clear();
        m_jobs.clear();
    }
    showAdapters();
}

void AdaptersPanel::showAdapters() {
    std::vector<AdapterRecord> mine;
    for (const AdapterRecord& adapter : m_workspace.adapters())
        if (adapter.baseId == m_model) mine.push_back(adapter);
    m_adapters.setAdapters(std::move(mine));
    m_stack->setCurrentIndex(m_adapters.rowCount() > 0 ? 0 : 1);
    refreshButtons();
}

const AdapterRecord* AdaptersPanel::chosen() const {
    const int row = m_table->currentRow();
    return row < 0 ? nullptr : &m_adapters.at(row);
}

void AdaptersPanel::refreshButtons() {
    const EngineClient& engine = m_workspace.engine();
    const bool works = engine.isAttached() && m_calls == 0 && !m_model.empty();
    m_import->setEnabled(works);
    m_import->setVisible(!engine.isForeign());  // a folder of this machine means nothing to another
    m_reload->setEnabled(works && chosen());
    m_remove->setEnabled(works && chosen());
    m_busy->setText(m_calls > 0 ? tr("Reading and checking…") : QString());
    emit choiceChanged();
}

void AdaptersPanel::chooseFolder() {
    auto* dialog = new QFileDialog(this, tr("Import an adapter folder of PEFT or AdapterHub"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& folder) { import({folder}); });
    dialog->open();
}

void AdaptersPanel::import(const QStringList& folders) {
    if (folders.size() != 1 || holdsAdapterFolders(folders.front())) return importMany(folders);
    const QString& folder = folders.front();
    call(QStringLiteral("adapter-import"),
         {{"path", folder.toStdString()}, {"model", m_model}, {"name", QFileInfo(folder).fileName().toStdString()}},
         tr("The adapter was not imported"));
}

void AdaptersPanel::importMany(const QStringList& folders) {
    for (qsizetype begin = 0; begin < folders.size(); begin += qsizetype(kMostAdaptersAtOnce)) {
        Json paths = Json::array();
        for (const QString& folder : folders.mid(begin, qsizetype(kMostAdaptersAtOnce)))
            paths.push_back(folder.toStdString());
        call(QStringLiteral("adapters-import"), {{"paths", paths}, {"model", m_model}, {"job", true}},
             tr("The adapters were not imported"), [this](const Json& answer) {
                 m_jobs.push_back(answer.value("job", std::int64_t{0}));
                 const JobRecord* job = m_workspace.jobs().find(m_jobs.back());
                 if (job) finish(*job);  // it may have ended before this answer came
             });
    }
}

// What came in is in the list; what did not is said here. That none came in is said in the job's own row.
void AdaptersPanel::finish(const JobRecord& job) {
    if (isActive(job) || std::erase(m_jobs, job.id) == 0 || job.state != JobState::Finished) return;
    const auto result = parseJson(job.result, "result");
    if (!result || !result->is_object()) return;
    const Json failed = result->value("failed", Json::array());
    if (failed.empty()) return;
    QStringList reasons;
    for (std::size_t i = 0; i < std::min(failed.size(), kNamedFailures); ++i)
        reasons << text(failed[i].value("message", std::string()));
    const qint64 count = qint64(failed.size()), all = count + result->value("imported", std::int64_t{0});
    m_error->showError(tr("%1 of %2 adapters were not imported").arg(formatCount(count), formatCount(all)),
                       fail(ErrorCode::InvalidArgument, reasons.join(QLatin1Char('\n')).toStdString()));
}

void AdaptersPanel::reloadChosen() {
    if (const AdapterRecord* adapter = chosen())
        call(QStringLiteral("adapter-reload"), {{"adapter", adapter->id}}, tr("The adapter was not reloaded"));
}

void AdaptersPanel::removeChosen() {
    const AdapterRecord* adapter = chosen();
    if (!adapter) return;
    call(QStringLiteral("adapter-remove"), {{"adapter", adapter->id}}, tr("The adapter was not removed"),
         [this, gone = *adapter](const Json&) {
             m_removed = gone;
             m_removedText->setText(tr("%1 was removed").arg(text(gone.name)));
             m_removedRow->show();
         });
}

void AdaptersPanel::bringBack() {
    if (!m_removed) return;
    call(QStringLiteral("adapter-import"),
         {{"path", m_removed->source},
          {"model", m_removed->baseId},
          {"name", m_removed->name},
          {"tenant", m_removed->tenant}},
         tr("The adapter was not brought back"), [this](const Json&) {
             m_removed.reset();
             m_removedRow->hide();
         });
}

void AdaptersPanel::call(const QString& operation, const Json& arguments, const QString& failure,
                         std::function<void(const Json&)> done) {
    m_error->clear();
    ++m_calls;
    refreshButtons();
    m_workspace.engine().call(operation, arguments, this,
                              [this, failure, model = m_model, done = std::move(done)](const Result<Json>& answer) {
                                  --m_calls;
                                  refreshButtons();
                                  if (answer) m_workspace.refreshAdapters();
                                  if (model != m_model) return;  // another model is shown by now
                                  if (!answer) return m_error->showError(failure, answer.error());
                                  if (done) done(*answer);
                              });
}

}  // namespace espalier::ui
