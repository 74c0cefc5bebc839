// SPDX-License-Identifier: GPL-3.0-or-later
// The daemon over the real engine with a tiny model: what reaches clients is what the engine computes.
#include <unistd.h>
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <thread>

#include "core/api/daemon.h"
#include "core/api/keys.h"
#include "core/compute/cpu/cpu_backend.h"
#include "tests/support/adapter_data.h"
#include "tests/support/json_compare.h"
#include "tests/support/raw_http.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kContext = 20000;

// A workspace with the model "tiny", its engine and its daemon.
struct Served {
    QTemporaryDir folder;
    SystemClock clock;
    std::unique_ptr<FileSystem> files = makeFileSystem();
    std::unique_ptr<Backend> backend = makeCpuBackend({.threads = 1, .isa = {}, .memoryLimit = 0});
    std::unique_ptr<Engine> engine;
    std::unique_ptr<Daemon> daemon;
    std::string key;
    std::uint16_t port = 0;

    Served() {
        const Path root = folder.path().toStdString();
        TinyModelOptions model;
        model.context = kContext;
        writeTinyModel(root / "tiny", model);
        EngineOptions options;
        options.workspace = root / "workspace";
        options.stderrLog = LogLevel::Silent;
        options.poolBytes = 64 << 20;
        engine = need(Engine::open(options, *backend, *files, clock));
        need(engine->waitJob(need(engine->startImport({(root / "tiny").string(), "tiny", false, false}))));
        daemon = need(Daemon::start({}, *engine, *files, clock));
        key = need(loadOrMakeAdminKey(*files, daemon->keyFile()));
        port = static_cast<std::uint16_t>(std::stoi(daemon->url().substr(daemon->url().rfind(':') + 1)));
    }
    template <class T>
    static T need(Result<T> result) {
        if (!result) qFatal("%s", result.error().message.c_str());
        return std::move(*result);
    }
    HttpReply post(std::string_view path, const Json& body) { return fetch(port, "POST", path, key, dumpJson(body)); }
    int running() const { return engine->snapshot()->running + engine->snapshot()->waiting; }
};

Json chat(Json more = Json::object()) {
    Json body{{"model", "tiny"},
              {"messages", {{{"role", "user"}, {"content", "Hello"}}}},
              {"max_tokens", 24},
              {"seed", 5},
              {"temperature", 0.9}};
    body.update(more);
    return body;
}

std::string contentOf(const HttpReply& reply) {
    std::string text;
    for (const Json& event : reply.events())
        if (!event["choices"].empty()) text += event["choices"][0]["delta"].value("content", "");
    return text;
}

// How often the threads of this process other than the caller's have gone to sleep, and so were woken.
std::int64_t wakeupsOfOthers() {
    std::int64_t sum = 0;
    const QString own = QString::number(::gettid());
    for (const QString& thread : QDir("/proc/self/task").entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile status("/proc/self/task/" + thread + "/status");
        if (thread == own || !status.open(QIODevice::ReadOnly)) continue;
        for (const QByteArray& line : status.readAll().split('\n'))
            if (line.startsWith("voluntary_ctxt_switches:")) sum += line.mid(24).trimmed().toLongLong();
    }
    return sum;
}

bool soon(const std::function<bool()>& reached) {
    for (int i = 0; i < 2000 && !reached(); ++i) QTest::qWait(5);
    return reached();
}

}  // namespace

class TestRealEngine : public QObject {
    Q_OBJECT
private slots:
    void streamAndWhole_areTheSame_aloneAndInACrowd() {
        Served served;
        const Json alone = served.post("/v1/chat/completions", chat()).json();
        const std::string text = alone["choices"][0]["message"]["content"].get<std::string>();
        QCOMPARE(contentOf(served.post("/v1/chat/completions", chat({{"stream", true}}))), text);
        std::vector<RawConnection> crowd;
        for (int i = 0; i < 24; ++i) {
            crowd.emplace_back(served.port);
            crowd.back().send(httpText("POST", "/v1/chat/completions", served.key, dumpJson(chat({{"stream", true}}))));
        }
        for (RawConnection& connection : crowd)
            QCOMPARE(contentOf(parseReply(connection.readUntil("[DONE]\n\n"))), text);
        QVERIFY(!text.empty() && alone["usage"]["completion_tokens"].get<int>() <= 24);
    }

    void stopStrings_endTheTextAndAreNotPartOfIt() {
        Served served;
        Json letters = Json::object();  // the answer is made of these alone, a byte each
        for (const char letter : std::string("abcdefghij")) letters[std::to_string(kTinyFirstByte + letter)] = 100;
        const Json body{{"model", "tiny"},    {"prompt", "Hello"}, {"max_tokens", 64},     {"temperature", 1},
                        {"ignore_eos", true}, {"seed", 4},         {"logit_bias", letters}};
        const std::string text = served.post("/v1/completions", body).json()["choices"][0]["text"].get<std::string>();
        QCOMPARE(text.size(), std::size_t{64});
        Json stopped = body;
        stopped["stop"] = text.substr(40, 3);
        const Json answer = served.post("/v1/completions", stopped).json()["choices"][0];
        const std::size_t first = text.find(text.substr(40, 3));
        QVERIFY(first > 0);
        COMPARE_JSON(answer["text"], text.substr(0, first));
        COMPARE_JSON(answer["finish_reason"], "stop");
    }

    void hangingUp_freesTheEngine_data() {
        QTest::addColumn<bool>("stream");
        QTest::newRow("stream") << true;
        QTest::newRow("whole") << false;
    }
    void hangingUp_freesTheEngine() {
        QFETCH(bool, stream);
        Served served;
        const Json body = chat({{"stream", stream}, {"max_tokens", kContext - 200}, {"ignore_eos", true}, {"n", 2}});
        RawConnection connection(served.port);
        connection.send(httpText("POST", "/v1/chat/completions", served.key, dumpJson(body)));
        QVERIFY(soon([&] { return served.running() == 2; }));
        connection.hangUp();
        QVERIFY(soon([&] { return served.running() == 0; }));
        QCOMPARE(served.post("/v1/chat/completions", chat()).status, 200);
        QVERIFY(soon([&] { return served.engine->snapshot()->counters.at("request_success_total_cancelled") == 2.0; }));
    }

    void aPromptOverTheContext_is400_andTheDaemonGoesOn() {
        Served served;
        const HttpReply reply =
            served.post("/v1/completions", {{"model", "tiny"}, {"prompt", std::string(60000, 'x')}});
        QCOMPARE(reply.status, 400);
        COMPARE_JSON(reply.json()["error"]["code"], "context_length_exceeded");
        QCOMPARE(served.post("/v1/chat/completions", chat()).status, 200);
    }

    void adapters_areModelsOfTheirOwn() {
        Served served;
        const Path root = served.folder.path().toStdString();
        const ArchSpec spec = served.engine->findModel("tiny")->spec;
        tinyAdapter(spec, {.dtype = DType::BF16}).write(root / "math");
        const Json load{{"lora_name", "math"}, {"lora_path", (root / "math").string()}};
        QCOMPARE(fetch(served.port, "POST", "/v1/load_lora_adapter", "", dumpJson(load)).status, 401);
        QCOMPARE(served.post("/v1/load_lora_adapter", {{"lora_name", "math"}}).status, 400);
        QCOMPARE(served.post("/v1/load_lora_adapter", {{"lora_name", "x"}, {"lora_path", "/nowhere"}}).status, 404);
        const HttpReply loaded = served.post("/v1/load_lora_adapter", load);
        QVERIFY2(loaded.status == 200, loaded.body.c_str());
        QCOMPARE(served.post("/v1/load_lora_adapter", load).status, 409);

        const Json list = fetch(served.port, "GET", "/v1/models", served.key, "").json()["data"];
        QCOMPARE(list.size(), std::size_t{2});
        COMPARE_JSON(list[1]["id"], "tiny:math");
        COMPARE_JSON(list[1]["parent"], "tiny");
        COMPARE_JSON(list[0]["parent"], nullptr);
        COMPARE_JSON(fetch(served.port, "GET", "/v1/models/tiny:math", served.key, "").json(), list[1]);

        const auto textOf = [&](const Json& body) {
            const Json answer = served.post("/v1/chat/completions", body).json();
            return answer["model"].get<std::string>() + "|" +
                   answer["choices"][0]["message"]["content"].get<std::string>();
        };
        const std::string base = textOf(chat()), math = textOf(chat({{"model", "tiny:math"}}));
        QVERIFY(math.starts_with("tiny:math|") && math.substr(10) != base.substr(5));
        QCOMPARE(textOf(chat({{"model", "math"}})).substr(5), math.substr(10));
        const auto embeddingOf = [&](const char* model) {
            return served.post("/v1/embeddings", {{"model", model}, {"input", "Hello"}}).json()["data"][0]["embedding"];
        };
        QVERIFY(embeddingOf("tiny") != embeddingOf("tiny:math"));

        // Both at once, streamed: each its own.
        std::vector<RawConnection> crowd;
        for (int i = 0; i < 12; ++i) {
            crowd.emplace_back(served.port);
            const Json body = chat({{"stream", true}, {"model", i % 2 ? "tiny:math" : "tiny"}});
            crowd.back().send(httpText("POST", "/v1/chat/completions", served.key, dumpJson(body)));
        }
        for (std::size_t i = 0; i < crowd.size(); ++i)
            QCOMPARE(contentOf(parseReply(crowd[i].readUntil("[DONE]\n\n"))), i % 2 ? math.substr(10) : base.substr(5));

        // As of the last snapshot, which may be older than the model.
        const auto isTold = [&](const char* what) {
            return fetch(served.port, "GET", "/metrics", served.key, "").body.find(what) != std::string::npos;
        };
        QTRY_VERIFY_WITH_TIMEOUT(isTold("espalier:adapters_resident{model_name=\"tiny\"}"), 60000);
        QVERIFY(isTold("espalier:adapter_loads_total"));

        tinyAdapter(spec, {.seed = 50}).write(root / "math");
        Json again = load;
        again["load_inplace"] = true;
        QCOMPARE(served.post("/v1/load_lora_adapter", again).status, 200);
        QVERIFY(textOf(chat({{"model", "tiny:math"}})) != math);
        QCOMPARE(served.post("/v1/unload_lora_adapter", {{"lora_name", "math"}}).status, 200);
        QCOMPARE(served.post("/v1/chat/completions", chat({{"model", "tiny:math"}})).status, 404);
        QCOMPARE(served.post("/v1/unload_lora_adapter", {{"lora_name", "math"}}).status, 404);
        QCOMPARE(textOf(chat()), base);
    }

    void adaptersOfATenant_areThereForItsKeyAlone() {
        Served served;
        const Path root = served.folder.path().toStdString();
        const ArchSpec spec = served.engine->findModel("tiny")->spec;
        tinyAdapter(spec, {.dtype = DType::BF16}).write(root / "secret");
        const auto keyOf = [&](const char* tenant) {
            return served.post("/control/tenant-create", {{"tenant", tenant}}).json()["key"].get<std::string>();
        };
        const std::string ada = keyOf("ada"), bo = keyOf("bo");
        const HttpReply imported = served.post(
            "/control/adapter-import", {{"path", (root / "secret").string()}, {"model", "tiny"}, {"tenant", "ada"}});
        QVERIFY2(imported.status == 200, imported.body.c_str());
        COMPARE_JSON(imported.json()["tenant"], "ada");
        const auto listed = [&](const std::string& key) {
            return fetch(served.port, "GET", "/v1/models", key, "").json()["data"].size();
        };
        QCOMPARE(listed(ada), std::size_t{2});
        QCOMPARE(listed(served.key), std::size_t{2});
        QCOMPARE(listed(bo), std::size_t{1});
        QCOMPARE(fetch(served.port, "GET", "/v1/models/tiny:secret", ada, "").status, 200);
        QCOMPARE(fetch(served.port, "GET", "/v1/models/tiny:secret", bo, "").status, 404);
        const auto ask = [&](const std::string& key, const char* path, const Json& body) {
            return fetch(served.port, "POST", path, key, dumpJson(body));
        };
        for (const char* name : {"tiny:secret", "secret"}) {
            QCOMPARE(ask(ada, "/v1/chat/completions", chat({{"model", name}})).status, 200);
            const HttpReply refused = ask(bo, "/v1/chat/completions", chat({{"model", name}}));
            QCOMPARE(refused.status, 404);
            QCOMPARE(ask(bo, "/v1/embeddings", {{"model", name}, {"input", "Hello"}}).status, 404);
            QCOMPARE(ask(bo, "/tokenize", {{"model", name}, {"prompt", "Hello"}}).status, 404);
        }
        // Nor is it named to who guesses.
        const HttpReply guessed = ask(bo, "/v1/chat/completions", chat({{"model", "tiny:guess"}}));
        QCOMPARE(guessed.status, 404);
        QVERIFY2(guessed.body.find("secret") == std::string::npos, guessed.body.c_str());
    }

    void loadingOverHttpReadsOnlyFromTheFoldersAllowed() {
        Served served;
        const Path root = served.folder.path().toStdString();
        const ArchSpec spec = served.engine->findModel("tiny")->spec;
        std::filesystem::create_directories(root / "allowed");
        tinyAdapter(spec, {}).write(root / "allowed" / "math");
        tinyAdapter(spec, {}).write(root / "elsewhere");
        tinyAdapter(spec, {}).write(root / "allowed-not");  // its name begins alike
        std::filesystem::create_directory_symlink(root / "elsewhere", root / "allowed" / "link");
        const auto load = [&](const DaemonOptions& options, const Path& path, const char* name) {
            served.daemon.reset();
            served.daemon = Served::need(Daemon::start(options, *served.engine, *served.files, served.clock));
            const std::string url = served.daemon->url();
            served.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
            return served.post("/v1/load_lora_adapter", {{"lora_name", name}, {"lora_path", path.string()}});
        };
        DaemonOptions listed;
        listed.adapterFolders = {(root / "allowed").string()};
        for (const Path& path : {root / "elsewhere", root / "allowed-not", root / "allowed" / "link",
                                 root / "allowed" / ".." / "elsewhere"}) {
            const HttpReply refused = load(listed, path, "x");
            QVERIFY2(refused.status == 400 && refused.body.find("--adapter-folder") != std::string::npos,
                     refused.body.c_str());
        }
        QCOMPARE(load(listed, root / "allowed" / "math", "a").status, 200);
        DaemonOptions open;
        open.http.host = "0.0.0.0";
        const HttpReply refused = load(open, root / "allowed" / "math", "b");
        QVERIFY2(refused.status == 400 && refused.body.find("open to the network") != std::string::npos,
                 refused.body.c_str());
        open.adapterFolders = listed.adapterFolders;
        QCOMPARE(load(open, root / "allowed" / "math", "c").status, 200);
        QCOMPARE(served.engine->adapters().size(), std::size_t{2});
    }

    void everyLogprob_isALogprobAndBestFirst() {
        Served served;
        const Json answer = served.post("/v1/chat/completions", chat({{"logprobs", true}, {"top_logprobs", 4}})).json();
        const Json content = answer["choices"][0]["logprobs"]["content"];
        COMPARE_JSON(content.size(), answer["usage"]["completion_tokens"]);
        for (const Json& token : content) {
            QVERIFY(token["logprob"].get<double>() <= 0);
            QCOMPARE(token["top_logprobs"].size(), std::size_t{4});
            QVERIFY(token["top_logprobs"][0]["logprob"] >= token["top_logprobs"][3]["logprob"]);
        }
    }

    void aShutdownInMidAnswer_endsInTime() {
        Served served;
        DaemonOptions impatient;
        impatient.drainTimeout = std::chrono::milliseconds(50);
        served.daemon.reset();
        served.daemon = Served::need(Daemon::start(impatient, *served.engine, *served.files, served.clock));
        const std::string url = served.daemon->url();
        served.port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
        RawConnection connection(served.port), whole(served.port);
        Json body = chat({{"stream", true}, {"max_tokens", kContext - 200}, {"ignore_eos", true}});
        connection.send(httpText("POST", "/v1/chat/completions", served.key, dumpJson(body)));
        body["stream"] = false;
        whole.send(httpText("POST", "/v1/chat/completions", served.key, dumpJson(body)));
        QVERIFY(soon([&] { return served.running() == 2; }));
        served.daemon->drain();
        served.daemon.reset();  // before the engine, which may still have answers to end
        QVERIFY(connection.readToEnd().find("\"draining\"") != std::string::npos);
        QCOMPARE(parseReply(whole.readToEnd()).status, 503);
        QVERIFY(soon([&] { return served.running() == 0; }));
    }

    void anIdleDaemon_wakesNobody() {
        Served served;
        served.post("/v1/chat/completions", chat());
        RawConnection idle(served.port);
        QTest::qWait(500);  // the answer's last work
        const std::int64_t before = wakeupsOfOthers();
        QTest::qWait(1000);
        const std::int64_t wakeups = wakeupsOfOthers() - before;
        QVERIFY2(wakeups <= 20, qPrintable(QString("%1 wakeups").arg(wakeups)));  // a snapshot a second needs a few
    }
};
ESPALIER_TEST(tst_real_engine, TestRealEngine)
#include "tst_real_engine.moc"
