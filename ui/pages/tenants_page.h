// SPDX-License-Identifier: GPL-3.0-or-later
// TenantsPage: who may use the server: a table of tenants and an inspector with keys, limits, models and use. Limits
// hold as soon as they are edited; every edit, revocation and restoration can be undone. Where the window is narrow the
// inspector opens in the table's place; a button and Esc lead back.
#pragma once

#include <QTimer>

#include "ui/models/tenant_table.h"
#include "ui/pages/page.h"

class QLineEdit;
class QSortFilterProxyModel;
class QSplitter;
class QStackedLayout;

namespace espalier::ui {

class IsolationStrip;
class TableView;
class TenantInspector;

class TenantsPage : public Page {
    Q_OBJECT
public:
    TenantsPage(Workspace& workspace, Actions& actions);
    void fold(Breadth breadth) override;
    bool canUndo() const { return !m_undo.empty(); }
    void undo();
    void select(const QString& name);
    void askForName();
    void exportUsage(const QString& tenant);  // empty: of all
    // About the tenant chosen; without one they do nothing.
    const TenantRecord* chosen() const { return m_tenants.find(current()); }
    void editLimits();  // the first field takes the focus
    void makeKey();
    void rotateKey();  // its only key; with several, the first Rotate takes the focus
    void revokeKey();  // likewise
    void toggleRevoked();
    void chooseModels();  // their list takes the focus
    void toggleHours();   // use by day or by hour
    void exportChosen();
    void checkIsolation();  // of everybody
    void cancelIsolation();
    bool isCheckingIsolation() const;
    QLineEdit* filterField() const override { return m_filter; }
    QJsonObject session() const override;
    void restoreSession(const QJsonObject& session) override;

signals:
    void changed();  // what there is to undo, who is chosen, or whether isolation is being checked

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    struct Undo {
        QString operation;
        Json arguments;
    };
    using Done = std::function<void(const Json&)>;

    Panel* listPanel();
    QWidget* nameStrip();
    void connectInspector();
    void showTenants();
    void readUsage();
    void readHours(const QString& tenant);
    void call(const QString& operation, const Json& arguments, const QString& failure, const Done& done);
    void callUndoable(const QString& operation, const Json& arguments, const QString& failure, Undo back);
    void create();
    void showKey(const Json& answer);
    void showList();
    void showCurrent();
    void showParts();
    void goInside();
    QString current() const;

    TenantTable& m_tenants;
    QSortFilterProxyModel* m_filtered;
    PageHeader* m_header;
    TableView* m_table = nullptr;
    QStackedLayout* m_listStack = nullptr;
    QWidget* m_nameStrip = nullptr;
    QLineEdit *m_newName = nullptr, *m_filter = nullptr;
    ErrorStrip* m_error = nullptr;
    IsolationStrip* m_isolation = nullptr;
    TenantInspector* m_inspector;
    Panel* m_list = nullptr;
    QSplitter* m_splitter;
    std::vector<Undo> m_undo;  // newest last
    QTimer m_beat{this};
    QString m_selectNext;
    int m_beats = 0, m_shownCount = 0;
    bool m_isNarrow = false, m_isInside = false;
};

}  // namespace espalier::ui
