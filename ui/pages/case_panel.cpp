// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/case_panel.h"

#include <QBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QStackedLayout>

#include "ui/models/format.h"
#include "ui/shell/actions.h"
#include "ui/widgets/name_edit.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {

namespace {

constexpr int kCaseRow = 44, kLine = 18, kSentenceWidth = 160;

// Two lines: the name of a case, and under it how it went. The second column is not shown by itself.
class CaseDelegate : public CellDelegate {
public:
    explicit CaseDelegate(QObject* parent) : CellDelegate(scaled(kCaseRow), parent) {}
    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const int line = scaled(kLine), top = option.rect.top() + (option.rect.height() - 2 * line) / 2;
        QStyleOptionViewItem half = option;
        half.rect = QRect(option.rect.left(), top, option.rect.width(), line);
        paintCell(painter, half, index);
        half.rect.translate(0, line);
        paintCell(painter, half, index.siblingAtColumn(CaseTable::Outcome));
        paintEdges(painter, option, index);
    }
};

}  // namespace

CasePanel::CasePanel(Workspace& workspace, Actions& actions)
    : Panel(tr("Cases")),
      m_workspace(workspace),
      m_table(new TableView(&m_cases, tr("Saved cases"), kCaseRow, {100, 0})),
      m_name(new NameEdit),
      m_expected(new QLineEdit),
      m_run(button(tr("Run"), QStringLiteral("play"), ButtonRole::Plain, ControlSize::Small)),
      m_runAll(button(tr("Run all"), QStringLiteral("list-checks"), ButtonRole::Plain, ControlSize::Small)),
      m_undo(button(tr("Bring back"), QStringLiteral("undo-2"), ButtonRole::Plain, ControlSize::Small)),
      m_use(toolButton(QStringLiteral("corner-down-right"), tr("Put the case into the fields"))),
      m_rename(toolButton(QStringLiteral("pencil"), tr("Rename the case"))),
      m_remove(toolButton(QStringLiteral("trash-2"), tr("Remove the case"))),
      m_error(new ErrorStrip) {
    m_table->horizontalHeader()->hide();
    m_table->setItemDelegate(new CaseDelegate(m_table));
    m_name->setAccessibleName(tr("Name of the case"));
    m_name->setPlaceholderText(tr("Name"));
    m_name->hide();
    m_expected->setAccessibleName(tr("Text an answer must contain"));
    m_expected->setPlaceholderText(tr("An answer must contain…"));
    m_expected->setToolTip(m_expected->accessibleName());
    for (QWidget* edit : std::initializer_list<QWidget*>{m_name, m_expected}) setControlSize(edit, ControlSize::Small);
    for (QToolButton* tool : {m_use, m_rename, m_remove}) addTitleWidget(tool);
    m_undo->hide();
    auto* list = new QWidget;
    m_stack = new QStackedLayout(list);
    m_stack->addWidget(m_table);
    m_saveFirst = buttonFor(actions.get(action::kSaveCase), tr("Save the prompt"));
    m_write = buttonFor(actions.get(action::kWrite), tr("Write a prompt"));
    m_none = new EmptyView(QStringLiteral("bookmark-plus"), tr("Save a prompt as a case to ask it again later."),
                           m_saveFirst);
    m_none->offer(m_write);
    m_none->setSentenceWidth(kSentenceWidth);
    m_stack->addWidget(m_none);
    setSaveable(false);
    setContent(column({horizontalLine(), row({LayoutItem(m_error, 1)}, 0, {6, 0, 6, 0}), LayoutItem(list, 1),
                       row({m_undo, nullptr}, 0, {11, 0, 7, 4}), horizontalLine(),
                       column({m_name, m_expected}, 4, {8, 8, 8, 0}), row({m_run, m_runAll, nullptr}, 4, {8, 6, 8, 6})},
                      0));
    setUnit({});
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &CasePanel::showCurrent);
    // Not by a click alone: that chooses a case to run, rename or remove, and what is typed stays.
    const auto use = [this] {
        if (const SavedCase* saved = current()) emit chosen(saved->id);
    };
    connect(m_table, &QAbstractItemView::activated, this, use);
    connect(m_use, &QToolButton::clicked, this, use);
    connect(m_rename, &QToolButton::clicked, this, &CasePanel::beginRename);
    connect(m_name, &QLineEdit::returnPressed, this, &CasePanel::renameCurrent);
    connect(m_name, &NameEdit::dropped, m_name, &QWidget::hide);
    connect(m_expected, &QLineEdit::editingFinished, this, &CasePanel::setExpected);
    connect(m_run, &QPushButton::clicked, this, [this] {
        if (const SavedCase* saved = current()) emit runRequested({saved->id});
    });
    connect(m_runAll, &QPushButton::clicked, this, [this] {
        std::vector<qint64> ids;
        for (const SavedCase& saved : m_cases.cases()) ids.push_back(saved.id);
        emit runRequested(ids);
    });
    connect(m_remove, &QToolButton::clicked, this, &CasePanel::removeCurrent);
    connect(m_undo, &QPushButton::clicked, this, &CasePanel::undoRemove);
    connect(&workspace.engine(), &EngineClient::attached, this, &CasePanel::read);
    connect(&workspace, &Workspace::left, this, [this] {
        m_cases.setCases({});
        m_saving.clear();
        m_removed.reset();
        m_undo->hide();
        showCurrent();
    });
    showCurrent();
    if (workspace.engine().isAttached()) read();  // made anew beside a connection that goes on
}

const SavedCase* CasePanel::current() const {
    const int row = m_table->currentRow();
    return row < 0 || row >= int(m_cases.cases().size()) ? nullptr : &m_cases.cases()[std::size_t(row)];
}

void CasePanel::read() {
    if (m_workspace.engine().access() == Access::Guest) return;  // a key for models alone opens no workspace
    m_workspace.engine().call(QStringLiteral("cases"), Json::object(), this, [this](const Result<Json>& answer) {
        if (!answer) {
            m_error->showError(tr("The saved cases were not read"), answer.error());
            return;
        }
        m_error->clear();
        std::vector<SavedCase> cases;
        if (const auto list = answer->find("cases"); list != answer->end() && list->is_array())
            for (const Json& item : *list)
                if (auto saved = savedCaseFromJson(item)) cases.push_back(std::move(*saved));
        m_cases.setCases(std::move(cases));
        showCurrent();
    });
}

void CasePanel::save(SavedCase saved) {
    m_error->clear();
    if (saved.id == 0) return keep(saved);
    m_cases.update(saved);  // two answers may end before the first change is kept
    const auto [known, isFirst] = m_saving.try_emplace(saved.id, false);
    known->second = !isFirst;
    if (isFirst) keep(saved);
}

// One at a time of each case: a slow answer must not bring an older state back, here or with the daemon.
void CasePanel::keep(const SavedCase& saved) {
    m_workspace.engine().call(QStringLiteral("case-save"), {{"case", toJson(saved)}}, this,
                              [this, id = saved.id](const Result<Json>& answer) {
                                  const auto kept =
                                      answer ? savedCaseFromJson(*answer) : Result<SavedCase>(answer.error());
                                  const auto waiting = m_saving.find(id);
                                  const bool changed = waiting != m_saving.end() && waiting->second;
                                  if (waiting != m_saving.end()) m_saving.erase(waiting);
                                  const SavedCase* now = id == 0 ? nullptr : m_cases.find(id);
                                  if (!kept) m_error->showError(tr("The case was not saved"), kept.error());
                                  if (changed && now) return save(SavedCase(*now));
                                  if (!kept) return;
                                  if (id == 0 || now) m_cases.update(*kept);
                                  if (id == 0) m_table->selectRow(m_cases.rowCount() - 1);
                                  showCurrent();
                              });
}

void CasePanel::removeCurrent() {
    const SavedCase* saved = current();
    if (!saved) return;
    m_error->clear();
    m_workspace.engine().call(QStringLiteral("case-remove"), {{"id", saved->id}}, this,
                              [this, removed = *saved](const Result<Json>& answer) {
                                  if (!answer) {
                                      m_error->showError(tr("The case was not removed"), answer.error());
                                      return;
                                  }
                                  m_removed = removed;
                                  m_undo->show();
                                  m_undo->setToolTip(removed.name);
                                  m_cases.remove(removed.id);
                                  showCurrent();
                              });
}

void CasePanel::undoRemove() {
    if (!m_removed) return;
    SavedCase back = *std::exchange(m_removed, std::nullopt);
    back.id = 0;  // its number is gone
    m_undo->hide();
    save(std::move(back));
}

void CasePanel::beginRename() {
    const SavedCase* saved = current();
    if (!saved) return;
    m_name->setText(saved->name);
    m_name->show();
    m_name->selectAll();
    m_name->setFocus();
}

void CasePanel::renameCurrent() {
    const SavedCase* saved = current();
    const QString name = m_name->text().trimmed();
    m_name->hide();
    if (!saved || name.isEmpty() || name == saved->name) return;
    SavedCase changed = *saved;
    changed.name = name;
    save(std::move(changed));
}

void CasePanel::setExpected() {
    const SavedCase* saved = current();
    if (!saved || m_expected->text() == saved->expected) return;
    SavedCase changed = *saved;
    changed.expected = m_expected->text();
    save(std::move(changed));
}

void CasePanel::setSaveable(bool saveable) {
    m_none->showOnly(saveable ? m_saveFirst : m_write);
}

void CasePanel::setBusy(bool busy) {
    m_busy = busy;
    showCurrent();
}

void CasePanel::showCurrent() {
    const SavedCase* saved = current();
    m_stack->setCurrentIndex(m_cases.rowCount() == 0 ? 1 : 0);
    setUnit(m_cases.rowCount() == 0 ? QString() : formatCount(m_cases.rowCount()));
    m_expected->setEnabled(saved != nullptr);
    m_rename->setEnabled(saved != nullptr);
    m_remove->setEnabled(saved != nullptr && !m_busy);
    m_use->setEnabled(saved != nullptr && !m_busy);
    m_run->setEnabled(saved != nullptr && !m_busy);
    m_runAll->setEnabled(m_cases.rowCount() > 0 && !m_busy);
    if (!m_expected->hasFocus()) m_expected->setText(saved ? saved->expected : QString());
}

}  // namespace espalier::ui
