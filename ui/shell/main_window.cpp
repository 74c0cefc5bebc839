// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/main_window.h"

#include <QAbstractSpinBox>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QFocusFrame>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QProcess>
#include <QSettings>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QToolBar>

#include "ui/models/format.h"
#include "ui/pages/home_page.h"
#include "ui/pages/import_dialog.h"
#include "ui/pages/models_page.h"
#include "ui/pages/playground_page.h"
#include "ui/pages/serve_page.h"
#include "ui/shell/attach_dialog.h"
#include "ui/shell/command_palette.h"
#include "ui/shell/docks.h"
#include "ui/shell/drop_overlay.h"
#include "ui/shell/sidebar.h"
#include "ui/shell/status_strip.h"
#include "ui/widgets/dashboard.h"

namespace espalier::ui {
namespace {

enum PageIndex { kHome, kModels, kServe, kPlayground };
constexpr std::array kPageNames{"home", "models", "serve", "playground"};
constexpr int kSearchWide = 320, kSearchNarrow = 260;

// The field in the menu bar that opens the palette.
class PaletteField : public QPushButton {
public:
    explicit PaletteField(const QString& text) : QPushButton(text) {
        setAccessibleName(text);
        setFixedSize(kSearchWide, 24);
        setFocusPolicy(Qt::TabFocus);
    }

protected:
    void paintEvent(QPaintEvent*) override {
        const ThemeColors& c = colorsOf(palette());
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QColor(c.line));
        painter.setBrush(QColor(c.base));
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4);
        painter.drawPixmap(QRect(8, 4, 16, 16),
                           iconPixmap(QStringLiteral("search"), c.secondary, 16, devicePixelRatioF()));
        painter.setFont(uiFont(text_size::kTable));
        painter.setPen(QColor(c.secondary));
        painter.drawText(rect().adjusted(32, 0, -8, 0), Qt::AlignLeft | Qt::AlignVCenter, text());
        painter.setFont(uiFont(text_size::kCaption));
        painter.drawText(rect().adjusted(0, 0, -8, 0), Qt::AlignRight | Qt::AlignVCenter, QStringLiteral("Ctrl+K"));
    }
};

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

QString droppedPath(const QMimeData* data) {
    for (const QUrl& url : data->urls())
        if (url.isLocalFile()) return url.toLocalFile();
    return {};
}

}  // namespace

MainWindow::MainWindow(Workspace& workspace, Theme& theme, QSettings& settings)
    : m_workspace(workspace),
      m_theme(theme),
      m_settings(settings),
      m_sidebar(new Sidebar),
      m_stack(new QStackedWidget),
      m_focus(new QFocusFrame(this)) {
    setWindowTitle(QStringLiteral("Espalier"));
    setWindowIcon(icon(QStringLiteral("sprout"), Tone::Accent));
    setAcceptDrops(true);
    setMinimumSize(800, 600);
    setContextMenuPolicy(Qt::PreventContextMenu);
    makeActions();
    makePages();
    makeDocks();
    makeMenus();
    m_palette = new CommandPalette(m_actions, this);
    m_drop = new DropOverlay(this);
    restore();

    connect(qApp, &QApplication::focusChanged, this, [this](QWidget*, QWidget* now) {
        // Item views and plots show their own ring inside; a frame around half the window would say nothing.
        const bool framed =
            now && isAncestorOf(now) &&
            (qobject_cast<QPushButton*>(now) || qobject_cast<QToolButton*>(now) || qobject_cast<QLineEdit*>(now) ||
             qobject_cast<QComboBox*>(now) || qobject_cast<QAbstractSpinBox*>(now));
        m_focus->setWidget(framed ? now : nullptr);
    });
    connect(&workspace, &Workspace::snapshotChanged, this, &MainWindow::refreshActions);
    connect(&workspace, &Workspace::modelsChanged, this, &MainWindow::refreshActions);
    connect(&workspace.engine(), &EngineClient::linkChanged, this, &MainWindow::refreshActions);
    connect(m_models, &ModelsPage::currentChanged, this, &MainWindow::refreshActions);
    connect(m_models, &ModelsPage::refused, this, [this] { showPage(kModels); });
    refreshActions();
}

MainWindow::~MainWindow() {
    disconnect(qApp, nullptr, this, nullptr);
}

void MainWindow::makeActions() {
    const QString file = tr("File"), edit = tr("Edit"), view = tr("View"), tools = tr("Tools");
    m_actions.add(action::kOpenWorkspace, file, tr("Open workspace…"), QStringLiteral("hard-drive"), QKeySequence::Open,
                  [this] { openWorkspace(); });
    m_actions.add(action::kOpenSample, file, tr("Open sample"), QStringLiteral("flask-conical"), {},
                  [this] { openSample(); });
    m_actions.add(action::kAttach, file, tr("Attach to a server…"), QStringLiteral("plug"), {}, [this] { attachTo(); });
    m_actions.add(QStringLiteral("file.quit"), file, tr("Quit"), {}, QKeySequence::Quit, [this] { close(); });
    m_actions.add(action::kUndo, edit, tr("Restore removed model"), QStringLiteral("undo-2"), QKeySequence::Undo,
                  [this] { undoRemove(); });
    m_actions.add(action::kGoHome, view, tr("Home"), QStringLiteral("house"), QKeySequence(QStringLiteral("Ctrl+1")),
                  [this] { showPage(kHome); });
    m_actions.add(action::kGoModels, view, tr("Models"), QStringLiteral("box"), QKeySequence(QStringLiteral("Ctrl+2")),
                  [this] { showPage(kModels); });
    m_actions.add(action::kGoServe, view, tr("Serve"), QStringLiteral("activity"),
                  QKeySequence(QStringLiteral("Ctrl+3")), [this] { showPage(kServe); });
    m_actions.add(action::kGoPlayground, view, tr("Playground"), QStringLiteral("message-square-text"),
                  QKeySequence(QStringLiteral("Ctrl+4")), [this] { showPage(kPlayground); });
    m_actions.add(action::kJobsDock, view, tr("Jobs"), QStringLiteral("list-checks"),
                  QKeySequence(QStringLiteral("Ctrl+J")), [this] { m_jobsDock->setVisible(!m_jobsDock->isVisible()); });
    m_actions.add(action::kLogDock, view, tr("Log"), QStringLiteral("scroll-text"),
                  QKeySequence(QStringLiteral("Ctrl+L")), [this] {
                      m_logDock->setVisible(!m_logDock->isVisible());
                      m_status->markLogRead();
                  });
    auto* themes = new QActionGroup(this);
    for (const auto& [choice, name] :
         {std::pair{ThemeChoice::System, tr("Theme of the desktop")}, std::pair{ThemeChoice::Light, tr("Light theme")},
          std::pair{ThemeChoice::Dark, tr("Dark theme")}}) {
        QAction* made = m_actions.add(QStringLiteral("view.theme-") + themeChoiceName(choice), view, name, {}, {},
                                      [this, choice = choice] { m_theme.choose(choice); });
        made->setCheckable(true);
        made->setChecked(m_theme.choice() == choice);
        themes->addAction(made);
        connect(&m_theme, &Theme::chosen, made,
                [made, choice = choice](ThemeChoice now) { made->setChecked(now == choice); });
    }
    makeModelActions();
    makeServeActions();
    m_actions.add(action::kPalette, tools, tr("Go to or run a command"), QStringLiteral("search"),
                  QKeySequence(QStringLiteral("Ctrl+K")), [this] { m_palette->open(); });
    for (QAction* made : m_actions.all()) addAction(made);
}

void MainWindow::makeModelActions() {
    const QString model = tr("Model");
    const auto act = [this](const char* operation, const QString& failure) {
        return [this, operation = QString::fromLatin1(operation), failure] { m_models->act(operation, failure); };
    };
    m_actions.add(action::kImport, model, tr("Import model…"), QStringLiteral("import"),
                  QKeySequence(QStringLiteral("Ctrl+I")), [this] { openImport({}); });
    m_actions.add(action::kRename, model, tr("Rename"), QStringLiteral("pencil"), QKeySequence(QStringLiteral("F2")),
                  [this] {
                      showPage(kModels);
                      m_models->beginRename();
                  });
    m_actions.add(action::kLoad, model, tr("Load onto the device"), QStringLiteral("activity"), {},
                  act("load", tr("The model was not loaded")));
    m_actions.add(action::kUnload, model, tr("Unload from the device"), {}, {},
                  act("unload", tr("The model was not unloaded")));
    m_actions.add(action::kVerify, model, tr("Verify the digest"), QStringLiteral("circle-check"), {},
                  act("verify", tr("The check did not start")));
    m_actions.add(action::kScan, model, tr("Scan for NaN and infinity"), QStringLiteral("search"), {},
                  act("scan", tr("The scan did not start")));
    m_actions.add(action::kRemove, model, tr("Remove"), QStringLiteral("trash-2"), {},
                  act("remove", tr("The model was not removed")));
    m_actions.add(action::kEmptyBin, model, tr("Empty the bin"), {}, {}, [this] { m_models->emptyBin(); });
}

void MainWindow::makeServeActions() {
    const QString serve = tr("Serve");
    m_actions.add(action::kServeToggle, serve, tr("Start or stop the server"), QStringLiteral("play"),
                  QKeySequence(QStringLiteral("Ctrl+Shift+S")), [this] {
                      const Snapshot* s = m_workspace.snapshot();
                      if (s && s->serve != ServeState::Stopped)
                          m_serve->operate(QStringLiteral("serve-stop"), tr("The server was not stopped"));
                      else
                          m_serve->operate(QStringLiteral("serve-start"), tr("The server was not started"));
                  });
    m_actions.add(action::kDrain, serve, tr("Drain"), {}, {},
                  [this] { m_serve->operate(QStringLiteral("serve-drain"), tr("The server does not drain")); });
    m_actions.add(action::kCopyUrl, serve, tr("Copy the address"), QStringLiteral("copy"), {}, [this] {
        QApplication::clipboard()->setText(m_workspace.engine().address().url.toString() + QStringLiteral("/v1"));
    });
    m_actions.add(action::kPausePlots, serve, tr("Pause or resume the plots"), QStringLiteral("pause"),
                  QKeySequence(QStringLiteral("Ctrl+P")),
                  [this] { m_serve->dashboard().setPaused(!m_serve->dashboard().isPaused()); });
}

void MainWindow::makeMenus() {
    QHash<QString, QMenu*> menus;
    QString before;
    for (const QString& name : {tr("File"), tr("Edit"), tr("View"), tr("Model"), tr("Serve"), tr("Tools")})
        menus.insert(name, menuBar()->addMenu(name));
    for (QAction* made : m_actions.all()) {
        QMenu* menu = menus.value(Actions::placeOf(made));
        const QString id = made->objectName();
        const bool newGroup = id == QLatin1String("file.quit") || id == QLatin1String(action::kJobsDock) ||
                              id == QLatin1String("view.theme-system") || id == QLatin1String(action::kRemove) ||
                              id == QLatin1String(action::kCopyUrl);
        if (newGroup) menu->addSeparator();
        menu->addAction(made);
    }
    m_searchField = new PaletteField(tr("Go to or run a command"));
    connect(m_searchField, &QPushButton::clicked, m_actions.get(action::kPalette), &QAction::trigger);
    auto* corner = new QWidget;
    corner->setFixedWidth(kSearchWide + 8);  // a menu bar lays its corner out only when it is resized itself
    corner->setLayout(row({nullptr, m_searchField}, 0, {0, 4, 8, 4}));
    menuBar()->setCornerWidget(corner);
    menuBar()->setNativeMenuBar(false);
    paintFrame();
}

void MainWindow::makePages() {
    m_home = new HomePage(m_workspace, m_actions);
    m_models = new ModelsPage(m_workspace, m_actions);
    m_serve = new ServePage(m_workspace, m_actions);
    m_playground = new PlaygroundPage(m_workspace, m_actions, m_settings);
    m_pages = {m_home, m_models, m_serve, m_playground};
    for (Page* page : m_pages) m_stack->addWidget(page);
    setCentralWidget(m_stack);
    m_sidebar->addPage(m_actions.get(action::kGoHome), tr("Home"), QStringLiteral("house"));
    m_sidebar->addGroup(tr("Build"));
    m_sidebar->addPage(m_actions.get(action::kGoModels), tr("Models"), QStringLiteral("box"));
    m_sidebar->addGroup(tr("Run"));
    m_sidebar->addPage(m_actions.get(action::kGoServe), tr("Serve"), QStringLiteral("activity"));
    m_sidebar->addPage(m_actions.get(action::kGoPlayground), tr("Playground"), QStringLiteral("message-square-text"));
    connect(m_sidebar, &Sidebar::workspaceClicked, m_actions.get(action::kOpenWorkspace), &QAction::trigger);
    addToolBar(Qt::LeftToolBarArea, ring(m_sidebar, QStringLiteral("sidebar"), this));
}

void MainWindow::makeDocks() {
    m_status = new StatusStrip(m_workspace, m_actions);
    addToolBar(Qt::BottomToolBarArea, ring(m_status, QStringLiteral("status"), this));
    m_jobsDock = new JobsDock(m_workspace, this);
    m_logDock = new LogDock(m_workspace, this);
    addDockWidget(Qt::BottomDockWidgetArea, m_jobsDock);
    addDockWidget(Qt::BottomDockWidgetArea, m_logDock);
    m_jobsDock->hide();
    m_logDock->hide();
}

void MainWindow::restore() {
    resize(1440, 900);
    restoreGeometry(m_settings.value(QStringLiteral("window/geometry")).toByteArray());
    if (!goTo(m_settings.value(QStringLiteral("window/page")).toString())) showPage(kHome);
    foldTo(width());
}

bool MainWindow::goTo(const QString& page) {
    for (int i = 0; i < int(kPageNames.size()); ++i) {
        if (page != QLatin1String(kPageNames[std::size_t(i)])) continue;
        showPage(i);
        return true;
    }
    return false;
}

void MainWindow::showPage(int index) {
    m_stack->setCurrentIndex(index);
    m_sidebar->setCurrent(index);
    m_palette->hide();
    m_pages[std::size_t(index)]->setFocus(Qt::OtherFocusReason);
}

void MainWindow::foldTo(int width) {
    const Breadth breadth = breadthOf(width);
    m_sidebar->setFolded(breadth == Breadth::Narrow);
    if (m_status) m_status->setNarrow(breadth == Breadth::Narrow);
    for (Page* page : m_pages) page->fold(breadth);
    if (m_searchField) m_searchField->setFixedWidth(breadth == Breadth::Narrow ? kSearchNarrow : kSearchWide);
}

void MainWindow::refreshActions() {
    const bool attached = m_workspace.engine().isAttached();
    const bool chosen = attached && !m_models->currentId().isEmpty();
    for (const char* id :
         {action::kRename, action::kLoad, action::kUnload, action::kVerify, action::kScan, action::kRemove})
        m_actions.get(id)->setEnabled(chosen);
    for (const char* id : {action::kImport, action::kServeToggle}) m_actions.get(id)->setEnabled(attached);
    const Snapshot* s = m_workspace.snapshot();
    m_actions.get(action::kDrain)->setEnabled(attached && s && s->serve == ServeState::Serving);
    const bool binned = attached && m_workspace.bin().rowCount() > 0;
    m_actions.get(action::kUndo)->setEnabled(binned);
    m_actions.get(action::kEmptyBin)->setEnabled(binned);
    refreshSidebar();
}

void MainWindow::refreshSidebar() {
    m_sidebar->setWorkspace(m_workspace.name(), m_workspace.engine().workspace());
    const int models = m_workspace.models().rowCount();
    m_sidebar->setCount(kModels, models > 0 ? formatCount(models) : QString());
    const Snapshot* s = m_workspace.snapshot();
    const bool serving = m_workspace.engine().isAttached() && s && s->serve == ServeState::Serving;
    m_sidebar->setMark(kServe, serving ? QStringLiteral("circle-play") : QString(),
                       serving ? tr("Serving") : QString());
    const QString title = QStringLiteral("%1 – Espalier").arg(m_workspace.name());
    if (windowTitle() != title) setWindowTitle(title);
}

void MainWindow::openImport(const QString& path) {
    if (m_import) m_import->close();
    m_import = new ImportDialog(m_workspace, path, this);
    m_import->setAttribute(Qt::WA_DeleteOnClose);
    connect(m_import, &ImportDialog::started, this, [this] { showPage(kModels); });
    m_import->open();
}

void MainWindow::openWorkspace() {
    const QString folder =
        QFileDialog::getExistingDirectory(this, tr("Open a workspace folder"), m_workspace.engine().workspace());
    if (folder.isEmpty()) return;
    m_settings.setValue(QStringLiteral("workspace"), folder);
    m_workspace.engine().openWorkspace(folder);
}

void MainWindow::openSample() {
    const QString folder = QDir(QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation))
                               .filePath(QStringLiteral("espalier/sample"));
    if (QFileInfo::exists(QDir(folder).filePath(QStringLiteral("workspace.db")))) {
        m_workspace.engine().openWorkspace(folder);
        return;
    }
    auto* process = new QProcess(this);
    const auto failed = [this](const QString& why) {
        const std::string sentence = why.trimmed().toStdString();
        m_home->showError(tr("The sample workspace was not made"), fail(ErrorCode::Internal, sentence));
        showPage(kHome);
    };
    connect(process, &QProcess::errorOccurred, this, [process, failed] { failed(process->errorString()); });
    connect(process, &QProcess::finished, this, [this, process, folder, failed](int code) {
        process->deleteLater();
        if (code == 0)
            m_workspace.engine().openWorkspace(folder);
        else
            failed(QString::fromUtf8(process->readAllStandardError()));
    });
    process->start(espalierctlPath(), {QStringLiteral("sample"), folder});
}

void MainWindow::attachTo() {
    auto* dialog = new AttachDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this,
            [this, dialog] { m_workspace.engine().attach(dialog->url(), dialog->key()); });
    dialog->open();
}

void MainWindow::undoRemove() {
    m_models->restore();
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
    if (breadthOf(event->size().width()) != breadthOf(event->oldSize().width())) foldTo(event->size().width());
}

void MainWindow::closeEvent(QCloseEvent* event) {
    m_settings.setValue(QStringLiteral("window/geometry"), saveGeometry());
    m_settings.setValue(QStringLiteral("window/page"),
                        QString::fromLatin1(kPageNames[std::size_t(m_stack->currentIndex())]));
    m_settings.setValue(QStringLiteral("window/theme"), themeChoiceName(m_theme.choice()));
    QMainWindow::closeEvent(event);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    const QString path = droppedPath(event->mimeData());
    if (path.isEmpty() || !m_workspace.engine().isAttached()) return;
    event->acceptProposedAction();
    m_drop->cover(tr("Drop to import %1").arg(QFileInfo(path).fileName()));
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) {
    m_drop->hide();
}

void MainWindow::dropEvent(QDropEvent* event) {
    m_drop->hide();
    openImport(droppedPath(event->mimeData()));
}

}  // namespace espalier::ui
