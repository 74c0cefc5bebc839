// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/main_window.h"

#include <QAbstractSpinBox>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QFocusFrame>
#include <QLineEdit>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QResizeEvent>
#include <QStackedWidget>
#include <QToolBar>
#include <QVariantAnimation>
#include <utility>

#include "ui/models/format.h"
#include "ui/pages/about_page.h"
#include "ui/pages/connect_page.h"
#include "ui/pages/home_page.h"
#include "ui/pages/import_dialog.h"
#include "ui/pages/models_page.h"
#include "ui/pages/playground_page.h"
#include "ui/pages/preferences_page.h"
#include "ui/pages/serve_page.h"
#include "ui/pages/shortcuts_page.h"
#include "ui/pages/tenants_page.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/docks.h"
#include "ui/shell/drop_overlay.h"
#include "ui/shell/link_strip.h"
#include "ui/shell/page_names.h"
#include "ui/shell/palette_field.h"
#include "ui/shell/sidebar.h"
#include "ui/shell/status_strip.h"
#include "ui/widgets/dashboard.h"

namespace espalier::ui {
namespace {

constexpr int kKeepAfterMs = 2000;
constexpr int kDockMs = 120;

QToolBar* ring(QWidget* content, const QString& name, QMainWindow* window) {
    auto* bar = new QToolBar(name, window);
    bar->setObjectName(name);
    bar->setMovable(false);
    bar->setFloatable(false);
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    bar->layout()->setContentsMargins({});
    bar->layout()->setSpacing(0);
    content->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    bar->addWidget(content);
    return bar;
}

// A field of several lines that is written in, with a frame or without.
bool takesText(const QWidget* widget) {
    const auto* field = qobject_cast<const QPlainTextEdit*>(widget);
    return field && !field->isReadOnly();
}

}  // namespace

MainWindow::MainWindow(Workspace& workspace, Theme& theme, PreferenceStore& preferences, ServerBook& servers)
    : m_workspace(workspace),
      m_theme(theme),
      m_preferences(preferences),
      m_servers(servers),
      m_sidebar(new Sidebar),
      m_stack(new QStackedWidget),
      m_focus(new QFocusFrame(this)) {
    setWindowTitle(QStringLiteral("Espalier"));
    setWindowIcon(icon(QStringLiteral("sprout"), Tone::Accent));
    setAcceptDrops(true);
    setMinimumSize(800, 600);
    setContextMenuPolicy(Qt::PreventContextMenu);
    makeActions();
    makeCentre();
    makeSidebar();
    makeDocks();
    makeMenus();
    m_palette = new CommandPalette(m_actions, this);
    m_drop = new DropOverlay(this);
    m_keep.setSingleShot(true);
    m_keep.setInterval(kKeepAfterMs);
    connect(&m_keep, &QTimer::timeout, this, &MainWindow::keepSession);
    nameFields(this, QStringLiteral("frame"));
    restore();

    qApp->installEventFilter(this);
    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) { frameFocus(now); });
    connect(&preferences, &PreferenceStore::changed, this, &MainWindow::applyPreferences);
    connect(&workspace, &Workspace::snapshotChanged, this, &MainWindow::refreshActions);
    connect(&workspace, &Workspace::modelsChanged, this, [this] {
        selectKeptModel();
        refreshActions();
    });
    connect(&workspace, &Workspace::tenantsChanged, this, &MainWindow::refreshActions);
    connect(&workspace, &Workspace::readFailed, this,
            [this](const QString& what, const Error& error) { home().showError(what, error); });
    connect(&workspace.engine(), &EngineClient::linkChanged, this, [this] {
        refreshAccess();
        refreshActions();
    });
    refreshAccess();
    refreshActions();
}

MainWindow::~MainWindow() {
    qApp->removeEventFilter(this);
    disconnect(qApp, nullptr, this, nullptr);
    disconnect(m_logDock, nullptr, this, nullptr);  // it hides when what is left of the window is a widget
}

void MainWindow::makeCentre() {
    auto* centre = new QWidget;
    centre->setLayout(column({new LinkStrip(m_workspace, m_actions), LayoutItem(m_stack, 1)}, 0));
    setCentralWidget(centre);
}

void MainWindow::makeSidebar() {
    m_sidebar->addPage(m_actions.get(action::kGoHome), tr("Home"), QStringLiteral("house"));
    m_sidebar->addGroup(tr("Build"));
    m_sidebar->addPage(m_actions.get(action::kGoModels), tr("Models"), QStringLiteral("box"));
    m_sidebar->addGroup(tr("Run"));
    m_sidebar->addPage(m_actions.get(action::kGoServe), tr("Serve"), QStringLiteral("activity"));
    m_sidebar->addPage(m_actions.get(action::kGoPlayground), tr("Playground"), QStringLiteral("message-square-text"));
    m_sidebar->addPage(m_actions.get(action::kGoTenants), tr("Tenants"), QStringLiteral("users"));
    m_sidebar->addFootPage(m_actions.get(action::kPreferences), tr("Preferences"), QStringLiteral("settings"));
    connect(m_sidebar, &Sidebar::workspaceClicked, m_actions.get(action::kWorkspaces), &QAction::trigger);
    addToolBar(Qt::LeftToolBarArea, ring(m_sidebar, QStringLiteral("sidebar"), this));
}

Page* MainWindow::makePage(int index) {
    switch (PageIndex(index)) {
        case kHome:
            return new HomePage(m_workspace, m_actions);
        case kModels:
            return new ModelsPage(m_workspace, m_actions);
        case kServe:
            return new ServePage(m_workspace, m_actions);
        case kPlayground:
            return new PlaygroundPage(m_workspace, m_actions);
        case kTenants:
            return new TenantsPage(m_workspace, m_actions);
        case kConnect:
            return new ConnectPage(m_workspace, m_actions, m_preferences, m_servers);
        case kPreferences:
            return new PreferencesPage(m_workspace, m_actions, m_preferences);
        case kCommands:
            return new ShortcutsPage(m_workspace, m_actions);
        case kAbout:
        case kPageCount:
            break;
    }
    return new AboutPage(m_workspace, m_actions);
}

// All of them together would hold up a key press when the window is made anew; one is a matter of milliseconds.
Page& MainWindow::pageAt(int index) {
    Page*& page = m_pages[std::size_t(index)];
    if (page) return *page;
    page = makePage(index);
    m_stack->addWidget(page);
    connectPage(index);
    restorePage(index);
    applyPreferences();
    return *page;
}

void MainWindow::connectPage(int index) {
    Page* page = m_pages[std::size_t(index)];
    connect(page, &Page::sessionChanged, this, &MainWindow::keepSoon);
    if (const auto* models = qobject_cast<ModelsPage*>(page)) {
        connect(models, &ModelsPage::currentChanged, this, &MainWindow::refreshActions);
        connect(models, &ModelsPage::refused, this, [this] { showPage(kModels); });
    }
    if (const auto* tenants = qobject_cast<TenantsPage*>(page))
        connect(tenants, &TenantsPage::changed, this, &MainWindow::refreshActions);
    const auto openTenant = [this](const QString& tenant) {
        showPage(kTenants);
        tenants().select(tenant);
    };
    if (const auto* serve = qobject_cast<ServePage*>(page))
        connect(serve, &ServePage::tenantActivated, this, openTenant);
    if (const auto* first = qobject_cast<HomePage*>(page)) connect(first, &HomePage::tenantActivated, this, openTenant);
    if (const auto* connecting = qobject_cast<ConnectPage*>(page))
        connect(connecting, &ConnectPage::workspaceChosen, this, &MainWindow::workspaceChosen);
}

HomePage& MainWindow::home() {
    return static_cast<HomePage&>(pageAt(kHome));
}

ModelsPage& MainWindow::models() {
    return static_cast<ModelsPage&>(pageAt(kModels));
}

ServePage& MainWindow::serve() {
    return static_cast<ServePage&>(pageAt(kServe));
}

PlaygroundPage& MainWindow::playground() {
    return static_cast<PlaygroundPage&>(pageAt(kPlayground));
}

TenantsPage& MainWindow::tenants() {
    return static_cast<TenantsPage&>(pageAt(kTenants));
}

ConnectPage& MainWindow::connecting() {
    return static_cast<ConnectPage&>(pageAt(kConnect));
}

// As the page of models has it or, before it is made, would have it.
QString MainWindow::chosenModel() const {
    if (isMade(kModels)) return static_cast<const ModelsPage*>(m_pages[kModels])->currentId();
    if (m_workspace.models().find(m_keptModel)) return m_keptModel;
    return m_workspace.models().rowCount() > 0 ? text(m_workspace.models().models().front().id) : QString();
}

void MainWindow::makeDocks() {
    m_status = new StatusStrip(m_workspace, m_actions);
    addToolBar(Qt::BottomToolBarArea, ring(m_status, QStringLiteral("status"), this));
    m_jobsDock = new JobsDock(m_workspace, m_actions, this);
    m_logDock = new LogDock(m_workspace, this);
    addDockWidget(Qt::BottomDockWidgetArea, m_jobsDock);
    addDockWidget(Qt::BottomDockWidgetArea, m_logDock);
    m_jobsDock->hide();
    m_logDock->hide();
    // What stands in front of somebody is read.
    const auto read = [this] {
        if (m_logDock->isVisible()) m_status->markLogRead();
    };
    connect(m_logDock, &QDockWidget::visibilityChanged, this, read);
    connect(&m_workspace, &Workspace::logChanged, this, read);
}

bool MainWindow::goTo(const QString& page) {
    for (int i = 0; i < kPageCount; ++i) {
        if (page != QLatin1String(kPageNames[std::size_t(i)])) continue;
        const bool open = m_workspace.engine().access() != Access::Guest || (i > kServe && i != kTenants);
        if (open) showPage(i);
        return open;
    }
    return false;
}

QString MainWindow::page() const {
    return QString::fromLatin1(kPageNames[std::size_t(m_page)]);
}

void MainWindow::showPage(int index) {
    Page& page = pageAt(index);
    m_page = index;
    m_stack->setCurrentWidget(&page);
    // The foot of the sidebar comes after its pages; what stands in neither is found in the menus.
    m_sidebar->setCurrent(index <= kTenants ? index : index == kPreferences ? kTenants + 1 : -1);
    if (m_palette) m_palette->hide();
    page.takeFocus();
    if (m_palette) refreshActions();  // what undo is about depends on the page
}

void MainWindow::stepPage(int by) {
    int at = m_page;
    do {
        at = (at + by + kPageCount) % kPageCount;
    } while (!goTo(QString::fromLatin1(kPageNames[std::size_t(at)])));
}

// Sidebar, page, docks, status strip: the first field of each takes the focus in turn.
void MainWindow::stepRegion() {
    const std::vector<QWidget*> regions{m_sidebar, m_stack->currentWidget(), m_jobsDock, m_logDock, m_status};
    const QWidget* focus = QApplication::focusWidget();
    std::size_t at = regions.size() - 1;
    for (std::size_t i = 0; i < regions.size(); ++i)
        if (focus && (focus == regions[i] || regions[i]->isAncestorOf(focus))) at = i;
    for (std::size_t step = 1; step <= regions.size(); ++step) {
        QWidget* region = regions[(at + step) % regions.size()];
        for (auto* widget : region->findChildren<QWidget*>()) {
            if (!widget->isVisibleTo(this) || !widget->isEnabled() || !(widget->focusPolicy() & Qt::TabFocus)) continue;
            widget->setFocus(Qt::TabFocusReason);
            return;
        }
    }
}

void MainWindow::toggleDock(QDockWidget* dock) {
    const bool opens = !dock->isVisible();
    dock->setVisible(opens);
    const int duration = m_theme.duration(kDockMs);
    if (opens) resizeDocks({dock}, {scaled(kDockHeight)}, Qt::Vertical);
    if (!opens || duration == 0) return;
    // The content is held at a growing height; afterwards it is free again.
    QWidget* content = dock->widget();
    auto* growth = new QVariantAnimation(dock);
    growth->setDuration(duration);
    growth->setEasingCurve(QEasingCurve::OutQuad);
    growth->setStartValue(content->minimumSizeHint().height());
    growth->setEndValue(scaled(kDockHeight));
    connect(growth, &QVariantAnimation::valueChanged, content,
            [content](const QVariant& height) { content->setFixedHeight(height.toInt()); });
    connect(growth, &QVariantAnimation::finished, content, [this, dock, content] {
        content->setMinimumHeight(0);
        content->setMaximumHeight(QWIDGETSIZE_MAX);
        resizeDocks({dock}, {scaled(kDockHeight)}, Qt::Vertical);
    });
    growth->start(QAbstractAnimation::DeleteWhenStopped);
}

// Larger text leaves less room: at 200 % a window of 1440 folds as one of 720.
void MainWindow::foldTo(int width) {
    const Breadth breadth = breadthOf(width * 100 / m_theme.textPercent());
    if (m_breadth == breadth) return;
    m_breadth = breadth;
    m_sidebar->setFolded(breadth == Breadth::Narrow);
    m_status->setNarrow(breadth == Breadth::Narrow);
    for (int i = 0; i < kPageCount; ++i) {
        if (!m_pages[std::size_t(i)]) continue;
        m_pages[std::size_t(i)]->fold(breadth);
        restoreSplitters(i);
    }
    m_searchField->setNarrow(breadth == Breadth::Narrow);
    layOutMenuBar();
}

// A menu bar places its corner only when it is resized itself.
void MainWindow::layOutMenuBar() {
    QResizeEvent again(menuBar()->size(), menuBar()->size());
    QApplication::sendEvent(menuBar(), &again);
}

void MainWindow::applyPreferences() {
    for (auto* dashboard : findChildren<Dashboard*>()) dashboard->setInterval(m_preferences.now().refreshMs);
}

// What the key does not allow is absent, and so is what makes no sense from another machine.
void MainWindow::refreshAccess() {
    const EngineClient& engine = m_workspace.engine();
    const bool guest = engine.access() == Access::Guest, owner = engine.access() == Access::Owner;
    for (const char* id : {action::kGoHome,        action::kGoModels,       action::kGoServe,
                           action::kGoTenants,     action::kJobsDock,       action::kLogDock,
                           action::kRename,        action::kLoad,           action::kUnload,
                           action::kVerify,        action::kScan,           action::kRemove,
                           action::kEmptyBin,      action::kUndo,           action::kServeToggle,
                           action::kDrain,         action::kPausePlots,     action::kSaveLog,
                           action::kNewTenant,     action::kExportUsage,    action::kSaveCase,
                           action::kExportPlots,   action::kPlotTables,     action::kTenantLimits,
                           action::kTenantKey,     action::kTenantRotate,   action::kTenantRevokeKey,
                           action::kTenantModels,  action::kTenantHours,    action::kTenantRevoke,
                           action::kTenantExport,  action::kIsolationCheck, action::kIsolationCancel,
                           action::kReloadAdapter, action::kRemoveAdapter})
        m_actions.setAvailable(id, !guest);
    for (const char* id :
         {action::kImport, action::kImportAdapter, action::kStopEngine, action::kStartEngine, action::kAddress})
        m_actions.setAvailable(id, owner);
    if (!guest) return;
    m_jobsDock->hide();
    m_logDock->hide();
    if (m_page <= kServe || m_page == kTenants) showPage(kPlayground);
}

void MainWindow::refreshActions() {
    const EngineClient& engine = m_workspace.engine();
    const bool attached = engine.isAttached();
    const bool chosen = attached && !chosenModel().isEmpty();
    for (const char* id : {action::kRename, action::kLoad, action::kUnload, action::kVerify, action::kScan,
                           action::kRemove, action::kImportAdapter})
        m_actions.get(id)->setEnabled(chosen);
    for (const char* id : {action::kImport, action::kServeToggle, action::kStopEngine, action::kCopyUrl,
                           action::kNewTenant, action::kExportUsage, action::kSaveCase, action::kIsolationCheck})
        m_actions.get(id)->setEnabled(attached);
    const bool hasAdapter = attached && isMade(kModels) && models().hasChosenAdapter();
    for (const char* id : {action::kReloadAdapter, action::kRemoveAdapter}) m_actions.get(id)->setEnabled(hasAdapter);
    refreshTenantActions(attached);
    m_actions.get(action::kCopyKey)->setEnabled(attached && !engine.address().key.isEmpty());
    const Snapshot* s = m_workspace.snapshot();
    m_actions.get(action::kDrain)->setEnabled(attached && s && s->serve == ServeState::Serving);
    const bool binned = attached && m_workspace.bin().rowCount() > 0;
    const bool onTenants = m_page == kTenants;
    m_actions.get(action::kUndo)->setText(onTenants ? tr("Undo the change to a tenant") : tr("Restore removed model"));
    m_actions.get(action::kUndo)->setEnabled(onTenants ? attached && tenants().canUndo() : binned);
    m_actions.get(action::kEmptyBin)->setEnabled(binned);
    m_actions.get(action::kFilter)->setEnabled(filterOfPage() != nullptr);
    m_actions.get(action::kRetry)->setEnabled(engine.link() == Link::Lost || engine.link() == Link::Refused);
    m_actions.get(action::kStartEngine)->setEnabled(engine.link() == Link::Detached && !engine.folder().isEmpty());
    m_actions.get(action::kAddress)->setEnabled(!engine.folder().isEmpty() && engine.link() != Link::Starting);
    refreshSidebar();
}

// Before the page is made, the first tenant is the one it would choose.
void MainWindow::refreshTenantActions(bool attached) {
    const auto& all = m_workspace.tenants().tenants();
    const TenantRecord* chosen = isMade(kTenants) ? tenants().chosen() : all.empty() ? nullptr : &all.front();
    const bool isGuest = attached && chosen && chosen->name != kOwner;
    const bool isOpen = isGuest && !chosen->revokedAt;
    for (const char* id : {action::kTenantLimits, action::kTenantModels, action::kTenantHours, action::kTenantExport})
        m_actions.get(id)->setEnabled(attached && chosen);
    m_actions.get(action::kTenantRevoke)->setEnabled(isGuest);
    m_actions.get(action::kTenantKey)->setEnabled(isOpen);
    for (const char* id : {action::kTenantRotate, action::kTenantRevokeKey})
        m_actions.get(id)->setEnabled(isOpen && liveKeys(*chosen) > 0);
    m_actions.get(action::kIsolationCancel)->setEnabled(isMade(kTenants) && tenants().isCheckingIsolation());
}

void MainWindow::refreshSidebar() {
    m_sidebar->setWorkspace(m_workspace.name(), m_workspace.engine().workspace());
    const int models = m_workspace.models().rowCount();
    m_sidebar->setCount(kModels, models > 0 ? formatCount(models) : QString());
    const int tenants = m_workspace.tenants().rowCount();
    m_sidebar->setCount(kTenants, tenants > 0 ? formatCount(tenants) : QString());
    const Snapshot* s = m_workspace.snapshot();
    const bool serving = m_workspace.engine().isAttached() && s && s->serve == ServeState::Serving;
    m_sidebar->setMark(kServe, serving ? QStringLiteral("circle-play") : QString(),
                       serving ? tr("Serving") : QString());
    const QString title = QStringLiteral("%1 – Espalier").arg(m_workspace.name());
    if (windowTitle() != title) setWindowTitle(title);
}

void MainWindow::selectKeptModel() {
    if (m_keptModel.isEmpty() || m_workspace.models().rowCount() == 0 || !isMade(kModels)) return;
    models().select(std::exchange(m_keptModel, {}));
}

void MainWindow::openImport(const QString& path) {
    if (m_import) m_import->close();
    m_import = new ImportDialog(m_workspace, path, this);
    m_import->setAttribute(Qt::WA_DeleteOnClose);
    connect(m_import, &ImportDialog::started, this, [this] { showPage(kModels); });
    m_import->open();
}

void MainWindow::comeForward() {
    if (isMinimized()) setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
}

// Item views and plots show their own ring inside; a frame around half the window would say nothing, nor would one
// around a page that is only read. Dialogs of this window have the same ring.
void MainWindow::frameFocus(QWidget* now) {
    refreshEditing(now);
    bool isOurs = false;
    for (const QWidget* up = now; up; up = up->parentWidget()) isOurs |= up == this;
    const bool framed = isOurs && (qobject_cast<QPushButton*>(now) || qobject_cast<QToolButton*>(now) ||
                                   qobject_cast<QLineEdit*>(now) || qobject_cast<QComboBox*>(now) ||
                                   qobject_cast<QAbstractSpinBox*>(now) || qobject_cast<QCheckBox*>(now) ||
                                   isTextField(now) || takesText(now));
    if (!m_focus) m_focus = new QFocusFrame(this);
    m_focus->setWidget(framed ? now : nullptr);
}

void MainWindow::paintFrame() {
    QPalette frame = QApplication::palette();
    frame.setColor(QPalette::Window, QColor(colorsOf(frame).side));
    menuBar()->setPalette(frame);
    menuBar()->setAutoFillBackground(true);
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::ApplicationPaletteChange || event->type() == QEvent::PaletteChange) paintFrame();
}

void MainWindow::resizeEvent(QResizeEvent* event) {
    QMainWindow::resizeEvent(event);
    foldTo(event->size().width());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    keepSession();
    QMainWindow::closeEvent(event);
    emit closed();
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
    switch (event->type()) {
        case QEvent::DragEnter:
        case QEvent::DragMove:
        case QEvent::DragLeave:
        case QEvent::Drop:
            return dragOver(watched, event);
        default:
            return false;
    }
}

}  // namespace espalier::ui
