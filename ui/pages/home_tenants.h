// SPDX-License-Identifier: GPL-3.0-or-later
// HomeTenants: who used how many tokens today, most first. Asks for it now and then while it is seen and somebody is
// served; Enter on a row opens the tenant.
#pragma once

#include <QTimer>

#include "ui/models/tenant_day_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QStackedLayout;

namespace espalier::ui {

class Actions;
class TableView;

class HomeTenants : public Panel {
    Q_OBJECT
public:
    HomeTenants(Workspace& workspace, Actions& actions);

signals:
    void tenantActivated(const QString& tenant);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    void showTenants();

    Workspace& m_workspace;
    TenantDayTable m_days;
    TableView* m_table;
    QStackedLayout* m_stack = nullptr;
    QTimer m_beat{this};  // while it is seen
};

}  // namespace espalier::ui
