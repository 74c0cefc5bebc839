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
    make();
    connect(&preferences, &PreferenceStore::changed, this, &Session::apply);
    if (instance) connect(instance, &SingleInstance::raiseAsked, this, [this] { m_window->comeForward(); });
}

Session::~Session() = default;

void Session::make() {
    m_workspace = std::make_unique<Workspace>(m_engine);
    m_window = std::make_unique<MainWindow>(*m_workspace, m_theme, m_preferences, m_servers);
    connect(m_window.get(), &MainWindow::workspaceChosen, this, &Session::openWorkspace);
    if (m_show) {
        m_notifier = std::make_unique<Notifier>(
            *m_workspace, m_show, [window = m_window.get()] { return window->isVisible() && qApp->activeWindow(); });
        m_notifier->setEnabled(m_preferences.now().notify);
        connect(m_window.get(), &MainWindow::closed, m_notifier.get(), &Notifier::sayWhatGoesOn);
    }
}

// The old window goes after the new one is there, so that the program never stands without a window and does not end.
void Session::remake() {
    m_window->keepSession();
    const QVariantList typed = m_window->typed();
    const bool shown = m_window->isVisible();
    const auto workspace = std::move(m_workspace);  // goes last
    const auto notifier = std::move(m_notifier);
    const auto window = std::move(m_window);
    make();
    m_window->retype(typed);
    if (shown) m_window->show();
    emit windowMade();
}

void Session::apply(const Preferences& before) {
    const Preferences& p = m_preferences.now();
    m_theme.choose(p.theme);
    m_theme.chooseMotion(p.motion);
    m_engine.setStartsEngine(p.startEngine);
    if (m_notifier) m_notifier->setEnabled(p.notify);
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
    // Another window has it: that one comes forward, and this one stays where it is.
    if (m_instance && m_instance->claim(path, 0) == SingleInstance::Claim::Theirs) return;
    m_preferences.remember(path);
    m_engine.openWorkspace(path);
    if (m_window->page() == QLatin1String("workspaces")) m_window->goTo(QStringLiteral("home"));
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
