// SPDX-License-Identifier: GPL-3.0-or-later
// CasePanel: the saved cases of the workspace. It keeps them with the daemon, shows how they stand, and says which the
// Playground shall put into its fields or run; a removed one can be brought back.
#pragma once

#include "ui/models/saved_case.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QLineEdit;
class QStackedLayout;

namespace espalier::ui {

class Actions;
class NameEdit;
class TableView;

class CasePanel : public Panel {
    Q_OBJECT
public:
    CasePanel(Workspace& workspace, Actions& actions);

    const SavedCase* current() const;
    const SavedCase* find(qint64 id) const { return m_cases.find(id); }
    void save(SavedCase saved);       // keeps it and selects it; a failure shows as a strip
    void setBusy(bool busy);          // while cases run
    void setSaveable(bool saveable);  // there is a prompt that could be one

signals:
    void chosen(qint64 id);
    void runRequested(const std::vector<qint64>& ids);

private:
    void read();
    void keep(const SavedCase& saved);
    void removeCurrent();
    void undoRemove();
    void beginRename();
    void renameCurrent();
    void setExpected();
    void showCurrent();

    Workspace& m_workspace;
    CaseTable m_cases;
    TableView* m_table;
    EmptyView* m_none = nullptr;
    QPushButton *m_saveFirst = nullptr, *m_write = nullptr;  // of the empty view
    QStackedLayout* m_stack;
    NameEdit* m_name;  // seen while a case is renamed
    QLineEdit* m_expected;
    QPushButton *m_run, *m_runAll, *m_undo;
    QToolButton *m_use, *m_rename, *m_remove;
    ErrorStrip* m_error;
    std::optional<SavedCase> m_removed;
    std::map<qint64, bool> m_saving;  // by id: whether it has changed since it was sent
    bool m_busy = false;
};

}  // namespace espalier::ui
