// SPDX-License-Identifier: GPL-3.0-or-later
// What the workbench shows of a model, over a real engine with a tiny one: probe, card, findings, token details.
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "core/api/control.h"
#include "core/api/protocol.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/engine/import_report.h"
#include "tests/support/json_compare.h"
#include "tests/support/test_main.h"
#include "tests/support/adapter_data.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

struct Opened {
    QTemporaryDir folder;
    SystemClock clock;
    std::unique_ptr<FileSystem> files = makeFileSystem();
    std::unique_ptr<Backend> backend = makeCpuBackend({.threads = 1, .isa = {}, .memoryLimit = 0});
    std::unique_ptr<Engine> engine;
    std::unique_ptr<ModelAccess> models;
    std::unique_ptr<LocalControl> control;

    Path source() const { return Path(folder.path().toStdString()) / "tiny"; }
    explicit Opened(const TinyModelOptions& options = {}) {
        writeTinyModel(source(), options);
        EngineOptions engineOptions;
        engineOptions.workspace = Path(folder.path().toStdString()) / "workspace";
        engineOptions.stderrLog = LogLevel::Silent;
        engine = need(Engine::open(engineOptions, *backend, *files, clock));
        models = std::make_unique<ModelAccess>(*engine, *files);
        control = std::make_unique<LocalControl>(*models, clock, ControlHost{});
    }
    template <class T>
    static T need(Result<T> result) {
        if (!result) qFatal("%s", result.error().message.c_str());
        return std::move(*result);
    }
    Json call(const char* operation, const Json& arguments) { return need(control->call(operation, arguments, {})); }
    void import() { runJob("import", {{"path", source().string()}, {"name", "tiny"}}); }
    void runJob(const char* operation, const Json& arguments) {
        const Json started = call(operation, arguments);
        const JobRecord job = need(engine->waitJob(started["job"].get<std::int64_t>()));
        if (job.state != JobState::Finished) qFatal("%s: %s", operation, job.error ? job.error->message.c_str() : "");
    }
};

// The tensors of another source and one that no model reads.
class WithSurplus final : public TensorSource {
public:
    explicit WithSurplus(const TensorSource& source) : m_source(source), m_tensors(source.tensors()) {
        m_tensors.push_back(m_tensors.back());
        m_tensors.back().name = "surplus.weight";
    }
    const std::vector<TensorEntry>& tensors() const override { return m_tensors; }
    const TensorEntry* find(std::string_view name) const override { return m_source.find(name); }
    Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const override {
        return m_source.read(entry, offset, into);
    }

private:
    const TensorSource& m_source;
    std::vector<TensorEntry> m_tensors;
};

}  // namespace

class TestCatalogOperations : public QObject {
    Q_OBJECT
private slots:
    void probe_saysWhatEachTensorIsToTheModel() {
        Opened opened({.attentionBias = true});
        const Json probe = opened.call("probe", {{"path", opened.source().string()}});
        COMPARE_JSON(probe["architecture"], "LlamaForCausalLM");
        COMPARE_JSON(probe["chat_format"], "ChatML");
        const auto roleOf = [&](const std::string& name) -> std::string {
            for (const Json& tensor : probe["tensors"])
                if (tensor["name"] == name) return tensor["role"].get<std::string>();
            return "absent";
        };
        QCOMPARE(roleOf("model.embed_tokens.weight"), std::string("token embedding"));
        QCOMPARE(roleOf("model.layers.0.self_attn.k_proj.weight"), std::string("query, key, value"));
        QCOMPARE(roleOf("model.layers.1.self_attn.v_proj.bias"), std::string("query, key, value: bias"));
        QCOMPARE(roleOf("model.layers.1.mlp.down_proj.weight"), std::string("MLP down"));
        QCOMPARE(roleOf("lm_head.weight"), std::string("output"));
        const auto read = probeFromJson(probe);
        QVERIFY(read.has_value());
        QCOMPARE(read->tensors.size(), probe["tensors"].size());
        COMPARE_JSON(toJson(*read), probe);
        QVERIFY(opened.engine->models().empty());  // nothing was imported
    }
    void aTensorTheModelDoesNotRead_isNotUsed() {
        Opened opened;
        opened.import();
        const ModelRecord record = opened.need(opened.engine->findModel("tiny"));
        const auto tensors = opened.need(opened.engine->tensors("tiny"));
        for (const ProbedTensor& tensor : probedTensors(record.spec, *tensors)) QVERIFY(tensor.role != "not used");
        const WithSurplus more(*tensors);
        QCOMPARE(probedTensors(record.spec, more).back().role, std::string("not used"));
    }
    void chatFormats_areToldByTheirMarks() {
        QCOMPARE(chatFormatOf(""), std::string());
        QCOMPARE(chatFormatOf("{{ messages }}"), std::string("custom"));
        QCOMPARE(chatFormatOf("{{ '<|start_header_id|>' + role }}"), std::string("Llama 3"));
        QCOMPARE(chatFormatOf("[INST] <<SYS>>"), std::string("Llama 2"));
        QCOMPARE(chatFormatOf("[INST] {{ m }} [/INST]"), std::string("Mistral"));
    }
    void probe_errorsAreValuesThatNameThePlace() {
        Opened opened;
        const auto missing = opened.control->call("probe", {{"path", "/nowhere/model"}}, {});
        QVERIFY(!missing);
        QVERIFY(missing.error().message.find("/nowhere/model") != std::string::npos);
        QCOMPARE(opened.control->call("probe", Json::object(), {}).error().where, std::string("path"));
    }
    void card_isTheReadmeCutAtAWholeCharacter() {
        Opened opened;
        std::string text = "---\nlicense: mit\n---\n# Tiny\n";
        while (text.size() < (128 << 10) + 10) text += "\xC3\xA4\xC3\xB6";
        writeFile(opened.source() / "README.md", text);
        opened.import();
        const Json card = opened.call("card", {{"model", "tiny"}});
        QVERIFY(card["truncated"].get<bool>());
        QCOMPARE(card["bytes"].get<std::size_t>(), text.size());
        const auto shown = card["text"].get<std::string>();
        QVERIFY(shown.size() <= (128u << 10) && shown.size() + 4 > (128u << 10));
        QCOMPARE(shown, text.substr(0, shown.size()));
        QCOMPARE(shown.size() % 2, text.find("\xC3") % 2);  // no half of a character
        QVERIFY(card["file"].get<std::string>().ends_with("README.md"));
    }
    void card_isEmptyWhenTheFolderHasNone() {
        Opened opened;
        opened.import();
        const Json card = opened.call("card", {{"model", "tiny"}});
        QVERIFY(card["file"].is_null());
        COMPARE_JSON(card["text"], "");
        QCOMPARE(opened.control->call("card", {{"model", "other"}}, {}).error().code, ErrorCode::NotFound);
    }
    void machine_isWhatTheWorkspaceStandsOn() {
        Opened opened;
        const auto stats = machineFromJson(opened.call("machine", Json::object()));
        QVERIFY(stats.has_value());
        QVERIFY(stats->diskBytes >= stats->diskFreeBytes && stats->diskFreeBytes > 0);
        QVERIFY(stats->memoryBytes >= stats->memoryFreeBytes && stats->memoryFreeBytes > 0);
        QVERIFY(stats->processors >= 1);
        QVERIFY(machineFromJson(toJson(MachineStats{1, 2, 3, 4, 5})).value() == (MachineStats{1, 2, 3, 4, 5}));
    }
    void manyAdapters_areAJobWhenAsked() {
        Opened opened;
        opened.import();
        const ModelRecord record = opened.need(opened.engine->findModel("tiny"));
        const Path many = Path(opened.folder.path().toStdString()) / "many";
        for (const char* name : {"law", "tax"}) tinyAdapter(record.spec, {}).write(many / name);
        opened.runJob("adapters-import", {{"model", "tiny"}, {"paths", {many.string()}}, {"job", true}});
        QCOMPARE(opened.engine->adapters("tiny").size(), std::size_t{2});
        const auto twice = opened.call("adapters-import", {{"model", "tiny"}, {"paths", {(many / "law").string()}}});
        QCOMPARE(twice["failed"].size(), std::size_t{1});
    }
    void inspect_keepsWhatTheLastScanAndVerificationFound() {
        Opened opened;
        opened.import();
        const Json before = opened.call("inspect", {{"model", "tiny"}});
        QVERIFY(!before.contains("scan") && !before.contains("verified"));
        opened.runJob("scan", {{"model", "tiny"}});
        opened.runJob("verify", {{"model", "tiny"}});
        const Json after = opened.call("inspect", {{"model", "tiny"}, {"tensors", true}});
        QCOMPARE(after["scan"]["tensors"].size(), after["tensors"].size());
        COMPARE_JSON(after["scan"]["nan"], 0);
        QVERIFY(after["scan"]["tensors"][0]["norm"].get<double>() > 0);
        COMPARE_JSON(after["verified"]["digest"], after["record"]["digest"]);
        QVERIFY(after["scan"]["at"].get<std::int64_t>() > 0);
    }
    void details_tellSpecialTokensApart() {
        Opened opened;
        opened.import();
        const Json tokens =
            opened.call("tokenize", {{"model", "tiny"}, {"text", "ab"}, {"special", true}, {"details", true}});
        COMPARE_JSON(tokens["ids"][0], kTinyBegin);
        COMPARE_JSON(tokens["is_special"][0], true);
        COMPARE_JSON(tokens["is_special"].back(), false);
        QVERIFY(!opened.call("tokenize", {{"model", "tiny"}, {"text", "ab"}}).contains("is_special"));
        const Json rendered = opened.call(
            "template",
            {{"model", "tiny"}, {"messages", {{{"role", "user"}, {"content", "<|im_end|>"}}}}, {"details", true}});
        QCOMPARE(rendered["tokens"].size(), rendered["ids"].size());
        // The turn's own marks are special; the same mark typed by a user is text.
        const auto marks = std::ranges::count(rendered["ids"], Json(kTinyTurnEnd));
        QCOMPARE(marks, std::ptrdiff_t{1});
    }
    void cases_goThroughTheControlPort() {
        Opened opened;
        const Json saved = opened.call("case-save", {{"case", {{"name", "Letter"}}}});
        COMPARE_JSON(opened.call("cases", Json::object())["cases"], Json::array({saved}));
        opened.call("case-remove", {{"id", saved["id"]}});
        COMPARE_JSON(opened.call("cases", Json::object())["cases"], Json::array());
    }
};
ESPALIER_TEST(tst_catalog_operations, TestCatalogOperations)
#include "tst_catalog_operations.moc"
