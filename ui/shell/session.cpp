// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/session.h"

#include <QApplication>
#include <QDir>
#include <QStandardPaths>

namespace espalier::ui {

Session::Session(Theme& theme, PreferenceStore& preferences, ServerBook& servers, SingleInstance* instance,
                 ShowNotification show)
    : m_theme(theme), m_preferences(preferences), m_servers(servers), m_instance(instance), m_show(std::move(show)) {
    const Preferences& p = preferences.now();
    m_language.use(p.language);
    m_theme.setTextPercent(p.textPercent);
    m_theme.choose(p.theme);
    m_theme.chooseMotion(p.motion);
    m_engine.setStartsEngine(p.startEngine);
    m_engine.setListenAt([this](const QString& folder) { return m_preferences.listenAt(folder); });
    m_desk = make();
    connect(&preferences, &PreferenceStore::changed, this, &Session::apply);
    connect(&m_sample, &SampleMaker::made, this, &Session::openWorkspace);
    connect(&m_sample, &SampleMaker::failed, this, [this](const Error& error) { window().showSampleError(error); });
    connect(&m_sample, &SampleMaker::runningChanged, this, [this] { window().setSampleRunning(m_sample.isRunning()); });
    if (!instance) return;
    connect(instance, &SingleInstance::raiseAsked, this, [this] { window().comeForward(); });
    // A second start for the workspace that was here shall open it, not bring a window over something else forward.
    connect(&m_engine, &EngineClient::linkChanged, this, [this] {
        if (m_engine.isForeign() && !m_engine.address().url.isEmpty()) m_instance->release();
    });
}

Session::~Session() {
    for (Desk* desk : {&m_former, &m_next, &m_desk}) desk->clear();
}

Session::Desk Session::make() {
    Desk desk;
    desk.workspace = std::make_unique<Workspace>(m_engine);
    desk.window = std::make_unique<MainWindow>(*desk.workspace, m_theme, m_preferences, m_servers);
    MainWindow* window = desk.window.get();
    connect(window, &MainWindow::workspaceChosen, this, &Session::openWorkspace);
    connect(window, &MainWindow::sampleAsked, this, [this] { m_sample.make(SampleMaker::usualFolder()); });
    window->setSampleRunning(m_sample.isRunning());
    if (m_show) {
        desk.notifier = std::make_unique<Notifier>(*desk.workspace, m_show,
                                                   [window] { return window->isVisible() && qApp->activeWindow(); });
        desk.notifier->setEnabled(m_preferences.now().notify);
        connect(window, &MainWindow::closed, desk.notifier.get(), &Notifier::sayWhatGoesOn);
    }
    return desk;
}

void Session::Desk::clear() {
    window.reset();
    notifier.reset();
    workspace.reset();
}

void Session::remake() {
    window().keepSession();
    m_next.clear();
    m_next = make();
    QMetaObject::invokeMethod(this, &Session::swap, Qt::QueuedConnection);
}

// The old window goes after the new one is there, so that the program never stands without a window and does not end.
void Session::swap() {
    if (!m_next.window) return;
    m_next.window->goOn(window().handOver());
    const bool shown = window().isVisible();
    m_former.clear();
    m_former = std::exchange(m_desk, std::exchange(m_next, {}));
    if (shown) window().show();
    m_former.window->hide();
    emit windowMade();
    QMetaObject::invokeMethod(
        this, [this] { m_former.clear(); }, Qt::QueuedConnection);
}

void Session::apply(const Preferences& before) {
    const Preferences& p = m_preferences.now();
    m_theme.choose(p.theme);
    m_theme.chooseMotion(p.motion);
    m_engine.setStartsEngine(p.startEngine);
    if (m_desk.notifier) m_desk.notifier->setEnabled(p.notify);
    const int percent = m_theme.textPercent();
    m_theme.setTextPercent(p.textPercent);
    const QString language = m_language.code();
    m_language.use(p.language);
    const bool anew = p.language != before.language || p.textPercent != before.textPercent;
    // Queued: the field that was changed is still at work.
    if (anew && (language != m_language.code() || percent != m_theme.textPercent()))
        QMetaObject::invokeMethod(this, &Session::remake, Qt::QueuedConnection);
}

void Session::openWorkspace(const QString& folder) {
    const QString path = QDir(folder).absolutePath();
    if (!m_instance) return open(path);
    m_instance->claimLater(path, [this, path](SingleInstance::Claim claim) {
        // Another window has it: that one comes forward, and this one stays where it is.
        if (claim != SingleInstance::Claim::Theirs) open(path);
    });
}

void Session::open(const QString& folder) {
    m_preferences.remember(folder);
    m_engine.openWorkspace(folder);
    if (window().page() == QLatin1String("workspaces")) window().goTo(QStringLiteral("home"));
}

QString Session::startWorkspace() const {
    const QString fromEnvironment = qEnvironmentVariable("ESPALIER_WORKSPACE");
    if (!fromEnvironment.isEmpty()) return fromEnvironment;
    if (!m_preferences.now().workspace.isEmpty()) return m_preferences.now().workspace;
    const QString last = m_preferences.settings().value(QStringLiteral("workspace")).toString();
    if (!last.isEmpty()) return last;
    const QString data = QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation);
    return QDir(data).filePath(QStringLiteral("espalier/workspace"));
}

}  // namespace espalier::ui
