// SPDX-License-Identifier: GPL-3.0-or-later
// One connection of an HttpServer. One read loop and one write loop, both on the network thread; the read loop never
// stops while an answer is made, so a client that hangs up is noticed at once, and what it sends early waits in a small
// buffer. Private to the server: the only header that knows Beast.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "core/api/http_server.h"

namespace espalier {

class HttpConnection;

// What all connections share. Outlives the server while an exchange is still held somewhere.
struct HttpCore {
    HttpCore(const HttpServerOptions& o, HttpService& s)
        : options(o), service(s), droppedAnswer(s.protocolError(500, "the request was dropped without an answer")) {}
    HttpServerOptions options;
    HttpService& service;              // network thread
    const HttpResponse droppedAnswer;  // of an exchange that may outlive the service
    boost::asio::io_context io{1};
    std::optional<boost::asio::ssl::context> tls;
    std::unordered_set<HttpConnection*> connections;  // network thread
    std::uint64_t bodyBytes = 0;                      // network thread
    std::atomic<std::size_t> connectionCount{0};
    std::atomic<std::size_t> exchangeCount{0};
    std::atomic<bool> closing{false};  // answers end with Connection: close
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
public:
    HttpConnection(std::shared_ptr<HttpCore> core, boost::asio::ip::tcp::socket socket)
        : m_core(std::move(core)), m_socket(std::move(socket)), m_readTimer(m_core->io), m_writeTimer(m_core->io) {}

    // network thread
    void start();          // reads the first request
    void refuseForLoad();  // answers 503 and closes
    void close();          // at once; whoever was being answered counts as gone

    // any thread
    // last: the answer is complete. bounded: cut off when more than maxQueuedBytes are not taken.
    void send(std::string bytes, bool last, bool bounded);
    void cutOff();
    void onClosed(std::function<void()> action);
    std::size_t queuedBytes() const { return m_queuedBytes; }
    std::string answerHead(const HttpResponse& response, std::string_view framing) const;
    HttpCore& core() const { return *m_core; }
    bool isHttp11() const { return m_isHttp11; }

private:
    enum class Phase { Handshake, Idle, Reading, Answering, Farewell, Closed };

    void readMore();
    void onRead(boost::system::error_code cause, std::size_t bytes);
    void parse();
    bool acceptHead();
    bool acceptBodySize();
    bool reserve(std::uint64_t bytes);
    void dispatch();
    void answerAndClose(const HttpResponse& response);
    void postPump();
    void pump();
    void writeMore();
    void onWritten(boost::system::error_code cause, std::size_t bytes);
    void answerComplete();
    void sayFarewell();
    void readDeadline(std::chrono::milliseconds wait);
    void onReadDeadline();
    void endExchange();

    const std::shared_ptr<HttpCore> m_core;
    boost::asio::ip::tcp::socket m_socket;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> m_tls;
    boost::asio::steady_timer m_readTimer, m_writeTimer;
    Phase m_phase = Phase::Handshake;

    boost::beast::flat_buffer m_buffer;
    std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> m_parser;
    HttpRequest m_request;
    std::uint64_t m_reservedBodyBytes = 0, m_bodyLimit = 0;
    bool m_headSeen = false, m_reading = false, m_writing = false, m_counted = false;
    bool m_bodyCounts = true;                     // among maxBodyBytesInAll
    bool m_keepAlive = false, m_isHttp11 = true;  // fixed while an exchange lives
    std::string m_inFlight;
    std::size_t m_inFlightDone = 0;

    std::mutex m_mutex;  // guards the next six
    std::string m_outbox;
    bool m_outboxEnds = false, m_overflowed = false, m_pumpPosted = false, m_closed = false;
    std::function<void()> m_onClosed;
    std::atomic<std::size_t> m_queuedBytes{0};
};

}  // namespace espalier
