// SPDX-License-Identifier: GPL-3.0-or-later
// HttpServer: HTTP/1.1 over TCP or TLS on one network thread, for clients that are slow, broken or hostile. Every wait
// has a deadline, every buffer a bound. Holds no idea of routes: HttpService has them.
//
// Owner: Daemon. Thread: listen, start and stop from one thread; the rest any.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/api/http.h"
#include "core/base/file_system.h"
#include "core/base/result.h"

namespace espalier {

struct HttpServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;                       // 0: any free one
    std::size_t maxConnections = 1024;            // beyond: 503 and closed
    std::uint32_t maxHeaderBytes = 32 << 10;      // beyond: 431
    std::uint64_t maxBodyBytes = 32 << 20;        // beyond: 413
    std::uint64_t maxBodyBytesInAll = 256 << 20;  // of requests being read or served; beyond: 503
    std::size_t maxQueuedBytes = 1 << 20;         // of a stream that its client does not read
    std::chrono::milliseconds headerTimeout{20'000};
    std::chrono::milliseconds bodyTimeout{60'000};
    std::chrono::milliseconds idleTimeout{75'000};        // between requests of one connection
    std::chrono::milliseconds writeStallTimeout{30'000};  // without a byte taken
    Path tlsCertificate;                                  // PEM chain; empty: no TLS
    Path tlsKey;
    HttpHeaders commonHeaders;  // put into every answer
};

class HttpServer {
public:
    // Takes the address; nobody is answered before start(). Requires: service outlives the server. Errors: network
    // (names the address; a port in use says so), invalid_argument (certificate or key that cannot be read).
    static Result<std::unique_ptr<HttpServer>> listen(const HttpServerOptions& options, HttpService& service);
    virtual ~HttpServer() = default;  // as stop()
    virtual void start() = 0;

    virtual std::string url() const = 0;  // "http://127.0.0.1:8420"
    virtual std::uint16_t port() const = 0;
    virtual std::size_t connections() const = 0;
    virtual std::size_t exchanges() const = 0;  // being answered

    virtual void stopListening() = 0;  // what runs goes on
    virtual void stop() = 0;           // closes every connection, waits for the network thread
};

}  // namespace espalier
