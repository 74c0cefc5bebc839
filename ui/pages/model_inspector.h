// SPDX-License-Identifier: GPL-3.0-or-later
// ModelInspector: one model in full. Name (renamed in place), where it came from, its figures; in tabs its layers,
// tensors with the findings of the last scan, its adapters, the normalised configuration, the model card, origin and
// digest, and what the page lends it where there is no room beside; what can be done with it.
#pragma once

#include "ui/models/layer_table.h"
#include "ui/models/tensor_tree.h"
#include "ui/models/workspace.h"
#include "ui/shell/actions.h"
#include "ui/widgets/panel.h"

class QLineEdit;
class QPlainTextEdit;
class QSortFilterProxyModel;
class QStackedLayout;
class QStackedWidget;
class QTabBar;

namespace espalier::ui {

class AdaptersPanel;
class MarkdownView;
class OriginView;
class TreeView;

class ModelInspector : public Panel {
    Q_OBJECT
public:
    ModelInspector(Workspace& workspace, Actions& actions);

    void show(const ModelRecord* model);  // null: nothing is chosen
    void setInspection(const ModelInspection& inspection);
    void beginRename();
    // A tab that the page lends and takes back. Requires for returnTab: it was lent.
    void lendTab(const QString& name, QWidget* content);
    void returnTab(QWidget* content);
    void importAdapters(const QStringList& folders);  // for the model shown, in sight
    void chooseAdapter();                             // asks for its folder
    AdaptersPanel& adapters() { return *m_adapters; }

private:
    QWidget* titleRow();
    QLayout* figureRow();
    QWidget* layersTab();
    QWidget* tensorsTab();
    QWidget* cardTab();
    void addTab(const QString& name, QWidget* content);
    void showFindings(const ModelInspection& inspection);
    void showBadge(const ModelRecord& model);
    void showScan(bool isScanned);
    void readCard();
    void commitRename();

    Workspace& m_workspace;
    Actions& m_actions;
    QString m_id;
    qint64 m_verifiedAt = 0;  // of the model shown, Unix milliseconds; 0: not since the import
    QStackedLayout* m_stack;
    QStackedLayout* m_titleStack = nullptr;
    TextLabel *m_name = nullptr, *m_origin = nullptr, *m_source = nullptr;
    QLineEdit* m_rename = nullptr;
    Badge* m_badge = nullptr;
    std::vector<Figure*> m_figures;
    QTabBar* m_tabs = nullptr;
    QStackedWidget* m_tabStack = nullptr;
    LayerTable m_layers;
    TensorTree m_tensors;
    Badge* m_finite = nullptr;
    QPushButton* m_scan = nullptr;
    AdaptersPanel* m_adapters = nullptr;
    MarkdownView* m_card = nullptr;
    QStackedLayout* m_cardStack = nullptr;
    EmptyView* m_noCard = nullptr;
    TextLabel *m_cardSize = nullptr, *m_cardNote = nullptr;  // what of it is shown, and its file
    QString m_cardOf;                                        // the id whose card is shown
    QSortFilterProxyModel* m_filtered = nullptr;
    TreeView* m_tree = nullptr;
    QPlainTextEdit* m_config = nullptr;
    OriginView* m_notes = nullptr;
    ErrorStrip* m_error;
};

}  // namespace espalier::ui
