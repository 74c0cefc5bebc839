// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/single_instance.h"

#include <QCryptographicHash>
#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QFileInfo>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QThread>
#include <QTimer>

namespace espalier::ui {
namespace {

constexpr int kPauseMs = 50;
constexpr int kSocketMs = 500;
constexpr char kRaise[] = "raise\n";
constexpr int kDigits = 24;  // a socket's path holds 107 characters

bool askToRaise(const QString& socketPath) {
    QLocalSocket socket;
    socket.connectToServer(socketPath);
    if (!socket.waitForConnected(kSocketMs)) return false;
    socket.write(kRaise);
    return socket.waitForBytesWritten(kSocketMs) || socket.bytesToWrite() == 0;
}

}  // namespace

SingleInstance::SingleInstance(const QString& runtimeFolder, QObject* parent)
    : QObject(parent), m_folder(runtimeFolder) {
    QDir().mkpath(m_folder);
    QFile::setPermissions(m_folder, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
}

SingleInstance::~SingleInstance() {
    release();
}

QString SingleInstance::usualFolder() {
    const QString runtime = QStandardPaths::writableLocation(QStandardPaths::RuntimeLocation);
    return QDir(runtime.isEmpty() ? QDir::tempPath() : runtime).filePath(QStringLiteral("espalier"));
}

QString SingleInstance::base(const QString& workspace) const {
    const QString canonical = QFileInfo(workspace).canonicalFilePath();
    const QByteArray path = (canonical.isEmpty() ? QDir::cleanPath(workspace) : canonical).toUtf8();
    const QByteArray digest = QCryptographicHash::hash(path, QCryptographicHash::Sha256).toHex().left(kDigits);
    return QDir(m_folder).filePath(QString::fromLatin1(digest));
}

SingleInstance::Claim SingleInstance::claim(const QString& workspace, int patienceMs) {
    const QString wanted = base(workspace);
    if (wanted == m_claimed) return Claim::Ours;
    auto lock = std::make_unique<QLockFile>(wanted + QStringLiteral(".lock"));
    lock->setStaleLockTime(0);  // only a dead owner makes it stale
    const QString socket = wanted + QStringLiteral(".socket");
    QElapsedTimer since;
    since.start();
    while (!lock->tryLock(0)) {
        if (askToRaise(socket)) return Claim::Theirs;
        if (since.elapsed() >= patienceMs) {
            release();
            return Claim::Silent;
        }
        QThread::msleep(kPauseMs);  // it has the lock and does not listen yet, or it is ending
    }
    take(wanted, std::move(lock));
    return Claim::Ours;
}

void SingleInstance::take(const QString& base, std::unique_ptr<QLockFile> lock) {
    release();
    m_lock = std::move(lock);
    m_claimed = base;
    listen(base + QStringLiteral(".socket"));
}

void SingleInstance::claimLater(const QString& workspace, std::function<void(Claim)> answer) {
    m_asking.reset();
    const QString wanted = base(workspace);
    if (wanted == m_claimed) return answer(Claim::Ours);
    auto lock = std::make_unique<QLockFile>(wanted + QStringLiteral(".lock"));
    lock->setStaleLockTime(0);
    if (lock->tryLock(0)) {
        take(wanted, std::move(lock));
        return answer(Claim::Ours);
    }
    m_asking = std::make_unique<QLocalSocket>();
    QLocalSocket* socket = m_asking.get();
    const auto end = [this, answer = std::move(answer)](Claim claim) {
        m_asking.release()->deleteLater();
        if (claim == Claim::Silent) release();
        answer(claim);
    };
    const auto once = [this, socket, end](Claim claim) {
        if (m_asking.get() == socket) end(claim);
    };
    connect(socket, &QLocalSocket::connected, this, [socket] { socket->write(kRaise); });
    connect(socket, &QLocalSocket::bytesWritten, this, [once] { once(Claim::Theirs); });
    connect(socket, &QLocalSocket::errorOccurred, this, [once] { once(Claim::Silent); });
    QTimer::singleShot(2 * kSocketMs, socket, [once] { once(Claim::Silent); });
    socket->connectToServer(wanted + QStringLiteral(".socket"));
}

void SingleInstance::listen(const QString& socket) {
    QLocalServer::removeServer(socket);  // ours by the lock: whoever listened there is gone
    m_server = std::make_unique<QLocalServer>();
    m_server->setSocketOptions(QLocalServer::UserAccessOption);
    connect(m_server.get(), &QLocalServer::newConnection, this, [this] {
        while (QLocalSocket* caller = m_server->nextPendingConnection()) {
            connect(caller, &QLocalSocket::disconnected, caller, &QObject::deleteLater);
            connect(caller, &QLocalSocket::readyRead, this, [this, caller] {
                if (!caller->canReadLine()) return;
                const bool raise = caller->readLine(sizeof kRaise) == kRaise;
                caller->disconnectFromServer();
                if (raise) emit raiseAsked();
            });
        }
    });
    if (!m_server->listen(socket))
        qWarning("no socket for a second start at %s: %s", qPrintable(socket), qPrintable(m_server->errorString()));
}

void SingleInstance::release() {
    m_server.reset();
    m_lock.reset();
    m_claimed.clear();
}

}  // namespace espalier::ui
