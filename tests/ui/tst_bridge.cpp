// SPDX-License-Identifier: GPL-3.0-or-later
#include <QFile>
#include <QSignalSpy>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTemporaryDir>

#include "tests/ui/support/fake_daemon.h"
#include "tests/ui/support/ui_test_main.h"
#include "ui/bridge/engine_client.h"
#include "ui/bridge/http_answer.h"
#include "ui/models/workspace.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::FakeDaemon;

class TestBridge : public QObject {
    Q_OBJECT
private slots:
    void parser_joinsLinesAndReadsNamesAndIds() {
        SseParser parser;
        const auto events = parser.feed(": hello\nid: 7\nevent: job\ndata: a\ndata: b\n\ndata:c\n\n");
        QCOMPARE(events.size(), 2u);
        QCOMPARE(events[0].id, std::optional<qint64>(7));
        QCOMPARE(events[0].name, QStringLiteral("job"));
        QCOMPARE(events[0].data, QByteArray("a\nb"));
        QCOMPARE(events[1].name, QStringLiteral("message"));
        QCOMPARE(events[1].data, QByteArray("c"));
        QVERIFY(!events[1].id);
    }
    void parser_givesTheSameEventsWhereverTheBytesAreCut() {
        const QByteArray stream =
            QStringLiteral("event: log\r\ndata: gr\u00fcne \u82bd \U0001F331\r\n\r\nid: 2\rdata: x\r\rdata: y\n\n")
                .toUtf8();
        SseParser whole;
        const auto expected = whole.feed(stream);
        QCOMPARE(expected.size(), 3u);
        QCOMPARE(QString::fromUtf8(expected[0].data), QStringLiteral("gr\u00fcne \u82bd \U0001F331"));
        for (qsizetype first = 0; first <= stream.size(); ++first) {
            for (qsizetype second = first; second <= stream.size(); ++second) {
                SseParser parser;
                std::vector<SseEvent> events;
                for (const QByteArray& part :
                     {stream.left(first), stream.mid(first, second - first), stream.mid(second)})
                    for (SseEvent& event : parser.feed(part)) events.push_back(std::move(event));
                QCOMPARE(events.size(), expected.size());
                for (std::size_t i = 0; i < events.size(); ++i) {
                    QCOMPARE(events[i].data, expected[i].data);
                    QCOMPARE(events[i].id, expected[i].id);
                }
            }
        }
    }
    void parser_dropsAnEventThatIsTooLargeAndGoesOn() {
        SseParser parser;
        QVERIFY(parser.feed("data: " + QByteArray(SseParser::kMaxEventBytes + 10, 'x') + "\n\n").empty());
        QCOMPARE(parser.feed("data: y\n\n").size(), 1u);
    }
    void client_attachesAndHandsOnSnapshotsAndEvents() {
        FakeDaemon daemon;
        EngineClient client;
        QSignalSpy attached(&client, &EngineClient::attached), jobs(&client, &EngineClient::jobChanged);
        std::shared_ptr<const Snapshot> got;
        connect(&client, &EngineClient::snapshotArrived, this, [&](const auto& snapshot) { got = snapshot; });
        client.attach(daemon.url(), daemon.key);
        QTRY_COMPARE(daemon.eventStreams(), 1);
        QCOMPARE(attached.count(), 1);
        QCOMPARE(attached[0][0].toBool(), true);
        QCOMPARE(client.workspace(), QStringLiteral("/srv/harbour-lane"));
        daemon.snapshot.running = 7;
        daemon.sendSnapshot();
        QTRY_VERIFY(got);
        QCOMPARE(got->running, 7);
        JobRecord job;
        job.id = 3;
        daemon.sendEvent(job);
        QTRY_COMPARE(jobs.count(), 1);
    }
    void client_saysThatAKeyIsNotAccepted() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), QStringLiteral("wrong"));
        QTRY_COMPARE(client.link(), Link::Refused);
        QCOMPARE(client.trouble()->code, ErrorCode::Unauthorized);
    }
    void client_doesNotHearTheServerItLeft() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), QStringLiteral("wrong"));
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        QTest::qWait(50);
        QVERIFY(client.isAttached());
        client.attach(daemon.url(), daemon.key);
        client.detach();
        QTest::qWait(50);
        QCOMPARE(client.link(), Link::Detached);
        QTRY_COMPARE(daemon.eventStreams(), 0);
    }
    void client_takesALostStreamUpAgainAndAsksForTheGap() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_COMPARE(daemon.eventStreams(), 1);
        for (int i = 0; i < 3; ++i) daemon.sendEvent(JobRecord{});
        QSignalSpy jobs(&client, &EngineClient::jobChanged), attached(&client, &EngineClient::attached);
        QTRY_COMPARE(jobs.count(), 3);
        daemon.goAway();
        QTRY_COMPARE(client.link(), Link::Lost);
        daemon.comeBack();
        QTRY_VERIFY_WITH_TIMEOUT(client.isAttached() && daemon.eventStreams() == 1, 10'000);
        QCOMPARE(daemon.last(QStringLiteral("events"))->query, QStringLiteral("after=3"));
        QCOMPARE(attached.last()[0].toBool(), false);
    }
    void client_startsOverWithAnotherDaemon() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_COMPARE(daemon.eventStreams(), 1);
        QSignalSpy jobs(&client, &EngineClient::jobChanged), attached(&client, &EngineClient::attached);
        daemon.sendEvent(JobRecord{});
        QTRY_COMPARE(jobs.count(), 1);
        daemon.goAway();
        daemon.startedAt = 2;
        daemon.comeBack();
        QTRY_VERIFY_WITH_TIMEOUT(attached.count() == 1, 10'000);
        QCOMPARE(attached[0][0].toBool(), true);
        QTRY_COMPARE(daemon.last(QStringLiteral("events"))->query, QString());
    }
    void snapshotsThatPileUp_areRememberedAndTheNewestIsShown() {
        FakeDaemon daemon;
        EngineClient client;
        Workspace workspace(client);
        const QSignalSpy shown(&workspace, &Workspace::snapshotChanged), passed(&client, &EngineClient::snapshotPassed),
            arrived(&client, &EngineClient::snapshotArrived);
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(daemon.eventStreams() > 0);
        constexpr int kPiled = 40;
        const auto shownBefore = shown.count();
        QByteArray bytes;
        for (int i = 1; i <= kPiled; ++i) {
            daemon.snapshot.at = 1'700'000'000'000 + i * 100;
            bytes += "event: snapshot\ndata: " + QByteArray::fromStdString(dumpJson(toJson(daemon.snapshot))) + "\n\n";
        }
        daemon.sendRaw(bytes);
        QTRY_COMPARE(workspace.history().size(), kPiled);
        QCOMPARE(workspace.snapshot()->at, daemon.snapshot.at);
        QCOMPARE(arrived.count() + passed.count(), kPiled);
        QVERIFY(passed.count() > 0);
        QCOMPARE(shown.count() - shownBefore, arrived.count());
    }
    void answers_areDroppedWhenTheirGuardIsGone() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        auto guard = std::make_unique<QObject>();
        bool called = false;
        client.models(false, guard.get(), [&](const auto&) { called = true; });
        guard.reset();
        QTRY_VERIFY(daemon.count(QStringLiteral("models")) > 0);
        QTest::qWait(50);
        QVERIFY(!called);
    }
    void answers_carryTheDaemonsWords() {
        FakeDaemon daemon;
        daemon.failures.insert(
            QStringLiteral("probe"),
            fail(ErrorCode::CorruptFile, "config.json: \"hidden_size\" must be an integer", "config.json"));
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        std::optional<Error> error;
        client.probe(QStringLiteral("/x"), this, [&](Result<ImportProbe> answer) { error = answer.error(); });
        QTRY_VERIFY(error);
        QCOMPARE(error->code, ErrorCode::CorruptFile);
        QVERIFY(error->message.find("hidden_size") != std::string::npos);
    }
    void inspect_readsAModelOfManyTensors() {
        FakeDaemon daemon;
        daemon.addModel("large");
        daemon.tensorsPerModel = 3000;  // parsed off the Qt thread
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        std::size_t tensors = 0;
        client.inspect(QStringLiteral("large"), this,
                       [&](Result<ModelInspection> model) { tensors = model ? model->tensors.size() : 1; });
        QTRY_COMPARE(tensors, 3001u);
    }
    void chat_streamsItsPiecesAndCounts() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        ChatRequest request;
        request.model = QStringLiteral("tiny");
        request.messages = {{QStringLiteral("user"), QStringLiteral("Hi")}};
        request.sampling.seed = 7;
        QString answer;
        std::optional<ChatEnd> end;
        ChatStream* stream = client.chat(request, this);
        connect(stream, &ChatStream::text, this, [&](const QString& piece) { answer += piece; });
        connect(stream, &ChatStream::finished, this, [&](const ChatEnd& e) { end = e; });
        QTRY_VERIFY(end);
        QCOMPARE(answer, QStringLiteral("Hello from the garden."));
        QCOMPARE(end->completionTokens, 3);
        QCOMPARE(end->promptTokens, 12);
        QCOMPARE(end->finish, QStringLiteral("stop"));
        const Json& body = daemon.last(QStringLiteral("completions"))->body;
        QCOMPARE(body["seed"].get<int>(), 7);
        QVERIFY(body["stream"].get<bool>());
    }
    void chat_saysWhyItFailed() {
        FakeDaemon daemon;
        daemon.chatFailure = fail(ErrorCode::Draining, "The server is draining and takes no new requests");
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        std::optional<Error> error;
        ChatStream* stream = client.chat({}, this);
        connect(stream, &ChatStream::failed, this, [&](const Error& e) { error = e; });
        QTRY_VERIFY(error);
        QCOMPARE(error->code, ErrorCode::Draining);
    }
    void errors_ofTheOpenAiRoutesAreUnderstood() {
        const auto codeOf = [](const char* name) { return errorOf(Json{{"message", "no"}, {"code", name}}).code; };
        QCOMPARE(codeOf("invalid_api_key"), ErrorCode::Unauthorized);
        QCOMPARE(codeOf("context_length_exceeded"), ErrorCode::ContextOverflow);
        QCOMPARE(codeOf("rate_limit_exceeded"), ErrorCode::Busy);
        QCOMPARE(codeOf("draining"), ErrorCode::Draining);
        QCOMPARE(codeOf("of a newer server"), ErrorCode::Internal);
        QCOMPARE(errorOf(Json{{"message", "no"}, {"code", nullptr}}).message, std::string("no"));
        QCOMPARE(errorOf(Json("words")).code, ErrorCode::Internal);
    }
    void answers_ofTheServerBefore_areCancelled() {
        FakeDaemon first, second;
        EngineClient client;
        client.attach(first.url(), first.key);
        QTRY_VERIFY(client.isAttached());
        first.addModel("of the first");
        first.held.insert(QStringLiteral("models"));
        std::optional<Result<std::vector<ModelRecord>>> got;
        client.models(false, this, [&](Result<std::vector<ModelRecord>> models) { got = std::move(models); });
        QTRY_COMPARE(first.count(QStringLiteral("models")), 1);
        client.attach(second.url(), second.key);
        QTRY_VERIFY(client.isAttached());
        first.release(QStringLiteral("models"));
        QTRY_VERIFY(got);
        QVERIFY(!*got);
        QCOMPARE(got->error().code, ErrorCode::Cancelled);
    }
    void answers_areNeverGivenFromInsideTheCall() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.guestKey);
        QTRY_VERIFY(client.isAttached());
        bool isInside = true;
        int answers = 0;
        client.models(true, this, [&](const Result<std::vector<ModelRecord>>& bin) {
            QVERIFY(!isInside);
            QVERIFY(bin && bin->empty());  // a guest has no bin
            ++answers;
        });
        isInside = false;
        QTRY_COMPARE(answers, 1);
    }
    void aRecordThatCannotBeRead_isLeftOutAndSaidOnce() {
        FakeDaemon daemon;
        daemon.addModel("one");
        daemon.addModel("two");
        daemon.brokenRecords = 2;
        EngineClient client;
        QSignalSpy misread(&client, &EngineClient::misread);
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        std::size_t models = 0;
        client.models(false, this,
                      [&](const Result<std::vector<ModelRecord>>& list) { models = list ? list->size() : 99; });
        QTRY_COMPARE(models, 2u);
        QCOMPARE(misread.count(), 1);
        QCOMPARE(misread[0][0].toString(), QStringLiteral("models"));
        // The same of the stream: the rest of it goes on.
        QTRY_COMPARE(daemon.eventStreams(), 1);
        QSignalSpy jobs(&client, &EngineClient::jobChanged);
        for (int i = 0; i < 3; ++i) daemon.sendRaw("event: snapshot\ndata: {broken\n\n");
        daemon.sendEvent(JobRecord{});
        QTRY_COMPARE(jobs.count(), 1);
        QCOMPARE(misread.count(), 2);
        QCOMPARE(misread[1][0].toString(), QStringLiteral("snapshot"));
    }
    void aReplyCutAfterItsHeaders_saysThatTheConnectionEnded() {
        QTcpServer server;
        QVERIFY(server.listen(QHostAddress::LocalHost));
        connect(&server, &QTcpServer::newConnection, this, [&] {
            QTcpSocket* socket = server.nextPendingConnection();
            connect(socket, &QTcpSocket::readyRead, socket, [socket] {
                socket->write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
                socket->flush();
                socket->disconnectFromHost();
            });
        });
        EngineClient client;
        client.attach(QUrl(QStringLiteral("http://127.0.0.1:%1").arg(server.serverPort())), QStringLiteral("k"));
        QTRY_COMPARE(client.link(), Link::Lost);
        const QString said = QString::fromStdString(client.trouble()->message);
        QVERIFY2(said.startsWith(QLatin1String("The connection ended")), qPrintable(said));
        QVERIFY(!said.contains(QLatin1String("200")));
    }
    void aKeyDoesNotFollowARedirection() {
        FakeDaemon asked, elsewhere;
        asked.redirect = elsewhere.url();
        EngineClient client;
        client.attach(asked.url(), asked.key);
        QTRY_COMPARE(client.link(), Link::Lost);
        QVERIFY(!asked.calls.empty());
        QVERIFY(elsewhere.calls.empty());
    }
    void aServerMayStandUnderAPathOfAProxy() {
        FakeDaemon daemon;
        daemon.basePath = QStringLiteral("/gpu-1");
        EngineClient client;
        QUrl url = daemon.url();
        url.setPath(QStringLiteral("/gpu-1/"));
        client.attach(url, daemon.key);
        QTRY_VERIFY(client.isAttached());
        QTRY_COMPARE(daemon.eventStreams(), 1);
    }
    void anImportCarriesHowItsWeightsAreStored() {
        FakeDaemon daemon;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        ImportRequest request;
        request.path = "/data/tiny";
        request.quantize = "q8_0";
        bool answered = false;
        client.startImport(request, this, [&](const Result<qint64>&) { answered = true; });
        QTRY_VERIFY(answered);
        QCOMPARE(daemon.argument(QStringLiteral("import"), "quantize"), QStringLiteral("q8_0"));
    }
    void anAnswerUnderWay_endsWithItsServer() {
        FakeDaemon daemon, other;
        daemon.holdChat = true;
        EngineClient client;
        client.attach(daemon.url(), daemon.key);
        QTRY_VERIFY(client.isAttached());
        std::optional<Error> error;
        QString answer;
        ChatStream* stream = client.chat({}, this);
        connect(stream, &ChatStream::text, this, [&](const QString& piece) { answer += piece; });
        connect(stream, &ChatStream::failed, this, [&](const Error& e) { error = e; });
        QTRY_COMPARE(answer, QStringLiteral("Hello"));
        client.attach(other.url(), other.key);
        QTRY_VERIFY(error);
        QCOMPARE(error->code, ErrorCode::Network);
    }
    void launcher_findsTheDaemonOfALivingProcessOnly() {
        QTemporaryDir folder;
        const auto write = [&](const QString& name, const QByteArray& text) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::WriteOnly));
            file.write(text);
        };
        QVERIFY(!findDaemon(folder.path()));
        write(QStringLiteral("key"), "esp_abc\n");
        write(QStringLiteral("daemon.json"),
              "{\"url\":\"http://127.0.0.1:1\",\"pid\":" + QByteArray::number(QCoreApplication::applicationPid()) +
                  ",\"key_file\":\"key\"}");
        const auto found = findDaemon(folder.path());
        QVERIFY(found);
        QCOMPARE(found->key, QStringLiteral("esp_abc"));
        QCOMPARE(found->url, QUrl(QStringLiteral("http://127.0.0.1:1")));
        write(QStringLiteral("daemon.json"), "{\"url\":\"http://127.0.0.1:1\",\"pid\":4000000,\"key_file\":\"key\"}");
        QVERIFY(!findDaemon(folder.path()));
        write(QStringLiteral("daemon.json"), "{ not json");
        QVERIFY(!findDaemon(folder.path()));
        // The number lives again, but as another process: the machine was started anew meanwhile.
        write(QStringLiteral("daemon.json"),
              "{\"url\":\"http://127.0.0.1:1\",\"key_file\":\"key\",\"process_start\":1,\"pid\":" +
                  QByteArray::number(QCoreApplication::applicationPid()) + "}");
        QVERIFY(!findDaemon(folder.path()));
    }
};
ESPALIER_TEST(tst_bridge, TestBridge)
#include "tst_bridge.moc"
