// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <sstream>

namespace espalier::test {

RawConnection::RawConnection(std::uint16_t port, int receiveBufferBytes) {
    m_fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receiveBufferBytes > 0)
        ::setsockopt(m_fd, SOL_SOCKET, SO_RCVBUF, &receiveBufferBytes, sizeof receiveBufferBytes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(m_fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(m_fd);
        m_fd = -1;
    }
}

RawConnection::~RawConnection() {
    if (m_fd >= 0) ::close(m_fd);
}

bool RawConnection::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string RawConnection::readSome(int timeoutMs) {
    if (!m_pending.empty()) return std::exchange(m_pending, {});
    pollfd waiting{m_fd, POLLIN, 0};
    if (::poll(&waiting, 1, timeoutMs) <= 0) return {};
    char buffer[64 << 10];
    const ssize_t got = ::recv(m_fd, buffer, sizeof buffer, 0);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}

std::string RawConnection::readToEnd(int timeoutMs) {
    std::string all;
    for (std::string piece = readSome(timeoutMs); !piece.empty(); piece = readSome(timeoutMs)) all += piece;
    return all;
}

std::string RawConnection::readUntil(std::string_view mark, int timeoutMs) {
    std::string all;
    while (true) {
        const std::size_t found = all.find(mark);
        if (found != std::string::npos) {
            m_pending = all.substr(found + mark.size());
            return all.substr(0, found + mark.size());
        }
        const std::string piece = readSome(timeoutMs);
        if (piece.empty()) return all;
        all += piece;
    }
}

bool RawConnection::closedByPeer(int timeoutMs) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeoutMs);
    char buffer[64 << 10];
    while (std::chrono::steady_clock::now() < end) {
        pollfd waiting{m_fd, POLLIN, 0};
        if (::poll(&waiting, 1, 100) > 0 && ::recv(m_fd, buffer, sizeof buffer, 0) <= 0) return true;
    }
    return false;
}

void RawConnection::hangUp() {
    const linger now{1, 0};
    ::setsockopt(m_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(std::exchange(m_fd, -1));
}

Json HttpReply::json() const {
    auto parsed = parseJson(body, "reply");
    return parsed ? *parsed : Json();
}

std::vector<Json> HttpReply::events() const {
    std::vector<Json> list;
    std::istringstream lines(body);
    for (std::string line; std::getline(lines, line);) {
        if (line.rfind("data: ", 0) != 0 || line == "data: [DONE]") continue;
        auto parsed = parseJson(line.substr(6), "event");
        list.push_back(parsed ? *parsed : Json());
    }
    return list;
}

HttpReply parseReply(const std::string& bytes) {
    HttpReply reply;
    const std::size_t headEnd = bytes.find("\r\n\r\n");
    if (bytes.rfind("HTTP/1.1 ", 0) != 0 || headEnd == std::string::npos) return reply;
    reply.status = std::atoi(bytes.c_str() + 9);
    std::istringstream lines(bytes.substr(0, headEnd));
    for (std::string line; std::getline(lines, line);) {
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        std::string name = line.substr(0, colon);
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        reply.headers[name] = line.substr(colon + 2, line.find('\r') - colon - 2);
    }
    std::string rest = bytes.substr(headEnd + 4);
    if (reply.headers["transfer-encoding"] != "chunked") {
        reply.body = rest;
        return reply;
    }
    for (std::size_t at = 0; at < rest.size();) {
        const std::size_t lineEnd = rest.find("\r\n", at);
        if (lineEnd == std::string::npos) break;
        const std::size_t size = std::strtoul(rest.c_str() + at, nullptr, 16);
        reply.body += rest.substr(lineEnd + 2, size);
        at = lineEnd + 2 + size + 2;
    }
    return reply;
}

std::string httpText(std::string_view method, std::string_view path, std::string_view key, std::string_view body,
                     std::string_view extraHeaders) {
    std::string text = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n";
    if (!key.empty()) text += "Authorization: Bearer " + std::string(key) + "\r\n";
    if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += std::string(extraHeaders) + "\r\n" + std::string(body);
    return text;
}

HttpReply fetch(std::uint16_t port, std::string_view method, std::string_view path, std::string_view key,
                std::string_view body, std::string_view extraHeaders) {
    RawConnection connection(port);
    connection.send(httpText(method, path, key, body, std::string(extraHeaders) + "Connection: close\r\n"));
    return parseReply(connection.readToEnd());
}

}  // namespace espalier::test
