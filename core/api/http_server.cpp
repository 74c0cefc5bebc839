// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/http_server.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <thread>

#include "core/api/http_connection.h"

namespace espalier {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t kSpareConnections = 64;  // beyond the cap, to be told 503

class AsioHttpServer final : public HttpServer {
public:
    AsioHttpServer(const HttpServerOptions& options, HttpService& service)
        : m_core(std::make_shared<HttpCore>(options, service)), m_acceptor(m_core->io), m_retry(m_core->io) {}
    ~AsioHttpServer() override { stop(); }

    Result<void> open() {
        if (!m_core->options.tlsCertificate.empty()) TRY(loadTls());
        const std::string& host = m_core->options.host;
        const auto refused = [&](const error_code& cause) {
            const std::string place = host + ":" + std::to_string(m_core->options.port);
            if (cause == asio::error::address_in_use)
                return fail(ErrorCode::Network,
                            "port " + std::to_string(m_core->options.port) + " on " + host +
                                " is in use by another program; choose another with --port",
                            place);
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
    static void run(HttpCore& core) {
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
            accept();  // first: whatever becomes of this connection, the next one is taken
            welcome(std::move(socket));
        });
    }

    void welcome(tcp::socket socket) {
        const std::size_t most = m_core->options.maxConnections;
        const bool isFull = m_core->connectionCount >= most;
        if (isFull && m_core->connections.size() >= most + kSpareConnections) return;
        const auto connection = std::make_shared<HttpConnection>(m_core, std::move(socket));
        try {
            isFull ? connection->refuseForLoad() : connection->start();
        } catch (const std::exception&) {  // memory, as a rule
            connection->close();
        }
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
        m_core->tls->set_options(
            asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
            cause);
        m_core->tls->use_certificate_chain_file(options.tlsCertificate.string(), cause);
        if (cause)
            return fail(ErrorCode::InvalidArgument,
                        options.tlsCertificate.string() + " is not a PEM certificate chain: " + cause.message(),
                        options.tlsCertificate.string());
        m_core->tls->use_private_key_file(options.tlsKey.string(), asio::ssl::context::pem, cause);
        if (cause)
            return fail(ErrorCode::InvalidArgument,
                        options.tlsKey.string() + " is not the certificate's PEM key: " + cause.message(),
                        options.tlsKey.string());
        return {};
    }

    const std::shared_ptr<HttpCore> m_core;
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
