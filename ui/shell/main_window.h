// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow: the frame. Sidebar, pages, menus over the action registry, palette, docks, status strip, drop. What a
// page does is the page's; what the daemon does is EngineClient's.
//
// Owner: Session, which makes it anew when the language or the text size changes. Thread: Qt.
#pragma once

#include <QMainWindow>
#include <QPointer>

#include "ui/models/workspace.h"
#include "ui/pages/page.h"
#include "ui/shell/actions.h"
#include "ui/shell/preferences.h"
#include "ui/shell/server_book.h"
#include "ui/shell/theme.h"

class QFocusFrame;
class QMenu;
class QStackedWidget;

namespace espalier::ui {

class CommandPalette;
class ConnectPage;
class DropOverlay;
class HomePage;
class ImportDialog;
class JobsDock;
class LogDock;
class ModelsPage;
class PlaygroundPage;
class ServePage;
class PaletteField;
class Sidebar;
class StatusStrip;
class TenantsPage;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(Workspace& workspace, Theme& theme, PreferenceStore& preferences, ServerBook& servers);
    ~MainWindow() override;

    // "home", "models", "serve", "playground", "tenants", "workspaces", "preferences", "commands", "about"; false when
    // there is no such page or the server's key does not open it.
    bool goTo(const QString& page);
    QString page() const;
    Actions& actions() { return m_actions; }
    ServePage& servePage() { return *m_serve; }
    void openImport(const QString& path);
    void comeForward();

    // Keeps geometry, docks, page, splitters and what the pages want back; read again by the next window.
    void keepSession();
    // What was typed and chosen in the pages' fields, in the order they were made: for a window made anew by the same
    // code.
    QVariantList typed() const;
    void retype(const QVariantList& typed);

signals:
    void workspaceChosen(const QString& folder);
    void closed();

protected:
    void resizeEvent(QResizeEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    // main_window_actions.cpp
    void makeActions();
    void makeFileActions();
    void makeEditActions();
    void makeViewActions();
    void makeModelActions();
    void makeServeActions();
    void makeToolActions();
    void makeWindowActions();
    void makeMenus();
    void stepText(int steps);
    void stopEngine();
    void openWorkspace();
    void openSample();
    void undoRemove();

    // main_window_drop.cpp
    bool dragOver(QObject* watched, QEvent* event);
    void take(const QMimeData* data);

    void makePages();
    void makeDocks();
    void restore();
    void showPage(int index);
    void stepPage(int by);
    void stepRegion();
    void toggleDock(QDockWidget* dock);
    void foldTo(int width);
    void layOutMenuBar();
    void applyPreferences();
    void refreshActions();
    void refreshAccess();
    void refreshSidebar();
    void selectKeptModel();
    void paintFrame();
    void frameFocus(QWidget* now);

    Workspace& m_workspace;
    Theme& m_theme;
    PreferenceStore& m_preferences;
    ServerBook& m_servers;
    Actions m_actions;
    Sidebar* m_sidebar;
    QStackedWidget* m_stack;
    HomePage* m_home = nullptr;
    ModelsPage* m_models = nullptr;
    ServePage* m_serve = nullptr;
    PlaygroundPage* m_playground = nullptr;
    TenantsPage* m_tenants = nullptr;
    ConnectPage* m_connect = nullptr;
    std::vector<Page*> m_pages;
    StatusStrip* m_status = nullptr;
    JobsDock* m_jobsDock = nullptr;
    LogDock* m_logDock = nullptr;
    PaletteField* m_searchField = nullptr;
    CommandPalette* m_palette = nullptr;
    DropOverlay* m_drop = nullptr;
    QFocusFrame* m_focus;
    std::optional<Breadth> m_breadth;  // none until something was folded
    QPointer<ImportDialog> m_import;
    QString m_keptModel;  // selected when the list has arrived
};

}  // namespace espalier::ui
