// SPDX-License-Identifier: GPL-3.0-or-later
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <condition_variable>

#include "core/api/http_client.h"
#include "core/api/http_server.h"
#include "tests/support/raw_http.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;
using namespace std::chrono_literals;

namespace {

// Echoes bodies; paths choose other behaviour.
class EchoService final : public HttpService {
public:
    std::optional<HttpResponse> refusal(const HttpRequest& head) override {
        if (head.path == "/forbidden") return HttpResponse{403, "no", "text/plain", {}};
        return std::nullopt;
    }
    std::optional<std::uint64_t> bodyLimit(const HttpRequest& head) const override {
        if (head.path == "/large") return 5000;
        return std::nullopt;
    }
    void serve(std::shared_ptr<HttpExchange> exchange) override {
        const HttpRequest& request = exchange->request();
        ++served;
        if (request.path == "/drop") return;
        if (request.path == "/hold" || request.path == "/flood") {
            exchange->onClosed([this] { ++closed; });
            if (request.path == "/flood") {
                exchange->startStream("text/plain");
                for (int i = 0; i < 600; ++i) exchange->write(std::string(16 << 10, 'x'));
            }
            held.push_back(exchange);
            return;
        }
        if (request.path == "/stream") {
            exchange->startStream("text/event-stream");
            exchange->write("one ");
            exchange->write("two");
            return exchange->finish();
        }
        std::string query;
        for (const auto& [name, value] : request.query) query += name + "=" + value + ";";
        exchange->respond({200, request.method + " " + request.path + " " + query + request.body, "text/plain", {}});
    }
    HttpResponse protocolError(int status, std::string_view sentence) override {
        ++errorsTold;
        if (status == 503 && failing.exchange(false)) throw std::bad_alloc();
        return {status, std::string(sentence), "text/plain", {}};
    }

    std::atomic<int> served{0}, closed{0};
    inline static std::atomic<int> errorsTold{0};
    std::atomic<bool> failing{false};  // the next refusal for load runs out of memory
    std::vector<std::shared_ptr<HttpExchange>> held;
};

struct Running {
    explicit Running(HttpServerOptions options = {}) {
        auto made = HttpServer::listen(options, service);
        if (!made) qFatal("%s", made.error().message.c_str());
        server = std::move(*made);
        server->start();
    }
    ~Running() {
        server->stop();
        service.held.clear();
    }
    std::string ask(const std::string& text) {
        RawConnection connection(server->port());
        connection.send(text);
        return connection.readToEnd();
    }
    EchoService service;
    std::unique_ptr<HttpServer> server;
};

bool soon(const std::function<bool()>& reached) {
    for (int i = 0; i < 1000 && !reached(); ++i) QTest::qWait(10);
    return reached();
}

}  // namespace

class TestHttpServer : public QObject {
    Q_OBJECT
private slots:
    void answersARequest() {
        Running running;
        const HttpReply reply = fetch(running.server->port(), "POST", "/a%20b?x=1&y=a%26b", "", "body");
        QCOMPARE(reply.status, 200);
        QCOMPARE(reply.body, std::string("POST /a b x=1;y=a&b;body"));
        QCOMPARE(reply.headers.at("connection"), std::string("close"));
    }

    void keepsAConnectionAndAnswersPipelinedRequestsInOrder() {
        Running running;
        RawConnection connection(running.server->port());
        connection.send(httpText("GET", "/1", "", "") + httpText("GET", "/2", "", "") + httpText("GET", "/3", "", ""));
        std::string all;
        while (all.find("GET /3 ") == std::string::npos) {
            const std::string piece = connection.readSome();
            if (piece.empty()) break;
            all += piece;
        }
        QVERIFY(all.find("GET /1 ") < all.find("GET /2 "));
        QVERIFY(all.find("GET /2 ") < all.find("GET /3 "));
        QCOMPARE(running.server->connections(), std::size_t{1});
    }

    void streamsInChunks_andPlainlyToHttp10() {
        Running running;
        const HttpReply reply = fetch(running.server->port(), "GET", "/stream", "");
        QCOMPARE(reply.headers.at("transfer-encoding"), std::string("chunked"));
        QCOMPARE(reply.body, std::string("one two"));
        const std::string old = running.ask("GET /stream HTTP/1.0\r\n\r\n");
        QVERIFY(old.find("chunked") == std::string::npos);
        QVERIFY(old.size() > 7 && old.substr(old.size() - 7) == "one two");
    }

    void http10_endsWithItsConnection_whateverItAsksFor() {
        Running running;
        for (const char* path : {"/stream", "/whole"}) {
            RawConnection connection(running.server->port());
            connection.send(std::string("GET ") + path + " HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
            const HttpReply reply = parseReply(connection.readToEnd());
            QCOMPARE(reply.status, 200);
            QCOMPARE(reply.headers.at("connection"), std::string("close"));
            QVERIFY(connection.closedByPeer());  // else a stream without a length has no end
        }
    }

    void headRequest_getsNoBody() {
        Running running;
        const std::string reply = running.ask("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        QVERIFY(reply.find("Content-Length: 7\r\n") != std::string::npos);
        QVERIFY(reply.substr(reply.size() - 4) == "\r\n\r\n");
    }

    void malformedRequests_get400_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::newRow("nonsense") << QByteArray("hello there\r\n\r\n");
        QTest::newRow("TLS at a plain port")
            << QByteArray("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n";
        QTest::newRow("bad version") << QByteArray("GET / HTTP/9.9\r\n\r\n");
        QTest::newRow("bad length") << QByteArray("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n");
        QTest::newRow("two lengths") << QByteArray(
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
        QTest::newRow("the same length twice")
            << QByteArray("POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab");
        const auto coded = [](const char* name, const QByteArray& version, const QByteArray& headers) {
            QTest::newRow(name) << "POST / " + version + "\r\n" + headers + "\r\n3\r\nabc\r\n0\r\n\r\n";
        };
        const QByteArray chunked = "Transfer-Encoding: chunked\r\n";
        coded("unknown coding", "HTTP/1.1", "Transfer-Encoding: xchunked\r\n");
        coded("coding with a quote", "HTTP/1.1", "Transfer-Encoding: \"chunked\"\r\n");
        coded("identity", "HTTP/1.1", "Transfer-Encoding: identity\r\n");
        coded("two codings", "HTTP/1.1", "Transfer-Encoding: gzip, chunked\r\n");
        coded("chunked first", "HTTP/1.1", "Transfer-Encoding: chunked, gzip\r\n");
        coded("codings on two lines", "HTTP/1.1", "Transfer-Encoding: gzip\r\n" + chunked);
        coded("chunked twice", "HTTP/1.1", chunked + chunked);
        coded("chunked in 1.0", "HTTP/1.0", chunked);
        coded("length and coding", "HTTP/1.1", "Content-Length: 3\r\n" + chunked);
        coded("coding and length", "HTTP/1.1", chunked + "Content-Length: 3\r\n");
        coded("length and unknown coding", "HTTP/1.1", "Content-Length: 3\r\nTransfer-Encoding: xchunked\r\n");
        QTest::newRow("bad chunk") << QByteArray("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        QTest::newRow("bad escape") << QByteArray("GET /%zz HTTP/1.1\r\n\r\n");
        QTest::newRow("control in path") << QByteArray("GET /%00 HTTP/1.1\r\n\r\n");
        QTest::newRow("no slash") << QByteArray("GET nowhere HTTP/1.1\r\n\r\n");
    }
    void malformedRequests_get400() {
        QFETCH(QByteArray, bytes);
        Running running;
        const std::string reply = running.ask(bytes.toStdString());
        QCOMPARE(parseReply(reply).status, 400);
        QCOMPARE(reply.find("HTTP/1.1 ", 1), std::string::npos);  // nothing after it was read as a request
        QCOMPARE(running.service.served.load(), 0);
        QCOMPARE(fetch(running.server->port(), "GET", "/after", "").status, 200);
    }

    void tooLargeHeadersAndBodies_areRefusedUnread() {
        HttpServerOptions options;
        options.maxBodyBytes = 1000;
        Running running(options);
        QCOMPARE(parseReply(running.ask("GET / HTTP/1.1\r\nX: " + std::string(40 << 10, 'a') + "\r\n\r\n")).status,
                 431);
        QCOMPARE(fetch(running.server->port(), "POST", "/", "", std::string(1001, 'b')).status, 413);
        const std::string chunked =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" + std::string(1024, 'c');
        QCOMPARE(parseReply(running.ask(chunked)).status, 413);
        QCOMPARE(fetch(running.server->port(), "POST", "/", "", std::string(1000, 'b')).status, 200);
        QCOMPARE(running.service.served.load(), 1);
    }

    void chunkedBodies_areRead() {
        Running running;
        const std::string reply = running.ask(
            "POST / HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: "
            "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
        QCOMPARE(parseReply(reply).body, std::string("POST / abcde"));
    }

    void chunkedBodies_countWhatTheyHold() {
        HttpServerOptions options;
        options.maxBodyBytes = 1000;
        options.maxBodyBytesInAll = 4000;
        Running running(options);
        const std::string small = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        std::vector<RawConnection> many;
        for (int i = 0; i < 12; ++i) {
            many.emplace_back(running.server->port());
            many.back().send("POST /hold HTTP/1.1\r\n" + small);
        }
        QVERIFY(soon([&] { return running.server->exchanges() == 12; }));
        QCOMPARE(running.service.served.load(), 12);
        const std::string large = "3e8\r\n" + std::string(1000, 'x') + "\r\n0\r\n\r\n";
        for (int i = 0; i < 3; ++i) {
            many.emplace_back(running.server->port());
            many.back().send("POST /hold HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + large);
        }
        QVERIFY(soon([&] { return running.service.served == 15; }));
        QCOMPARE(parseReply(running.ask("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + large)).status, 503);
        for (RawConnection& connection : many) connection.hangUp();
        QVERIFY(soon([&] { return running.server->exchanges() == 0; }));
        QCOMPARE(parseReply(running.ask("POST / HTTP/1.1\r\nConnection: close\r\n" + small)).body,
                 std::string("POST / abc"));
    }

    void aServiceMayTakeLargerBodies_ofSomeRequests() {
        HttpServerOptions options;
        options.maxBodyBytes = 1000;
        options.maxBodyBytesInAll = 1000;
        Running running(options);
        const std::string body(3000, 'b');
        QCOMPARE(fetch(running.server->port(), "POST", "/", "", body).status, 413);
        QCOMPARE(fetch(running.server->port(), "POST", "/large", "", body).status, 200);
        QCOMPARE(fetch(running.server->port(), "POST", "/large", "", std::string(5001, 'b')).status, 413);
        const std::string chunked = "HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\nbb8\r\n" +
                                    std::string(3000, 'c') + "\r\n0\r\n\r\n";
        QCOMPARE(parseReply(running.ask("POST / " + chunked)).status, 413);
        QCOMPARE(parseReply(running.ask("POST /large " + chunked)).status, 200);
    }

    void expectContinue_isAnsweredBeforeTheBody() {
        Running running;
        RawConnection connection(running.server->port());
        connection.send("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
        QCOMPARE(connection.readUntil("\r\n\r\n"), std::string("HTTP/1.1 100 Continue\r\n\r\n"));
        connection.send("hi");
        QCOMPARE(parseReply(connection.readToEnd()).body, std::string("POST / hi"));
    }

    void refusedHead_costsNoBody() {
        Running running;
        RawConnection connection(running.server->port());
        connection.send("POST /forbidden HTTP/1.1\r\nContent-Length: 30000000\r\n\r\n");
        QCOMPARE(parseReply(connection.readToEnd()).status, 403);
        QCOMPARE(running.service.served.load(), 0);
    }

    void slowClients_areTold408() {
        HttpServerOptions options;
        options.headerTimeout = 100ms;
        options.bodyTimeout = 100ms;
        Running running(options);
        QCOMPARE(parseReply(running.ask("GET / HTTP/1.1\r\nHost:")).status, 408);
        QCOMPARE(parseReply(running.ask("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc")).status, 408);
    }

    void idleConnections_areClosed() {
        HttpServerOptions options;
        options.headerTimeout = 5s;
        options.idleTimeout = 100ms;
        Running running(options);
        RawConnection connection(running.server->port());
        connection.send(httpText("GET", "/", "", ""));
        QVERIFY(!connection.readSome().empty());
        QVERIFY(connection.closedByPeer());
    }

    void connectionsOverTheCap_get503() {
        HttpServerOptions options;
        options.maxConnections = 2;
        Running running(options);
        RawConnection one(running.server->port()), two(running.server->port());
        one.send(httpText("GET", "/hold", "", ""));
        two.send(httpText("GET", "/hold", "", ""));
        QVERIFY(soon([&] { return running.server->exchanges() == 2; }));
        RawConnection three(running.server->port());
        QCOMPARE(parseReply(three.readToEnd()).status, 503);
        one.hangUp();
        QVERIFY(soon([&] { return running.server->connections() == 1; }));
        QCOMPARE(fetch(running.server->port(), "GET", "/", "").status, 200);
    }

    void aWelcomeThatFails_leavesTheServerAccepting() {
        HttpServerOptions options;
        options.maxConnections = 1;
        Running running(options);
        RawConnection one(running.server->port());
        one.send(httpText("GET", "/hold", "", ""));
        QVERIFY(soon([&] { return running.server->exchanges() == 1; }));
        running.service.failing = true;
        RawConnection unlucky(running.server->port());
        QVERIFY(unlucky.closedByPeer());
        QVERIFY(!running.service.failing);
        RawConnection next(running.server->port());
        QCOMPARE(parseReply(next.readToEnd()).status, 503);
        QCOMPARE(running.server->exchanges(), std::size_t{1});
    }

    void hangingUp_isToldToTheService() {
        Running running;
        RawConnection connection(running.server->port());
        connection.send(httpText("GET", "/hold", "", ""));
        QVERIFY(soon([&] { return running.server->exchanges() == 1; }));
        connection.hangUp();
        QVERIFY(soon([&] { return running.service.closed == 1; }));
        QCOMPARE(running.server->exchanges(), std::size_t{0});
    }

    void aReaderThatDoesNotRead_isCutOff() {
        Running running;
        RawConnection connection(running.server->port(), 4096);
        connection.send(httpText("GET", "/flood", "", ""));
        QVERIFY(soon([&] { return running.service.closed == 1; }));
        QVERIFY(running.service.held.front()->queuedBytes() <= (11u << 20));
    }

    void aStalledWrite_isCutOffInTime() {
        HttpServerOptions options;
        options.writeStallTimeout = 100ms;
        options.maxQueuedBytes = 1u << 30;
        Running running(options);
        RawConnection connection(running.server->port(), 4096);
        connection.send(httpText("GET", "/flood", "", ""));
        QVERIFY(soon([&] { return running.service.closed == 1; }));
    }

    void aDroppedExchange_answers500() {
        Running running;
        QCOMPARE(fetch(running.server->port(), "GET", "/drop", "").status, 500);
    }

    void exchangesMayOutliveTheServer() {
        EchoService service;
        auto server = *HttpServer::listen({}, service);
        server->start();
        RawConnection connection(server->port());
        connection.send(httpText("GET", "/hold", "", ""));
        QVERIFY(soon([&] { return server->exchanges() == 1; }));
        server.reset();
        service.held.front()->respond({200, "late", "text/plain", {}});
        QVERIFY(connection.closedByPeer());
        QCOMPARE(service.closed.load(), 1);
    }

    void exchangesMayOutliveTheService() {
        auto service = std::make_unique<EchoService>();
        auto server = *HttpServer::listen({}, *service);
        server->start();
        RawConnection connection(server->port());
        connection.send(httpText("GET", "/hold", "", ""));
        QVERIFY(soon([&] { return server->exchanges() == 1; }));
        server.reset();
        auto held = std::move(service->held);
        const int before = EchoService::errorsTold;
        service.reset();
        held.clear();  // answers as a dropped one does, and asks nobody how
        QCOMPARE(EchoService::errorsTold.load(), before);
    }

    void aPortInUse_isSaidClearly() {
        Running running;
        EchoService other;
        HttpServerOptions options;
        options.port = running.server->port();
        const auto second = HttpServer::listen(options, other);
        QVERIFY(!second);
        QCOMPARE(second.error().code, ErrorCode::Network);
        QVERIFY(second.error().message.find("is in use") != std::string::npos);
    }

    void speaksTls_toAClientThatTrustsItsCertificate() {
        QTemporaryDir folder;
        const QString certificate = folder.filePath("cert.pem"), key = folder.filePath("key.pem");
        QProcess openssl;
        openssl.start("openssl", {"req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                                  "/CN=localhost", "-keyout", key, "-out", certificate});
        QVERIFY2(openssl.waitForFinished() && openssl.exitCode() == 0, "the openssl program, which ./dev installs");
        HttpServerOptions options;
        options.tlsCertificate = certificate.toStdString();
        options.tlsKey = key.toStdString();
        Running running(options);
        HttpCall call;
        call.url = running.server->url();
        QVERIFY(call.url.rfind("https://", 0) == 0);
        call.path = "/secret";
        call.body = "hi";
        QVERIFY(!httpCall(call));  // trusts nothing yet
        call.certificate = options.tlsCertificate;
        const auto reply = httpCall(call);
        QVERIFY2(reply.has_value(), reply ? "" : reply.error().message.c_str());
        QCOMPARE(reply->body, std::string("POST /secret hi"));
        options.tlsKey = certificate.toStdString();
        EchoService other;
        QCOMPARE(HttpServer::listen(options, other).error().code, ErrorCode::InvalidArgument);
    }

    void client_tellsWhatWentWrong() {
        HttpCall call;
        call.path = "/";
        call.url = "nonsense";
        QCOMPARE(httpCall(call).error().code, ErrorCode::InvalidArgument);
        call.url = "http://127.0.0.1:1";
        QCOMPARE(httpCall(call).error().code, ErrorCode::Network);
    }

    void client_hangsUpWhenStopped() {
        Running running;
        std::stop_source stop;
        HttpCall call;
        call.url = running.server->url();
        call.path = "/hold";
        call.stop = stop.get_token();
        std::thread later([&] {
            soon([&] { return running.server->exchanges() == 1; });
            stop.request_stop();
        });
        QCOMPARE(httpCall(call).error().code, ErrorCode::Cancelled);
        later.join();
        QVERIFY(soon([&] { return running.service.closed == 1; }));
    }
};
ESPALIER_TEST(tst_http_server, TestHttpServer)
#include "tst_http_server.moc"
