// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/notifier.h"

#include <QDBusConnection>
#include <QDBusMessage>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr auto kService = "org.freedesktop.Notifications";
constexpr auto kPath = "/org/freedesktop/Notifications";
constexpr int kUsualTime = -1;

bool isOver(JobState state) {
    return state == JobState::Finished || state == JobState::Failed;
}

}  // namespace

// https://specifications.freedesktop.org/notification-spec/latest/protocol.html
bool showOnDesktop(const QString& title, const QString& sentence) {
    auto bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return false;
    auto message = QDBusMessage::createMethodCall(kService, kPath, kService, QStringLiteral("Notify"));
    message << QStringLiteral("Espalier") << 0u << QStringLiteral("espalier") << title << sentence.toHtmlEscaped()
            << QStringList() << QVariantMap() << kUsualTime;
    return bus.send(message);
}

Notifier::Notifier(Workspace& workspace, ShowNotification show, std::function<bool()> inFront, QObject* parent)
    : QObject(parent), m_workspace(workspace), m_show(std::move(show)), m_inFront(std::move(inFront)) {
    connect(&workspace.engine(), &EngineClient::jobChanged, this, &Notifier::follow);
    connect(&workspace, &Workspace::left, this, [this] { m_states.clear(); });
}

void Notifier::follow(const JobRecord& job) {
    const JobState before = m_states.value(job.id, JobState::Queued);
    m_states[job.id] = job.state;
    if (!m_enabled || !isOver(job.state) || isOver(before)) return;
    if (m_inFront()) return;
    const bool failed = job.state == JobState::Failed;
    const QString title = (failed ? tr("%1 failed") : tr("%1 is finished")).arg(titleOf(job));
    m_show(title, failed && job.error ? text(job.error->message) : m_workspace.name());
}

void Notifier::sayWhatGoesOn() {
    if (!m_enabled || !m_workspace.engine().isAttached() || m_workspace.engine().isForeign()) return;
    int active = 0;
    for (const JobRecord& job : m_workspace.jobs().jobs()) active += isActive(job);
    const Snapshot* snapshot = m_workspace.snapshot();
    const bool serving = snapshot && snapshot->serve == ServeState::Serving;
    if (active == 0 && !serving) return;
    const QString jobs = counted(active, tr("%1 job goes on"), tr("%1 jobs go on"));
    const QString title = active == 0 ? tr("The server goes on") : serving ? tr("%1, and the server").arg(jobs) : jobs;
    m_show(title, tr("The engine of %1 works without the window. Open Espalier to see it, or stop it with "
                     "espalierctl serve --stop.")
                      .arg(m_workspace.name()));
}

}  // namespace espalier::ui
