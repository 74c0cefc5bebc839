// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tenants_page.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QFileDialog>
#include <QKeyEvent>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <algorithm>
#include <utility>

#include "core/api/tenant_protocol.h"
#include "ui/models/format.h"
#include "ui/models/usage_export.h"
#include "ui/pages/isolation_strip.h"
#include "ui/pages/key_dialog.h"
#include "ui/pages/spark_delegate.h"
#include "ui/pages/tenant_inspector.h"
#include "ui/pages/tenant_usage_view.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kInspectorWidth = 416;
// Where the window is narrow, a chevron leads into the inspector.
const std::vector kWideColumns{20, 7, 9, 9, 12, 9, 14, 18, 14, 0}, kMediumColumns{22, 8, 0, 10, 14, 0, 16, 20, 16, 0},
    kNarrowColumns{24, 0, 0, 10, 14, 0, 18, 22, 16, 5};
constexpr int kBeatMs = 5000;    // what was used today, while the page is seen
constexpr int kUsageBeats = 12;  // the days and hours behind it
constexpr int kExportDays = 400;
constexpr std::size_t kMostUndo = 100;

}  // namespace

TenantsPage::TenantsPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_tenants(workspace.tenants()),
      m_filtered(new QSortFilterProxyModel(this)),
      m_header(new PageHeader(tr("Tenants"))),
      m_inspector(new TenantInspector(workspace, actions)),
      m_splitter(new QSplitter) {
    m_filtered->setSourceModel(&m_tenants);
    m_filtered->setSortRole(SortRole);
    m_filtered->setSortCaseSensitivity(Qt::CaseInsensitive);
    m_filtered->setFilterKeyColumn(TenantTable::Name);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_filter = new QLineEdit;
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter tenants"));
    m_filter->setMaximumWidth(scaled(200));
    m_filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    connect(m_filter, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    connect(m_filter, &QLineEdit::textChanged, this, &TenantsPage::showList);
    auto* exportAll = buttonFor(actions.get(action::kExportUsage), tr("Export usage"));
    auto* add = buttonFor(actions.get(action::kNewTenant), tr("New tenant"), ButtonRole::Primary);
    m_header->add(m_filter);
    m_header->add(exportAll);
    m_header->add(add);

    m_list = listPanel();
    m_splitter->addWidget(m_list);
    m_splitter->addWidget(m_inspector);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setStretchFactor(0, 1);
    m_inspector->setMinimumWidth(scaled(320));
    setLayout(column({m_header, LayoutItem(row({LayoutItem(m_splitter, 1)}, 0, {12, 8, 12, 12}), 1)}, 0));
    connectInspector();

    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TenantsPage::showCurrent);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TenantsPage::changed);
    connect(m_table, &QAbstractItemView::activated, this, &TenantsPage::goInside);
    connect(m_table, &QAbstractItemView::clicked, this, [this](const QModelIndex& cell) {
        if (cell.column() == TenantTable::Open) goInside();
    });
    connect(&engine(), &EngineClient::attached, this, [this](bool fresh) {
        if (fresh) m_undo.clear();
        readUsage();
    });
    connect(&workspace, &Workspace::tenantsChanged, this, &TenantsPage::showTenants);
    connect(&workspace, &Workspace::left, this, [this] {
        m_undo.clear();
        emit changed();
    });
    m_beat.setInterval(kBeatMs);
    connect(&m_beat, &QTimer::timeout, this, [this] {
        m_workspace.refreshTenants();
        if (++m_beats % kUsageBeats != 0) return;
        readUsage();
        if (m_inspector->isByHour()) readHours(current());
    });
    showList();
    fold(Breadth::Wide);
}

void TenantsPage::connectInspector() {
    const auto tenant = [this] { return Json{{"tenant", m_inspector->tenant()}}; };
    connect(m_inspector, &TenantInspector::rotateWanted, this, [this](const QString& id) {
        call(QStringLiteral("key-rotate"), {{"key", id.toStdString()}}, tr("The key was not rotated"),
             [this](const Json& answer) { showKey(answer); });
    });
    connect(m_inspector, &TenantInspector::keyRevokeWanted, this, [this](const QString& id) {
        const Json key{{"key", id.toStdString()}};
        callUndoable(QStringLiteral("key-revoke"), key, tr("The key was not revoked"),
                     {QStringLiteral("key-restore"), key});
    });
    connect(m_inspector, &TenantInspector::revokeWanted, this, [this, tenant](bool revoke) {
        const QString there = QStringLiteral("tenant-revoke"), back = QStringLiteral("tenant-restore");
        callUndoable(revoke ? there : back, tenant(),
                     (revoke ? tr("%1 was not revoked") : tr("%1 was not restored")).arg(text(m_inspector->tenant())),
                     {revoke ? back : there, tenant()});
    });
    connect(m_inspector, &TenantInspector::limitEdited, this, [this, tenant](const Json& before, const Json& after) {
        Json there = tenant(), back = tenant();
        there.update(after);
        back.update(before);
        callUndoable(QStringLiteral("tenant-limit"), there, tr("The limit was not changed"),
                     {QStringLiteral("tenant-limit"), back});
    });
    connect(m_inspector, &TenantInspector::hoursWanted, this, &TenantsPage::readHours);
    connect(m_inspector, &TenantInspector::left, this, [this] {
        m_isInside = false;
        showParts();
        m_table->setFocus();
    });
}

Panel* TenantsPage::listPanel() {
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Tenants of the workspace"));
    m_table = new TableView(m_filtered, tr("Tenants"), kListRow, kWideColumns);
    m_table->setItemDelegateForColumn(TenantTable::Days, new SparkDelegate(m_tenants, scaled(kListRow), m_table));
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(TenantTable::Name, Qt::AscendingOrder);
    m_table->setContextMenuPolicy(Qt::ActionsContextMenu);
    for (const char* id :
         {action::kTenantLimits, action::kTenantModels, action::kTenantKey, action::kTenantRotate,
          action::kTenantRevokeKey, action::kTenantRevoke, action::kTenantExport, action::kIsolationCheck})
        m_table->addAction(m_actions.get(id));
    auto* begin = buttonFor(m_actions.get(action::kNewTenant), tr("New tenant"), ButtonRole::Primary);
    begin->setAccessibleName(tr("Make the first tenant"));
    auto* list = new QWidget;
    m_listStack = new QStackedLayout(list);
    m_listStack->addWidget(m_table);
    m_listStack->addWidget(new EmptyView(
        QStringLiteral("users"),
        tr("No tenants yet. A tenant is a person or a program with keys, limits and models of its own."), begin));
    m_listStack->addWidget(filterMiss(m_filter));
    m_error = new ErrorStrip;
    m_isolation = new IsolationStrip(m_workspace);
    connect(m_isolation, &IsolationStrip::failed, this,
            [this](const Error& error) { m_error->showError(tr("The isolation check gave no verdict"), error); });
    connect(m_isolation, &IsolationStrip::changed, this, &TenantsPage::changed);
    panel->setContent(
        column({nameStrip(), row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(list, 1), m_isolation}, 0));
    return panel;
}

// Where a new tenant is named; its limits are edited in the inspector, like everyone's.
QWidget* TenantsPage::nameStrip() {
    m_newName = new QLineEdit;
    m_newName->setPlaceholderText(tr("Name: letters, digits, . _ -"));
    m_newName->setAccessibleName(tr("Name of the new tenant"));
    auto* make = button(tr("Create"), QStringLiteral("check"), ButtonRole::Primary);
    auto* cancel = button(tr("Cancel"));
    connect(make, &QPushButton::clicked, this, &TenantsPage::create);
    connect(m_newName, &QLineEdit::returnPressed, this, &TenantsPage::create);
    connect(cancel, &QPushButton::clicked, this, [this] { m_nameStrip->hide(); });
    auto* strip = new QWidget;
    strip->setLayout(row({LayoutItem(m_newName, 1), make, cancel}, 8, {8, 8, 8, 8}));
    strip->hide();
    m_nameStrip = strip;
    return strip;
}

void TenantsPage::askForName() {
    m_isInside = false;
    showParts();
    m_error->clear();
    m_nameStrip->show();
    m_newName->clear();
    m_newName->setFocus();
}

void TenantsPage::create() {
    const QString name = m_newName->text().trimmed();
    if (name.isEmpty()) return;
    call(QStringLiteral("tenant-create"), {{"tenant", name.toStdString()}}, tr("The tenant was not made"),
         [this, name](const Json& answer) {
             m_nameStrip->hide();
             m_selectNext = name;
             m_undo.push_back({QStringLiteral("tenant-revoke"), {{"tenant", name.toStdString()}}});
             emit changed();
             showKey(answer);
         });
}

void TenantsPage::showKey(const Json& answer) {
    const std::string key = answer.value("key", std::string());
    if (!key.empty()) (new KeyDialog(text(answer.value("tenant", std::string())), text(key), this))->open();
}

void TenantsPage::call(const QString& operation, const Json& arguments, const QString& failure, const Done& done) {
    m_error->clear();
    engine().call(operation, arguments, this, [this, failure, done](const Result<Json>& answer) {
        if (!answer) {
            m_error->showError(failure, answer.error());
            m_inspector->refuse();
            return;
        }
        if (done) done(*answer);
        m_workspace.refreshTenants();
    });
}

void TenantsPage::callUndoable(const QString& operation, const Json& arguments, const QString& failure, Undo back) {
    call(operation, arguments, failure, [this, back = std::move(back)](const Json&) {
        m_undo.push_back(back);
        if (m_undo.size() > kMostUndo) m_undo.erase(m_undo.begin());
        emit changed();
    });
}

// What was last changed is chosen, so that its coming back is seen.
void TenantsPage::undo() {
    if (m_undo.empty()) return;
    const Undo last = std::move(m_undo.back());
    m_undo.pop_back();
    emit changed();
    select(text(last.arguments.value("tenant", current().toStdString())));
    call(last.operation, last.arguments, tr("The change was not undone"), {});
}

void TenantsPage::showTenants() {
    const bool isMore = m_tenants.rowCount() != std::exchange(m_shownCount, m_tenants.rowCount());
    if (isMore && isVisible()) readUsage();
    showList();
}

void TenantsPage::readUsage() {
    if (!engine().isAttached() || engine().access() == Access::Guest) return;
    engine().call(QStringLiteral("usage"), {{"by", "day"}, {"days", kUsageDays}}, this,
                  [this](const Result<Json>& answer) {
                      if (!answer) return;
                      std::vector<UsageRow> rows;
                      for (const Json& entry : answer->value("usage", Json::array()))
                          if (auto row = usageFromJson(entry)) rows.push_back(std::move(*row));
                      m_tenants.setUsage(rows, QDateTime::currentMSecsSinceEpoch());
                      showCurrent();
                  });
}

void TenantsPage::readHours(const QString& tenant) {
    if (!engine().isAttached() || tenant.isEmpty()) return;
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    const Json arguments{
        {"tenant", tenant.toStdString()}, {"by", "hour"}, {"from", (now / kHourMs - kUsageHours + 1) * kHourMs}};
    engine().call(QStringLiteral("usage"), arguments, this, [this, now](const Result<Json>& answer) {
        if (!answer) return;
        std::vector<UsageRow> rows;
        for (const Json& entry : answer->value("usage", Json::array()))
            if (auto row = usageFromJson(entry)) rows.push_back(std::move(*row));
        m_inspector->setHours(rows, now);
    });
}

void TenantsPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    m_beat.start();
    m_workspace.refreshTenants();
    readUsage();
}

void TenantsPage::hideEvent(QHideEvent* event) {
    Page::hideEvent(event);
    m_beat.stop();
}

void TenantsPage::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_nameStrip->isVisible()) return m_nameStrip->hide();
    Page::keyPressEvent(event);
}

QString TenantsPage::current() const {
    const int row = m_table->currentRow();
    return row < 0 ? QString() : m_filtered->index(row, 0).data(IdRole).toString();
}

// What the filter hides is found all the same.
void TenantsPage::select(const QString& name) {
    const auto chooses = [&] {
        for (int row = 0; row < m_filtered->rowCount(); ++row) {
            if (m_filtered->index(row, 0).data(IdRole).toString() != name) continue;
            m_table->selectRow(row);
            return true;
        }
        return false;
    };
    if (chooses() || !m_tenants.find(name)) return;
    m_filter->clear();
    chooses();
}

void TenantsPage::showList() {
    const bool none = m_workspace.hasTenantList() && m_tenants.rowCount() == 0;
    const bool missed = m_tenants.rowCount() > 0 && m_filtered->rowCount() == 0;
    m_listStack->setCurrentIndex(none ? 1 : missed ? 2 : 0);
    int keys = 0;
    std::int64_t tokens = 0;
    for (const TenantRecord& tenant : m_tenants.tenants()) {
        keys += liveKeys(tenant);
        tokens += tenant.today.tokens();
    }
    m_header->setFacts(tr("%1, %2, %3 tokens today")
                           .arg(counted(m_tenants.rowCount(), tr("%1 tenant"), tr("%1 tenants")),
                                counted(keys, tr("%1 key"), tr("%1 keys")), formatShort(double(tokens))));
    if (!m_selectNext.isEmpty() && m_tenants.find(m_selectNext)) select(std::exchange(m_selectNext, {}));
    if (current().isEmpty() && m_filtered->rowCount() > 0) m_table->selectRow(0);
    showCurrent();
}

void TenantsPage::showCurrent() {
    const QString name = current();
    m_inspector->show(m_tenants.find(name), m_tenants.daysOf(name));
}

void TenantsPage::fold(Breadth breadth) {
    m_isNarrow = breadth == Breadth::Narrow;
    m_table->setWidths(m_isNarrow ? kNarrowColumns : breadth == Breadth::Medium ? kMediumColumns : kWideColumns);
    showParts();
    const int side = scaled(kInspectorWidth);
    m_splitter->setSizes({qMax(400, width() - side - 32), side});
}

// Both side by side; where the window is narrow one in the other's place.
void TenantsPage::showParts() {
    m_inspector->setVisible(!m_isNarrow || m_isInside);
    m_inspector->setInPlace(m_isNarrow && m_isInside);
    m_list->setVisible(!m_isNarrow || !m_isInside);
}

QJsonObject TenantsPage::session() const {
    return current().isEmpty() ? QJsonObject() : QJsonObject{{QStringLiteral("tenant"), current()}};
}

void TenantsPage::restoreSession(const QJsonObject& session) {
    m_selectNext = session.value(QLatin1String("tenant")).toString();
}

void TenantsPage::goInside() {
    m_isInside = true;
    showParts();
}

void TenantsPage::editLimits() {
    goInside();
    m_inspector->editLimits();
}

void TenantsPage::makeKey() {
    const TenantRecord* tenant = chosen();
    if (!tenant) return;
    call(QStringLiteral("key-create"), {{"tenant", tenant->name}}, tr("The key was not made"),
         [this](const Json& answer) { showKey(answer); });
}

void TenantsPage::rotateKey() {
    goInside();
    m_inspector->rotateKey();
}

void TenantsPage::revokeKey() {
    goInside();
    m_inspector->revokeKey();
}

void TenantsPage::chooseModels() {
    goInside();
    m_inspector->chooseModels();
}

void TenantsPage::toggleHours() {
    goInside();
    m_inspector->toggleHours();
}

void TenantsPage::toggleRevoked() {
    if (const TenantRecord* tenant = chosen()) emit m_inspector->revokeWanted(!tenant->revokedAt);
}

void TenantsPage::exportChosen() {
    if (!m_inspector->tenant().empty()) exportUsage(text(m_inspector->tenant()));
}

void TenantsPage::checkIsolation() {
    m_isInside = false;  // where the window is narrow, it stands under the list
    showParts();
    m_isolation->open();
}

void TenantsPage::cancelIsolation() {
    m_isolation->cancel();
}

bool TenantsPage::isCheckingIsolation() const {
    return m_isolation->isRunning();
}

// Asks first, so that the file dialog stands over figures that are there.
void TenantsPage::exportUsage(const QString& tenant) {
    const bool byHour = !tenant.isEmpty() && m_inspector->isByHour();
    Json arguments{{"by", byHour ? "hour" : "day"}, {"days", kExportDays}};
    if (!tenant.isEmpty()) arguments["tenant"] = tenant.toStdString();
    m_error->clear();
    engine().call(QStringLiteral("usage"), arguments, this, [this, tenant](const Result<Json>& answer) {
        if (!answer) return m_error->showError(tr("The usage could not be read"), answer.error());
        auto* dialog = new QFileDialog(this, tr("Export usage"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setDefaultSuffix(QStringLiteral("csv"));
        dialog->setNameFilters({QStringLiteral("CSV (*.csv)"), QStringLiteral("JSON (*.json)")});
        connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
            dialog->setDefaultSuffix(filter.startsWith(QLatin1String("JSON")) ? QStringLiteral("json")
                                                                              : QStringLiteral("csv"));
        });
        dialog->selectFile(tenant.isEmpty() ? QStringLiteral("usage") : QStringLiteral("usage-%1").arg(tenant));
        connect(dialog, &QFileDialog::fileSelected, this,
                [this, usage = answer->value("usage", Json::array())](const QString& path) {
                    if (const auto saved = saveUsage(path, usage); !saved)
                        m_error->showError(tr("The usage was not saved"), saved.error());
                });
        dialog->open();
    });
}

}  // namespace espalier::ui
