// SPDX-License-Identifier: GPL-3.0-or-later
// ConnectPage: where the workbench is attached to. Workspaces of this machine that were opened before, and the server
// of a colleague by address and key.
#pragma once

#include "ui/pages/page.h"
#include "ui/shell/preferences.h"
#include "ui/shell/server_book.h"

class QCheckBox;
class QLineEdit;
class QStackedWidget;
class QStandardItemModel;

namespace espalier::ui {

class TableView;

class ConnectPage : public Page {
    Q_OBJECT
public:
    ConnectPage(Workspace& workspace, Actions& actions, PreferenceStore& preferences, ServerBook& servers);
    void fold(Breadth breadth) override;
    void askForServer(const QUrl& url = {});  // focus where the address is typed

signals:
    void workspaceChosen(const QString& folder);

protected:
    void showEvent(QShowEvent* event) override;

private:
    Panel* workspacesPanel();
    Panel* serverPanel();
    void showWorkspaces();
    void showServers();
    void showLink();
    void takeServer();
    void attach();
    QString chosenFolder() const;
    QUrl chosenServer() const;

    PreferenceStore& m_preferences;
    ServerBook& m_servers;
    PageHeader* m_header;
    QStandardItemModel *m_folderModel, *m_serverModel;
    TableView *m_folders = nullptr, *m_known = nullptr;
    QPushButton *m_open = nullptr, *m_forgetFolder = nullptr, *m_attach = nullptr, *m_forgetServer = nullptr;
    QLineEdit *m_url = nullptr, *m_key = nullptr;
    QCheckBox* m_keep = nullptr;
    ErrorStrip* m_error = nullptr;
    QStackedWidget *m_folderStack = nullptr, *m_serverStack = nullptr;  // list, or what an empty one says
    QBoxLayout* m_panels = nullptr;
    std::optional<KnownServer> m_wish;  // being attached to; its key only where it is to be kept
};

}  // namespace espalier::ui
