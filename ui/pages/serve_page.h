// SPDX-License-Identifier: GPL-3.0-or-later
// ServePage: start, stop and drain; address and key; live plots of device memory, throughput, queue and latency over
// one shared cursor; the models on the device.
#pragma once

#include "ui/pages/page.h"

class QGridLayout;
class QStackedLayout;

namespace espalier::ui {

class Dashboard;
class OwnerTable;
class Plot;
class SegmentedSwitch;
class TableView;

class ServePage : public Page {
    Q_OBJECT
public:
    ServePage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;
    Dashboard& dashboard() { return *m_dashboard; }
    void operate(const QString& operation, const QString& failure);  // a failure shows as a strip on the page

private:
    QWidget* serveHeader();
    QWidget* toolRow();
    Panel* memoryPanel();
    Panel* linesPanel(const QString& title, const QString& unit, const QString& noData,
                      std::vector<struct LineSpec> lines, QString (*format)(double), bool logarithmic = false);
    Panel* loadedPanel();
    void showSnapshot();
    void showAddress();
    void showCursor();
    void exportPlots();

    Dashboard* m_dashboard;
    Badge* m_badge = nullptr;
    QPushButton* m_toggle = nullptr;
    TextLabel *m_uptime = nullptr, *m_url = nullptr, *m_keyFile = nullptr, *m_cursorText = nullptr;
    QPushButton* m_pause = nullptr;
    Figure *m_running = nullptr, *m_waiting = nullptr, *m_decode = nullptr, *m_ttft = nullptr, *m_tpot = nullptr;
    Panel* m_memory = nullptr;
    Plot* m_memoryPlot = nullptr;
    OwnerTable* m_owners = nullptr;
    QFrame* m_lastLine = nullptr;
    TableView* m_loadedTable = nullptr;
    Panel *m_queue = nullptr, *m_rates = nullptr, *m_ttftPanel = nullptr, *m_tpotPanel = nullptr, *m_loaded = nullptr;
    std::vector<Plot*> m_plots;
    QStackedLayout* m_loadedStack = nullptr;
    QGridLayout* m_grid = nullptr;
    ErrorStrip* m_error = nullptr;
};

}  // namespace espalier::ui
