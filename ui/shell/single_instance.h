// SPDX-License-Identifier: GPL-3.0-or-later
// SingleInstance: one window a workspace. The first takes a lock file and listens on a local socket beside it; a second
// start finds the lock taken, asks the first to come forward and ends. A lock or socket left by a program that died is
// taken over (the lock file knows whose it is).
//
// Owner: main. Thread: Qt. Files: <runtime folder>/<digest of the workspace's path>.{lock,socket}, folder mode 0700.
#pragma once

#include <QLocalServer>
#include <QLocalSocket>
#include <QLockFile>
#include <QObject>
#include <functional>
#include <memory>

namespace espalier::ui {

class SingleInstance : public QObject {
    Q_OBJECT
public:
    explicit SingleInstance(const QString& runtimeFolder, QObject* parent = nullptr);
    ~SingleInstance() override;

    enum class Claim {
        Ours,    // this program has the workspace's window now
        Theirs,  // another one has it and was asked to come forward
        Silent   // another one has it and does not answer
    };
    // Gives up what was claimed before, unless the answer is Theirs. Waits at most patienceMs, when another one is
    // slow.
    Claim claim(const QString& workspace, int patienceMs);
    // The same while a window is there: never waits, and asks once. The answer may be given from inside the call; a
    // claim that comes after it takes its place.
    void claimLater(const QString& workspace, std::function<void(Claim)> answer);
    void release();

    static QString usualFolder();  // $XDG_RUNTIME_DIR/espalier, else a private folder in the temporary one

signals:
    void raiseAsked();

private:
    QString base(const QString& workspace) const;
    void take(const QString& base, std::unique_ptr<QLockFile> lock);
    void listen(const QString& socket);

    QString m_folder;
    QString m_claimed;
    std::unique_ptr<QLockFile> m_lock;
    std::unique_ptr<QLocalServer> m_server;
    std::unique_ptr<QLocalSocket> m_asking;
};

}  // namespace espalier::ui
