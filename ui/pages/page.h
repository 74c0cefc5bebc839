// SPDX-License-Identifier: GPL-3.0-or-later
// Page: one journey of the workbench. A header with title, facts and actions above the content; the main window tells
// it how wide the window is, and it folds.
#pragma once

#include <QJsonObject>
#include <QWidget>

#include "ui/models/workspace.h"
#include "ui/shell/actions.h"
#include "ui/widgets/controls.h"
#include "ui/widgets/panel.h"

class QBoxLayout;
class QLineEdit;

namespace espalier::ui {

// The widths the layout knows (the window's, in pixels at 1x).
enum class Breadth { Narrow, Medium, Wide };  // under 1280, under 1440, from 1440
Breadth breadthOf(int windowWidth);

// The ground of a header; Serve lays out its own.
class HeaderBar : public QFrame {
    Q_OBJECT
public:
    explicit HeaderBar(int height);

protected:
    void paintEvent(QPaintEvent* event) override;
};

class PageHeader : public HeaderBar {
    Q_OBJECT
public:
    explicit PageHeader(const QString& title);
    void setFacts(const QString& facts);
    void add(QWidget* action);

private:
    TextLabel* m_facts;
    QBoxLayout* m_row;
};

class Page : public QWidget {
    Q_OBJECT
public:
    Page(Workspace& workspace, Actions& actions) : m_workspace(workspace), m_actions(actions) {}
    virtual void fold(Breadth breadth) { Q_UNUSED(breadth); }
    // Called when the page is opened. Not a focus proxy: Tab would jump over what stands before the proxy.
    virtual void takeFocus() { setFocus(Qt::OtherFocusReason); }
    // What narrows the list of the page; null: it has none. Ctrl+F goes there.
    virtual QLineEdit* filterField() const { return nullptr; }
    // What the page wants back after a restart or a change of language: selection, drafts. The keys are its own.
    virtual QJsonObject session() const { return {}; }
    virtual void restoreSession(const QJsonObject& session) { Q_UNUSED(session); }

signals:
    void sessionChanged();  // kept after a while, and when the window closes

protected:
    EngineClient& engine() const { return m_workspace.engine(); }

    Workspace& m_workspace;
    Actions& m_actions;
};

}  // namespace espalier::ui
