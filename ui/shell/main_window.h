// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow: the frame. Sidebar, pages, menus over the action registry, palette, docks, status strip, drop. What a
// page does is the page's; what the daemon does is EngineClient's.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QMainWindow>
#include <QPointer>

#include "ui/models/workspace.h"
#include "ui/shell/actions.h"
#include "ui/shell/theme.h"

class QFocusFrame;
class QMenu;
class QSettings;
class QStackedWidget;

namespace espalier::ui {

class CommandPalette;
class DropOverlay;
class HomePage;
class ImportDialog;
class JobsDock;
class LogDock;
class ModelsPage;
class Page;
class PlaygroundPage;
class ServePage;
class Sidebar;
class StatusStrip;

class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(Workspace& workspace, Theme& theme, QSettings& settings);
    ~MainWindow() override;

    // "home", "models", "serve", "playground"; false when there is no such page.
    bool goTo(const QString& page);
    Actions& actions() { return m_actions; }
    ServePage& servePage() { return *m_serve; }
    void openImport(const QString& path);

protected:
    void resizeEvent(QResizeEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void makeActions();
    void makeModelActions();
    void makeServeActions();
    void makeMenus();
    void makePages();
    void makeDocks();
    void restore();
    void showPage(int index);
    void foldTo(int width);
    void refreshActions();
    void refreshSidebar();
    void openWorkspace();
    void openSample();
    void attachTo();
    void undoRemove();
    void paintFrame();

    Workspace& m_workspace;
    Theme& m_theme;
    QSettings& m_settings;
    Actions m_actions;
    Sidebar* m_sidebar;
    QStackedWidget* m_stack;
    HomePage* m_home = nullptr;
    ModelsPage* m_models = nullptr;
    ServePage* m_serve = nullptr;
    PlaygroundPage* m_playground = nullptr;
    std::vector<Page*> m_pages;
    StatusStrip* m_status = nullptr;
    JobsDock* m_jobsDock = nullptr;
    LogDock* m_logDock = nullptr;
    QPushButton* m_searchField = nullptr;
    CommandPalette* m_palette = nullptr;
    DropOverlay* m_drop = nullptr;
    QFocusFrame* m_focus;
    QPointer<ImportDialog> m_import;
};

}  // namespace espalier::ui
