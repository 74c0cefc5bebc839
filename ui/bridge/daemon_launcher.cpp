// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/daemon_launcher.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>

#include "core/api/protocol.h"

namespace espalier::ui {
namespace {

constexpr int kPollMs = 50;
constexpr qint64 kPatienceMs = 60'000;  // recovery after a crash and loading a model may take a while
constexpr qint64 kSmallFile = 64 << 10;

QByteArray readSmall(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.read(kSmallFile) : QByteArray();
}

// A detached process that ended stays as a zombie until someone reaps it, so its state counts, not its existence.
bool isAlive(qint64 pid) {
    const QByteArray stat = readSmall(QStringLiteral("/proc/%1/stat").arg(pid));
    const qsizetype state = stat.lastIndexOf(')') + 2;
    return state > 1 && state < stat.size() && stat[state] != 'Z' && stat[state] != 'X';
}

QString logFile(const QString& workspace) {
    return QDir(workspace).filePath(QStringLiteral("daemon.log"));
}

}  // namespace

std::optional<DaemonAddress> findDaemon(const QString& workspace) {
    const QString path =
        QDir(workspace).filePath(QString::fromLatin1(kDaemonFile.data(), qsizetype(kDaemonFile.size())));
    const QByteArray text = readSmall(path);
    if (text.isEmpty()) return std::nullopt;
    const auto json = parseJson({text.constData(), std::size_t(text.size())}, path.toStdString());
    if (!json || !json->is_object()) return std::nullopt;
    const JsonReader reader(*json, path.toStdString());
    const auto url = reader.string("url");
    const auto keyFile = reader.string("key_file");
    const auto pid = reader.integer("pid", 1, 1ll << 32);
    if (!url || !keyFile || !pid || !isAlive(*pid)) return std::nullopt;
    DaemonAddress address;
    address.url = QUrl(QString::fromStdString(*url));
    address.keyFile = QDir(workspace).absoluteFilePath(QString::fromStdString(*keyFile));
    address.key = QString::fromUtf8(readSmall(address.keyFile)).trimmed();
    address.pid = *pid;
    return address;
}

QString espalierctlPath() {
    const QString beside = QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("espalierctl"));
    return QFile::exists(beside) ? beside : QStandardPaths::findExecutable(QStringLiteral("espalierctl"));
}

DaemonLauncher::DaemonLauncher(QObject* parent) : QObject(parent) {
    m_poll.setInterval(kPollMs);
    connect(&m_poll, &QTimer::timeout, this, &DaemonLauncher::look);
}

void DaemonLauncher::restart(const QString& workspace, const ListenAt& at) {
    cancel();
    m_workspace = workspace;
    m_at = at;
    m_triedAnyPort = false;
    m_awaitsEnd = true;
    emit starting();
    m_poll.start();
}

void DaemonLauncher::open(const QString& workspace, bool mayStart, const ListenAt& at) {
    cancel();
    m_workspace = workspace;
    m_at = at;
    m_triedAnyPort = false;
    if (const auto address = findDaemon(workspace)) {
        emit found(*address);
        return;
    }
    if (!mayStart) {
        emit absent(errorOf(tr("The preferences say that it is not started by itself")));
        return;
    }
    emit starting();
    start();
}

void DaemonLauncher::cancel() {
    m_poll.stop();
    m_awaitsEnd = false;
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
    m_since.start();
    m_poll.start();
}

void DaemonLauncher::look() {
    if (m_awaitsEnd) {
        if (findDaemon(m_workspace)) return;  // it ends its answers first, which takes as long as they take
        m_awaitsEnd = false;
        m_poll.stop();
        return start();
    }
    if (const auto address = findDaemon(m_workspace)) {
        m_poll.stop();
        emit found(*address);
        return;
    }
    if (!isAlive(m_pid)) {
        m_poll.stop();
        const QString tail = logTail();
        if (!m_triedAnyPort && m_at.port == 0 && tail.contains(QLatin1String("in use"), Qt::CaseInsensitive)) {
            m_triedAnyPort = true;  // another workspace serves on the usual port
            start(true);
            return;
        }
        fail(tail.isEmpty() ? tr("The engine ended before it answered") : tail);
        return;
    }
    if (m_since.elapsed() > kPatienceMs) {
        m_poll.stop();
        fail(tr("The engine did not answer within a minute; its log is %1").arg(logFile(m_workspace)));
    }
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
