// SPDX-License-Identifier: GPL-3.0-or-later
// ModelInspector: one model in full. Name (renamed in place), where it came from, its figures, tensors by layer, the
// normalised configuration, warnings of the import; what can be done with it.
#pragma once

#include "ui/models/tensor_tree.h"
#include "ui/models/workspace.h"
#include "ui/shell/actions.h"
#include "ui/widgets/panel.h"

class QLineEdit;
class QPlainTextEdit;
class QSortFilterProxyModel;
class QStackedLayout;
class QTabBar;

namespace espalier::ui {

class TreeView;

class ModelInspector : public Panel {
    Q_OBJECT
public:
    ModelInspector(Workspace& workspace, Actions& actions);

    void show(const ModelRecord* model);  // null: nothing is chosen
    void setInspection(const ModelInspection& inspection);
    void beginRename();

private:
    QWidget* titleRow();
    QWidget* tensorsTab();
    void commitRename();

    Workspace& m_workspace;
    Actions& m_actions;
    QString m_id;
    QStackedLayout* m_stack;
    QStackedLayout* m_titleStack = nullptr;
    TextLabel *m_name = nullptr, *m_origin = nullptr;
    QLineEdit* m_rename = nullptr;
    Badge* m_badge = nullptr;
    std::vector<Figure*> m_figures;
    QTabBar* m_tabs = nullptr;
    QStackedLayout* m_tabStack = nullptr;
    TensorTree m_tensors;
    QSortFilterProxyModel* m_filtered = nullptr;
    TreeView* m_tree = nullptr;
    QPlainTextEdit *m_config = nullptr, *m_notes = nullptr;
    ErrorStrip* m_error;
};

}  // namespace espalier::ui
