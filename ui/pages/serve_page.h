// SPDX-License-Identifier: GPL-3.0-or-later
// ServePage: start, stop and drain; address, exposure and key; live plots of device memory, throughput, queue, latency,
// cache and the daemon itself over one shared cursor; the page map; the requests that are being answered, each with a
// way to end it; the models on the device; the tenants that use it.
#pragma once

#include "ui/models/request_table.h"
#include "ui/models/tenant_load_table.h"
#include "ui/pages/page.h"

class QGridLayout;
class QLineEdit;
class QStackedWidget;

namespace espalier::ui {

class Dashboard;
class KeyField;
class OwnerTable;
class PageMapPanel;
class Plot;
class SegmentedSwitch;
class TableView;

class ServePage : public Page {
    Q_OBJECT
public:
    ServePage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;
    QJsonObject session() const override;  // the notes over the plots
    void restoreSession(const QJsonObject& session) override;
    Dashboard& dashboard() { return *m_dashboard; }
    void operate(const QString& operation, const QString& failure);  // a failure shows as a strip on the page
    void setTablesShown(bool shown);                                 // every plot as its table twin

signals:
    void tenantActivated(const QString& tenant);  // its row in the live table

private:
    QWidget* serveHeader();
    QWidget* addressRow();
    QWidget* toolRow();
    Panel* memoryPanel();
    Panel* linesPanel(const QString& title, const QString& unit, const QString& noData,
                      std::vector<struct LineSpec> lines, QString (*format)(double), bool logarithmic = false);
    void makePlots();
    Panel* bottomPanel();
    QWidget* requestsView();
    QWidget* tenantsView();
    void connectPage();
    void showSnapshot();
    void showNoSnapshot();
    void showAddress();
    void showCursor();
    void showBottom(int index);
    void tick();
    void askForRequests();
    void showTenants();
    void cancelChosen();
    void refreshCancel();
    void exportPlots();
    void placeMap(bool narrow);
    double noteTime() const;
    void beginNote();
    void endNote();
    void takeKeptNotes();

    Dashboard* m_dashboard;
    RequestTable m_requests;
    TenantLoadTable m_tenants;
    Badge* m_badge = nullptr;
    QPushButton* m_toggle = nullptr;
    TextLabel *m_uptime = nullptr, *m_url = nullptr, *m_exposure = nullptr, *m_cursorText = nullptr;
    KeyField* m_key = nullptr;
    QPushButton *m_pause = nullptr, *m_cancel = nullptr;
    QToolButton *m_address = nullptr, *m_flag = nullptr, *m_zoomOut = nullptr, *m_tables = nullptr;
    QLineEdit* m_note = nullptr;
    Figure *m_running = nullptr, *m_waiting = nullptr, *m_decode = nullptr, *m_ttft = nullptr, *m_tpot = nullptr;
    Panel* m_memory = nullptr;
    Plot* m_memoryPlot = nullptr;
    OwnerTable* m_owners = nullptr;
    PageMapPanel* m_map = nullptr;
    QFrame* m_lastLine = nullptr;
    TableView *m_loadedTable = nullptr, *m_requestTable = nullptr, *m_tenantTable = nullptr;
    Panel *m_queue = nullptr, *m_rates = nullptr, *m_ttftPanel = nullptr, *m_tpotPanel = nullptr;
    Panel *m_hits = nullptr, *m_preempted = nullptr, *m_processor = nullptr, *m_resident = nullptr, *m_bottom = nullptr;
    std::vector<Plot*> m_plots;
    QStackedWidget *m_bottomStack = nullptr, *m_loadedStack = nullptr, *m_requestStack = nullptr;
    QStackedWidget* m_tenantStack = nullptr;
    SegmentedSwitch* m_bottomSwitch = nullptr;
    QGridLayout* m_grid = nullptr;
    ErrorStrip* m_error = nullptr;
    int m_ticks = 0;
    bool m_isAsking = false;
    double m_noteAt = 0;
    QJsonObject m_kept;  // of the last session, until its workspace is open again
};

}  // namespace espalier::ui
