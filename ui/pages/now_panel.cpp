// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/now_panel.h"

#include <QLineEdit>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QStackedWidget>

#include "core/api/protocol.h"
#include "ui/models/format.h"
#include "ui/pages/swap_view.h"
#include "ui/shell/actions.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kMostRequests = 200;
enum View { kRequests, kLoaded, kTenantLoads, kMoves, kLent };
constexpr int kRecordTicks = 10;  // the day of a tenant is read anew every five seconds
constexpr int kFilterWidth = 168;
const std::vector kRequestWidths{7, 18, 14, 16, 8, 8, 13, 8, 7, 8}, kRequestNarrow{9, 22, 17, 20, 10, 0, 17, 10, 0, 10};
const std::vector kTenantWidths{12, 14, 9, 7, 8, 8, 7, 13, 9, 9, 9, 22, 8},
    kTenantMedium{13, 12, 9, 0, 8, 8, 7, 13, 9, 0, 9, 23, 0},
    kTenantNarrow{19, 16, 12, 0, 10, 10, 10, 0, 12, 0, 0, 27, 0};
const std::vector kLoadedWidths{20, 12, 10, 8, 8, 10, 10, 8, 18}, kLoadedNarrow{26, 14, 13, 11, 11, 0, 0, 0, 25};

// As high as its place, whichever view it shows: the page must not move when the last request ends.
class SteadyStack : public QStackedWidget {
public:
    bool hasHeightForWidth() const override { return false; }
};

}  // namespace

NowPanel::NowPanel(Workspace& workspace, Actions& actions)
    : Panel(tr("Now")),
      m_workspace(workspace),
      m_shownTenants(new QSortFilterProxyModel(this)),
      m_tenantFilter(new QLineEdit),
      m_switch(new SegmentedSwitch({tr("Requests"), tr("Models"), tr("Tenants"), tr("Swap"), tr("Page map")},
                                   tr("What is shown below"))),
      m_cancel(button(tr("Cancel request"), QStringLiteral("x"), ButtonRole::Plain, ControlSize::Small)),
      m_requestTable(new TableView(&m_requests, tr("Requests"), kLiveRow, kRequestWidths)),
      m_loadedTable(new TableView(&workspace.loaded(), tr("Models on the device"), kLiveRow, kLoadedWidths)),
      m_tenantTable(new TableView(m_shownTenants, tr("Tenants that use the server"), kLiveRow, kTenantWidths)),
      m_swap(new SwapView(workspace)),
      m_stack(new QStackedWidget),
      m_requestStack(
          stackOf(new EmptyView(QStringLiteral("message-square-text"), tr("Nobody asks anything at the moment."),
                                buttonFor(actions.get(action::kGoPlayground), tr("Ask in the Playground"))),
                  m_requestTable)),
      m_loadedStack(stackOf(new EmptyView(QStringLiteral("box"), tr("No model is loaded; the first request loads one."),
                                          buttonFor(actions.get(action::kGoModels), tr("Choose a model to load"))),
                            m_loadedTable)),
      m_tenantStack(stackOf(new EmptyView(QStringLiteral("users"), tr("No tenant uses the server at the moment."),
                                          buttonFor(actions.get(action::kGoTenants), tr("Tenants and their keys"))),
                            m_tenantTable)),
      m_moveStack(stackOf(new EmptyView(QStringLiteral("memory-stick"),
                                        tr("No adapter has moved yet; they come when a request names them."),
                                        buttonFor(actions.get(action::kGoPlayground), tr("Ask an adapter"))),
                          m_swap)) {
    m_cancel->setEnabled(false);
    makeTenantFilter();
    m_stack->addWidget(m_requestStack);
    m_stack->addWidget(m_loadedStack);
    m_stack->addWidget(m_tenantStack);
    m_stack->addWidget(m_moveStack);
    addTitleWidget(m_cancel);
    addTitleWidget(m_tenantFilter);
    addTitleWidget(m_swap->tools());
    addTitleWidget(m_switch);
    setContent(m_stack);
    setMinimumHeight(scaled(140));
    connect(m_switch, &SegmentedSwitch::chosen, this, &NowPanel::showView);
    connect(m_cancel, &QPushButton::clicked, this, &NowPanel::cancelChosen);
    connect(m_requestTable->selectionModel(), &QItemSelectionModel::selectionChanged, this, &NowPanel::refreshCancel);
    connect(m_tenantTable, &QAbstractItemView::activated, this,
            [this](const QModelIndex& index) { emit tenantActivated(index.data(IdRole).toString()); });
    connect(&workspace, &Workspace::snapshotChanged, this, &NowPanel::showSnapshot);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, [this] {
        if (!m_workspace.engine().isAttached()) clear();
    });
    auto* remove = new QShortcut(QKeySequence::Delete, m_requestTable);
    remove->setContext(Qt::WidgetShortcut);
    connect(remove, &QShortcut::activated, this, &NowPanel::cancelChosen);
    showView(kRequests);
    showSnapshot();  // what is known when the page is made
}

void NowPanel::makeTenantFilter() {
    m_shownTenants->setSourceModel(&m_tenants);
    m_shownTenants->setFilterKeyColumn(TenantLoadTable::Name);
    m_shownTenants->setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_tenantFilter->setPlaceholderText(tr("Filter"));
    m_tenantFilter->setAccessibleName(tr("Filter the tenants that use the server"));
    m_tenantFilter->setMaximumWidth(scaled(kFilterWidth));
    m_tenantFilter->addAction(icon(QStringLiteral("search"), Tone::Secondary), QLineEdit::LeadingPosition);
    setControlSize(m_tenantFilter, ControlSize::Small);
    auto* missed = filterMiss(m_tenantFilter);
    missed->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Ignored);
    m_tenantStack->addWidget(missed);
    connect(m_tenantFilter, &QLineEdit::textChanged, this, [this](const QString& part) {
        m_shownTenants->setFilterFixedString(part.trimmed());
        showTenants();
    });
    connect(&m_workspace, &Workspace::tenantsChanged, this, &NowPanel::showTenants);
}

QStackedWidget* NowPanel::stackOf(EmptyView* none, QWidget* content) {
    auto* stack = new SteadyStack;
    none->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Ignored);
    stack->addWidget(none);
    stack->addWidget(content);
    return stack;
}

void NowPanel::showView(int index) {
    m_switch->setCurrent(index);
    m_stack->setCurrentIndex(index);
    m_cancel->setVisible(index == kRequests);
    m_tenantFilter->setVisible(index == kTenantLoads);
    if (index == kTenantLoads) m_workspace.refreshTenants();
    showSwapTools();
    if (index == kMoves) m_swap->askForSteps();
    showTenants();
    emit shown(index);
}

void NowPanel::fold(Breadth breadth) {
    const bool narrow = breadth == Breadth::Narrow;
    m_switch->setShown(kLent, narrow);
    m_loadedTable->setWidths(narrow ? kLoadedNarrow : kLoadedWidths);
    m_requestTable->setWidths(narrow ? kRequestNarrow : kRequestWidths);
    m_tenantTable->setWidths(narrow ? kTenantNarrow : breadth == Breadth::Medium ? kTenantMedium : kTenantWidths);
    m_swap->setNarrow(narrow);
}

void NowPanel::lend(Panel* panel) {
    m_stack->addWidget(panel);
    panel->setFramed(false);
}

void NowPanel::giveBack(Panel* panel) {
    if (m_stack->indexOf(panel) < 0) return;
    if (m_stack->currentWidget() == panel) showView(kRequests);
    m_stack->removeWidget(panel);
    panel->setFramed(true);
    panel->show();
}

void NowPanel::clear() {
    m_requests.setRequests({});
    m_swap->clear();
    m_moveStack->setCurrentIndex(0);
    showSwapTools();
    showRequests();
}

void NowPanel::showRequests() {
    m_requestStack->setCurrentIndex(m_requests.rowCount() > 0 ? 1 : 0);
    refreshCancel();
}

void NowPanel::showTenants() {
    const Snapshot* s = m_workspace.snapshot();
    m_tenants.setTenants(s ? s->tenants : std::vector<TenantLoad>(), m_workspace.tenants().tenants());
    m_tenantStack->setCurrentIndex(m_tenants.rowCount() == 0 ? 0 : m_shownTenants->rowCount() == 0 ? 2 : 1);
}

void NowPanel::showSnapshot() {
    const Snapshot* s = m_workspace.snapshot();
    if (!s) showTenants();
    if (s) m_swap->add(s->moves);
    m_moveStack->setCurrentIndex(m_swap->hasMoves() ? 1 : 0);
    showSwapTools();
    m_loadedStack->setCurrentIndex(!s || s->models.empty() ? 0 : 1);
    if ((!s || s->running + s->waiting == 0) && m_requests.rowCount() > 0) {
        m_requests.setRequests({});
        showRequests();
    }
}

void NowPanel::tick() {
    if (m_stack->currentIndex() == kRequests) ask();
    if (m_stack->currentIndex() == kTenantLoads) {
        if (++m_ticks % kRecordTicks == 0) m_workspace.refreshTenants();
        showTenants();
    }
    if (m_stack->currentIndex() == kMoves && m_swap->hasMoves()) m_swap->askForSteps();
}

void NowPanel::showSwapTools() {
    m_swap->tools()->setVisible(m_stack->currentIndex() == kMoves && m_swap->hasMoves());
}

void NowPanel::ask() {
    const EngineClient& engine = m_workspace.engine();
    const Snapshot* s = m_workspace.snapshot();
    if (m_isAsking || !engine.isAttached() || !s || s->running + s->waiting == 0) return;
    m_isAsking = true;
    m_workspace.engine().call(
        QStringLiteral("requests"), {{"limit", kMostRequests}}, this, [this](const Result<Json>& answer) {
            m_isAsking = false;
            if (!answer) return;  // a daemon that cannot say so now is asked again at the next tick
            auto list = requestsFromJson(*answer);
            if (!list) return;
            m_requests.setRequests(list->requests);
            setUnit(list->total > kMostRequests ? tr("oldest %1 of %2 requests").arg(kMostRequests).arg(list->total)
                                                : QString());
            showRequests();
        });
}

void NowPanel::refreshCancel() {
    m_cancel->setEnabled(m_workspace.engine().isAttached() && m_requestTable->currentRow() >= 0);
}

void NowPanel::cancelChosen() {
    const int row = m_requestTable->currentRow();
    if (row < 0) return;
    m_workspace.engine().call(QStringLiteral("request-cancel"), {{"id", m_requests.idAt(row)}}, this,
                              [this](const Result<Json>& answer) {
                                  if (!answer) emit failed(tr("The request was not cancelled"), answer.error());
                                  ask();
                              });
}

}  // namespace espalier::ui
