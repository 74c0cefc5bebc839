// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/home_tenants.h"

#include <QHeaderView>
#include <QStackedLayout>

#include "ui/models/format.h"
#include "ui/shell/actions.h"
#include "ui/widgets/table_view.h"

namespace espalier::ui {
namespace {

constexpr int kBeatMs = 5000;

}  // namespace

HomeTenants::HomeTenants(Workspace& workspace, Actions& actions)
    : Panel(tr("Tenants by tokens today")),
      m_workspace(workspace),
      m_table(new TableView(&m_days, tr("Tenants by tokens today"), kShortRow, {40, 40, 20})) {
    addTitleWidget(smallButtonFor(actions.get(action::kGoTenants), tr("Open")));
    m_table->horizontalHeader()->hide();
    auto* holder = new QWidget;
    m_stack = new QStackedLayout(holder);
    m_stack->addWidget(m_table);
    m_stack->addWidget(new EmptyView(QStringLiteral("users"), tr("Nobody has used a token today."),
                                     buttonFor(actions.get(action::kGoPlayground), tr("Ask in the Playground"))));
    setContent(holder);
    connect(m_table, &QAbstractItemView::activated, this,
            [this](const QModelIndex& row) { emit tenantActivated(m_days.nameAt(row.row())); });
    connect(&workspace, &Workspace::tenantsChanged, this, &HomeTenants::showTenants);
    connect(&workspace, &Workspace::left, this, &HomeTenants::showTenants);
    m_beat.setInterval(kBeatMs);
    connect(&m_beat, &QTimer::timeout, this, [this] {
        const Snapshot* s = m_workspace.snapshot();
        if (s && !s->tenants.empty()) m_workspace.refreshTenants();
    });
    showTenants();
}

void HomeTenants::showEvent(QShowEvent* event) {
    Panel::showEvent(event);
    m_beat.start();
}

void HomeTenants::hideEvent(QHideEvent* event) {
    Panel::hideEvent(event);
    m_beat.stop();
}

void HomeTenants::showTenants() {
    m_days.setTenants(m_workspace.tenants().tenants());
    setUnit(m_days.rowCount() > 0 ? tr("%1 in all").arg(formatShort(double(m_days.tokensOfAll()))) : QString());
    m_stack->setCurrentIndex(m_days.rowCount() > 0 ? 0 : 1);
}

}  // namespace espalier::ui
