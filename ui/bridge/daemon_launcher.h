// SPDX-License-Identifier: GPL-3.0-or-later
// DaemonLauncher: finds the daemon of a workspace through its daemon.json, or starts `espalierctl serve` detached, so
// that it outlives the window, and waits for the file without blocking. The folder may lie on a disk that sleeps: it is
// read on another thread, and the answer of a search that was given up is not heard.
//
// Owner: EngineClient. Thread: Qt.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <QUrl>
#include <optional>

#include "core/base/result.h"

namespace espalier::ui {

struct DaemonAddress {
    QUrl url;
    QString key;
    QString keyFile;  // empty when the key was given by a person
    qint64 pid = 0;
    QString certificateFile;  // https: of the workspace's daemon; empty: what the system trusts
    QByteArray certificate;   // what stands in it, PEM
};

// The daemon a workspace names, if its process still lives. Reads small files of the folder. Thread: any.
std::optional<DaemonAddress> findDaemon(const QString& workspace);
QString espalierctlPath();  // beside this executable, else the one on the PATH

inline constexpr int kLeastPort = 1024, kMostPort = 65535;  // that a person may choose

// Where a daemon that is started here listens.
struct ListenAt {
    bool network = false;  // false: reached from this machine alone
    int port = 0;          // 0: the usual one, or any free one where that is taken
    bool operator==(const ListenAt&) const = default;
};

class DaemonLauncher : public QObject {
    Q_OBJECT
public:
    explicit DaemonLauncher(QObject* parent = nullptr);
    void open(const QString& workspace, bool mayStart, const ListenAt& at);
    // Starts one anew as soon as the one that runs has ended; who calls has asked it to end.
    void restart(const QString& workspace, const ListenAt& at);
    void cancel();

signals:
    void starting();
    void found(const espalier::ui::DaemonAddress& address);
    void absent(const espalier::Error& why);  // none runs and none may be started
    void failed(const espalier::Error& error);

private:
    enum class Phase { Search, AwaitEnd, AwaitStart };
    void begin(const QString& workspace, const ListenAt& at, Phase phase);
    void start(bool anyPort = false);
    void look();
    void take(const std::optional<DaemonAddress>& address);
    void takeNone();
    void fail(const QString& sentence);
    Error errorOf(const QString& sentence) const;
    QString logTail() const;

    QString m_workspace;
    QTimer m_poll;
    QElapsedTimer m_since;
    qint64 m_pid = 0;
    ListenAt m_at;
    Phase m_phase = Phase::Search;
    bool m_mayStart = false;
    bool m_triedAnyPort = false;
    int m_search = 0;  // counts the looks into the folder; only the last one is heard
};

}  // namespace espalier::ui
