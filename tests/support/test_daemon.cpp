// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/test_daemon.h"

#include "core/api/keys.h"
#include "core/base/check.h"

namespace espalier::test {

TestDaemon::TestDaemon(DaemonOptions options) : m_files(makeFileSystem()) {
    m_engine = std::make_unique<FakeEngine>(workspace());
    auto daemon = Daemon::start(options, *m_engine, *m_files, m_clock);
    if (!daemon) qFatal("%s", daemon.error().message.c_str());
    m_daemon = std::move(*daemon);
    m_key = *loadOrMakeAdminKey(*m_files, m_daemon->keyFile());
}

TestDaemon::~TestDaemon() {
    m_engine->set({});  // nothing holds the drain up
    m_daemon.reset();
}

std::uint16_t TestDaemon::port() const {
    const std::string url = m_daemon->url();
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

RawConnection TestDaemon::begin(std::string_view path, const Json& body, int receiveBufferBytes) {
    RawConnection connection(port(), receiveBufferBytes);
    connection.send(httpText("POST", path, m_key, dumpJson(body)));
    return connection;
}

}  // namespace espalier::test
