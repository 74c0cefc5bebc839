// SPDX-License-Identifier: GPL-3.0-or-later
// The real espalierctl on temporary workspaces: keys, exit codes, errors, and that a daemon changes no result.
#include <cmath>
#include <set>

#include "core/engine/workspace.h"
#include "tests/core/cli/cli_bench.h"
#include "tests/support/adapter_data.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// Waits until the program takes SIGINT for itself: before that it would die of it.
bool heedsSignals(const QProcess& process) {
    for (int i = 0; i < 1000; ++i) {
        QFile status(QString("/proc/%1/status").arg(process.processId()));
        if (!status.open(QIODevice::ReadOnly)) return false;
        for (const QByteArray& line : status.readAll().split('\n'))
            if (line.startsWith("SigBlk:") && (line.mid(7).trimmed().toULongLong(nullptr, 16) & 2) != 0) return true;
        QTest::qWait(10);
    }
    return false;
}

bool hasKeys(const Json& object, std::initializer_list<const char*> keys) {
    for (const char* key : keys)
        if (!object.contains(key)) {
            qWarning("missing key %s in %s", key, dumpJson(object).c_str());
            return false;
        }
    return true;
}

Json withoutTiming(Json answer) {
    if (answer.contains("speed")) answer.erase("speed");  // of inspect: measured when a daemon starts
    if (!answer.contains("timing")) return answer;
    answer.erase("timing");
    answer["usage"].erase("cached_tokens");
    return answer;
}

}  // namespace

class TestCli : public QObject {
    Q_OBJECT
private slots:
    void aGgufFileImportsAndShowsItsTypes() {
        const Bench bench;
        const QString file = QStringLiteral(ESPALIER_TEST_DATA "/gguf/llama-q4_k_m/model.gguf");
        const Json model = bench.json({"import", file, "--name", "mixed", "--quiet"});
        QVERIFY(hasKeys(model, {"id", "name", "digest", "family", "parameters", "bytes", "dtype"}));
        QCOMPARE(model["dtype"].get<std::string>(), std::string("q4_k+q6_k"));
        const Json inspected = bench.json({"inspect", "mixed", "--tensors"});
        std::set<std::string> types;
        for (const Json& tensor : inspected["tensors"]) types.insert(tensor["dtype"].get<std::string>());
        QCOMPARE(types, (std::set<std::string>{"f32", "q4_k", "q6_k"}));
        bench.write("prompt.json", "[5, 6, 7]");
        const Json answer =
            bench.json({"generate", "-m", "mixed", "--prompt-ids", bench.path("prompt.json"), "--max-tokens", "3"});
        QCOMPARE(answer["usage"]["prompt_tokens"].get<int>(), 3);
    }

    void adapters_areImportedListedUsedReloadedAndRemoved() {
        const Bench bench;
        bench.import();
        const ArchSpec spec = archSpecFromConfig(tinyConfig({}), "config.json").value();
        tinyAdapter(spec, {.rank = 5}).write(bench.path("lora/math").toStdString());
        const Json adapter = bench.json({"adapter", "import", bench.path("lora/math"), "-m", "tiny"});
        QVERIFY(hasKeys(adapter, {"name", "digest", "base", "kind", "rank", "targets", "bytes", "version"}));
        COMPARE_JSON(adapter["name"], "math");
        COMPARE_JSON(adapter["rank"], 5);
        COMPARE_JSON(bench.json({"adapter", "list"}), Json::array({adapter}));
        COMPARE_JSON(bench.json({"adapter", "show", "tiny:math"}), adapter);
        const Outcome twice = bench.run({"adapter", "import", bench.path("lora/math"), "-m", "tiny", "--json"});
        QCOMPARE(twice.exitCode, 1);
        COMPARE_JSON(twice.json()["error"]["code"], "already_exists");
        QVERIFY(twice.err.startsWith("error[already_exists]: "));
        QCOMPARE(bench.run({"adapter"}).exitCode, 2);

        bench.write("prompt.json", "[5, 6, 7]");
        const auto ids = [&](const char* model) {
            return bench.json(
                {"generate", "-m", model, "--prompt-ids", bench.path("prompt.json"), "--max-tokens", "12"})["ids"];
        };
        const Json base = ids("tiny"), math = ids("tiny:math");
        QVERIFY(base.size() == 12 && math.size() == 12 && base != math);
        const auto perplexity = [&](const char* model) {
            return bench.json({"perplexity", "-m", model, "--ids", bench.path("prompt.json")})["perplexity"]
                .get<double>();
        };
        QVERIFY(perplexity("tiny") != perplexity("tiny:math"));
        const Outcome unknown = bench.run({"generate", "-m", "tiny:law", "--prompt-ids", bench.path("prompt.json")});
        QCOMPARE(unknown.exitCode, 1);
        QVERIFY2(unknown.err.contains("math"), unknown.err.constData());
        {
            Serving daemon(bench);  // the same through a daemon
            COMPARE_JSON(ids("tiny:math"), math);
            const Json pool = bench.json({"status"})["pool"];
            QVERIFY(hasKeys(pool, {"bytes", "kv", "adapters", "free"}));
            tinyAdapter(spec, {.rank = 2, .seed = 3}).write(bench.path("lora/math").toStdString());
            const Json reloaded = bench.json({"adapter", "reload", "tiny:math"});
            COMPARE_JSON(reloaded["version"], 2);
            QVERIFY(reloaded["digest"] != adapter["digest"] && ids("tiny:math") != math);
        }
        const Json check = bench.json({"isolation-check"});  // in this process
        COMPARE_JSON(check["passed"], true);
        COMPARE_JSON(check["adapters"], Json::array({"math"}));
        COMPARE_JSON(check["compute_mode"], "f32");
        QCOMPARE(check["scenes"].size(), std::size_t{5});
        for (const Json& scene : check["scenes"]) QVERIFY(scene["compared"].get<int>() > 0);
        COMPARE_JSON(bench.json({"adapter", "remove", "tiny:math"})["removed"], "math");
        COMPARE_JSON(bench.json({"adapter", "list", "-m", "tiny"}), Json::array());
        QCOMPARE(bench.run({"isolation-check", "--adapter", "math"}).exitCode, 1);
        bench.json({"tenant", "create", "ada"});
        tinyAdapter(spec, {.rank = 2}).write(bench.path("lora/own").toStdString());
        const Json own = bench.json({"adapter", "import", bench.path("lora/own"), "-m", "tiny", "--tenant", "ada"});
        COMPARE_JSON(own["tenant"], "ada");
        const Outcome lost =
            bench.run({"adapter", "import", bench.path("lora/own"), "-m", "tiny", "--name", "b", "--tenant", "nobody"});
        QCOMPARE(lost.exitCode, 1);
        QVERIFY2(lost.err.contains("nobody"), lost.err.constData());
        for (const char* name : {"many/a", "many/b"})
            tinyAdapter(spec, {.rank = 2}).write(bench.path(name).toStdString());
        std::filesystem::create_directory(bench.path("many/empty").toStdString());
        const Outcome many = bench.run({"adapter", "import", bench.path("many"), "--all", "-m", "tiny", "--json"});
        QCOMPARE(many.exitCode, 1);  // one of them is none
        QCOMPARE(many.json()["imported"].size(), std::size_t{2});
        QVERIFY(hasKeys(many.json()["imported"][0], {"name", "digest", "base", "kind", "rank", "bytes"}));
        COMPARE_JSON(many.json()["failed"][0]["path"], bench.path("many/empty").toStdString());
        COMPARE_JSON(many.json()["failed"][0]["error"]["code"], "not_found");
        QCOMPARE(bench.run({"adapter", "import", bench.path("many/empty"), "--all", "-m", "tiny"}).exitCode, 1);
        QCOMPARE(bench.run({"adapter", "import", bench.path("many"), "--all", "-m", "tiny", "--name", "x"}).exitCode,
                 2);
        QCOMPARE(bench.run({"adapter", "import", "a", "b", "-m", "tiny", "--name", "x"}).exitCode, 2);
        for (const char* name : {"one", "two/c"}) tinyAdapter(spec, {.rank = 3}).write(bench.path(name).toStdString());
        const Json some =
            bench.json({"adapter", "import", bench.path("one"), bench.path("two"), "--all", "-m", "tiny"});
        QCOMPARE(some["imported"].size(), std::size_t{2});
        COMPARE_JSON(some["imported"][1]["name"], "c");
        COMPARE_JSON(ids("tiny"), base);
    }

    void quantisingNamesWhereTheModelComesFrom() {
        const Bench bench;
        writeTinyModel(bench.path("models/wide").toStdString(), {.hidden = 64, .neurons = 96});
        const Json plain = bench.json({"import", bench.path("models/wide"), "--quiet"});
        const Json small = bench.json({"import", bench.path("models/wide"), "--quantize", "q8_0", "--quiet"});
        QCOMPARE(small["derived_from"].get<std::string>(), plain["digest"].get<std::string>());
        QCOMPARE(small["name"].get<std::string>(), std::string("wide-q8_0"));
        QVERIFY(small["digest"] != plain["digest"]);
        const Outcome refused = bench.run({"import", bench.path("models/wide"), "--quantize", "nf4", "--json"});
        QCOMPARE(refused.exitCode, 1);
        QVERIFY2(refused.err.contains("nf4 comes with training"), refused.err.constData());
    }

    void benchDecode_takesBlockWeights() {
        const Bench bench;
        const Outcome done = bench.run(
            {"bench", "decode", "--shape", "tiny", "--weights", "q4_k", "--streams", "1", "--quick", "--jsonl"});
        QVERIFY2(done.exitCode == 0, done.err.constData());
        const Json row = Json::parse(done.out.left(done.out.indexOf('\n')).toStdString());
        QCOMPARE(row["weights"].get<std::string>(), std::string("q4_k"));
        QVERIFY(row["tokens_per_s"].get<double>() > 0);
        QCOMPARE(bench.run({"bench", "decode", "--weights", "q2_k"}).exitCode, 2);
    }

    void helpOfEveryCommand_hasAnExample() {
        const Bench bench;
        for (const char* command :
             {"import",   "models",     "inspect", "remove",  "tokenize", "detokenize", "template",
              "generate", "perplexity", "embed",   "adapter", "serve",    "status",     "jobs",
              "sample",   "bench",      "doctor",  "tenant",  "key",      "usage",      "isolation-check",
              "scan",     "verify",     "restore", "rename",  "empty-bin"}) {
            const Outcome help = bench.run({command, "--help"});
            QCOMPARE(help.exitCode, 0);
            QVERIFY2(help.out.contains("Example:\n  espalierctl " + QByteArray(command)), command);
        }
    }

    void wrongUsage_exits2() {
        const Bench bench;
        for (const QStringList& arguments :
             {QStringList{}, QStringList{"dance"}, QStringList{"import"}, QStringList{"generate", "-m", "x"},
              QStringList{"models", "--no-such-option"}, QStringList{"--compute", "fp8", "models"},
              QStringList{"--isa", "sse9", "models"},
              QStringList{"generate", "-m", "x", "--prompt", "a", "--prompt-ids", "b"}, QStringList{"jobs", "wait"}}) {
            const Outcome outcome = bench.run(arguments);
            QCOMPARE(outcome.exitCode, 2);
            QVERIFY(!outcome.err.isEmpty());
        }
    }

    void benchDecode_breaksAStepDown() {
        const Bench bench;
        const Json rows =
            bench.json({"bench", "decode", "--shape", "tiny", "--quick", "--streams", "2", "--breakdown"});
        QCOMPARE(rows.size(), std::size_t{1});
        double sum = 0.0;
        for (const auto& [part, share] : rows[0]["shares"].items()) {
            QVERIFY2(share.get<double>() >= 0.0, part.c_str());
            sum += share.get<double>();
        }
        QVERIFY(std::abs(sum - 1.0) < 1e-6);
        for (const char* part : {"products", "attention", "norm", "rope", "activation", "plan_and_sampling"})
            QVERIFY2(rows[0]["shares"].value(part, 0.0) > 0.0, part);
    }

    void computeModes_areNamedWithWhatTheyGive() {
        const Bench bench;
        for (const char* mode : {"f32", "bf16", "int8", "auto"}) {
            const Json rows = bench.json({"--compute", mode, "bench", "decode", "--shape", "tiny", "--quick",
                                          "--streams", "1,2", "--adapters", "2", "--rank", "4"});
            QVERIFY(rows.size() == 2);
            QVERIFY(rows[1].value("adapters", 0) == 2 && rows[1].value("share_of_base", 0.0) > 0);
            const std::string named = rows[0].value("mode", "");
            QVERIFY(std::string(mode) == "auto" ? !named.empty() : named == mode);
        }
    }

    void aLevelOfInstructions_canBeForced() {
        const Bench bench;
        const Json rows =
            bench.json({"--isa", "plain", "bench", "decode", "--shape", "tiny", "--quick", "--streams", "1"});
        COMPARE_JSON(rows[0]["isa"], "plain");
    }

    void importModelsInspectRemove() {
        const Bench bench;
        const Json imported = bench.json({"import", bench.path("models/tiny")});
        QVERIFY(hasKeys(imported, {"id", "name", "digest", "family", "parameters", "bytes", "dtype"}));
        COMPARE_JSON(imported["name"], "tiny");
        QVERIFY(imported["digest"].get<std::string>().rfind("sha256:", 0) == 0);
        const Json models = bench.json({"models"});
        QCOMPARE(models.size(), std::size_t{1});
        QVERIFY(hasKeys(models[0], {"id", "name", "digest", "source", "imported_at"}));
        const Json inspected = bench.json({"inspect", "tiny", "--tensors"});
        QVERIFY(hasKeys(inspected, {"config", "parameters", "bytes", "memory", "tensors"}));
        QVERIFY(hasKeys(inspected["memory"], {"weights_bytes", "kv_bytes_per_token"}));
        QVERIFY(hasKeys(inspected["tensors"][0], {"name", "shape", "dtype", "bytes"}));
        COMPARE_JSON(bench.json({"verify", "tiny"})["digest"], imported["digest"]);
        const Json scanned = bench.json({"scan", "tiny"});
        COMPARE_JSON(scanned["nan"], 0);
        QCOMPARE(scanned["tensors"].size(), inspected["tensors"].size());
        QCOMPARE(bench.json({"jobs"})[0]["command"].get<std::string>(), std::string("espalierctl scan tiny"));
        COMPARE_JSON(bench.json({"remove", "tiny"})["removed"], "tiny");
        QCOMPARE(bench.json({"models"}).size(), std::size_t{0});
        QCOMPARE(bench.json({"models", "--bin"}).size(), std::size_t{1});
        COMPARE_JSON(bench.json({"restore", "tiny"})["id"], imported["id"]);
        COMPARE_JSON(bench.json({"rename", "tiny", "small"})["name"], "small");
        bench.json({"remove", QString::fromStdString(imported["id"].get<std::string>())});
        COMPARE_JSON(bench.json({"empty-bin"})["deleted"], 1);
        QCOMPARE(bench.run({"restore", "small"}).exitCode, 1);
        const Bench other;
        const Json linked = other.json({"import", other.path("models/tiny"), "--name", "linked", "--link"});
        COMPARE_JSON(linked["digest"], imported["digest"]);
    }

    void tenantsKeysAndUsage() {
        const Bench bench;
        bench.import();
        const Json ada =
            bench.json({"tenant", "create", "ada", "--weight", "2", "--max-concurrency", "3", "--rpm", "120", "--tpm",
                        "30000", "--token-budget", "2000000", "--kv-pages", "64", "--expires", "90d"});
        QVERIFY(hasKeys(ada, {"tenant", "key", "state", "weight", "keys", "today", "expires_at"}));
        COMPARE_JSON(ada["tokens_per_day"], 2000000);
        QVERIFY(!bench.json({"tenant", "create", "bo", "--no-key"}).contains("key"));
        COMPARE_JSON(bench.json({"tenant", "limit", "ada", "--rpm", "0"})["requests_per_minute"], 0);
        const Json list = bench.json({"tenant", "list"});
        QCOMPARE(list.size(), std::size_t{2});
        COMPARE_JSON(list[0]["requests_per_minute"], 0);
        COMPARE_JSON(list[0]["max_concurrency"], 3);
        const Json second = bench.json({"key", "create", "ada"});
        QVERIFY(hasKeys(second, {"tenant", "key", "id", "prefix"}));
        const Json rotated = bench.json({"key", "rotate", QString::fromStdString(second["prefix"].get<std::string>())});
        QVERIFY(rotated["key"] != second["key"]);
        QCOMPARE(bench.json({"key", "list", "ada"}).size(), std::size_t{3});
        COMPARE_JSON(bench.json({"tenant", "revoke", "bo"})["state"], "revoked");
        COMPARE_JSON(bench.json({"tenant", "restore", "bo"})["state"], "active");
        QCOMPARE(bench.run({"tenant", "limit", "nobody", "--rpm", "1"}).exitCode, 1);
        QVERIFY(bench.run({"tenant", "create", "ada"}).err.startsWith("error[already_exists]: "));
        for (const QStringList& wrong :
             {QStringList{"tenant", "create"}, QStringList{"tenant", "limit", "ada", "--weight", "0"},
              QStringList{"key", "rotate"}, QStringList{"usage", "--by", "week"}})
            QCOMPARE(bench.run(wrong).exitCode, 2);
        const Outcome shown = bench.run({"tenant", "create", "cy"});
        QVERIFY2(shown.out.contains("esp_"), shown.out.constData());
        QVERIFY(!bench.run({"key", "list"}).out.contains(shown.out.trimmed().split('\n').last()));
    }

    void theDaemonServesTenantsAndCountsThem() {
        const Bench bench;
        bench.import();
        const Json ada = bench.json({"tenant", "create", "ada", "--rpm", "1"});
        const Serving serving(bench);
        bench.json({"generate", "-m", "tiny", "--prompt", "a", "--max-tokens", "2"});
        const Json usage = bench.json({"usage"});
        QCOMPARE(usage.size(), std::size_t{1});
        COMPARE_JSON(usage[0]["tenant"], "owner");
        COMPARE_JSON(usage[0]["generated_tokens"], 2);
        const Outcome csv = bench.run({"usage", "--csv"});
        QVERIFY(
            csv.out.startsWith("tenant,from,requests,refused,prompt_tokens,cached_tokens,generated_tokens\r\nowner,"));
        COMPARE_JSON(bench.json({"tenant", "show", "ada"})["tenant"], "ada");
        QVERIFY(bench.json({"usage", "--tenant", "ada"}).empty());
    }

    void failures_areASentenceAndADocument() {
        const Bench bench;
        const Outcome missing = bench.run({"import", bench.path("nowhere"), "--json"});
        QCOMPARE(missing.exitCode, 1);
        QVERIFY2(missing.err.startsWith("error["), missing.err.constData());
        QVERIFY(hasKeys(missing.json()["error"], {"code", "message", "where"}));
        const Outcome unknown = bench.run({"inspect", "nobody"});
        QCOMPARE(unknown.exitCode, 1);
        QVERIFY(unknown.err.startsWith("error[not_found]: "));
        QVERIFY(unknown.out.isEmpty());
    }

    void globalOptions_standBeforeOrAfterTheCommand() {
        const Bench bench;
        bench.import();
        COMPARE_JSON(bench.run({"--json", "models"}).json(), bench.run({"models", "--json"}).json());
    }

    void tokenizeAndBack() {
        const Bench bench;
        bench.import();
        const Json tokens = bench.json({"tokenize", "-m", "tiny", "--text", "Hello, w\u00f6rld"});
        QCOMPARE(tokens["ids"].size(), tokens["tokens"].size());
        bench.write("ids.json", QByteArray::fromStdString(dumpJson(tokens["ids"])));
        COMPARE_JSON(bench.json({"detokenize", "-m", "tiny", "--ids", bench.path("ids.json")})["text"],
                     "Hello, w\u00f6rld");
        const Json special = bench.json({"tokenize", "-m", "tiny", "--text", "Hello", "--special"});
        COMPARE_JSON(special["ids"][0], kTinyBegin);
        const Outcome lines = bench.run({"tokenize", "-m", "tiny", "--jsonl-in", "-"}, "\"a\"\n\"b c\"\n");
        QCOMPARE(lines.lines().size(), std::size_t{2});
        QVERIFY(lines.lines()[1]["ids"].is_array());
        const Outcome broken = bench.run({"tokenize", "-m", "tiny", "--jsonl-in", "-"}, "\"a\"\n7\n");
        QCOMPARE(broken.exitCode, 1);
        QCOMPARE(broken.lines().size(), std::size_t{1});
        QVERIFY(broken.err.contains("line 2"));
    }

    void templatesRender() {
        const Bench bench;
        bench.import();
        bench.write("chat.json", R"([{"role":"user","content":"Hi"}])");
        const Json open = bench.json({"template", "-m", "tiny", "--messages", bench.path("chat.json")});
        QVERIFY(hasKeys(open, {"text", "ids"}));
        const Json closed =
            bench.json({"template", "-m", "tiny", "--messages", bench.path("chat.json"), "--no-generation-prompt"});
        QVERIFY(open["text"].get<std::string>().size() > closed["text"].get<std::string>().size());
    }

    void generate_hasItsKeysAndRepeats() {
        const Bench bench;
        bench.import();
        const QStringList call{"generate", "-m",     "tiny", "--prompt",   "Once", "--max-tokens", "8", "--temperature",
                               "1",        "--seed", "3",    "--logprobs", "2",    "--ignore-eos"};
        const Json answer = bench.json(call);
        QVERIFY(hasKeys(answer, {"text", "ids", "prompt_ids", "finish_reason", "usage", "timing", "logprobs"}));
        QVERIFY(hasKeys(answer["usage"], {"prompt_tokens", "completion_tokens"}));
        QVERIFY(hasKeys(answer["timing"], {"ttft_ms", "tokens_per_s"}));
        QCOMPARE(answer["ids"].size(), std::size_t{8});
        QCOMPARE(answer["logprobs"].size(), std::size_t{8});
        QCOMPARE(answer["logprobs"][0]["top"].size(), std::size_t{2});
        COMPARE_JSON(answer["logprobs"][0]["id"], answer["ids"][0]);
        COMPARE_JSON(answer["finish_reason"], "length");
        COMPARE_JSON(withoutTiming(bench.json(call)), withoutTiming(answer));
        bench.write("ids.json", QByteArray::fromStdString(dumpJson(answer["prompt_ids"])));
        const Json byIds = bench.json({"generate", "-m", "tiny", "--prompt-ids", bench.path("ids.json"), "--max-tokens",
                                       "8", "--temperature", "1", "--seed", "3", "--logprobs", "2", "--ignore-eos"});
        COMPARE_JSON(withoutTiming(byIds), withoutTiming(answer));
        const Outcome people = bench.run(call);
        QCOMPARE(people.out, QByteArray::fromStdString(answer["text"].get<std::string>() + "\n"));
    }

    void perplexity_isWhatItsLogprobsSay() {
        const Bench bench;
        bench.import();
        bench.write("text.txt", "The quick brown fox jumps over the lazy dog. The end.");
        const Json answer =
            bench.json({"perplexity", "-m", "tiny", "--file", bench.path("text.txt"), "--context", "16"});
        const Json ids = bench.json({"tokenize", "-m", "tiny", "--file", bench.path("text.txt"), "--special"})["ids"];
        const std::size_t windows = (ids.size() + 15) / 16;
        QCOMPARE(answer["tokens_scored"].get<std::size_t>(), ids.size() - windows);
        QCOMPARE(answer["logprobs"].size(), answer["tokens_scored"].get<std::size_t>());
        double sum = 0;
        for (const Json& logprob : answer["logprobs"]) sum += logprob.get<double>();
        const double expected = std::exp(-sum / static_cast<double>(answer["logprobs"].size()));
        QVERIFY(std::abs(answer["perplexity"].get<double>() / expected - 1) < 1e-9);
        COMPARE_JSON(answer["context"], 16);
    }

    void embed_givesOneVectorPerText() {
        const Bench bench;
        bench.import();
        const Json one = bench.json({"embed", "-m", "tiny", "--text", "hello"});
        QVERIFY(hasKeys(one, {"embedding", "dim", "normalized"}));
        QCOMPARE(one["embedding"].size(), one["dim"].get<std::size_t>());
        const Outcome many = bench.run({"embed", "-m", "tiny", "--jsonl-in", "-"}, "\"hello\"\n\"other\"\n");
        QCOMPARE(many.lines().size(), std::size_t{2});
        COMPARE_JSON(many.lines()[0]["embedding"], one["embedding"]);
    }

    void aModelWithoutTokenizer_takesAndGivesIds() {
        const Bench bench;
        TinyModelOptions options;
        options.tokenizer = options.chatTemplate = false;
        writeTinyModel(bench.path("models/bare").toStdString(), options);
        QCOMPARE(bench.run({"import", bench.path("models/bare"), "--quiet"}).exitCode, 0);
        bench.write("ids.json", "[5, 6, 7]");
        const Json answer = bench.json(
            {"generate", "-m", "bare", "--prompt-ids", bench.path("ids.json"), "--max-tokens", "4", "--ignore-eos"});
        QCOMPARE(answer["ids"].size(), std::size_t{4});
        const Outcome text = bench.run({"generate", "-m", "bare", "--prompt", "hello"});
        QCOMPARE(text.exitCode, 1);
        QVERIFY(text.err.contains("no tokenizer"));
    }

    void sample_makesAWorkspaceThatAnswers() {
        const Bench bench;
        const Json made = bench.json({"sample", bench.path("sample")});
        QVERIFY(hasKeys(made, {"workspace", "models", "tenants", "adapters"}));
        QCOMPARE(made["tenants"].size(), std::size_t{3});
        QCOMPARE(made["adapters"].size(), std::size_t{3});
        const Json again = bench.json({"sample", bench.path("sample")});
        for (const char* list : {"models", "tenants", "adapters"}) COMPARE_JSON(again[list], made[list]);
        bench.write("chat.json", R"([{"role":"user","content":"Tell me a story."}])");
        const Json answer = bench.json({"--workspace", bench.path("sample"), "generate", "-m", "sample", "--messages",
                                        bench.path("chat.json"), "--max-tokens", "16"});
        QVERIFY(!answer["text"].get<std::string>().empty());
    }

    void statusJobsAndDoctor_answerWithoutADaemon() {
        const Bench bench;
        bench.import();
        const Json status = bench.json({"status"});
        QVERIFY(hasKeys(status, {"daemon", "models", "pool", "queue", "rates", "jobs"}));
        COMPARE_JSON(status["daemon"]["running"], false);
        QVERIFY(hasKeys(status["pool"], {"bytes", "kv", "adapters", "free"}));
        const Json jobs = bench.json({"jobs"});
        QVERIFY(hasKeys(jobs[0], {"id", "kind", "state", "progress", "eta_s", "error"}));
        COMPARE_JSON(jobs[0]["state"], "finished");
        const Json waited = bench.json({"jobs", "wait", QString::number(jobs[0]["id"].get<int>())});
        COMPARE_JSON(waited["id"], jobs[0]["id"]);
        const Json found = bench.json({"doctor"});
        QVERIFY(hasKeys(found, {"findings", "device", "predictions"}));
        QVERIFY(!found["predictions"].empty());
        QVERIFY(found["predictions"][0]["speed"].value("tokens_per_s", 0.0) > 0.0);  // measured by this very call
    }

    void waitingForAJobThatNobodyRuns_ends() {
        const Bench bench;
        bench.import();
        {
            const auto files = makeFileSystem();
            SystemClock clock;
            const auto workspace =
                Workspace::open(bench.workspace().toStdString(), Workspace::Access::Write, *files, clock);
            QVERIFY(workspace);
            JobRow row;  // as a daemon leaves it that was killed before its turn came
            row.kind = "verify";
            row.title = "Verify tiny";
            row.state = "queued";
            row.arguments = "{}";
            const auto id = (*workspace)->jobLog().add(row);
            QVERIFY(id);
            QCOMPARE(*id, std::int64_t{2});
        }
        const Outcome outcome = bench.run({"jobs", "wait", "2"});
        QCOMPARE(outcome.exitCode, 1);
        QVERIFY2(outcome.err.contains("Verify tiny is queued"), outcome.err.constData());
    }

    void bench_printsALinePerRow() {
        const Bench bench;
        for (const char* what : {"decode", "prefill", "serve"}) {
            const Outcome outcome = bench.run({"bench", what, "--shape", "tiny", "--quick", "--jsonl"});
            QCOMPARE(outcome.exitCode, 0);
            QVERIFY(!outcome.lines().empty());
            for (const Json& row : outcome.lines())
                QVERIFY(hasKeys(row, {"bench", "shape", "mode", "kv", "tokens_per_s"}));
        }
    }

    // Exit code 1 when the operations of base traffic are not the same beside adapters.
    void benchTenancy_servesTheBaseBesideAdaptersAsWithout() {
        const Bench bench;
        const Outcome outcome = bench.run(
            {"bench", "tenancy", "--scenario", "P6", "--shape", "tiny", "--adapters", "20", "--quick", "--jsonl"});
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        const std::vector<Json> rows = outcome.lines();
        QCOMPARE(rows.size(), std::size_t{2});
        const Json &without = rows[0], &with = rows[1];
        QVERIFY(hasKeys(with, {"bench", "scenario", "what", "tokens_per_s", "ratio", "operations", "trace", "steady"}));
        QVERIFY(with["in_pool"].get<int>() > 0 && without["in_pool"].get<int>() == 0);
        QVERIFY(with["operations"].get<int>() > 100);
        QCOMPARE(with["trace"].get<std::string>(), without["trace"].get<std::string>());
    }

    void sigint_endsABenchmarkCleanly() {
        const Bench bench;
        for (const QStringList& what :
             {QStringList{"decode", "--shape", "tiny"}, QStringList{"ops", "--shape", "tiny"}}) {
            auto process = bench.start(QStringList{"bench"} + what + QStringList{"--jsonl"});
            QVERIFY(process->waitForReadyRead(kPatienceMs));  // the first row is there, the next is being measured
            ::kill(static_cast<pid_t>(process->processId()), SIGINT);
            const Outcome outcome = Bench::end(*process);
            QCOMPARE(outcome.exitCode, 1);
            QVERIFY2(outcome.err.contains("error[cancelled]"), outcome.err.constData());
        }
    }

    void aDaemonChangesNoResult() {
        const Bench bench;
        bench.import();
        bench.write("text.txt", "The quick brown fox jumps over the lazy dog.");
        bench.write("chat.json", R"([{"role":"user","content":"Hi"}])");
        bench.write("ids.json", "[5, 0, 77, 1, 260]");
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        constexpr int kMany = 1 << 18;  // half a minute otherwise
#else
        constexpr int kMany = 6 << 20;  // more than a body of /v1
#endif
        bench.write("large.jsonl", '"' + QByteArray("large ").repeated(kMany) + '"');
        const std::vector<QStringList> calls{
            {"models"},
            {"inspect", "tiny", "--tensors"},
            {"tokenize", "-m", "tiny", "--text", "Hello"},
            {"detokenize", "-m", "tiny", "--ids", bench.path("ids.json")},
            {"embed", "-m", "tiny", "--jsonl-in", bench.path("large.jsonl")},
            {"template", "-m", "tiny", "--messages", bench.path("chat.json")},
            {"generate", "-m", "tiny", "--messages", bench.path("chat.json"), "--max-tokens", "12", "--seed", "9",
             "--temperature", "0.9", "--logprobs", "1"},
            {"perplexity", "-m", "tiny", "--file", bench.path("text.txt")},
            {"embed", "-m", "tiny", "--text", "hello"},
        };
        std::vector<Json> alone;
        for (const QStringList& call : calls) alone.push_back(withoutTiming(bench.json(call)));
        Serving serving(bench);
        QVERIFY(hasKeys(serving.facts(), {"url", "pid", "admin_key_file"}));
        for (std::size_t i = 0; i < calls.size(); ++i) COMPARE_JSON(withoutTiming(bench.json(calls[i])), alone[i]);
        const Json status = bench.json({"status"});
        COMPARE_JSON(status["daemon"]["running"], true);
        COMPARE_JSON(status["daemon"]["url"], serving.facts()["url"]);
        const Outcome second = bench.run({"serve", "--port", "0"});
        QCOMPARE(second.exitCode, 1);
        QVERIFY2(second.err.startsWith("error[locked]: "), second.err.constData());
        TinyModelOptions more;
        more.seed = 2;
        writeTinyModel(bench.path("models/more").toStdString(), more);
        COMPARE_JSON(bench.json({"import", bench.path("models/more")})["name"], "more");
        QCOMPARE(bench.json({"models"}).size(), std::size_t{2});
    }

    void sigterm_drainsAndExitsZero() {
        const Bench bench;
        bench.import();
        Serving serving(bench, {"--model", "tiny"});
        QVERIFY(QFile::exists(bench.workspace() + "/daemon.json"));
        serving.signal(SIGTERM);
        QCOMPARE(Bench::end(serving.process()).exitCode, 0);
        QVERIFY(!QFile::exists(bench.workspace() + "/daemon.json"));
        COMPARE_JSON(bench.json({"status"})["daemon"]["running"], false);
    }

    void serveStop_endsTheDaemon() {
        const Bench bench;
        bench.import();
        Serving serving(bench);
        COMPARE_JSON(bench.json({"serve", "--stop", "--host-cache-mb", "64"})["stopped"], true);
        const Outcome next = bench.run({"remove", "tiny"});  // the workspace is free at once
        QVERIFY2(next.exitCode == 0, next.err.constData());
        QCOMPARE(Bench::end(serving.process()).exitCode, 0);
        COMPARE_JSON(bench.json({"serve", "--stop"})["stopped"], false);
    }

    void kill9_losesNothing() {
        const Bench bench;
        bench.import();
        const QStringList call{"generate",     "-m",  "tiny",   "--prompt", "Once",
                               "--max-tokens", "400", "--seed", "1",        "--json"};
        {
            Serving serving(bench);
            auto generating = bench.start(call);
            QTest::qWait(300);
            serving.signal(SIGKILL);
            QVERIFY(serving.process().waitForFinished(kPatienceMs));
            Bench::end(*generating);  // whole before the kill, or an error; never a hang
        }
        QVERIFY(QFile::exists(bench.workspace() + "/daemon.json"));  // left by the crash, and seen through
        QCOMPARE(bench.json({"models"}).size(), std::size_t{1});
        Serving again(bench);
        QVERIFY(again.facts().contains("url"));
        QCOMPARE(bench.run(call).exitCode, 0);
    }

    void sigint_endsAGeneration_data() {
        QTest::addColumn<bool>("daemon");
        QTest::newRow("in process") << false;
        QTest::newRow("through a daemon") << true;
    }
    void sigint_endsAGeneration() {
        QFETCH(bool, daemon);
        const Bench bench;
        TinyModelOptions options;
        options.context = 200000;
        writeTinyModel(bench.path("models/long").toStdString(), options);
        QCOMPARE(bench.run({"import", bench.path("models/long"), "--quiet"}).exitCode, 0);
        std::unique_ptr<Serving> serving;
        if (daemon) serving = std::make_unique<Serving>(bench);
        const QStringList call{"generate", "-m", "long", "--prompt", "Once", "--max-tokens", "190000", "--ignore-eos"};
        auto streaming = bench.start(call);
        QVERIFY(streaming->waitForReadyRead(kPatienceMs));
        ::kill(static_cast<pid_t>(streaming->processId()), SIGINT);
        const Outcome streamed = Bench::end(*streaming);
        QCOMPARE(streamed.exitCode, 0);
        QVERIFY2(streamed.err.contains("ended by cancelled"), streamed.err.constData());
        auto whole = bench.start(call + QStringList{"--json"});
        QVERIFY(heedsSignals(*whole));
        QTest::qWait(300);  // under way, or not yet begun: the document is of the same kind
        ::kill(static_cast<pid_t>(whole->processId()), SIGINT);
        const Outcome outcome = Bench::end(*whole);
        QVERIFY2(outcome.exitCode == 0, outcome.err.constData());
        COMPARE_JSON(outcome.json()["finish_reason"], "cancelled");
        QVERIFY(hasKeys(outcome.json(), {"text", "ids", "prompt_ids", "usage", "timing"}));
    }
};
ESPALIER_TEST(tst_cli, TestCli)
#include "tst_cli.moc"
