// SPDX-License-Identifier: GPL-3.0-or-later
// One read loop and one write loop per connection, both on the network thread. The read loop never stops while an answer
// is made, so a client that hangs up is noticed at once; what it sends early waits in a small buffer.
#include "core/api/http_server.h"

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace espalier {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using asio::ip::tcp;
using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kMaxPipelinedBytes = 64 << 10;
constexpr std::size_t kSpareConnections = 64;   // beyond the cap, to be told 503
constexpr int kSendBufferBytes = 256 << 10;     // what the kernel may hold for a client that does not read
constexpr milliseconds kFarewell{2'000};        // for a client to read the last answer before the socket closes

class Connection;

// What all connections share. Outlives the server while an exchange is still held somewhere.
struct Core {
    Core(const HttpServerOptions& o, HttpService& s) : options(o), service(s) {}
    HttpServerOptions options;
    HttpService& service;
    asio::io_context io{1};
    std::optional<asio::ssl::context> tls;
    std::unordered_set<Connection*> connections;  // network thread
    std::uint64_t bodyBytes = 0;                  // network thread
    std::atomic<std::size_t> connectionCount{0};
    std::atomic<std::size_t> exchangeCount{0};
    std::atomic<bool> closing{false};             // answers end with Connection: close
};

class Connection : public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Core> core, tcp::socket socket)
        : m_core(std::move(core)), m_socket(std::move(socket)), m_readTimer(m_core->io), m_writeTimer(m_core->io) {}

    // network thread
    void start();
    void refuseForLoad();
    void close();

    // any thread
    void send(std::string bytes, bool last, bool bounded);
    void cutOff();
    void onClosed(std::function<void()> action);
    std::size_t queuedBytes() const { return m_queuedBytes; }
    std::string answerHead(const HttpResponse& response, std::string_view framing) const;
    Core& core() const { return *m_core; }
    bool isHttp11() const { return m_isHttp11; }

private:
    enum class Phase { Handshake, Idle, Reading, Answering, Farewell, Closed };

    void readMore();
    void onRead(error_code cause, std::size_t bytes);
    void parse();
    bool acceptHead();
    void dispatch();
    void answerAndClose(const HttpResponse& response);
    void pump();
    void writeMore();
    void onWritten(error_code cause, std::size_t bytes);
    void answerComplete();
    void sayFarewell();
    void readDeadline(milliseconds wait);
    void onReadDeadline();
    void endExchange();

    const std::shared_ptr<Core> m_core;
    tcp::socket m_socket;
    std::optional<asio::ssl::stream<tcp::socket&>> m_tls;
    asio::steady_timer m_readTimer, m_writeTimer;
    Phase m_phase = Phase::Handshake;

    boost::beast::flat_buffer m_buffer;
    std::optional<http::request_parser<http::string_body>> m_parser;
    HttpRequest m_request;
    std::uint64_t m_reservedBodyBytes = 0;
    bool m_headSeen = false, m_reading = false, m_writing = false, m_counted = false;
    bool m_keepAlive = false, m_isHttp11 = true;  // fixed while an exchange lives
    std::string m_inFlight;
    std::size_t m_inFlightDone = 0;

    std::mutex m_mutex;  // guards the next six
    std::string m_outbox;
    bool m_outboxEnds = false, m_overflowed = false, m_pumpPosted = false, m_closed = false;
    std::function<void()> m_onClosed;
    std::atomic<std::size_t> m_queuedBytes{0};
};

// ---- the exchange handed to the service

class Exchange final : public HttpExchange {
public:
    Exchange(std::shared_ptr<Connection> connection, HttpRequest request)
        : m_connection(std::move(connection)), m_request(std::move(request)) {}
    ~Exchange() override {
        if (m_state == State::Open)
            respond(m_connection->core().service.protocolError(500, "the request was dropped without an answer"));
        if (m_state == State::Streaming) m_connection->cutOff();
    }

    const HttpRequest& request() const override { return m_request; }

    void respond(HttpResponse response) override {
        if (m_state.exchange(State::Done) != State::Open) return;
        const std::string framing = "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
        std::string bytes = m_connection->answerHead(response, framing);
        if (m_request.method != "HEAD") bytes += response.body;
        m_connection->send(std::move(bytes), true, false);
    }

    void startStream(std::string contentType, HttpHeaders headers) override {
        auto open = State::Open;
        if (!m_state.compare_exchange_strong(open, State::Streaming)) return;
        HttpResponse head{200, {}, std::move(contentType), std::move(headers)};
        head.headers.emplace_back("Cache-Control", "no-cache");
        const bool chunked = m_connection->isHttp11();
        m_connection->send(m_connection->answerHead(head, chunked ? "Transfer-Encoding: chunked\r\n" : ""), false, true);
    }

    void write(std::string bytes) override {
        if (m_state != State::Streaming || bytes.empty()) return;
        m_connection->send(framed(std::move(bytes)), false, true);
    }

    void finish() override {
        auto streaming = State::Streaming;
        if (!m_state.compare_exchange_strong(streaming, State::Done)) return;
        m_connection->send(m_connection->isHttp11() ? "0\r\n\r\n" : "", true, true);
    }

    std::size_t queuedBytes() const override { return m_connection->queuedBytes(); }
    void onClosed(std::function<void()> action) override {
        if (m_state != State::Done) m_connection->onClosed(std::move(action));
    }

private:
    enum class State { Open, Streaming, Done };

    std::string framed(std::string bytes) const {
        if (!m_connection->isHttp11()) return bytes;
        char size[32];
        const int digits = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
        return std::string(size, static_cast<std::size_t>(digits)) + std::move(bytes) + "\r\n";
    }

    const std::shared_ptr<Connection> m_connection;
    const HttpRequest m_request;
    std::atomic<State> m_state{State::Open};
};

// ---- reading

void Connection::start() {
    m_core->connections.insert(this);
    m_counted = true;
    ++m_core->connectionCount;
    error_code ignored;
    m_socket.set_option(tcp::no_delay(true), ignored);
    m_socket.set_option(asio::socket_base::send_buffer_size(kSendBufferBytes), ignored);
    readDeadline(m_core->options.headerTimeout);
    if (!m_core->tls) {
        m_phase = Phase::Idle;
        return readMore();
    }
    m_tls.emplace(m_socket, *m_core->tls);
    m_tls->async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](error_code cause) {
        if (self->m_phase == Phase::Closed) return;
        if (cause) return self->close();
        self->m_phase = Phase::Idle;
        self->readMore();
    });
}

void Connection::refuseForLoad() {
    m_core->connections.insert(this);
    m_keepAlive = false;
    if (m_core->tls) return close();  // a handshake is what we have no room for
    m_phase = Phase::Answering;
    ++m_core->exchangeCount;
    answerAndClose(m_core->service.protocolError(503, "too many connections; try again in a moment"));
}

void Connection::readMore() {
    const bool enough = m_phase == Phase::Answering && m_buffer.size() >= kMaxPipelinedBytes;
    if (m_reading || enough || m_phase == Phase::Closed) return;
    m_reading = true;
    auto done = [self = shared_from_this()](error_code cause, std::size_t bytes) { self->onRead(cause, bytes); };
    const auto space = m_buffer.prepare(kReadBytes);
    if (m_tls)
        m_tls->async_read_some(space, std::move(done));
    else
        m_socket.async_read_some(space, std::move(done));
}

void Connection::onRead(error_code cause, std::size_t bytes) {
    m_reading = false;
    if (m_phase == Phase::Closed) return;
    if (cause) return close();
    m_buffer.commit(bytes);
    if (m_phase == Phase::Idle || m_phase == Phase::Reading) return parse();
    if (m_phase == Phase::Farewell) m_buffer.consume(m_buffer.size());
    readMore();
}

void Connection::parse() {
    if (m_phase == Phase::Idle) {
        if (m_buffer.size() == 0) return readMore();
        m_phase = Phase::Reading;
        m_headSeen = false;
        m_parser.emplace();
        m_parser->header_limit(m_core->options.maxHeaderBytes);
        m_parser->body_limit(m_core->options.maxBodyBytes);
        readDeadline(m_core->options.headerTimeout);
    }
    while (m_buffer.size() > 0 && !m_parser->is_done()) {
        error_code cause;
        m_buffer.consume(m_parser->put(m_buffer.data(), cause));
        if (cause == http::error::need_more) break;
        const auto refuse = [&](int status, const std::string& sentence) {
            answerAndClose(m_core->service.protocolError(status, sentence));
        };
        if (cause == http::error::body_limit)
            return refuse(413, "the body is larger than " + std::to_string(m_core->options.maxBodyBytes) + " bytes");
        if (cause == http::error::header_limit)
            return refuse(431, "the header is larger than " + std::to_string(m_core->options.maxHeaderBytes) + " bytes");
        if (cause) return refuse(400, "this is not valid HTTP: " + cause.message());
        if (!m_headSeen && m_parser->is_header_done() && !acceptHead()) return;
    }
    if (m_parser->is_done()) return dispatch();
    readMore();
}

std::optional<HttpRequest> requestHead(const http::request<http::string_body>& message) {
    HttpRequest head;
    head.method = std::string(message.method_string());
    const std::string target(message.target());
    const auto question = target.find('?');
    auto path = percentDecoded(target.substr(0, question));
    if (!path || path->empty() || path->front() != '/') return std::nullopt;
    head.path = std::move(*path);
    for (std::size_t at = question; at != std::string::npos;) {
        const std::size_t next = target.find('&', at + 1);
        const std::string pair = target.substr(at + 1, next == std::string::npos ? next : next - at - 1);
        const std::size_t equals = pair.find('=');
        auto name = percentDecoded(pair.substr(0, equals));
        auto value = percentDecoded(equals == std::string::npos ? "" : pair.substr(equals + 1));
        if (!name || !value) return std::nullopt;
        head.query.emplace(std::move(*name), std::move(*value));
        at = next;
    }
    for (const auto& field : message) {
        std::string name(field.name_string());
        for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        head.headers.emplace(std::move(name), std::string(field.value()));
    }
    return head;
}

// False when the request was answered on its head alone.
bool Connection::acceptHead() {
    m_headSeen = true;
    m_isHttp11 = m_parser->get().version() >= 11;
    auto head = requestHead(m_parser->get());
    if (!head) {
        answerAndClose(m_core->service.protocolError(400, "the request target cannot be read"));
        return false;
    }
    m_request = std::move(*head);
    if (auto refusal = m_core->service.refusal(m_request)) {
        if (!m_parser->is_done()) {
            answerAndClose(*refusal);
            return false;
        }
        m_keepAlive = m_parser->get().keep_alive() && !m_core->closing;
        m_phase = Phase::Answering;
        ++m_core->exchangeCount;
        Exchange(shared_from_this(), std::move(m_request)).respond(std::move(*refusal));
        return false;
    }
    if (m_parser->is_done()) return true;
    const auto length = m_parser->content_length();
    m_reservedBodyBytes = length ? *length : m_core->options.maxBodyBytes;
    m_core->bodyBytes += m_reservedBodyBytes;
    if (m_core->bodyBytes > m_core->options.maxBodyBytesInAll) {
        answerAndClose(m_core->service.protocolError(503, "too many large requests at once; try again in a moment"));
        return false;
    }
    readDeadline(m_core->options.bodyTimeout);
    if (m_request.header("expect") == "100-continue") send("HTTP/1.1 100 Continue\r\n\r\n", false, false);
    return true;
}

void Connection::dispatch() {
    m_readTimer.cancel();
    m_keepAlive = m_parser->get().keep_alive() && !m_core->closing;
    m_request.body = std::move(m_parser->get().body());
    m_phase = Phase::Answering;
    ++m_core->exchangeCount;
    m_core->service.serve(std::make_shared<Exchange>(shared_from_this(), std::move(m_request)));
    readMore();
}

void Connection::answerAndClose(const HttpResponse& response) {
    if (m_phase != Phase::Answering) ++m_core->exchangeCount;
    m_phase = Phase::Answering;
    m_readTimer.cancel();
    m_keepAlive = false;
    const std::string framing = "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    send(answerHead(response, framing) + response.body, true, false);
}

// ---- writing

std::string Connection::answerHead(const HttpResponse& response, std::string_view framing) const {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(httpStatusText(response.status));
    head += "\r\nServer: espalier\r\n";
    if (!response.contentType.empty()) head += "Content-Type: " + response.contentType + "\r\n";
    head += framing;
    for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    for (const auto& [name, value] : m_core->options.commonHeaders) head += name + ": " + value + "\r\n";
    head += m_keepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

void Connection::send(std::string bytes, bool last, bool bounded) {
    const std::lock_guard lock(m_mutex);
    if (m_closed) return;
    m_queuedBytes += bytes.size();
    m_overflowed |= bounded && m_queuedBytes > m_core->options.maxQueuedBytes;
    m_outbox += bytes;
    m_outboxEnds |= last;
    if (std::exchange(m_pumpPosted, true)) return;
    asio::post(m_core->io, [self = shared_from_this()] { self->pump(); });
}

void Connection::cutOff() {
    const std::lock_guard lock(m_mutex);
    if (m_closed) return;
    m_overflowed = true;
    if (std::exchange(m_pumpPosted, true)) return;
    asio::post(m_core->io, [self = shared_from_this()] { self->pump(); });
}

void Connection::onClosed(std::function<void()> action) {
    {
        const std::lock_guard lock(m_mutex);
        if (!m_closed) {
            m_onClosed.swap(action);
            return;
        }
    }
    action();
}

void Connection::pump() {
    bool ends = false, overflowed = false;
    {
        const std::lock_guard lock(m_mutex);
        m_pumpPosted = false;
        if (m_closed || (m_writing && !m_overflowed)) return;
        overflowed = m_overflowed;
        m_inFlight.clear();
        m_inFlight.swap(m_outbox);
        ends = m_inFlight.empty() && std::exchange(m_outboxEnds, false);
    }
    if (overflowed) return close();
    if (ends) return answerComplete();
    if (m_inFlight.empty()) return;
    m_writing = true;
    m_inFlightDone = 0;
    writeMore();
}

void Connection::writeMore() {
    m_writeTimer.expires_after(m_core->options.writeStallTimeout);
    m_writeTimer.async_wait([self = shared_from_this()](error_code cause) {
        if (!cause && self->m_writing) self->close();
    });
    auto done = [self = shared_from_this()](error_code cause, std::size_t bytes) { self->onWritten(cause, bytes); };
    const auto rest = asio::buffer(m_inFlight) + m_inFlightDone;
    if (m_tls)
        m_tls->async_write_some(rest, std::move(done));
    else
        m_socket.async_write_some(rest, std::move(done));
}

void Connection::onWritten(error_code cause, std::size_t bytes) {
    if (m_phase == Phase::Closed) return;
    if (cause) return close();
    m_inFlightDone += bytes;
    m_queuedBytes -= bytes;
    if (m_inFlightDone < m_inFlight.size()) return writeMore();
    m_writing = false;
    m_writeTimer.cancel();
    pump();
}

void Connection::answerComplete() {
    endExchange();
    if (!m_keepAlive || m_core->closing) return sayFarewell();
    m_phase = Phase::Idle;
    readDeadline(m_core->options.idleTimeout);
    if (m_buffer.size() > 0)
        asio::post(m_core->io, [self = shared_from_this()] {
            if (self->m_phase == Phase::Idle) self->parse();
        });
    else
        readMore();
}

// Closing a socket with unread bytes resets it, and the client may lose the answer it has not read yet: so stop
// sending, take what still comes, then close.
void Connection::sayFarewell() {
    m_phase = Phase::Farewell;
    readDeadline(kFarewell);
    m_buffer.consume(m_buffer.size());
    if (m_tls) {
        m_tls->async_shutdown([self = shared_from_this()](error_code) { self->close(); });
        return;
    }
    error_code ignored;
    m_socket.shutdown(tcp::socket::shutdown_send, ignored);
    readMore();
}

// ---- ends

void Connection::endExchange() {
    m_core->bodyBytes -= std::exchange(m_reservedBodyBytes, 0);
    if (m_phase == Phase::Answering) --m_core->exchangeCount;
    std::function<void()> forgotten;
    const std::lock_guard lock(m_mutex);
    forgotten.swap(m_onClosed);
}

void Connection::close() {
    if (m_phase == Phase::Closed) return;
    if (m_phase == Phase::Answering) --m_core->exchangeCount;
    m_phase = Phase::Closed;
    m_core->bodyBytes -= std::exchange(m_reservedBodyBytes, 0);
    m_readTimer.cancel();
    m_writeTimer.cancel();
    error_code ignored;
    m_socket.close(ignored);
    m_core->connections.erase(this);
    if (m_counted) --m_core->connectionCount;
    std::function<void()> action;
    {
        const std::lock_guard lock(m_mutex);
        m_closed = true;
        action.swap(m_onClosed);
        m_outbox.clear();
    }
    if (action) action();
}

void Connection::readDeadline(milliseconds wait) {
    m_readTimer.expires_after(wait);
    m_readTimer.async_wait([self = shared_from_this()](error_code cause) {
        if (!cause && self->m_readTimer.expiry() <= std::chrono::steady_clock::now()) self->onReadDeadline();
    });
}

void Connection::onReadDeadline() {
    if (m_phase != Phase::Reading) return m_phase == Phase::Answering ? void() : close();
    answerAndClose(m_core->service.protocolError(408, m_headSeen ? "the body did not arrive in time"
                                                                  : "the header did not arrive in time"));
}

// ---- the server

class AsioHttpServer final : public HttpServer {
public:
    AsioHttpServer(const HttpServerOptions& options, HttpService& service)
        : m_core(std::make_shared<Core>(options, service)), m_acceptor(m_core->io), m_retry(m_core->io) {}
    ~AsioHttpServer() override { stop(); }

    Result<void> open() {
        if (!m_core->options.tlsCertificate.empty()) TRY(loadTls());
        const std::string& host = m_core->options.host;
        const auto refused = [&](const error_code& cause) {
            const std::string place = host + ":" + std::to_string(m_core->options.port);
            if (cause == asio::error::address_in_use)
                return fail(ErrorCode::Network, "port " + std::to_string(m_core->options.port) + " on " + host +
                            " is in use by another program; choose another with --port", place);
            return fail(ErrorCode::Network, "cannot listen on " + place + ": " + cause.message(), place);
        };
        error_code cause;
        tcp::resolver resolver(m_core->io);
        const auto found = resolver.resolve(host, std::to_string(m_core->options.port),
                                            tcp::resolver::passive | tcp::resolver::numeric_service, cause);
        if (cause || found.empty()) return refused(cause);
        const tcp::endpoint endpoint = found.begin()->endpoint();
        m_acceptor.open(endpoint.protocol(), cause);
        if (!cause) m_acceptor.set_option(tcp::acceptor::reuse_address(true), cause);
        if (!cause) m_acceptor.bind(endpoint, cause);
        if (!cause) m_acceptor.listen(asio::socket_base::max_listen_connections, cause);
        if (cause) return refused(cause);
        m_port = m_acceptor.local_endpoint(cause).port();
        return {};
    }

    void start() override {
        accept();
        m_thread = std::thread([core = m_core] { run(*core); });
    }

    std::string url() const override {
        const std::string& host = m_core->options.host;
        const std::string shown = host.find(':') != std::string::npos ? "[" + host + "]" : host;
        return std::string(m_core->tls ? "https://" : "http://") + shown + ":" + std::to_string(m_port);
    }
    std::uint16_t port() const override { return m_port; }
    std::size_t connections() const override { return m_core->connectionCount; }
    std::size_t exchanges() const override { return m_core->exchangeCount; }

    void stopListening() override {
        m_core->closing = true;
        asio::post(m_core->io, [this] { closeAcceptor(); });
    }

    void stop() override {
        if (!m_thread.joinable()) return;
        m_core->closing = true;
        asio::post(m_core->io, [this] {
            closeAcceptor();
            while (!m_core->connections.empty()) (*m_core->connections.begin())->close();
            m_work.reset();
        });
        m_thread.join();  // run() ends by itself when nothing is left: no posted piece is lost
    }

private:
    static void run(Core& core) {
        while (true) {
            try {
                core.io.run();
                return;
            } catch (const std::exception&) {
                // Foreign code gave up on one connection (memory); the others go on.
            }
        }
    }

    void closeAcceptor() {
        error_code ignored;
        m_acceptor.close(ignored);
        m_retry.cancel();
    }

    void accept() {
        m_acceptor.async_accept([this](error_code cause, tcp::socket socket) {
            if (!m_acceptor.is_open()) return;
            if (cause) return acceptLater();
            const std::size_t most = m_core->options.maxConnections;
            if (m_core->connectionCount < most)
                std::make_shared<Connection>(m_core, std::move(socket))->start();
            else if (m_core->connections.size() < most + kSpareConnections)
                std::make_shared<Connection>(m_core, std::move(socket))->refuseForLoad();
            accept();
        });
    }

    // Out of file descriptors, as a rule: waiting is all there is to do.
    void acceptLater() {
        m_retry.expires_after(milliseconds(100));
        m_retry.async_wait([this](error_code cause) {
            if (!cause && m_acceptor.is_open()) accept();
        });
    }

    Result<void> loadTls() {
        const auto& options = m_core->options;
        m_core->tls.emplace(asio::ssl::context::tls_server);
        error_code cause;
        m_core->tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                                 asio::ssl::context::no_tlsv1_1, cause);
        m_core->tls->use_certificate_chain_file(options.tlsCertificate.string(), cause);
        if (cause)
            return fail(ErrorCode::InvalidArgument, options.tlsCertificate.string() +
                        " is not a PEM certificate chain: " + cause.message(), options.tlsCertificate.string());
        m_core->tls->use_private_key_file(options.tlsKey.string(), asio::ssl::context::pem, cause);
        if (cause)
            return fail(ErrorCode::InvalidArgument, options.tlsKey.string() +
                        " is not the certificate's PEM key: " + cause.message(), options.tlsKey.string());
        return {};
    }

    const std::shared_ptr<Core> m_core;
    tcp::acceptor m_acceptor;
    asio::steady_timer m_retry;
    std::optional<asio::executor_work_guard<asio::io_context::executor_type>> m_work{m_core->io.get_executor()};
    std::uint16_t m_port = 0;
    std::thread m_thread;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const HttpServerOptions& options, HttpService& service) {
    auto server = std::make_unique<AsioHttpServer>(options, service);
    TRY(server->open());
    return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace espalier
