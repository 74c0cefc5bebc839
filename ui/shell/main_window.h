// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow: the frame. Sidebar, pages, menus over the action registry, palette, docks, status strip, drop. What a
// page does is the page's; what the daemon does is EngineClient's. A page is made when it is first needed.
//
// Owner: Session, which makes it anew when the language or the text size changes. Thread: Qt.
#pragma once

#include <QMainWindow>
#include <QPointer>
#include <QTimer>
#include <QUrl>
#include <QVariant>
#include <array>
#include <memory>

#include "ui/models/workspace.h"
#include "ui/pages/page.h"
#include "ui/shell/actions.h"
#include "ui/shell/page_names.h"
#include "ui/shell/preferences.h"
#include "ui/shell/server_book.h"
#include "ui/shell/theme.h"

class QFocusFrame;
class QMenu;
class QSplitter;
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
    ServePage& servePage() { return serve(); }
    bool isMade(PageIndex page) const { return m_pages[std::size_t(page)] != nullptr; }
    void openImport(const QString& path);
    void comeForward();

    // Keeps geometry, docks, page, splitters and what the pages want back; read again by the next window.
    void keepSession();
    // What a window made anew by the same code goes on with: what was typed, by field; the conversations, also those
    // that are being answered. This window has them no longer.
    struct Handover;
    std::shared_ptr<Handover> handOver();
    void goOn(const std::shared_ptr<Handover>& handover);
    void setSampleRunning(bool running);
    void showSampleError(const Error& error);

signals:
    void workspaceChosen(const QString& folder);
    void sampleAsked();
    void closed();

protected:
    void resizeEvent(QResizeEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void changeEvent(QEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    // main_window_actions.cpp
    void makeActions();
    void makeTenantActions(const QString& menu);
    void makeFileActions();
    void makeEditActions();
    void makeViewActions();
    void makeModelActions();
    void makeServeActions();
    void makeToolActions();
    void makePlaygroundActions();
    void makeWindowActions();
    void makeMenus();
    void stepText(int steps);
    void stopEngine();
    void openWorkspace();
    void undoRemove();
    QLineEdit* filterOfPage() const;
    void takeFilter();

    // main_window_drop.cpp
    bool dragOver(QObject* watched, QEvent* event);
    void take(const QMimeData* data);

    // main_window_state.cpp
    void nameFields(QWidget* part, const QString& name);
    void restore();
    void restorePage(int index);
    void takeTyped(const QWidget* part);
    QString splitterKey(int page, qsizetype index) const;
    void followSplitters(int page);
    void restoreSplitters(int page);
    void keepSoon();

    // A page, made when it is not there yet.
    Page& pageAt(int index);
    Page* makePage(int index);
    void connectPage(int index);
    HomePage& home();
    ModelsPage& models();
    ServePage& serve();
    PlaygroundPage& playground();
    TenantsPage& tenants();
    ConnectPage& connecting();
    QString chosenModel() const;

    void makeCentre();
    void makeSidebar();
    void makeDocks();
    void showPage(int index);
    void stepPage(int by);
    void stepRegion();
    void toggleDock(QDockWidget* dock);
    void foldTo(int width);
    void layOutMenuBar();
    void applyPreferences();
    void refreshActions();
    void refreshAccess();
    void refreshTenantActions(bool attached);
    void refreshSidebar();
    void selectKeptModel();
    void paintFrame();
    void frameFocus(QWidget* now);
    void refreshEditing(QWidget* now);

    Workspace& m_workspace;
    Theme& m_theme;
    PreferenceStore& m_preferences;
    ServerBook& m_servers;
    Actions m_actions;
    Sidebar* m_sidebar;
    QStackedWidget* m_stack;
    std::array<Page*, kPageCount> m_pages{};  // null: not made yet
    int m_page = kHome;                       // the one shown
    StatusStrip* m_status = nullptr;
    JobsDock* m_jobsDock = nullptr;
    LogDock* m_logDock = nullptr;
    PaletteField* m_searchField = nullptr;
    CommandPalette* m_palette = nullptr;
    DropOverlay* m_drop = nullptr;
    QPointer<QFocusFrame> m_focus;  // goes with the dialog it stands in
    QTimer m_keep;                  // of the session, a while after the last change
    QVariantHash m_splitterSizes;   // by page, splitter and breadth
    std::array<QList<QSplitter*>, kPageCount> m_splitters;
    QVariantHash m_typed;        // handed over, for fields of pages that are not made yet
    QPointer<QWidget> m_editor;  // what Cut, Copy, Paste and Select all are about
    QList<QUrl> m_draggedUrls;   // what is being dragged over the window, and what a drop would do with it
    std::shared_ptr<struct Dropped> m_dragged;
    std::optional<Breadth> m_breadth;  // none until something was folded
    QPointer<ImportDialog> m_import;
    QString m_keptModel;  // selected when the list has arrived
};

}  // namespace espalier::ui
