// SPDX-License-Identifier: GPL-3.0-or-later
// A client on plain sockets for HTTP tests: it can send anything, stop reading, or hang up, and shares no code with the
// server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace espalier::test {

class RawConnection {
public:
    explicit RawConnection(std::uint16_t port, int receiveBufferBytes = 0);
    ~RawConnection();
    RawConnection(const RawConnection&) = delete;
    RawConnection(RawConnection&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}

    bool isOpen() const { return m_fd >= 0; }
    bool send(std::string_view bytes);            // false when the other side is gone
    std::string readSome(int timeoutMs = 10000);  // what came; empty at the end or the timeout
    std::string readToEnd(int timeoutMs = 10000);
    std::string readUntil(std::string_view mark, int timeoutMs = 10000);  // everything up to and including it
    bool closedByPeer(int timeoutMs = 10000);
    void hangUp();  // with a reset, as a crashed client

private:
    int m_fd = -1;
    std::string m_pending;
};

struct HttpReply {
    int status = 0;
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;                            // without chunk framing
    Json json() const;                           // null when it is not JSON
    std::vector<Json> events() const;            // the data of "data: {...}" lines, [DONE] left out
};

HttpReply parseReply(const std::string& bytes);
std::string httpText(std::string_view method, std::string_view path, std::string_view key, std::string_view body,
                     std::string_view extraHeaders = {});
// One request on a connection of its own.
HttpReply fetch(std::uint16_t port, std::string_view method, std::string_view path, std::string_view key,
                std::string_view body = {}, std::string_view extraHeaders = {});

}  // namespace espalier::test
