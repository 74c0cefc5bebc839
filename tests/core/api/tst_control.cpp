// SPDX-License-Identifier: GPL-3.0-or-later
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <QTemporaryDir>
#include <QTest>
#include <future>

#include "core/api/chunk_relay.h"
#include "core/api/control.h"
#include "core/api/daemon_file.h"
#include "core/api/event_streams.h"
#include "core/api/keys.h"
#include "core/api/protocol.h"
#include "core/api/remote_control.h"
#include "core/api/workers.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_daemon.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

struct SseEvent {
    std::string id, name;
    Json data;
};

// Reads server-sent events of an open /control/events connection.
class EventReader {
public:
    EventReader(TestDaemon& daemon, const std::string& query) : m_connection(daemon.port()) {
        m_connection.send(httpText("GET", "/control/events" + query, daemon.key(), ""));
        m_connection.readUntil("\r\n\r\n");
    }
    SseEvent next() {
        std::string text = m_connection.readUntil("\n\n\r\n");
        SseEvent event;
        event.id = field(text, "id: ");
        event.name = field(text, "event: ");
        auto data = parseJson(field(text, "data: "), "event");
        if (data) event.data = *data;
        return event;
    }
    SseEvent nextNamed(const std::string& name) {
        for (int i = 0; i < 100; ++i)
            if (SseEvent event = next(); event.name == name || event.name.empty()) return event;
        return {};
    }

private:
    static std::string field(const std::string& text, const std::string& name) {
        const std::size_t at = text.find(name);
        if (at == std::string::npos) return {};
        return text.substr(at + name.size(), text.find('\n', at) - at - name.size());
    }
    RawConnection m_connection;
};

// An event stream without a socket.
class ClosableExchange : public HttpExchange {
public:
    const HttpRequest& request() const override { return m_request; }
    void respond(HttpResponse) override {}
    void startStream(std::string, HttpHeaders) override {}
    void write(std::string) override {}
    void finish() override {}
    std::size_t queuedBytes() const override { return 0; }
    void onClosed(std::function<void()> action) override { m_onClosed = std::move(action); }
    void close() { m_onClosed(); }

private:
    HttpRequest m_request;
    std::function<void()> m_onClosed;
};

// Has no memory, so many times, when a snapshot comes.
class StarvingExchange final : public ClosableExchange {
public:
    explicit StarvingExchange(int failures) : m_failuresLeft(failures) {}
    std::size_t queuedBytes() const override {
        if (m_failuresLeft > 0 && m_failuresLeft-- > 0) throw std::bad_alloc();
        return 0;
    }
    void write(std::string text) override { m_snapshots += text.starts_with("event: snapshot"); }
    int failuresLeft() const { return m_failuresLeft; }
    int snapshots() const { return m_snapshots; }

private:
    mutable std::atomic<int> m_failuresLeft;
    std::atomic<int> m_snapshots = 0;
};

std::unique_ptr<ControlPort> remote(TestDaemon& daemon) {
    auto control = runningDaemon(daemon.files(), daemon.workspace());
    if (!control) qFatal("%s", control.error().message.c_str());
    return std::move(*control);
}

}  // namespace

class TestControl : public QObject {
    Q_OBJECT
private slots:
    void daemonFile_isPrivateAndNamesTheDaemon() {
        TestDaemon daemon;
        struct stat status {};
        QCOMPARE(::stat((daemon.workspace() / kDaemonFile).c_str(), &status), 0);
        QCOMPARE(status.st_mode & 0777, mode_t{0600});
        QCOMPARE(::stat(daemon.daemon().keyFile().c_str(), &status), 0);
        QCOMPARE(status.st_mode & 0777, mode_t{0600});
        const auto address = readDaemonFile(daemon.files(), daemon.workspace());
        QVERIFY(address.has_value() && *address);
        QCOMPARE((*address)->url, daemon.daemon().url());
        QCOMPARE((*address)->pid, std::int64_t{::getpid()});
    }

    void aDaemonFileLeftByACrash_isNoDaemon() {
        QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path workspace = folder.path().toStdString();
        QVERIFY(*runningDaemon(*files, workspace) == nullptr);
        QVERIFY(writeDaemonFile(*files, workspace, {"http://127.0.0.1:1", 0x7ffffff0, "/none", "", 0}).has_value());
        QVERIFY(*runningDaemon(*files, workspace) == nullptr);
        QVERIFY(loadOrMakeAdminKey(*files, workspace / "admin.key").has_value());
        QVERIFY(writeDaemonFile(*files, workspace,
                                {"http://127.0.0.1:1", ::getpid(), (workspace / "admin.key").string(), "", 0})
                    .has_value());
        QVERIFY(*runningDaemon(*files, workspace) == nullptr);
    }

    // After a new start of the machine the number in the file may be that of any program.
    void aNumberThatAnotherProcessHasByNow_isNoDaemon() {
        QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path workspace = folder.path().toStdString();
        const std::int64_t start = startOf(::getpid());
        QVERIFY(start > 0);
        QCOMPARE(startOf(0x7ffffff0), std::int64_t{0});
        const auto found = [&](std::int64_t processStart) {
            const DaemonAddress address{"http://127.0.0.1:1", ::getpid(), "/none", "", processStart};
            return writeDaemonFile(*files, workspace, address) && (*readDaemonFile(*files, workspace)).has_value();
        };
        QVERIFY(found(start));
        QVERIFY(found(0));  // written by an older version
        QVERIFY(!found(start + 1));
    }

    void theKey_staysAndIsRefusedWhenOthersCanReadIt() {
        QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path file = folder.filePath("key").toStdString();
        const auto first = loadOrMakeAdminKey(*files, file);
        QVERIFY(first.has_value());
        QCOMPARE(*loadOrMakeAdminKey(*files, file), *first);
        ::chmod(file.c_str(), 0644);
        QCOMPARE(loadOrMakeAdminKey(*files, file).error().code, ErrorCode::Unauthorized);
        ::chmod(file.c_str(), 0600);
        QVERIFY(writePrivateFile(*files, file, "short\n").has_value());
        QCOMPARE(loadOrMakeAdminKey(*files, file).error().code, ErrorCode::CorruptFile);
        FakeEngine engine(folder.path().toStdString());
        const Keys keys(*first, engine.tenants());
        QVERIFY(keys.caller("bearer " + *first)->admin);
        QVERIFY(!keys.caller("Bearer " + *first + "x"));
        QVERIFY(!keys.caller("Basic " + *first));
        QVERIFY(!keys.caller(""));
    }

    void operations_answerOverHttp() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const auto hello = control->call("hello", Json::object());
        QVERIFY(hello.has_value());
        QCOMPARE((*hello)["protocol"].get<int>(), kProtocolVersion);
        COMPARE_JSON((*hello)["url"], daemon.daemon().url());
        const auto status = control->call("status", Json::object());
        QVERIFY((*status)["daemon"]["running"].get<bool>());
        COMPARE_JSON((*status)["models"][0]["name"], "fake");
        QVERIFY((*status)["pool"].contains("free") && (*status)["queue"].contains("waiting"));
        const auto models = control->call("models", Json::object());
        QVERIFY(modelFromJson((*models)["models"][0]).has_value());
        QCOMPARE((*control->call("tokenize", {{"model", "fake"}, {"texts", {"a", "bc"}}}))["results"].size(),
                 std::size_t{2});
        COMPARE_JSON((*control->call("detokenize", {{"model", "fake"}, {"ids", {104, 105}}}))["text"], "hi");
        QCOMPARE((*control->call("history", {{"seconds", 5}}))["points"].size(), std::size_t{1});
        COMPARE_JSON((*control->call("log", {{"limit", 5}}))["records"][0]["source"], "api");
    }

    void errors_keepCodeMessageAndPlace() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const auto missing = control->call("inspect", {{"model", "other"}});
        QCOMPARE(missing.error().code, ErrorCode::NotFound);
        QVERIFY(missing.error().message.find("fake") != std::string::npos);
        QCOMPARE(control->call("dance", Json::object()).error().code, ErrorCode::NotFound);
        QCOMPARE(control->call("remove", Json::object()).error().where, std::string("model"));
        QCOMPARE(control->call("job", {{"id", "one"}}).error().code, ErrorCode::InvalidArgument);
        const HttpReply raw = daemon.post("/control/inspect", {{"model", "other"}});
        QCOMPARE(raw.status, 404);
        COMPARE_JSON(raw.json()["error"]["code"], "not_found");
    }

    void generate_isTheSameWholeAndStreamed() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const Json arguments{{"model", "fake"}, {"prompt", "hi"}, {"logprobs", 1}, {"seed", 3}};
        const auto whole = control->call("generate", arguments);
        QVERIFY(whole.has_value());
        COMPARE_JSON((*whole)["text"], "Hello, world");
        COMPARE_JSON((*whole)["prompt_ids"], Json::array({104, 105}));
        COMPARE_JSON((*whole)["finish_reason"], "stop");
        QCOMPARE((*whole)["logprobs"].size(), std::size_t{12});
        QCOMPARE((*whole)["usage"]["completion_tokens"].get<int>(), 12);
        QCOMPARE(daemon.engine().submitted().at(0).sampling.temperature, 0.0);
        QCOMPARE(daemon.engine().submitted().at(0).maxTokens, 62);
        std::string text;
        const auto streamed =
            control->call("generate", arguments, {{}, [&](std::string_view piece) { text += piece; }});
        QVERIFY(streamed.has_value());
        QCOMPARE(text, std::string("Hello, world"));
        COMPARE_JSON((*streamed)["ids"], (*whole)["ids"]);
        const auto wrong =
            control->call("generate", {{"model", "other"}, {"prompt", "x"}}, {{}, [](std::string_view) {}});
        QCOMPARE(wrong.error().code, ErrorCode::NotFound);
    }

    // Over a daemon as in this process: a stopped `generate` answers with what there is, the others with `cancelled`.
    void aStoppedCall_endsAsOneInThisProcess_data() {
        QTest::addColumn<bool>("streamed");
        QTest::newRow("whole") << false;
        QTest::newRow("streamed") << true;
    }
    void aStoppedCall_endsAsOneInThisProcess() {
        QFETCH(bool, streamed);
        TestDaemon daemon;
        FakeScript script;
        script.endlessBytes = 1;
        script.pause = std::chrono::milliseconds(1);
        daemon.engine().set(script);
        const ModelAccess models(daemon.engine(), daemon.files());
        const SystemClock clock;
        LocalControl local(models, clock, {});
        const auto overHttp = remote(daemon);
        for (ControlPort* control : std::initializer_list<ControlPort*>{&local, overHttp.get()}) {
            std::stop_source stop;
            const int before = daemon.engine().cancelled();
            const std::size_t calls = daemon.engine().submitted().size();
            std::thread later([&] {
                daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == calls + 1; });
                QTest::qSleep(20);
                stop.request_stop();
            });
            CallOptions options{stop.get_token(), nullptr};
            std::string text;
            if (streamed) options.onText = [&](std::string_view piece) { text += piece; };
            const auto result = control->call("generate", {{"model", "fake"}, {"prompt", "x"}}, options);
            later.join();
            QVERIFY2(result, result ? "" : result.error().message.c_str());
            COMPARE_JSON((*result)["finish_reason"], "cancelled");
            QVERIFY(!(*result)["text"].get<std::string>().empty());
            if (streamed) COMPARE_JSON((*result)["text"], text);
            QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == before + 1; }));
        }
    }

    void aStoppedPerplexity_isCancelled() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        std::stop_source stop;
        std::thread later([&] {
            daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 1; });
            stop.request_stop();
        });
        const auto result =
            remote(daemon)->call("perplexity", {{"model", "fake"}, {"ids", {1, 2, 3}}}, {stop.get_token(), {}});
        later.join();
        QCOMPARE(result.error().code, ErrorCode::Cancelled);
        QVERIFY(result.error().message.find("after 0 tokens") != std::string::npos);  // the daemon's own sentence
    }

    void cancel_knowsOnlyCallsThatRun() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        COMPARE_JSON((*control->call("cancel", {{"call", "nobody"}}))["cancelled"], false);
        QCOMPARE(control->call("cancel", Json::object()).error().where, std::string("call"));
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        const Json generate{{"model", "fake"}, {"prompt", "x"}, {"call_id", "mine"}};
        auto running = daemon.begin("/control/generate", generate);
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 1; }));
        QCOMPARE(control->call("generate", generate).error().code, ErrorCode::AlreadyExists);
        COMPARE_JSON((*control->call("cancel", {{"call", "mine"}}))["cancelled"], true);
        QVERIFY(running.readUntil("\"cancelled\"").find("\"cancelled\"") != std::string::npos);
        COMPARE_JSON((*control->call("cancel", {{"call", "mine"}}))["cancelled"], false);
    }

    void largeArguments_areTheAdminsAlone() {
        TestDaemon daemon;
        const std::string large(33 << 20, 'x');
        const auto hello = remote(daemon)->call("hello", {{"padding", large}});
        QVERIFY2(hello, hello ? "" : hello.error().message.c_str());
        QCOMPARE(daemon.post("/v1/completions", {{"model", "fake"}, {"prompt", large}}).status, 413);
        RawConnection stranger(daemon.port());
        stranger.send(
            "POST /control/hello HTTP/1.1\r\nAuthorization: Bearer wrong\r\nContent-Length: 99999999\r\n\r\n");
        QCOMPARE(parseReply(stranger.readToEnd()).status, 401);
    }

    void generate_givesAsManyLogprobsAsTheEngine() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const Json arguments{{"model", "fake"}, {"prompt", "x"}, {"max_tokens", 1}, {"logprobs", 256}};
        const auto answer = control->call("generate", arguments);
        QVERIFY(answer.has_value());
        QCOMPARE((*answer)["logprobs"][0]["top"].size(), std::size_t{256});
        QCOMPARE(control->call("generate", {{"model", "fake"}, {"prompt", "x"}, {"logprobs", 257}}).error().where,
                 std::string("logprobs"));
        QCOMPARE(daemon.post("/v1/completions", {{"model", "fake"}, {"prompt", "x"}, {"logprobs", 21}}).status, 400);
    }

    void aSilentProgramOnTheDaemonsPort_isNoDaemon() {
        QTemporaryDir folder;
        const auto files = makeFileSystem();
        const Path workspace = folder.path().toStdString();
        const int silent = ::socket(AF_INET, SOCK_STREAM, 0);  // the system takes the connection, nobody reads
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        QCOMPARE(::bind(silent, reinterpret_cast<const sockaddr*>(&address), size), 0);
        QCOMPARE(::listen(silent, 4), 0);
        QCOMPARE(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size), 0);
        const std::string url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        QVERIFY(loadOrMakeAdminKey(*files, workspace / "admin.key"));
        QVERIFY(writeDaemonFile(*files, workspace, {url, ::getpid(), (workspace / "admin.key").string(), "", 0}));
        QVERIFY(*runningDaemon(*files, workspace) == nullptr);
        ::close(silent);
    }

    void aProcessThatEnded_runsNoMore() {
        QVERIFY(isRunning(::getpid()));
        const pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        siginfo_t ended{};
        QCOMPARE(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
        QVERIFY(!isRunning(child));  // its entry is still there: nobody has waited for it
        QCOMPARE(::waitpid(child, nullptr, 0), child);
        QVERIFY(!isRunning(child));
    }

    void clientsThatHungUp_areCountedNoMore() {
        TestDaemon daemon;
        EventStreams streams(daemon.engine());
        const auto exchange = std::make_shared<ClosableExchange>();
        streams.add(exchange, std::nullopt);
        QCOMPARE(streams.clients(), std::size_t{1});
        exchange->close();
        QCOMPARE(streams.clients(), std::size_t{0});
    }

    void perplexity_scoresWindowsWithoutTheirFirstToken() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        Json ids = Json::array();
        for (int i = 0; i < 21; ++i) ids.push_back(i);
        const auto answer = control->call("perplexity", {{"model", "fake"}, {"ids", ids}, {"context", 10}});
        QVERIFY(answer.has_value());
        QCOMPARE((*answer)["tokens_scored"].get<int>(), 18);  // 9 + 9, and a last window of one token
        QCOMPARE((*answer)["logprobs"].size(), std::size_t{18});
        QVERIFY(std::abs((*answer)["perplexity"].get<double>() - std::exp(1.0)) < 1e-6);
        QCOMPARE(daemon.engine().submitted().size(), std::size_t{2});
        QCOMPARE(control->call("perplexity", {{"model", "fake"}, {"ids", {1}}}).error().code,
                 ErrorCode::InvalidArgument);
    }

    void embed_cutsLongTextAndSaysSo() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const auto one = control->call("embed", {{"model", "fake"}, {"text", std::string(100, 'x')}});
        QCOMPARE((*one)["dim"].get<int>(), 4);
        QVERIFY((*one)["truncated"].get<bool>());
        QCOMPARE((*one)["embedding"][3].get<double>(), 64.0);
        const auto many = control->call("embed", {{"model", "fake"}, {"texts", {"a", "bc"}}});
        QCOMPARE((*many)["results"].size(), std::size_t{2});
        QVERIFY(!(*many)["results"][0].contains("truncated"));
    }

    void requestsAndPages_areListedAndCancelled() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        const auto pages = control->call("pages", {{"model", "fake"}, {"cells", 8}});
        QVERIFY2(pages.has_value(), pages ? "" : pages.error().message.c_str());
        COMPARE_JSON((*pages)["runs"], Json::array({Json::array({8, "kv", 7})}));
        QCOMPARE(control->call("pages", {{"model", "fake"}, {"cells", 100'000}}).error().code,
                 ErrorCode::InvalidArgument);
        QCOMPARE(control->call("pages", {{"model", "none"}}).error().code, ErrorCode::NotFound);
        const auto none = control->call("requests", Json::object());
        QVERIFY(none.has_value());
        COMPARE_JSON(*none, (Json{{"requests", Json::array()}, {"total", 0}}));

        daemon.engine().set({.hold = true});
        RawConnection asked = daemon.begin("/v1/completions", {{"model", "fake"}, {"prompt", "hi"}, {"stream", true}});
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 1; }));
        const auto listed = control->call("requests", {{"limit", 5}});
        QVERIFY(listed.has_value());
        COMPARE_JSON((*listed)["total"], 1);
        COMPARE_JSON((*listed)["requests"][0]["model"], "fake");
        COMPARE_JSON((*listed)["requests"][0]["prompt_tokens"], 2);
        const auto steps = control->call("steps", {{"limit", 5}});
        QVERIFY(steps.has_value());
        COMPARE_JSON((*steps)["steps"][0]["model"], "fake");
        QCOMPARE(control->call("steps", {{"limit", 100'000}}).error().code, ErrorCode::InvalidArgument);
        QVERIFY(control->call("request-cancel", {{"id", (*listed)["requests"][0]["id"]}}).has_value());
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 1; }));
        QVERIFY(control->call("request-cancel", {{"id", 99}}).has_value());  // one that has ended: no effect
        QCOMPARE(control->call("request-cancel", Json::object()).error().code, ErrorCode::InvalidArgument);
    }

    void jobWait_answersAtTheEndOrTheTimeout() {
        TestDaemon daemon;
        const auto control = remote(daemon);
        COMPARE_JSON((*control->call("job-wait", {{"id", 1}, {"timeout_s", 0}}))["state"], "running");
        std::thread later([&] { (void)daemon.engine().cancelJob(1); });
        COMPARE_JSON((*control->call("job-wait", {{"id", 1}}))["state"], "cancelled");
        later.join();
    }

    void events_areNumberedAndGapsAreFilled() {
        TestDaemon daemon;
        for (int i = 0; i < 3; ++i) daemon.engine().publish(ModelChanged{"m-" + std::to_string(i), "loaded"});
        const std::int64_t last = daemon.engine().lastSequence();
        EventReader events(daemon, "?after=" + std::to_string(last - 2));
        QCOMPARE(events.next().id, std::to_string(last - 1));
        QCOMPARE(events.next().id, std::to_string(last));
        QCOMPARE(events.next().name, std::string("snapshot"));
        daemon.engine().publish(ServeChanged{ServeState::Draining});
        const SseEvent live = events.nextNamed("serve");
        QCOMPARE(live.id, std::to_string(last + 1));
        COMPARE_JSON(live.data["state"], "draining");
        QVERIFY(snapshotFromJson(events.nextNamed("snapshot").data).has_value());
    }

    void eventsThatAreGone_areSaidToBeLost() {
        TestDaemon daemon;
        for (int i = 0; i < 200; ++i) daemon.engine().publish(ModelChanged{"m", "loaded"});
        EventReader events(daemon, "?after=1");
        QCOMPARE(events.next().name, std::string("lost"));
        QCOMPARE(fetch(daemon.port(), "GET", "/control/events?after=x", daemon.key()).status, 400);
    }

    void shutdown_endsTheWait() {
        TestDaemon daemon;
        QCOMPARE(daemon.post("/control/shutdown", Json::object()).status, 200);
        daemon.daemon().waitForShutdown({});
        daemon.daemon().drain();
        QVERIFY(!RawConnection(daemon.port()).isOpen());
    }

    void workers_refuseWhatTheyCannotHold() {
        std::atomic<bool> go{false};
        std::atomic<int> done{0};
        int taken = 0;
        {
            Workers workers(2, 2);
            const auto task = [&] {
                while (!go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
                ++done;
            };
            Result<void> last;
            for (int i = 0; i < 8 && last; ++i) {
                last = workers.run(task);
                taken += last ? 1 : 0;
            }
            QCOMPARE(last.error().code, ErrorCode::Busy);
            QVERIFY(taken >= 2 && taken <= 4);  // threads that have not begun count as full
            go = true;
        }
        QCOMPARE(done.load(), taken);
    }

    void workersWithoutAPlaceToWait_useTheirIdleThreads() {
        Workers workers(2, 0);
        std::atomic<int> done{0};
        for (int i = 0; i < 20; ++i) {
            bool taken = false;  // a thread that has just ended its task may not be waiting for the next yet
            for (int tries = 0; tries < 500 && !taken; ++tries) {
                taken = workers.run([&] { ++done; }).has_value();
                if (!taken) QTest::qSleep(10);
            }
            QVERIFY(taken);
        }
        for (int tries = 0; tries < 500 && done < 20; ++tries) QTest::qSleep(10);
        QCOMPARE(done.load(), 20);
    }

    void workers_surviveASystemWithoutThreads() {
        pthread_attr_t usual, impossible;
        pthread_getattr_default_np(&usual);
        pthread_getattr_default_np(&impossible);
        pthread_attr_setstacksize(&impossible, std::size_t{1} << 48);  // more than there are addresses
        std::atomic<int> done{0};
        std::promise<void> go;
        const auto gone = go.get_future().share();
        {
            Workers workers(4, 4);
            pthread_setattr_default_np(&impossible);
            const auto refused = workers.run([&] { ++done; });
            pthread_setattr_default_np(&usual);
            QVERIFY(!refused && refused.error().code == ErrorCode::Busy);
            QVERIFY(workers.run([&] { gone.wait(); }));
            pthread_setattr_default_np(&impossible);
            const auto kept = workers.run([&] { ++done; });  // waits for the thread that lives
            pthread_setattr_default_np(&usual);
            QVERIFY(kept);
            go.set_value();
        }
        QCOMPARE(done.load(), 1);
        pthread_attr_destroy(&usual);
        pthread_attr_destroy(&impossible);
    }

    void aTaskThatThrows_endsAlone() {
        std::atomic<int> done{0};
        {
            Workers workers(1, 4, 1);
            QVERIFY(workers.run([] { throw std::runtime_error("a library's surprise"); }));
            QVERIFY(workers.run([&] { ++done; }));
        }
        QCOMPARE(done.load(), 1);
    }

    // As where there is no memory for it.
    void aSnapshotThatCannotBeTold_isFollowedByTheNext() {
        TestDaemon daemon;
        EventStreams streams(daemon.engine());
        const auto exchange = std::make_shared<StarvingExchange>(3);
        streams.add(exchange, std::nullopt);
        QTRY_VERIFY_WITH_TIMEOUT(exchange->snapshots() >= 2, 60000);  // one of them by add()
        QCOMPARE(exchange->failuresLeft(), 0);
        streams.end();
    }

    void aWorkQueue_mayOutliveItsWorkers() {
        auto workers = std::make_unique<Workers>(1, 1);
        const WorkQueue queue = workers->queue();
        workers.reset();
        QCOMPARE(queue.run([] {}).error().code, ErrorCode::Draining);
    }

    void anAnswerThatCannotBeMade_fails() {
        std::vector<Chunk> seen;
        {
            Workers workers(1, 64, 1);
            const auto relay = std::make_shared<ChunkRelay>(workers.queue(), [&](std::size_t, const Chunk& chunk) {
                if (chunk.text == "one too many") throw std::bad_alloc();
                seen.push_back(chunk);
            });
            for (const char* text : {"one", "one too many"}) {
                Chunk chunk;
                chunk.id = RequestId{7};
                chunk.text = text;
                relay->push(0, chunk);
            }
        }
        QCOMPARE(seen.size(), std::size_t{2});
        QCOMPARE(seen[0].text, std::string("one"));
        QVERIFY(seen[1].id == RequestId{7} && seen[1].finish == FinishReason::Failed);
        QCOMPARE(seen[1].error->code, ErrorCode::PoolExhausted);
    }

    void chunksAreRelayedInOrder_andTheSinkNeverWaits() {
        std::promise<void> go;
        const auto gone = go.get_future().share();
        std::vector<std::size_t> seen;
        {
            Workers workers(4, 64, 1);
            const auto relay = std::make_shared<ChunkRelay>(workers.queue(), [&](std::size_t index, const Chunk&) {
                gone.wait();
                seen.push_back(index);
            });
            for (std::size_t i = 0; i < 100; ++i) relay->push(i, Chunk{});  // would hang if it waited
            go.set_value();
        }
        QCOMPARE(seen.size(), std::size_t{100});
        QVERIFY(std::is_sorted(seen.begin(), seen.end()));
    }

    void longCalls_leaveTheShortOnesTheirWorkers() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        std::vector<RawConnection> waiting;
        for (int i = 0; i < 64; ++i)
            waiting.push_back(daemon.begin("/control/generate", {{"model", "fake"}, {"prompt", "x"}}));
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().submitted().size() == 64; }));
        QCOMPARE(fetch(daemon.port(), "GET", "/health", "").status, 200);
        QCOMPARE(daemon.post("/control/status", Json::object()).status, 200);
        QCOMPARE(daemon.post("/control/job-wait", {{"id", 1}, {"timeout_s", 0}}).status, 429);
        for (RawConnection& connection : waiting) connection.hangUp();
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().cancelled() == 64; }));
    }

    // Imports of adapters are long calls, which end with who asked for them, and with the daemon.
    void importsOfAdapters_endWithTheirCaller() {
        TestDaemon daemon;
        FakeScript script;
        script.hold = true;
        daemon.engine().set(script);
        const std::pair<const char*, Json> calls[] = {
            {"/control/adapter-import", {{"path", "a"}, {"model", "fake"}}},
            {"/control/adapters-import", {{"paths", {"a", "b"}}, {"model", "fake"}}}};
        std::vector<RawConnection> waiting;
        for (int i = 0; i < 64; ++i) waiting.push_back(daemon.begin(calls[i % 2].first, calls[i % 2].second));
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().imports() == 64; }));
        QCOMPARE(daemon.post("/control/status", Json::object()).status, 200);
        QCOMPARE(daemon.post("/control/adapter-reload", {{"adapter", "a"}}).status, 429);  // no place among the long
        for (RawConnection& connection : waiting) connection.hangUp();
        QVERIFY(daemon.engine().waitUntil([&] { return daemon.engine().imports() == 0; }));

        std::stop_source stop;
        std::thread later([&] {
            daemon.engine().waitUntil([&] { return daemon.engine().imports() == 1; });
            stop.request_stop();
        });
        const auto answer = remote(daemon)->call("adapters-import", calls[1].second, {stop.get_token(), {}});
        later.join();
        QVERIFY2(answer, answer ? "" : answer.error().message.c_str());
        QCOMPARE((*answer)["failed"].size(), std::size_t{2});
        COMPARE_JSON((*answer)["failed"][0]["error"]["code"], "cancelled");
    }
};
ESPALIER_TEST(tst_control, TestControl)
#include "tst_control.moc"
