// SPDX-License-Identifier: GPL-3.0-or-later
// ServePage: under its header, live plots of device memory, throughput, queue, latency, cache and the daemon itself
// over one shared cursor, with notes; the page map; what the server does now. Where the window is narrow, the page map
// stands behind a tab of the last.
#pragma once

#include "ui/pages/page.h"

class QLineEdit;
class QScrollArea;
class QVBoxLayout;

namespace espalier::ui {

class Dashboard;
class NowPanel;
class OwnerTable;
class PageMapPanel;
class Plot;
class ServeHeader;

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
    bool areTablesShown() const;
    void exportPlots();  // asks for a folder

signals:
    void tenantActivated(const QString& tenant);  // its row in the live table

private:
    QWidget* toolRow();
    Panel* memoryPanel();
    Panel* linesPanel(const QString& title, const QString& unit, const QString& noData,
                      std::vector<struct LineSpec> lines, QString (*format)(double), bool logarithmic = false);
    void makePlots();
    void connectPage();
    void showError(const QString& what, const Error& error);
    void showSnapshot();
    void showCursor();
    void tick();
    void countMemoryIn(bool mib);
    QString cursorText() const;  // empty: no cursor
    void placeMap(bool narrow);
    struct PlotRow;
    void placeRows(const std::vector<PlotRow>& rows);
    void keepMargin();
    double noteTime() const;
    void beginNote();
    void endNote();
    void takeKeptNotes();

    Dashboard* m_dashboard;
    ServeHeader* m_header;
    NowPanel* m_now;
    PageMapPanel* m_map;
    TextLabel* m_cursorText = nullptr;
    QPushButton* m_pause = nullptr;
    QToolButton *m_flag = nullptr, *m_zoomOut = nullptr, *m_tables = nullptr;
    QLineEdit* m_note = nullptr;
    Panel* m_memory = nullptr;
    Plot* m_memoryPlot = nullptr;
    OwnerTable* m_owners = nullptr;
    Panel *m_queue = nullptr, *m_rates = nullptr, *m_ttftPanel = nullptr, *m_tpotPanel = nullptr;
    Panel *m_swap = nullptr, *m_hits = nullptr, *m_preempted = nullptr, *m_processor = nullptr, *m_resident = nullptr;
    std::vector<Plot*> m_plots;
    QVBoxLayout* m_rows;
    QScrollArea* m_scroll;
    bool m_isMib = false;  // the unit of the memory plot
    ErrorStrip* m_error = nullptr;
    int m_ticks = 0;
    double m_noteAt = 0;
    QString m_saved;     // where the plots were written, until something else is to be said there
    QJsonObject m_kept;  // of the last session, until its workspace is open again
};

}  // namespace espalier::ui
