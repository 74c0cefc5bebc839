// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/http_connection.h"

#include <boost/asio/post.hpp>
#include <boost/beast/core/string.hpp>

#include "core/base/caught.h"

namespace espalier {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::size_t kMaxPipelinedBytes = 64 << 10;
constexpr int kSendBufferBytes = 256 << 10;  // what the kernel may hold for a client that does not read
constexpr milliseconds kFarewell{2'000};     // for a client to read the last answer before the socket closes

// ---- the exchange handed to the service

class Exchange final : public HttpExchange {
public:
    Exchange(std::shared_ptr<HttpConnection> connection, HttpRequest request)
        : m_connection(std::move(connection)), m_request(std::move(request)) {}
    ~Exchange() override {
        const auto quietly = [](const auto& last) {
            (void)caught("an answer", [&]() -> Result<void> {
                last();
                return {};
            });
        };
        if (m_state == State::Open) quietly([this] { respond(m_connection->core().droppedAnswer); });
        if (m_state != State::Done) quietly([this] { m_connection->cutOff(); });
    }

    const HttpRequest& request() const override { return m_request; }

    void respond(HttpResponse response) override {
        if (m_state != State::Open) return;
        const std::string framing = "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
        std::string bytes = m_connection->answerHead(response, framing);
        if (m_request.method != "HEAD") bytes += response.body;
        auto open = State::Open;
        if (!m_state.compare_exchange_strong(open, State::Done)) return;
        m_connection->send(std::move(bytes), true, false);
    }

    void startStream(std::string contentType, HttpHeaders headers) override {
        auto open = State::Open;
        if (!m_state.compare_exchange_strong(open, State::Streaming)) return;
        HttpResponse head{200, {}, std::move(contentType), std::move(headers)};
        head.headers.emplace_back("Cache-Control", "no-cache");
        const bool chunked = m_connection->isHttp11();
        m_connection->send(m_connection->answerHead(head, chunked ? "Transfer-Encoding: chunked\r\n" : ""), false,
                           true);
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

    const std::shared_ptr<HttpConnection> m_connection;
    const HttpRequest m_request;
    std::atomic<State> m_state{State::Open};
};

// Two readings of where a body ends are how requests are smuggled past a proxy (RFC 9112 sections 6.1 and 11.2), and
// Beast reads a transfer coding that it does not know as "no body": only what has one reading is taken.
std::string framingProblem(const http::request<http::string_body>& message) {
    const std::size_t codings = message.count(http::field::transfer_encoding);
    const std::size_t lengths = message.count(http::field::content_length);
    if (lengths > 1) return "Content-Length is given " + std::to_string(lengths) + " times";
    if (codings == 0) return {};
    if (message.version() < 11) return "Transfer-Encoding needs HTTP/1.1";
    if (lengths > 0) return "Content-Length and Transfer-Encoding exclude each other";
    const auto value = message[http::field::transfer_encoding];
    if (codings == 1 && boost::beast::iequals(value, "chunked")) return {};
    return "Transfer-Encoding must be \"chunked\" and nothing else";
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

}  // namespace

// ---- reading

void HttpConnection::start() {
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

void HttpConnection::refuseForLoad() {
    m_core->connections.insert(this);
    m_keepAlive = false;
    if (m_core->tls) return close();  // a handshake is what we have no room for
    m_phase = Phase::Answering;
    ++m_core->exchangeCount;
    answerAndClose(m_core->service.protocolError(503, "too many connections; try again in a moment"));
}

void HttpConnection::readMore() {
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

void HttpConnection::onRead(error_code cause, std::size_t bytes) {
    m_reading = false;
    if (m_phase == Phase::Closed) return;
    if (cause) return close();
    m_buffer.commit(bytes);
    if (m_phase == Phase::Idle || m_phase == Phase::Reading) return parse();
    if (m_phase == Phase::Farewell) m_buffer.consume(m_buffer.size());
    readMore();
}

void HttpConnection::parse() {
    if (m_phase == Phase::Idle) {
        if (m_buffer.size() == 0) return readMore();
        m_phase = Phase::Reading;
        m_headSeen = false;
        m_parser.emplace();
        m_parser->header_limit(m_core->options.maxHeaderBytes);
        m_parser->body_limit(UINT64_MAX);  // acceptBodySize sets it
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
            return refuse(413, "the body is larger than " + std::to_string(m_bodyLimit) + " bytes");
        if (cause == http::error::header_limit)
            return refuse(431,
                          "the header is larger than " + std::to_string(m_core->options.maxHeaderBytes) + " bytes");
        if (cause) return refuse(400, "this is not valid HTTP: " + cause.message());
        if (!m_headSeen && m_parser->is_header_done() && !acceptHead()) return;
        if (m_parser->chunked() && !reserve(m_parser->get().body().size())) return;
    }
    if (m_parser->is_done()) return dispatch();
    readMore();
}

// False when the request was answered on its head alone.
bool HttpConnection::acceptHead() {
    m_headSeen = true;
    m_isHttp11 = m_parser->get().version() >= 11;
    m_keepAlive = m_parser->get().keep_alive() && m_isHttp11 && !m_core->closing;
    if (const std::string problem = framingProblem(m_parser->get()); !problem.empty()) {
        answerAndClose(m_core->service.protocolError(400, problem));
        return false;
    }
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
        m_phase = Phase::Answering;
        ++m_core->exchangeCount;
        Exchange(shared_from_this(), std::move(m_request)).respond(std::move(*refusal));
        return false;
    }
    if (m_parser->is_done()) return true;
    if (!acceptBodySize()) return false;
    readDeadline(m_core->options.bodyTimeout);
    if (m_request.header("expect") == "100-continue") send("HTTP/1.1 100 Continue\r\n\r\n", false, false);
    return true;
}

bool HttpConnection::acceptBodySize() {
    const auto special = m_core->service.bodyLimit(m_request);
    m_bodyCounts = !special;
    m_bodyLimit = special.value_or(m_core->options.maxBodyBytes);
    m_parser->body_limit(m_bodyLimit);  // of what chunks bring
    const std::uint64_t length = m_parser->content_length().value_or(0);
    if (length <= m_bodyLimit) return reserve(length);
    answerAndClose(
        m_core->service.protocolError(413, "the body is larger than " + std::to_string(m_bodyLimit) + " bytes"));
    return false;
}

// Counts what the body takes: its length where the head gives it, else what has come. False when it was refused.
bool HttpConnection::reserve(std::uint64_t bytes) {
    if (!m_bodyCounts) return true;
    m_core->bodyBytes += bytes - m_reservedBodyBytes;
    m_reservedBodyBytes = bytes;
    if (m_core->bodyBytes <= m_core->options.maxBodyBytesInAll) return true;
    answerAndClose(m_core->service.protocolError(503, "too many large requests at once; try again in a moment"));
    return false;
}

void HttpConnection::dispatch() {
    m_readTimer.cancel();
    m_request.body = std::move(m_parser->get().body());
    m_phase = Phase::Answering;
    ++m_core->exchangeCount;
    m_core->service.serve(std::make_shared<Exchange>(shared_from_this(), std::move(m_request)));
    readMore();
}

void HttpConnection::answerAndClose(const HttpResponse& response) {
    if (m_phase != Phase::Answering) ++m_core->exchangeCount;
    m_phase = Phase::Answering;
    m_readTimer.cancel();
    m_keepAlive = false;
    const std::string framing = "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
    send(answerHead(response, framing) + response.body, true, false);
}

// ---- writing

std::string HttpConnection::answerHead(const HttpResponse& response, std::string_view framing) const {
    std::string head =
        "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(httpStatusText(response.status));
    head += "\r\nServer: espalier\r\n";
    if (!response.contentType.empty()) head += "Content-Type: " + response.contentType + "\r\n";
    head += framing;
    for (const auto& [name, value] : response.headers) head += name + ": " + value + "\r\n";
    for (const auto& [name, value] : m_core->options.commonHeaders) head += name + ": " + value + "\r\n";
    head += m_keepAlive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    return head;
}

void HttpConnection::send(std::string bytes, bool last, bool bounded) {
    const std::lock_guard lock(m_mutex);
    if (m_closed) return;
    m_queuedBytes += bytes.size();
    m_overflowed |= bounded && m_queuedBytes > m_core->options.maxQueuedBytes;
    m_outbox += bytes;
    m_outboxEnds |= last;
    postPump();
}

void HttpConnection::cutOff() {
    const std::lock_guard lock(m_mutex);
    if (m_closed) return;
    m_overflowed = true;
    postPump();
}

// Requires: m_mutex is held.
void HttpConnection::postPump() {
    if (m_pumpPosted) return;
    asio::post(m_core->io, [self = shared_from_this()] { self->pump(); });
    m_pumpPosted = true;
}

void HttpConnection::onClosed(std::function<void()> action) {
    {
        const std::lock_guard lock(m_mutex);
        if (!m_closed) {
            m_onClosed.swap(action);
            return;
        }
    }
    action();
}

void HttpConnection::pump() {
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

void HttpConnection::writeMore() {
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

void HttpConnection::onWritten(error_code cause, std::size_t bytes) {
    if (m_phase == Phase::Closed) return;
    if (cause) return close();
    m_inFlightDone += bytes;
    m_queuedBytes -= bytes;
    if (m_inFlightDone < m_inFlight.size()) return writeMore();
    m_writing = false;
    m_writeTimer.cancel();
    pump();
}

void HttpConnection::answerComplete() {
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
void HttpConnection::sayFarewell() {
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

void HttpConnection::endExchange() {
    m_core->bodyBytes -= std::exchange(m_reservedBodyBytes, 0);
    if (m_phase == Phase::Answering) --m_core->exchangeCount;
    std::function<void()> forgotten;
    const std::lock_guard lock(m_mutex);
    forgotten.swap(m_onClosed);
}

void HttpConnection::close() {
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

void HttpConnection::readDeadline(milliseconds wait) {
    m_readTimer.expires_after(wait);
    m_readTimer.async_wait([self = shared_from_this()](error_code cause) {
        if (!cause && self->m_readTimer.expiry() <= std::chrono::steady_clock::now()) self->onReadDeadline();
    });
}

void HttpConnection::onReadDeadline() {
    if (m_phase != Phase::Reading) return m_phase == Phase::Answering ? void() : close();
    answerAndClose(m_core->service.protocolError(
        408, m_headSeen ? "the body did not arrive in time" : "the header did not arrive in time"));
}

}  // namespace espalier
