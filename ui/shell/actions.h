// SPDX-License-Identifier: GPL-3.0-or-later
// Actions: everything the workbench can do, by name. Menus, buttons and the palette (Ctrl+K) all hold the same QAction,
// so that what can be done is found in one place and is enabled in one place.
//
// Owner: MainWindow. Thread: Qt.
#pragma once

#include <QAction>
#include <QHash>
#include <QObject>
#include <functional>
#include <vector>

#include "ui/widgets/controls.h"

namespace espalier::ui {

namespace action {
inline constexpr auto kImport = "model.import";
inline constexpr auto kWorkspaces = "file.workspaces";
inline constexpr auto kOpenWorkspace = "file.open";
inline constexpr auto kOpenSample = "file.sample";
inline constexpr auto kAttach = "file.attach";
inline constexpr auto kClose = "file.close";
inline constexpr auto kQuit = "file.quit";
inline constexpr auto kUndo = "edit.undo";
inline constexpr auto kCut = "edit.cut";
inline constexpr auto kCopy = "edit.copy";
inline constexpr auto kPaste = "edit.paste";
inline constexpr auto kSelectAll = "edit.select-all";
inline constexpr auto kFilter = "edit.filter";
inline constexpr auto kPreferences = "edit.preferences";
inline constexpr auto kRename = "model.rename";
inline constexpr auto kRemove = "model.remove";
inline constexpr auto kVerify = "model.verify";
inline constexpr auto kScan = "model.scan";
inline constexpr auto kLoad = "model.load";
inline constexpr auto kUnload = "model.unload";
inline constexpr auto kEmptyBin = "model.empty-bin";
inline constexpr auto kImportAdapter = "model.import-adapter";
inline constexpr auto kReloadAdapter = "model.reload-adapter";
inline constexpr auto kRemoveAdapter = "model.remove-adapter";
inline constexpr auto kServeToggle = "serve.toggle";
inline constexpr auto kDrain = "serve.drain";
inline constexpr auto kCopyUrl = "serve.copy-url";
inline constexpr auto kCopyKey = "serve.copy-key";
inline constexpr auto kAddress = "serve.address";
inline constexpr auto kPausePlots = "serve.pause-plots";
inline constexpr auto kNewTenant = "serve.new-tenant";
inline constexpr auto kExportUsage = "serve.export-usage";
inline constexpr auto kExportPlots = "serve.export-plots";
inline constexpr auto kPlotTables = "serve.plot-tables";
inline constexpr auto kTenantLimits = "serve.tenant-limits";
inline constexpr auto kTenantKey = "serve.tenant-key";
inline constexpr auto kTenantRotate = "serve.tenant-rotate";
inline constexpr auto kTenantRevokeKey = "serve.tenant-revoke-key";
inline constexpr auto kTenantModels = "serve.tenant-models";
inline constexpr auto kTenantHours = "serve.tenant-hours";
inline constexpr auto kTenantRevoke = "serve.tenant-revoke";
inline constexpr auto kTenantExport = "serve.tenant-export";
inline constexpr auto kIsolationCheck = "serve.isolation-check";
inline constexpr auto kIsolationCancel = "serve.isolation-cancel";
inline constexpr auto kWrite = "playground.write";
inline constexpr auto kNewChat = "playground.new-chat";
inline constexpr auto kAddModel = "playground.add-model";
inline constexpr auto kSaveCase = "playground.save-case";
inline constexpr auto kGoHome = "view.home";
inline constexpr auto kGoModels = "view.models";
inline constexpr auto kGoServe = "view.serve";
inline constexpr auto kGoPlayground = "view.playground";
inline constexpr auto kGoTenants = "view.tenants";
inline constexpr auto kJobsDock = "view.jobs";
inline constexpr auto kLogDock = "view.log";
inline constexpr auto kLargerText = "view.larger-text";
inline constexpr auto kSmallerText = "view.smaller-text";
inline constexpr auto kUsualText = "view.usual-text";
inline constexpr auto kPalette = "tools.palette";
inline constexpr auto kRetry = "tools.retry";
inline constexpr auto kStartEngine = "tools.start-engine";
inline constexpr auto kStopEngine = "tools.stop-engine";
inline constexpr auto kCopyDiagnostics = "tools.copy-diagnostics";
inline constexpr auto kSaveLog = "tools.save-log";
inline constexpr auto kNextPage = "window.next-page";
inline constexpr auto kPreviousPage = "window.previous-page";
inline constexpr auto kNextRegion = "window.next-region";
inline constexpr auto kMinimise = "window.minimise";
inline constexpr auto kFullScreen = "window.full-screen";
inline constexpr auto kShortcuts = "help.shortcuts";
inline constexpr auto kAbout = "help.about";
}  // namespace action

class Actions : public QObject {
    Q_OBJECT
public:
    using QObject::QObject;

    // `where` names the menu; the palette shows it before the text.
    QAction* add(const QString& id, const QString& where, const QString& text, const QString& iconName,
                 const QKeySequence& shortcut, std::function<void()> run);
    QAction* get(const QString& id) const;  // Requires: it was added
    // What the server or the key does not allow is absent: out of menus, palette, buttons and shortcuts.
    void setAvailable(const QString& id, bool available);
    void beginGroup(const QString& id);  // a separator before it in its menu
    static bool beginsGroup(const QAction* action);
    const std::vector<QAction*>& all() const { return m_all; }
    static QString placeOf(const QAction* action);

private:
    std::vector<QAction*> m_all;
    QHash<QString, QAction*> m_byId;
};

// A button that is the action: same icon, enabled together. The text may be shorter than the action's.
QPushButton* buttonFor(QAction* action, const QString& text, ButtonRole role = ButtonRole::Plain,
                       ControlSize size = ControlSize::Normal);
QPushButton* smallButtonFor(QAction* action, const QString& text);  // 24 px, no icon

}  // namespace espalier::ui
