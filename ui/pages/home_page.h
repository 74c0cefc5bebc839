// SPDX-License-Identifier: GPL-3.0-or-later
// HomePage: the workspace at a glance. Server, device memory and what the machine has, what needs a person, jobs,
// models, who used it today, the day's events; in an empty workspace the three ways to begin.
#pragma once

#include "ui/pages/page.h"

class QGridLayout;
class QScrollArea;
class QStackedLayout;
class QVBoxLayout;

namespace espalier::ui {

class Dashboard;
class HomeAdapters;
class MemoryBar;
class Plot;
class ResourceRow;
class TableView;

class HomePage : public Page {
    Q_OBJECT
public:
    HomePage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;
    void showError(const QString& what, const Error& error);

signals:
    void tenantActivated(const QString& tenant);

protected:
    void showEvent(QShowEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* beginning();
    Panel* serverPanel();
    Panel* memoryPanel();
    Panel* needsYouPanel();
    Panel* jobsPanel();
    Panel* modelsPanel();
    Panel* todayPanel();
    void showSnapshot();
    void showNoSnapshot();
    void showMachine();
    void showLink();
    void showModels();
    void showJobs();
    void showNeeds();
    void showLimits(const std::vector<const TenantRecord*>& tenants);
    void showAdapters();
    void shareHeight();
    void showToday();

    PageHeader* m_header;
    QStackedLayout* m_stack;
    QWidget* m_overview;
    ErrorStrip* m_error;
    QScrollArea* m_scroll = nullptr;
    QGridLayout* m_grid;
    std::vector<Panel*> m_panels;
    Dashboard* m_dashboard = nullptr;
    Plot* m_decodePlot = nullptr;
    Badge* m_serveBadge = nullptr;
    Figure *m_running = nullptr, *m_waiting = nullptr, *m_decode = nullptr, *m_ttft = nullptr;
    Panel *m_memory = nullptr, *m_needs = nullptr, *m_jobs = nullptr, *m_models = nullptr;
    MemoryBar* m_memoryBar = nullptr;
    ResourceRow *m_ram = nullptr, *m_disk = nullptr, *m_processor = nullptr;
    qint64 m_ownBytes = 0;                                       // of the workspace's models and adapters on the disk
    QBoxLayout *m_needsList = nullptr, *m_limitsList = nullptr;  // jobs, and below them tenants
    HomeAdapters* m_adapters = nullptr;
    bool m_isNarrow = false;
    QStackedLayout *m_needsStack = nullptr, *m_jobsStack = nullptr, *m_todayStack = nullptr;
    TableView *m_jobTable = nullptr, *m_today = nullptr;
};

}  // namespace espalier::ui
