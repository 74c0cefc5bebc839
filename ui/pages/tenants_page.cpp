// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tenants_page.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QFileDialog>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPainter>
#include <QSaveFile>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QStackedLayout>
#include <algorithm>

#include "core/api/tenant_protocol.h"
#include "ui/models/format.h"
#include "ui/pages/key_dialog.h"
#include "ui/pages/tenant_inspector.h"
#include "ui/widgets/plot_content.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kInspectorWidth = 416;
constexpr int kBeatMs = 5000;  // what was used today, while the page is seen
constexpr std::size_t kMostUndo = 100;
constexpr int kSparkWidth = 76, kSparkHeight = 16;

// The days of a tenant as a line. Its number is in the accessible text and the tooltip.
class SparkDelegate : public CellDelegate {
public:
    SparkDelegate(const TenantTable& tenants, int rowHeight, QObject* parent)
        : CellDelegate(rowHeight, parent), m_tenants(tenants) {}

    void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const TenantDays* days = m_tenants.daysOf(index.data(IdRole).toString());
        if (!days) return CellDelegate::paint(painter, option, index);
        const ThemeColors& colors = colorsOf(option.palette);
        painter->fillRect(QRect(option.rect.left(), option.rect.bottom(), option.rect.width(), 1), QColor(colors.grid));
        double most = 1;
        for (int day = 0; day < kUsageDays; ++day) most = std::max(most, days->all(day));
        const QRectF box(option.rect.left() + 12, option.rect.center().y() - kSparkHeight / 2.0,
                         qMin(kSparkWidth, option.rect.width() - 16), kSparkHeight);
        QPolygonF line;
        for (int day = 0; day < kUsageDays; ++day)
            line << QPointF(box.left() + box.width() * day / (kUsageDays - 1),
                            box.bottom() - box.height() * days->all(day) / most);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(seriesPen(colors, 0, painter->device()->devicePixelRatioF()));
        painter->drawPolyline(line);
        painter->restore();
    }

private:
    const TenantTable& m_tenants;
};

QString csvOf(const Json& usage) {
    QString csv = QStringLiteral("tenant,day,requests,refused,prompt_tokens,cached_tokens,generated_tokens\r\n");
    for (const Json& entry : usage) {
        const auto row = usageFromJson(entry);
        if (!row) continue;
        const QString day = QDateTime::fromMSecsSinceEpoch(row->hour, Qt::UTC).toString(QStringLiteral("yyyy-MM-dd"));
        csv += QStringLiteral("%1,%2,%3,%4,%5,%6,%7\r\n")
                   .arg(text(row->tenant), day)
                   .arg(row->requests)
                   .arg(row->refused)
                   .arg(row->promptTokens)
                   .arg(row->cachedTokens)
                   .arg(row->generatedTokens);
    }
    return csv;
}

Result<void> saveText(const QString& path, const QString& text) {
    QSaveFile file(path);
    const QByteArray bytes = text.toUtf8();
    if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return {};
    return fail(ErrorCode::IoError, "writing " + path.toStdString() + ": " + file.errorString().toStdString(),
                path.toStdString());
}

}  // namespace

TenantsPage::TenantsPage(Workspace& workspace, Actions& actions)
    : Page(workspace, actions),
      m_filtered(new QSortFilterProxyModel(this)),
      m_header(new PageHeader(tr("Tenants"))),
      m_inspector(new TenantInspector(workspace)),
      m_splitter(new QSplitter) {
    m_filtered->setSourceModel(&m_tenants);
    m_filtered->setSortRole(SortRole);
    m_filtered->setSortCaseSensitivity(Qt::CaseInsensitive);
    m_filtered->setFilterKeyColumn(TenantTable::Name);
    m_filtered->setFilterCaseSensitivity(Qt::CaseInsensitive);
    auto* filter = new QLineEdit;
    filter->setPlaceholderText(tr("Filter"));
    filter->setAccessibleName(tr("Filter tenants"));
    filter->setFixedWidth(200);
    filter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    connect(filter, &QLineEdit::textChanged, m_filtered, &QSortFilterProxyModel::setFilterFixedString);
    auto* exportAll = button(tr("Export usage"), QStringLiteral("download"));
    connect(exportAll, &QPushButton::clicked, this, [this] { exportUsage({}); });
    auto* add = button(tr("New tenant"), QStringLiteral("plus"), ButtonRole::Primary);
    connect(add, &QPushButton::clicked, this, &TenantsPage::askForName);
    m_header->add(filter);
    m_header->add(exportAll);
    m_header->add(add);

    m_list = listPanel();
    m_splitter->addWidget(m_list);
    m_splitter->addWidget(m_inspector);
    m_splitter->setChildrenCollapsible(false);
    m_splitter->setStretchFactor(0, 1);
    m_inspector->setMinimumWidth(320);
    setLayout(column({m_header, LayoutItem(row({LayoutItem(m_splitter, 1)}, 0, {12, 8, 12, 12}), 1)}, 0));
    connectInspector();

    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TenantsPage::showCurrent);
    connect(m_table, &QAbstractItemView::activated, this, [this] {
        m_isInside = true;
        showParts();
    });
    connect(&engine(), &EngineClient::attached, this, [this](bool fresh) {
        if (fresh) m_undo.clear();
        read();
        readUsage();
    });
    connect(&engine(), &EngineClient::tenantChanged, this, &TenantsPage::read);
    m_beat.setInterval(kBeatMs);
    connect(&m_beat, &QTimer::timeout, this, [this] {
        if (isVisible()) read();
    });
    m_beat.start();
    showList();
    fold(Breadth::Wide);
}

void TenantsPage::connectInspector() {
    const auto tenant = [this] { return Json{{"tenant", current().toStdString()}}; };
    connect(m_inspector, &TenantInspector::keyWanted, this, [this, tenant] {
        call(QStringLiteral("key-create"), tenant(), tr("The key was not made"),
             [this](const Json& answer) { showKey(answer); });
    });
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
                     revoke ? tr("%1 was not revoked").arg(current()) : tr("%1 was not restored").arg(current()),
                     {revoke ? back : there, tenant()});
    });
    connect(m_inspector, &TenantInspector::limitEdited, this, [this, tenant](const Json& before, const Json& after) {
        Json there = tenant(), back = tenant();
        there.update(after);
        back.update(before);
        callUndoable(QStringLiteral("tenant-limit"), there, tr("The limit was not changed"),
                     {QStringLiteral("tenant-limit"), back});
    });
    connect(m_inspector, &TenantInspector::exportWanted, this, [this] { exportUsage(current()); });
    connect(m_inspector, &TenantInspector::leftByEsc, this, [this] {
        m_isInside = false;
        showParts();
        m_table->setFocus();
    });
}

Panel* TenantsPage::listPanel() {
    auto* panel = new Panel;
    panel->setAccessibleName(tr("Tenants of the workspace"));
    m_table = new TableView(m_filtered, tr("Tenants"), kListRow, {20, 7, 9, 9, 12, 9, 14, 18, 14});
    m_table->setItemDelegateForColumn(TenantTable::Days, new SparkDelegate(m_tenants, scaled(kListRow), m_table));
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(TenantTable::Name, Qt::AscendingOrder);
    auto* begin = button(tr("New tenant"), QStringLiteral("plus"), ButtonRole::Primary);
    begin->setAccessibleName(tr("Make the first tenant"));
    connect(begin, &QPushButton::clicked, this, &TenantsPage::askForName);
    auto* list = new QWidget;
    m_listStack = new QStackedLayout(list);
    m_listStack->addWidget(m_table);
    m_listStack->addWidget(new EmptyView(
        QStringLiteral("users"),
        tr("No tenants yet. A tenant is a person or a program with keys, limits and models of its own."), begin));
    m_error = new ErrorStrip;
    panel->setContent(column({nameStrip(), row({LayoutItem(m_error, 1)}, 0, {8, 0, 8, 0}), LayoutItem(list, 1)}, 0));
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
        read();
    });
}

void TenantsPage::callUndoable(const QString& operation, const Json& arguments, const QString& failure, Undo back) {
    call(operation, arguments, failure, [this, back = std::move(back)](const Json&) {
        m_undo.push_back(back);
        if (m_undo.size() > kMostUndo) m_undo.erase(m_undo.begin());
        emit changed();
    });
}

void TenantsPage::undo() {
    if (m_undo.empty()) return;
    const Undo last = std::move(m_undo.back());
    m_undo.pop_back();
    emit changed();
    select(text(last.arguments.value("tenant", current().toStdString())));
    call(last.operation, last.arguments, tr("The change was not undone"), {});
}

void TenantsPage::read() {
    if (!engine().isAttached() || engine().access() == Access::Guest) return;
    engine().call(QStringLiteral("tenants"), Json::object(), this, [this](const Result<Json>& answer) {
        if (!answer) return;
        std::vector<TenantRecord> tenants;
        for (const Json& entry : answer->value("tenants", Json::array()))
            if (auto tenant = tenantFromJson(entry)) tenants.push_back(std::move(*tenant));
        const bool isMore = int(tenants.size()) != m_tenants.rowCount();
        m_tenants.setTenants(std::move(tenants));
        m_hasTenants = true;
        if (isMore) readUsage();
        showList();
        emit changed();
    });
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

void TenantsPage::showEvent(QShowEvent* event) {
    Page::showEvent(event);
    read();
    readUsage();
}

void TenantsPage::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_Escape && m_nameStrip->isVisible()) return m_nameStrip->hide();
    Page::keyPressEvent(event);
}

QString TenantsPage::current() const {
    const int row = m_table->currentRow();
    return row < 0 ? QString() : m_filtered->index(row, 0).data(IdRole).toString();
}

void TenantsPage::select(const QString& name) {
    for (int row = 0; row < m_filtered->rowCount(); ++row)
        if (m_filtered->index(row, 0).data(IdRole).toString() == name) m_table->selectRow(row);
}

void TenantsPage::showList() {
    const bool none = m_hasTenants && m_tenants.rowCount() == 0;
    m_listStack->setCurrentIndex(none ? 1 : 0);
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
    m_table->setWidths(breadth == Breadth::Medium ? std::vector{22, 8, 0, 10, 14, 0, 16, 20, 16}
                                                  : std::vector{20, 7, 9, 9, 12, 9, 14, 18, 14});
    showParts();
    m_splitter->setSizes({qMax(400, width() - kInspectorWidth - 32), kInspectorWidth});
}

// Both side by side; where the window is narrow one in the other's place.
void TenantsPage::showParts() {
    m_list->setVisible(!m_isNarrow || !m_isInside);
    m_inspector->setVisible(!m_isNarrow || m_isInside);
}

QJsonObject TenantsPage::session() const {
    return current().isEmpty() ? QJsonObject() : QJsonObject{{QStringLiteral("tenant"), current()}};
}

void TenantsPage::restoreSession(const QJsonObject& session) {
    m_selectNext = session.value(QLatin1String("tenant")).toString();
}

void TenantsPage::exportUsage(const QString& tenant) {
    Json arguments{{"by", "day"}, {"days", 400}};
    if (!tenant.isEmpty()) arguments["tenant"] = tenant.toStdString();
    engine().call(QStringLiteral("usage"), arguments, this, [this, tenant](const Result<Json>& answer) {
        if (!answer) return m_error->showError(tr("The usage could not be read"), answer.error());
        auto* dialog = new QFileDialog(this, tr("Export usage"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setDefaultSuffix(QStringLiteral("csv"));
        dialog->setNameFilter(QStringLiteral("*.csv"));
        dialog->selectFile(tenant.isEmpty() ? QStringLiteral("usage.csv") : QStringLiteral("usage-%1.csv").arg(tenant));
        connect(dialog, &QFileDialog::fileSelected, this,
                [this, csv = csvOf(answer->value("usage", Json::array()))](const QString& path) {
                    if (const auto saved = saveText(path, csv); !saved)
                        m_error->showError(tr("The usage was not saved"), saved.error());
                });
        dialog->open();
    });
}

}  // namespace espalier::ui
