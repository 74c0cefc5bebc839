// SPDX-License-Identifier: GPL-3.0-or-later
// A real daemon over a FakeEngine in a temporary workspace.
#pragma once

#include <QTemporaryDir>
#include <memory>
#include <string>

#include "core/api/daemon.h"
#include "tests/support/fake_engine.h"
#include "tests/support/raw_http.h"

namespace espalier::test {

class TestDaemon {
public:
    explicit TestDaemon(DaemonOptions options = {});
    ~TestDaemon();

    FakeEngine& engine() { return *m_engine; }
    Daemon& daemon() { return *m_daemon; }
    FileSystem& files() { return *m_files; }
    Path workspace() const { return m_folder.path().toStdString(); }
    std::uint16_t port() const;
    const std::string& key() const { return m_key; }

    HttpReply get(std::string_view path) { return fetch(port(), "GET", path, m_key); }
    HttpReply post(std::string_view path, const Json& body) {
        return fetch(port(), "POST", path, m_key, dumpJson(body));
    }
    // An open connection on which the request was sent.
    RawConnection begin(std::string_view path, const Json& body, int receiveBufferBytes = 0);

private:
    QTemporaryDir m_folder;
    std::unique_ptr<FileSystem> m_files;
    SystemClock m_clock;
    std::unique_ptr<FakeEngine> m_engine;
    std::unique_ptr<Daemon> m_daemon;
    std::string m_key;
};

}  // namespace espalier::test
