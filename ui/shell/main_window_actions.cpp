// SPDX-License-Identifier: GPL-3.0-or-later
// MainWindow, the registry: every command with its place, keys and what it does. The menus are made from it.
#include <QAbstractItemView>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QBoxLayout>
#include <QStackedWidget>
#include <array>

#include "ui/models/format.h"
#include "ui/pages/address_dialog.h"
#include "ui/pages/connect_page.h"
#include "ui/pages/home_page.h"
#include "ui/pages/models_page.h"
#include "ui/pages/playground_page.h"
#include "ui/pages/serve_page.h"
#include "ui/pages/tenants_page.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/docks.h"
#include "ui/shell/main_window.h"
#include "ui/shell/page_names.h"
#include "ui/shell/palette_field.h"
#include "ui/shell/status_strip.h"
#include "ui/widgets/dashboard.h"

namespace espalier::ui {
namespace {

constexpr int kTextStep = 25;

constexpr std::array kEditing{std::pair{action::kCut, "cut"}, std::pair{action::kCopy, "copy"},
                              std::pair{action::kPaste, "paste"}, std::pair{action::kSelectAll, "selectAll"}};

// What an editor does for Cut, Copy, Paste and Select all is a slot of that name in every text widget of Qt.
bool takes(const QWidget* editor, const char* slot) {
    return editor && editor->metaObject()->indexOfMethod(QByteArray(slot) + "()") >= 0;
}

// A row of a table as its cells are shown, with tabs between.
void copyRow(const QAbstractItemView& view) {
    const QModelIndex current = view.currentIndex();
    QStringList cells;
    for (int column = 0; current.isValid() && column < view.model()->columnCount(current.parent()); ++column)
        cells << current.siblingAtColumn(column).data().toString();
    if (!cells.isEmpty()) QApplication::clipboard()->setText(cells.join(QLatin1Char('\t')));
}

void tellEditor(QWidget* editor, const char* slot) {
    if (takes(editor, slot))
        QMetaObject::invokeMethod(editor, slot);
    else if (const auto* view = qobject_cast<const QAbstractItemView*>(editor))
        copyRow(*view);
}

QKeySequence keys(const char* text) {
    return QKeySequence(QString::fromLatin1(text));
}

}  // namespace

void MainWindow::makeActions() {
    makeFileActions();
    makeEditActions();
    makeViewActions();
    makeModelActions();
    makeServeActions();
    makeToolActions();
    makePlaygroundActions();
    makeWindowActions();
    for (QAction* made : m_actions.all()) addAction(made);
}

void MainWindow::makeFileActions() {
    const QString file = tr("File");
    m_actions.add(action::kWorkspaces, file, tr("Workspaces and servers"), QStringLiteral("hard-drive"),
                  keys("Ctrl+Shift+O"), [this] { showPage(kConnect); });
    m_actions.add(action::kOpenWorkspace, file, tr("Open workspace…"), QStringLiteral("hard-drive"), QKeySequence::Open,
                  [this] { openWorkspace(); });
    m_actions.add(action::kOpenSample, file, tr("Open sample"), QStringLiteral("flask-conical"), {},
                  [this] { emit sampleAsked(); });
    m_actions.add(action::kAttach, file, tr("Attach to a server"), QStringLiteral("plug"), {}, [this] {
        showPage(kConnect);
        connecting().askForServer();
    });
    m_actions.add(action::kClose, file, tr("Close the window"), {}, QKeySequence::Close, [this] { close(); });
    m_actions.add(action::kQuit, file, tr("Quit"), {}, QKeySequence::Quit, [this] { close(); });
    m_actions.beginGroup(action::kClose);
}

void MainWindow::makeEditActions() {
    const QString edit = tr("Edit");
    m_actions.add(action::kUndo, edit, tr("Restore removed model"), QStringLiteral("undo-2"), QKeySequence::Undo,
                  [this] { undoRemove(); });
    m_actions.add(action::kCut, edit, tr("Cut"), {}, QKeySequence::Cut, [this] { tellEditor(m_editor, "cut"); });
    m_actions.add(action::kCopy, edit, tr("Copy"), QStringLiteral("copy"), QKeySequence::Copy,
                  [this] { tellEditor(m_editor, "copy"); });
    m_actions.add(action::kPaste, edit, tr("Paste"), {}, QKeySequence::Paste,
                  [this] { tellEditor(m_editor, "paste"); });
    m_actions.add(action::kSelectAll, edit, tr("Select all"), {}, QKeySequence::SelectAll,
                  [this] { tellEditor(m_editor, "selectAll"); });
    m_actions.add(action::kFilter, edit, tr("Filter the list of this page"), QStringLiteral("search"),
                  QKeySequence::Find, [this] { takeFilter(); });
    m_actions.add(action::kPreferences, edit, tr("Preferences"), QStringLiteral("settings"), keys("Ctrl+,"),
                  [this] { showPage(kPreferences); });
    m_actions.beginGroup(action::kCut);
    m_actions.beginGroup(action::kFilter);
    m_actions.beginGroup(action::kPreferences);
}

void MainWindow::makeViewActions() {
    const QString view = tr("View");
    m_actions.add(action::kGoHome, view, tr("Home"), QStringLiteral("house"), keys("Ctrl+1"),
                  [this] { showPage(kHome); });
    m_actions.add(action::kGoModels, view, tr("Models"), QStringLiteral("box"), keys("Ctrl+2"),
                  [this] { showPage(kModels); });
    m_actions.add(action::kGoServe, view, tr("Serve"), QStringLiteral("activity"), keys("Ctrl+3"),
                  [this] { showPage(kServe); });
    m_actions.add(action::kGoPlayground, view, tr("Playground"), QStringLiteral("message-square-text"), keys("Ctrl+4"),
                  [this] { showPage(kPlayground); });
    m_actions.add(action::kGoTenants, view, tr("Tenants"), QStringLiteral("users"), keys("Ctrl+5"),
                  [this] { showPage(kTenants); });
    m_actions.add(action::kJobsDock, view, tr("Jobs"), QStringLiteral("list-checks"), keys("Ctrl+J"),
                  [this] { toggleDock(m_jobsDock); });
    m_actions.add(action::kLogDock, view, tr("Log"), QStringLiteral("scroll-text"), keys("Ctrl+L"),
                  [this] { toggleDock(m_logDock); });
    auto* themes = new QActionGroup(this);
    for (const auto& [choice, name] :
         {std::pair{ThemeChoice::System, tr("Theme of the desktop")}, std::pair{ThemeChoice::Light, tr("Light theme")},
          std::pair{ThemeChoice::Dark, tr("Dark theme")}}) {
        QAction* made = m_actions.add(QStringLiteral("view.theme-") + themeChoiceName(choice), view, name, {}, {},
                                      [this, choice = choice] {
                                          Preferences wanted = m_preferences.now();
                                          wanted.theme = choice;
                                          m_preferences.set(wanted);
                                          m_theme.choose(choice);
                                      });
        made->setCheckable(true);
        made->setChecked(m_theme.choice() == choice);
        themes->addAction(made);
        connect(&m_theme, &Theme::chosen, made,
                [made, choice = choice](ThemeChoice now) { made->setChecked(now == choice); });
    }
    m_actions.add(action::kLargerText, view, tr("Larger text"), QStringLiteral("plus"), QKeySequence::ZoomIn,
                  [this] { stepText(1); });
    m_actions.add(action::kSmallerText, view, tr("Smaller text"), QStringLiteral("minus"), QKeySequence::ZoomOut,
                  [this] { stepText(-1); });
    m_actions.add(action::kUsualText, view, tr("Text as the desktop has it"), {}, keys("Ctrl+0"),
                  [this] { stepText(0); });
    m_actions.beginGroup(action::kJobsDock);
    m_actions.beginGroup(QStringLiteral("view.theme-system"));
    m_actions.beginGroup(action::kLargerText);
}

void MainWindow::makeModelActions() {
    const QString model = tr("Model");
    const auto act = [this](const char* operation, const QString& failure) {
        return [this, operation = QString::fromLatin1(operation), failure] { models().act(operation, failure); };
    };
    m_actions.add(action::kImport, model, tr("Import model…"), QStringLiteral("import"),
                  QKeySequence(QStringLiteral("Ctrl+I")), [this] { openImport({}); });
    m_actions.add(action::kRename, model, tr("Rename"), QStringLiteral("pencil"), QKeySequence(QStringLiteral("F2")),
                  [this] {
                      showPage(kModels);
                      models().beginRename();
                  });
    m_actions.add(action::kLoad, model, tr("Load onto the device"), QStringLiteral("activity"), {},
                  act("load", tr("The model was not loaded")));
    m_actions.add(action::kUnload, model, tr("Unload from the device"), {}, {},
                  act("unload", tr("The model was not unloaded")));
    m_actions.add(action::kVerify, model, tr("Verify the digest"), QStringLiteral("shield-check"), {},
                  act("verify", tr("The check did not start")));
    m_actions.add(action::kScan, model, tr("Scan for NaN and infinity"), QStringLiteral("scan-search"), {},
                  act("scan", tr("The scan did not start")));
    m_actions.add(action::kRemove, model, tr("Remove"), QStringLiteral("trash-2"), {},
                  act("remove", tr("The model was not removed")));
    m_actions.add(action::kEmptyBin, model, tr("Empty the bin"), {}, {}, [this] { models().emptyBin(); });
    m_actions.add(action::kImportAdapter, model, tr("Import adapter…"), QStringLiteral("import"), {}, [this] {
        showPage(kModels);
        models().chooseAdapter();
    });
    m_actions.add(action::kReloadAdapter, model, tr("Reload the adapter"), QStringLiteral("refresh-cw"), keys("Ctrl+R"),
                  [this] { models().reloadAdapter(); });
    m_actions.add(action::kRemoveAdapter, model, tr("Remove the adapter"), QStringLiteral("trash-2"), {},
                  [this] { models().removeAdapter(); });
    m_actions.beginGroup(action::kRemove);
    m_actions.beginGroup(action::kImportAdapter);
}

void MainWindow::makeServeActions() {
    const QString serve = tr("Serve");
    m_actions.add(action::kServeToggle, serve, tr("Start or stop the server"), QStringLiteral("play"),
                  QKeySequence(QStringLiteral("Ctrl+Shift+S")), [this] {
                      const Snapshot* s = m_workspace.snapshot();
                      if (s && s->serve != ServeState::Stopped)
                          servePage().operate(QStringLiteral("serve-stop"), tr("The server was not stopped"));
                      else
                          servePage().operate(QStringLiteral("serve-start"), tr("The server was not started"));
                  });
    m_actions.add(action::kDrain, serve, tr("Drain"), {}, {},
                  [this] { servePage().operate(QStringLiteral("serve-drain"), tr("The server does not drain")); });
    m_actions.add(action::kCopyUrl, serve, tr("Copy the address"), QStringLiteral("copy"), {}, [this] {
        QApplication::clipboard()->setText(m_workspace.engine().address().url.toString() + QStringLiteral("/v1"));
    });
    m_actions.add(action::kCopyKey, serve, tr("Copy the key"), {}, {},
                  [this] { QApplication::clipboard()->setText(m_workspace.engine().address().key); });
    m_actions.add(action::kAddress, serve, tr("Port and exposure…"), QStringLiteral("sliders-horizontal"), {}, [this] {
        auto* dialog = new AddressDialog(m_workspace, m_preferences, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    m_actions.add(action::kPausePlots, serve, tr("Pause or resume the plots"), QStringLiteral("pause"),
                  QKeySequence(QStringLiteral("Ctrl+P")),
                  [this] { servePage().dashboard().setPaused(!servePage().dashboard().isPaused()); });
    m_actions.add(action::kExportPlots, serve, tr("Export the plots (CSV and PNG)…"), QStringLiteral("download"),
                  keys("Ctrl+Shift+E"), [this] {
                      showPage(kServe);
                      servePage().exportPlots();
                  });
    m_actions.add(action::kPlotTables, serve, tr("Show the plots as tables"), QStringLiteral("table-2"),
                  keys("Ctrl+Shift+T"), [this] {
                      showPage(kServe);
                      servePage().setTablesShown(!servePage().areTablesShown());
                  });
    m_actions.beginGroup(action::kPausePlots);
    m_actions.add(action::kNewTenant, serve, tr("New tenant"), QStringLiteral("plus"), keys("Ctrl+Shift+N"), [this] {
        showPage(kTenants);
        tenants().askForName();
    });
    m_actions.add(action::kExportUsage, serve, tr("Export the usage of all tenants…"), QStringLiteral("download"),
                  keys("Ctrl+Alt+Shift+E"), [this] {
                      showPage(kTenants);
                      tenants().exportUsage({});
                  });
    m_actions.beginGroup(action::kCopyUrl);
    m_actions.beginGroup(action::kNewTenant);
    makeTenantActions(serve);
}

// About the tenant chosen on its page.
void MainWindow::makeTenantActions(const QString& menu) {
    const auto there = [this](void (TenantsPage::*act)()) {
        return [this, act] {
            showPage(kTenants);
            (tenants().*act)();
        };
    };
    m_actions.add(action::kTenantLimits, menu, tr("Edit the limits of the tenant"), QStringLiteral("pencil"),
                  keys("Ctrl+E"), there(&TenantsPage::editLimits));
    m_actions.add(action::kTenantKey, menu, tr("New key for the tenant"), QStringLiteral("key-round"),
                  keys("Ctrl+Shift+K"), there(&TenantsPage::makeKey));
    m_actions.add(action::kTenantRotate, menu, tr("Rotate the key of the tenant"), QStringLiteral("refresh-cw"),
                  keys("Ctrl+Shift+R"), there(&TenantsPage::rotateKey));
    m_actions.add(action::kTenantRevokeKey, menu, tr("Revoke the key of the tenant"), {}, {},
                  there(&TenantsPage::revokeKey));
    m_actions.add(action::kTenantModels, menu, tr("Choose the models and adapters of the tenant"), {},
                  keys("Ctrl+Shift+M"), there(&TenantsPage::chooseModels));
    m_actions.add(action::kTenantRevoke, menu, tr("Revoke or restore the tenant"), QStringLiteral("ban"),
                  keys("Ctrl+Shift+X"), there(&TenantsPage::toggleRevoked));
    m_actions.add(action::kTenantHours, menu, tr("Usage of the tenant by day or by hour"), {}, {},
                  there(&TenantsPage::toggleHours));
    m_actions.add(action::kTenantExport, menu, tr("Export the usage of this tenant…"), QStringLiteral("download"),
                  keys("Ctrl+Alt+E"), there(&TenantsPage::exportChosen));
    m_actions.add(action::kIsolationCheck, menu, tr("Isolation check"), QStringLiteral("shield-check"),
                  keys("Ctrl+Shift+I"), there(&TenantsPage::checkIsolation));
    m_actions.add(action::kIsolationCancel, menu, tr("Cancel the isolation check"), QStringLiteral("x"), {},
                  there(&TenantsPage::cancelIsolation));
    m_actions.beginGroup(action::kTenantLimits);
    m_actions.beginGroup(action::kIsolationCheck);
}

void MainWindow::makePlaygroundActions() {
    const QString tools = tr("Tools");
    const auto there = [this](void (PlaygroundPage::*act)()) {
        return [this, act] {
            showPage(kPlayground);
            (playground().*act)();
        };
    };
    m_actions.add(action::kWrite, tools, tr("Write a message"), QStringLiteral("message-square-text"), {},
                  there(&PlaygroundPage::write));
    m_actions.add(action::kNewChat, tools, tr("New chat"), QStringLiteral("plus"), keys("Ctrl+N"),
                  there(&PlaygroundPage::newChat));
    m_actions.add(action::kAddModel, tools, tr("Compare with another model"), QStringLiteral("plus"), {},
                  there(&PlaygroundPage::addModel));
    m_actions.add(action::kSaveCase, tools, tr("Save the prompt as a case"), QStringLiteral("bookmark-plus"), {},
                  there(&PlaygroundPage::saveCase));
    m_actions.beginGroup(action::kWrite);
}

void MainWindow::makeToolActions() {
    const QString tools = tr("Tools");
    m_actions.add(action::kPalette, tools, tr("Go to or run a command"), QStringLiteral("search"), keys("Ctrl+K"),
                  [this] { m_palette->open(); });
    m_actions.add(action::kRetry, tools, tr("Try the connection again"), QStringLiteral("refresh-cw"), keys("F5"),
                  [this] { m_workspace.engine().retryNow(); });
    m_actions.add(action::kStartEngine, tools, tr("Start the engine"), QStringLiteral("play"), {},
                  [this] { m_workspace.engine().startEngine(); });
    m_actions.add(action::kStopEngine, tools, tr("Stop the engine"), QStringLiteral("square"), {},
                  [this] { stopEngine(); });
    m_actions.add(action::kCopyDiagnostics, tools, tr("Copy diagnostics"), QStringLiteral("copy"), {},
                  [this] { m_logDock->copyAll(); });
    m_actions.add(action::kSaveLog, tools, tr("Save the log…"), QStringLiteral("download"), {},
                  [this] { m_logDock->askWhereToSave(); });
    m_actions.beginGroup(action::kRetry);
    m_actions.beginGroup(action::kCopyDiagnostics);
}

void MainWindow::makeWindowActions() {
    const QString window = tr("Window"), help = tr("Help");
    m_actions.add(action::kNextPage, window, tr("Next page"), {}, keys("Ctrl+PgDown"), [this] { stepPage(1); });
    m_actions.add(action::kPreviousPage, window, tr("Previous page"), {}, keys("Ctrl+PgUp"), [this] { stepPage(-1); });
    m_actions.add(action::kNextRegion, window, tr("Next part of the window"), {}, keys("F6"), [this] { stepRegion(); });
    m_actions.add(action::kMinimise, window, tr("Minimise"), {}, keys("Ctrl+M"), [this] { showMinimized(); });
    m_actions.add(action::kFullScreen, window, tr("Full screen"), {}, keys("F11"),
                  [this] { setWindowState(windowState() ^ Qt::WindowFullScreen); });
    m_actions.add(action::kShortcuts, help, tr("Commands and keys"), {}, keys("F1"), [this] { showPage(kCommands); });
    m_actions.add(action::kAbout, help, tr("About Espalier and its licences"), QStringLiteral("sprout"), {},
                  [this] { showPage(kAbout); });
    m_actions.beginGroup(action::kMinimise);
}

void MainWindow::makeMenus() {
    QHash<QString, QMenu*> menus;
    for (QAction* made : m_actions.all()) {
        const QString place = Actions::placeOf(made);
        QMenu*& menu = menus[place];
        if (!menu) menu = menuBar()->addMenu(place);
        if (Actions::beginsGroup(made)) menu->addSeparator();
        menu->addAction(made);
    }
    m_searchField = new PaletteField(tr("Go to or run a command"));
    connect(m_searchField, &QPushButton::clicked, m_actions.get(action::kPalette), &QAction::trigger);
    auto* corner = new QWidget;
    corner->setLayout(row({m_searchField}, 0, {0, scaled(4), 8, scaled(4)}));
    menuBar()->setCornerWidget(corner);
    menuBar()->setNativeMenuBar(false);
    paintFrame();
}

void MainWindow::stepText(int steps) {
    Preferences wanted = m_preferences.now();
    wanted.textPercent =
        steps == 0 ? 0 : qBound(kLeastTextPercent, m_theme.textPercent() + steps * kTextStep, kMostTextPercent);
    m_preferences.set(wanted);
}

// It ends by itself after draining; no new one is started for it.
void MainWindow::stopEngine() {
    EngineClient& engine = m_workspace.engine();
    engine.call(QStringLiteral("shutdown"), Json::object(), this, [this](const Result<Json>& answer) {
        if (!answer) {
            home().showError(tr("The engine was not stopped"), answer.error());
            showPage(kHome);
            return;
        }
        m_workspace.engine().detach(fail(ErrorCode::Cancelled, tr("It was stopped from here").toStdString()));
    });
}

void MainWindow::openWorkspace() {
    auto* dialog = new QFileDialog(this, tr("Open a workspace folder"), m_workspace.engine().folder());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this, &MainWindow::workspaceChosen);
    dialog->open();
}

QLineEdit* MainWindow::filterOfPage() const {
    const Page* shown = m_pages[std::size_t(m_page)];
    return shown ? shown->filterField() : nullptr;
}

void MainWindow::takeFilter() {
    QLineEdit* filter = filterOfPage();
    if (!filter) return;
    filter->setFocus(Qt::ShortcutFocusReason);
    filter->selectAll();
}

void MainWindow::setSampleRunning(bool running) {
    m_actions.get(action::kOpenSample)->setEnabled(!running);
}

void MainWindow::showSampleError(const Error& error) {
    home().showError(tr("The sample workspace was not made"), error);
    showPage(kHome);
}

// Where it is seen what came back.
void MainWindow::undoRemove() {
    if (m_page == kTenants) return tenants().undo();
    showPage(kModels);
    models().restore();
}

// Where the field has no such slot the key stays with the widget: plots and selected texts copy in their own way. The
// menus and the palette take the focus only for a moment: they are about the field before.
void MainWindow::refreshEditing(QWidget* now) {
    if (!now || qobject_cast<QMenuBar*>(now) || qobject_cast<QMenu*>(now) || m_palette->isAncestorOf(now)) return;
    m_editor = now;
    const bool isTable = qobject_cast<QAbstractItemView*>(now) != nullptr;
    for (const auto& [id, slot] : kEditing)
        m_actions.get(id)->setEnabled(takes(now, slot) ||
                                      (isTable && QLatin1String(id) == QLatin1String(action::kCopy)));
}

}  // namespace espalier::ui
