// SPDX-License-Identifier: GPL-3.0-or-later
// The two docks: Jobs (progress, reason of failure, cancel, pause, resume, discard) and Log (level, search, copy with
// secrets removed). They stay at the bottom and never float.
#pragma once

#include <QDockWidget>

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QComboBox;
class QSortFilterProxyModel;
class QStackedWidget;

namespace espalier::ui {

class Actions;
class TableView;

inline constexpr int kDockHeight = 200;  // when first opened, before scaling

class JobsDock : public QDockWidget {
    Q_OBJECT
public:
    JobsDock(Workspace& workspace, Actions& actions, QWidget* parent = nullptr);

private:
    const JobRecord* current() const;
    void showList();
    void showCurrent();
    void act(const QString& operation);

    Workspace& m_workspace;
    QSortFilterProxyModel* m_filtered;
    TableView* m_table;
    QStackedWidget* m_stack;  // the table, or what an empty one says
    QPushButton *m_cancel, *m_pause, *m_resume, *m_discard, *m_copy;
    ErrorStrip* m_error;
    std::pair<qint64, bool> m_errorOf{-1, false};  // the job shown, and whether it failed
};

class LogDock : public QDockWidget {
    Q_OBJECT
public:
    explicit LogDock(Workspace& workspace, QWidget* parent = nullptr);
    void copyAll() const;  // with what is needed to understand it, without secrets
    void askWhereToSave();

private:
    void showList();
    QString diagnostics() const;
    void save(const QString& path);

    Workspace& m_workspace;
    QSortFilterProxyModel* m_filtered;
    QComboBox* m_level;
    TableView* m_table;
    QStackedWidget* m_stack;  // the table, or what an empty one says
    ErrorStrip* m_error;
};

// Keys and bearer tokens in a text, replaced.
QString withoutSecrets(const QString& text);

}  // namespace espalier::ui
