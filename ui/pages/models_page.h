// SPDX-License-Identifier: GPL-3.0-or-later
// ModelsPage: the models of the workspace with their imports in progress, and an inspector, a memory estimate and a
// tokenizer for the one chosen.
#pragma once

#include "ui/pages/page.h"

class QLineEdit;
class QSortFilterProxyModel;
class QSplitter;
class QStackedLayout;

namespace espalier::ui {

class MemoryEstimatePanel;
class ModelInspector;
class TableView;
class TokenizerPanel;

class ModelsPage : public Page {
    Q_OBJECT
public:
    ModelsPage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;

    QString currentId() const;  // empty when nothing is chosen
    void select(const QString& id);
    void beginRename();
    // Sends an operation about the current model; a failure shows as a strip in the list.
    void act(const QString& operation, const QString& failure);

signals:
    void currentChanged();

private:
    Panel* listPanel();
    QWidget* binStrip();
    void showModels();
    void showJobs();
    void showCurrent();
    void inspect(const QString& id);

    PageHeader* m_header;
    QSortFilterProxyModel* m_filtered;
    TableView* m_table = nullptr;
    QStackedLayout* m_listStack = nullptr;
    QWidget *m_jobs = nullptr, *m_bin = nullptr;
    TextLabel* m_binText = nullptr;
    ErrorStrip* m_error = nullptr;
    ModelInspector* m_inspector;
    MemoryEstimatePanel* m_estimate;
    TokenizerPanel* m_tokenizer;
    QSplitter* m_splitter;
    QString m_inspected, m_selectNext;
};

}  // namespace espalier::ui
