// SPDX-License-Identifier: GPL-3.0-or-later
// PageMapPanel: the page map of one loaded model, asked of the daemon only while it can be seen, twice a second while
// something runs and else only when the counts changed.
#pragma once

#include "ui/models/request_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/page_map_view.h"
#include "ui/widgets/page_table.h"
#include "ui/widgets/panel.h"

class QComboBox;
class QStackedWidget;

namespace espalier::ui {

class Actions;
class TableView;

class PageMapPanel : public Panel {
    Q_OBJECT
public:
    // requests: who the pages belong to.
    PageMapPanel(Workspace& workspace, Actions& actions, const RequestTable& requests);
    void setSnapshot(const Snapshot& snapshot);  // which models there are
    void refresh();                              // asks the daemon when there is a reason to
    void clear();
    const PageMapView& view() const { return *m_view; }

private:
    QString about(qint64 request) const;
    void take(const Result<Json>& answer);
    void showPages();

    Workspace& m_workspace;
    const RequestTable& m_requests;
    QComboBox* m_model;
    PageMapView* m_view;
    PageTable m_pages;  // the twin
    TableView* m_table;
    QToolButton* m_twin;
    EmptyView* m_none;
    QStackedWidget* m_stack;
    bool m_isAsking = false, m_isStale = true;
    qint64 m_counts = -1;  // of the pages when they were asked for
    int m_cells = 0;       // that fitted then
};

}  // namespace espalier::ui
