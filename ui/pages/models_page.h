// SPDX-License-Identifier: GPL-3.0-or-later
// ModelsPage: the models of the workspace and its bin, with the jobs about them, and an inspector, a memory estimate
// and a tokenizer for the one chosen. Where the window is narrow, the last two are tabs of the inspector.
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
    QLineEdit* filterField() const override { return m_filter; }
    QJsonObject session() const override;  // the messages tried out with a chat template, once they were changed
    void restoreSession(const QJsonObject& session) override;

    QString currentId() const;  // empty when nothing is chosen
    void select(const QString& id);
    void beginRename();
    void importAdapters(const QStringList& folders);  // for the model chosen; folders of them are welcome too
    void chooseAdapter();                             // asks which
    bool hasChosenAdapter() const;
    void reloadAdapter();  // the one chosen
    void removeAdapter();
    // Sends an operation about the current model; a failure shows as a strip in the list.
    void act(const QString& operation, const QString& failure);
    void restore();  // the model chosen in the bin when it is shown, else the one removed last
    void emptyBin();

signals:
    void currentChanged();
    void refused();  // something of this page failed, and its strip says why

private:
    Panel* listPanel();
    QWidget* binStrip();
    QWidget* scrolled(QWidget* panel);
    void call(const QString& operation, const Json& arguments, const QString& failure, std::function<void()> done);
    void showList();
    void showModels();
    void showJobs();
    void showCurrent();
    void foldSideParts(bool narrow);
    void inspect(const QString& id);

    PageHeader* m_header;
    QSortFilterProxyModel* m_filtered;
    QLineEdit* m_filter;
    TableView *m_table = nullptr, *m_binTable = nullptr;
    QStackedLayout* m_listStack = nullptr;
    QBoxLayout* m_jobs = nullptr;
    QWidget* m_bin = nullptr;
    TextLabel *m_binText = nullptr, *m_listHint = nullptr;
    QPushButton* m_showBin = nullptr;
    bool m_binShown = false;
    ErrorStrip* m_error = nullptr;
    ModelInspector* m_inspector;
    MemoryEstimatePanel* m_estimate;
    TokenizerPanel* m_tokenizer;
    QWidget *m_estimatePart, *m_tokenizerPart;  // the panels in a scroll area each
    QSplitter *m_splitter, *m_left = nullptr;
    QString m_inspected, m_selectNext;
};

}  // namespace espalier::ui
