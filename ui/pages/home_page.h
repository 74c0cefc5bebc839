// SPDX-License-Identifier: GPL-3.0-or-later
// HomePage: the workspace at a glance. Server, device memory, what needs a person, jobs, models, who used it today, the
// day's events; in an empty workspace the three ways to begin.
#pragma once

#include "ui/pages/page.h"

class QGridLayout;
class QStackedLayout;
class QVBoxLayout;

namespace espalier::ui {

class Dashboard;
class MemoryBar;
class Plot;
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
    void showLink();
    void showModels();
    void showJobs();
    void showNeeds();
    void showToday();

    PageHeader* m_header;
    QStackedLayout* m_stack;
    QWidget* m_overview;
    ErrorStrip* m_error;
    QGridLayout* m_grid;
    std::vector<Panel*> m_panels;
    Dashboard* m_dashboard = nullptr;
    Plot* m_decodePlot = nullptr;
    Badge* m_serveBadge = nullptr;
    Figure *m_running = nullptr, *m_waiting = nullptr, *m_decode = nullptr, *m_ttft = nullptr;
    Panel *m_memory = nullptr, *m_needs = nullptr, *m_jobs = nullptr, *m_models = nullptr;
    MemoryBar* m_memoryBar = nullptr;
    TextLabel *m_resident = nullptr, *m_processor = nullptr, *m_compute = nullptr;
    QBoxLayout* m_needsList = nullptr;
    QStackedLayout *m_needsStack = nullptr, *m_jobsStack = nullptr, *m_todayStack = nullptr;
    TableView *m_jobTable = nullptr, *m_today = nullptr;
};

}  // namespace espalier::ui
