// SPDX-License-Identifier: GPL-3.0-or-later
// NowPanel: what the server does at the moment, at the foot of the Serve page: the requests being answered, each with a
// way to end it, the models on the device, the tenants that use it, with a filter, the moves of adapters; where the
// window is narrow, the page map stands here too.
#pragma once

#include "ui/models/request_table.h"
#include "ui/models/tenant_load_table.h"
#include "ui/pages/page.h"

class QLineEdit;
class QSortFilterProxyModel;
class QStackedWidget;

namespace espalier::ui {

class Actions;
class SwapView;
class TableView;

class NowPanel : public Panel {
    Q_OBJECT
public:
    NowPanel(Workspace& workspace, Actions& actions);
    const RequestTable& requests() const { return m_requests; }
    void fold(Breadth breadth);
    // A view that the page lends and takes back. It comes last.
    void lend(Panel* panel);
    void giveBack(Panel* panel);
    void tick();  // twice a second

signals:
    void failed(const QString& what, const espalier::Error& error);
    void shown(int index);
    void tenantActivated(const QString& tenant);  // its row

private:
    QStackedWidget* stackOf(EmptyView* none, QWidget* content);
    void showView(int index);
    void showSnapshot();
    void showRequests();
    void makeTenantFilter();
    void showTenants();
    void showSwapTools();
    void clear();
    void ask();
    void cancelChosen();
    void refreshCancel();

    Workspace& m_workspace;
    RequestTable m_requests;
    TenantLoadTable m_tenants;
    QSortFilterProxyModel* m_shownTenants;
    QLineEdit* m_tenantFilter;
    SegmentedSwitch* m_switch;
    QPushButton* m_cancel;
    TableView *m_requestTable, *m_loadedTable, *m_tenantTable;
    SwapView* m_swap;
    QStackedWidget *m_stack, *m_requestStack, *m_loadedStack, *m_tenantStack, *m_moveStack;
    bool m_isAsking = false;
    int m_ticks = 0;
};

}  // namespace espalier::ui
