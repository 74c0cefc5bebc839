// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/http_client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace espalier {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kStopCheck{50};
constexpr std::chrono::milliseconds kShortestWait{1};
constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::uint64_t kMaxAnswerBytes = 4ull << 30;  // ids and tokens of the largest input
constexpr std::chrono::seconds kStopGrace{10};

struct Place {
    bool tls = false;
    std::string host, port;
};

Result<Place> placeOf(const std::string& url) {
    Place place;
    const auto wrong = fail(ErrorCode::InvalidArgument, "\"" + url + "\" is not of the form http://host:port", url);
    const std::size_t scheme = url.find("://");
    if (scheme == std::string::npos) return wrong;
    const std::string name = url.substr(0, scheme);
    if (name != "http" && name != "https") return wrong;
    place.tls = name == "https";
    std::string rest = url.substr(scheme + 3);
    rest = rest.substr(0, rest.find('/'));
    const std::size_t colon = rest.rfind(':');
    const bool hasPort = colon != std::string::npos && rest.find(']', colon) == std::string::npos;
    place.host = hasPort ? rest.substr(0, colon) : rest;
    place.port = hasPort ? rest.substr(colon + 1) : place.tls ? "443" : "80";
    if (place.host.size() > 2 && place.host.front() == '[') place.host = place.host.substr(1, place.host.size() - 2);
    if (place.host.empty() || place.port.empty()) return wrong;
    return place;
}

class Client {
public:
    Client(const HttpCall& call, Place place) : m_call(call), m_place(std::move(place)), m_socket(m_io) {}

    Result<HttpResponse> run() {
        TRY(connect());
        if (m_place.tls) TRY(secure());
        TRY(send());
        return receive();
    }

private:
    // Starts an asynchronous operation and runs it to its end, a stop or the deadline.
    template <class Start>
    Result<void> await(const char* doing, std::chrono::milliseconds atMost, Start start) {
        std::optional<error_code> ended;
        start([&ended](error_code cause, auto&&...) { ended = cause; });
        const auto deadline = std::chrono::steady_clock::now() + atMost;
        m_io.restart();
        bool late = false, stopped = false;
        while (!stopped && !late) {
            m_io.run_for(kStopCheck);
            stopped = m_call.stop.stop_requested() && !endsSoon();  // asked also while a stream never pauses
            late = !ended && atMost.count() > 0 && std::chrono::steady_clock::now() > deadline;
            if (ended) break;
        }
        if (!ended) {
            error_code ignored;
            m_socket.close(ignored);
            m_io.run();  // the aborted operation ends
        }
        if (stopped) return fail(ErrorCode::Cancelled, "cancelled");
        if (late) return fail(ErrorCode::Network, m_call.url + " does not answer", m_call.url);
        if (*ended)
            return fail(ErrorCode::Network, std::string(doing) + " " + m_call.url + ": " + ended->message(),
                        m_call.url);
        return {};
    }

    // Whether the answer to a call that is asked to end may still be waited for.
    bool endsSoon() {
        if (!m_call.onStop) return false;
        const auto now = std::chrono::steady_clock::now();
        if (!m_stopSeen) m_stopSeen = now;
        if (m_sent && !m_stopHeard && now >= m_nextStop) {
            m_stopHeard = m_call.onStop();
            m_nextStop = std::chrono::steady_clock::now() + kStopCheck;
        }
        return now < *m_stopSeen + kStopGrace;
    }

    Result<void> connect() {
        tcp::resolver resolver(m_io);
        error_code cause;
        const auto found = resolver.resolve(m_place.host, m_place.port, cause);
        if (cause) return fail(ErrorCode::Network, "resolving " + m_place.host + ": " + cause.message(), m_call.url);
        return await("connecting to", m_call.connectTimeout,
                     [&](auto done) { asio::async_connect(m_socket, found, std::move(done)); });
    }

    // The daemon's own certificate is the only one trusted, so its name does not matter.
    Result<void> secure() {
        error_code cause;
        m_context.set_verify_mode(asio::ssl::verify_peer, cause);
        // A chain file may end before its root: what it holds is trusted as it stands.
        X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(m_context.native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
        m_context.load_verify_file(m_call.certificate.string(), cause);
        if (cause)
            return fail(ErrorCode::Network,
                        "reading the certificate " + m_call.certificate.string() + ": " + cause.message(),
                        m_call.certificate.string());
        m_tls.emplace(m_socket, m_context);
        return await("securing the connection to", m_call.connectTimeout,
                     [&](auto done) { m_tls->async_handshake(asio::ssl::stream_base::client, std::move(done)); });
    }

    Result<void> send() {
        std::string message = m_call.method + " " + m_call.path + " HTTP/1.1\r\nHost: " + m_place.host + ":" +
                              m_place.port + "\r\nConnection: close\r\n";
        if (!m_call.key.empty()) message += "Authorization: Bearer " + m_call.key + "\r\n";
        if (m_call.method != "GET")
            message +=
                "Content-Type: application/json\r\nContent-Length: " + std::to_string(m_call.body.size()) + "\r\n";
        message += "\r\n" + m_call.body;
        return await("writing to", std::chrono::milliseconds(0), [&](auto done) {
            if (m_tls)
                asio::async_write(*m_tls, asio::buffer(message), std::move(done));
            else
                asio::async_write(m_socket, asio::buffer(message), std::move(done));
        });
    }

    Result<HttpResponse> receive() {
        m_sent = true;
        const auto deadline = std::chrono::steady_clock::now() + m_call.answerTimeout;
        http::response_parser<http::string_body> parser;
        parser.body_limit(kMaxAnswerBytes);
        boost::beast::flat_buffer buffer;
        while (!parser.is_done()) {
            std::size_t got = 0;
            const auto space = buffer.prepare(kReadBytes);
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            const auto atMost = m_call.answerTimeout.count() > 0 ? std::max(left, kShortestWait) : m_call.answerTimeout;
            auto read = await("reading from", atMost, [&](auto done) {
                auto taken = [&got, done](error_code cause, std::size_t bytes) mutable {
                    got = bytes;
                    done(cause);
                };
                if (m_tls)
                    m_tls->async_read_some(space, std::move(taken));
                else
                    m_socket.async_read_some(space, std::move(taken));
            });
            error_code cause;
            if (!read && parser.got_some() && !parser.is_done()) parser.put_eof(cause);
            if (!read && (cause || !parser.is_done())) return std::move(read).error();
            buffer.commit(got);
            while (buffer.size() > 0 && !parser.is_done()) {
                buffer.consume(parser.put(buffer.data(), cause));
                if (cause == http::error::need_more) break;
                if (cause) return fail(ErrorCode::Network, m_call.url + " does not speak HTTP: " + cause.message());
            }
            if (m_call.onBody && parser.is_header_done() && !parser.get().body().empty()) {
                m_call.onBody(parser.get().body());
                parser.get().body().clear();
            }
        }
        HttpResponse response;
        response.status = static_cast<int>(parser.get().result_int());
        response.contentType = std::string(parser.get()[http::field::content_type]);
        response.body = std::move(parser.get().body());
        return response;
    }

    const HttpCall& m_call;
    const Place m_place;
    asio::io_context m_io{1};
    tcp::socket m_socket;
    asio::ssl::context m_context{asio::ssl::context::tls_client};
    std::optional<asio::ssl::stream<tcp::socket&>> m_tls;
    bool m_sent = false, m_stopHeard = false;
    std::optional<std::chrono::steady_clock::time_point> m_stopSeen;
    std::chrono::steady_clock::time_point m_nextStop{};  // the next time that the stop is sent on
};

}  // namespace

Result<HttpResponse> httpCall(const HttpCall& call) {
    TRY_ASSIGN(Place place, placeOf(call.url));
    return Client(call, std::move(place)).run();
}

}  // namespace espalier
