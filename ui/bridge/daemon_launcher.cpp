// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/daemon_launcher.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QPointer>
#include <QProcess>
#include <QStandardPaths>
#include <QThreadPool>

#include "core/api/daemon_file.h"

namespace espalier::ui {
namespace {

constexpr int kPollMs = 50;
constexpr qint64 kPatienceMs = 60'000;  // recovery after a crash and loading a model may take a while
constexpr qint64 kSmallFile = 64 << 10;

QByteArray readSmall(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.read(kSmallFile) : QByteArray();
}

QString logFile(const QString& workspace) {
    return QDir(workspace).filePath(QStringLiteral("daemon.log"));
}

}  // namespace

std::optional<DaemonAddress> findDaemon(const QString& workspace) {
    const auto files = makeFileSystem();
    const auto found = readDaemonFile(*files, workspace.toStdString());
    if (!found || !*found) return std::nullopt;
    const espalier::DaemonAddress& daemon = **found;
    const auto inWorkspace = [&](const std::string& path) {
        return path.empty() ? QString() : QDir(workspace).absoluteFilePath(QString::fromStdString(path));
    };
    DaemonAddress address;
    address.url = QUrl(QString::fromStdString(daemon.url));
    address.keyFile = inWorkspace(daemon.keyFile);
    address.key = QString::fromUtf8(readSmall(address.keyFile)).trimmed();
    address.pid = daemon.pid;
    address.certificateFile = inWorkspace(daemon.certificate);
    if (!address.certificateFile.isEmpty()) address.certificate = readSmall(address.certificateFile);
    return address;
}

QString espalierctlPath() {
    const QString beside = QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("espalierctl"));
    return QFile::exists(beside) ? beside : QStandardPaths::findExecutable(QStringLiteral("espalierctl"));
}

DaemonLauncher::DaemonLauncher(QObject* parent) : QObject(parent) {
    m_poll.setSingleShot(true);
    m_poll.setInterval(kPollMs);
    connect(&m_poll, &QTimer::timeout, this, &DaemonLauncher::look);
}

void DaemonLauncher::begin(const QString& workspace, const ListenAt& at, Phase phase) {
    cancel();
    m_workspace = workspace;
    m_at = at;
    m_triedAnyPort = false;
    m_phase = phase;
    look();
}

void DaemonLauncher::restart(const QString& workspace, const ListenAt& at) {
    begin(workspace, at, Phase::AwaitEnd);
    emit starting();
}

void DaemonLauncher::open(const QString& workspace, bool mayStart, const ListenAt& at) {
    m_mayStart = mayStart;
    begin(workspace, at, Phase::Search);
}

void DaemonLauncher::cancel() {
    m_poll.stop();
    ++m_search;
}

void DaemonLauncher::start(bool anyPort) {
    const QString program = espalierctlPath();
    if (program.isEmpty()) {
        fail(tr("espalierctl was found neither beside this program nor on the PATH; install it or attach to a server"));
        return;
    }
    if (!QDir().mkpath(m_workspace)) {
        fail(tr("The workspace folder %1 cannot be made").arg(m_workspace));
        return;
    }
    QProcess process;
    process.setProgram(program);
    QStringList arguments{QStringLiteral("serve"), QStringLiteral("--workspace"), m_workspace,
                          QStringLiteral("--json")};
    if (m_at.network) arguments << QStringLiteral("--host") << QStringLiteral("0.0.0.0");
    if (anyPort || m_at.port > 0) arguments << QStringLiteral("--port") << QString::number(anyPort ? 0 : m_at.port);
    process.setArguments(arguments);
    process.setStandardOutputFile(QProcess::nullDevice());
    process.setStandardErrorFile(logFile(m_workspace));
    if (!process.startDetached(&m_pid)) {
        fail(tr("%1 did not start: %2").arg(program, process.errorString()));
        return;
    }
    m_phase = Phase::AwaitStart;
    m_since.start();
    m_poll.start();
}

void DaemonLauncher::look() {
    QThreadPool::globalInstance()->start(
        [self = QPointer<DaemonLauncher>(this), workspace = m_workspace, search = ++m_search] {
            auto found = findDaemon(workspace);
            QMetaObject::invokeMethod(
                qApp,
                [self, search, found = std::move(found)] {
                    if (self && self->m_search == search) self->take(found);
                },
                Qt::QueuedConnection);
        });
}

void DaemonLauncher::take(const std::optional<DaemonAddress>& address) {
    if (!address) return takeNone();
    if (m_phase == Phase::AwaitEnd)
        m_poll.start();  // it ends its answers first, which takes as long as they take
    else
        emit found(*address);
}

void DaemonLauncher::takeNone() {
    if (m_phase == Phase::Search && !m_mayStart) {
        emit absent(errorOf(tr("The preferences say that it is not started by itself")));
        return;
    }
    if (m_phase != Phase::AwaitStart) {
        if (m_phase == Phase::Search) emit starting();
        return start();
    }
    if (!isRunning(m_pid)) {
        const QString tail = logTail();
        if (!m_triedAnyPort && m_at.port == 0 && tail.contains(QLatin1String("in use"), Qt::CaseInsensitive)) {
            m_triedAnyPort = true;  // another workspace serves on the usual port
            return start(true);
        }
        return fail(tail.isEmpty() ? tr("The engine ended before it answered") : tail);
    }
    if (m_since.elapsed() > kPatienceMs)
        return fail(tr("The engine did not answer within a minute; its log is %1").arg(logFile(m_workspace)));
    m_poll.start();
}

void DaemonLauncher::fail(const QString& sentence) {
    emit failed(errorOf(sentence));
}

Error DaemonLauncher::errorOf(const QString& sentence) const {
    return espalier::fail(ErrorCode::Network, sentence.toStdString(), m_workspace.toStdString());
}

QString DaemonLauncher::logTail() const {
    const QStringList lines =
        QString::fromUtf8(readSmall(logFile(m_workspace))).split(QLatin1Char('\n'), Qt::SkipEmptyParts);
    return lines.isEmpty() ? QString() : lines.last();
}

}  // namespace espalier::ui
