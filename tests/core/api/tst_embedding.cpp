// SPDX-License-Identifier: GPL-3.0-or-later
// How a model's folder says it wants to be embedded with, how long text is cut, and an encoder behind the HTTP port.
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <cstring>

#include "core/api/daemon.h"
#include "core/api/embedding.h"
#include "core/api/keys.h"
#include "core/compute/cpu/cpu_backend.h"
#include "tests/support/raw_gguf.h"
#include "tests/support/raw_http.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Path kBert = Path(ESPALIER_TEST_DATA) / "models" / "bert-f16";

constexpr const char* kModules = R"([
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])";

struct Folder {
    QTemporaryDir temporary;
    Path path = temporary.path().toStdString();
    std::unique_ptr<FileSystem> files = makeFileSystem();

    void put(const char* name, std::string_view content) {
        std::filesystem::create_directories((path / name).parent_path());
        writeFile(path / name, content);
    }
    Result<EmbeddingMode> mode() { return embeddingMode(*files, path); }
};

// The tiny tokenizer with [begin] text [end] around every text, as encoders have it.
std::shared_ptr<const Tokenizer> framingTokenizer() {
    Json json = Json::parse(tinyTokenizerJson());
    const auto special = [](const char* name, std::int32_t id) {
        return Json{{"id", name}, {"ids", {id}}, {"tokens", {name}}};
    };
    const auto token = [](const char* name) { return Json{{"SpecialToken", {{"id", name}, {"type_id", 0}}}}; };
    json["post_processor"] = {
        {"type", "TemplateProcessing"},
        {"single", {token("<|begin|>"), {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}, token("<|end|>")}},
        {"pair", Json::array()},
        {"special_tokens",
         {{"<|begin|>", special("<|begin|>", kTinyBegin)}, {"<|end|>", special("<|end|>", kTinyEnd)}}}};
    return parseTokenizer(json.dump(), "tokenizer.json").value();
}

ServedModel servedModel(const Path& folder, std::int32_t context) {
    auto text = std::make_shared<TextModel>();
    text->tokenizer = framingTokenizer();
    ServedModel model;
    model.text = text;
    model.record.name = "encoder";
    model.record.folder = folder;
    model.record.context = context;
    model.record.spec.vocabulary = kTinyVocabulary;
    return model;
}

}  // namespace

class TestEmbedding : public QObject {
    Q_OBJECT
private slots:
    void aGgufFileSaysHowItPools() {
        const std::pair<std::uint32_t, Pooling> kinds[] = {{1, Pooling::Mean}, {2, Pooling::Cls}, {3, Pooling::Last}};
        for (const auto& [number, pooling] : kinds) {
            Folder folder;
            folder.put("x.gguf",
                       RawGguf().string("general.architecture", "bert").integer("bert.pooling_type", number).bytes());
            QCOMPARE(folder.mode()->pooling, pooling);
            QCOMPARE(embeddingMode(*folder.files, folder.path / "x.gguf")->pooling, pooling);
        }
        Folder rank;
        rank.put("x.gguf", RawGguf().string("general.architecture", "bert").integer("bert.pooling_type", 4).bytes());
        QCOMPARE(rank.mode().error().code, ErrorCode::CorruptFile);
    }
    void withoutModulesItIsTheMeanNotNormalised() {
        Folder folder;
        const auto mode = folder.mode();
        QVERIFY(mode->pooling == Pooling::Mean && !mode->normalize && !mode->lowerCase && !mode->maxTokens);
    }
    void thePoolingIsAsTheFolderSays_data() {
        QTest::addColumn<QByteArray>("config");
        QTest::addColumn<int>("pooling");  // -1: refused
        QTest::addColumn<QByteArray>("names");
        const auto row = [](const char* name, const char* config, int pooling, const char* names = "") {
            QTest::newRow(name) << QByteArray(config) << pooling << QByteArray(names);
        };
        row("mean", R"({"pooling_mode_cls_token": false, "pooling_mode_mean_tokens": true})", int(Pooling::Mean));
        row("cls", R"({"pooling_mode_cls_token": true})", int(Pooling::Cls));
        row("max", R"({"pooling_mode_max_tokens": true})", int(Pooling::Max));
        row("last", R"({"pooling_mode_lasttoken": true})", int(Pooling::Last));
        row("by name", R"({"pooling_mode": "cls"})", int(Pooling::Cls));
        row("by name and flag", R"({"pooling_mode": "max", "pooling_mode_max_tokens": true})", int(Pooling::Max));
        row("two", R"({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true})", -1, "mean and cls");
        row("weighted", R"({"pooling_mode_weightedmean_tokens": true})", -1, "weightedmean");
        row("unknown name", R"({"pooling_mode": "median"})", -1, "median");
        row("none", R"({"word_embedding_dimension": 384})", -1, "pooling");
        row("a number", R"({"pooling_mode_cls_token": 1})", -1, "pooling_mode_cls_token");
        row("no object", "[]", -1, "pooling");
    }
    void thePoolingIsAsTheFolderSays() {
        QFETCH(QByteArray, config);
        QFETCH(int, pooling);
        QFETCH(QByteArray, names);
        Folder folder;
        folder.put("modules.json", kModules);
        folder.put("1_Pooling/config.json", config.toStdString());
        const auto mode = folder.mode();
        if (pooling < 0) {
            QVERIFY(!mode);
            QVERIFY2(mode.error().message.find(names.toStdString()) != std::string::npos, mode.error().message.c_str());
            QVERIFY(mode.error().message.find("1_Pooling/config.json") != std::string::npos);
            return;
        }
        QVERIFY2(mode, mode ? "" : mode.error().message.c_str());
        QCOMPARE(int(mode->pooling), pooling);
        QVERIFY(mode->normalize);
    }
    void aDenseModuleIsRefusedByName() {
        Folder folder;
        folder.put("modules.json", R"([{"type": "sentence_transformers.models.Dense", "path": "2_Dense"}])");
        QCOMPARE(folder.mode().error().code, ErrorCode::Unsupported);
        QVERIFY(folder.mode().error().message.find("\"Dense\"") != std::string::npos);
    }
    void theLongestTextAndLowerCaseComeFromTheTransformerModule() {
        Folder folder;
        folder.put("modules.json", kModules);
        folder.put("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
        folder.put("sentence_bert_config.json", R"({"max_seq_length": 12, "do_lower_case": true})");
        const auto mode = folder.mode();
        QCOMPARE(*mode->maxTokens, 12);
        QVERIFY(mode->lowerCase);

        const ServedModel model = servedModel(folder.path, 20);
        const auto bound = bindEmbeddings(*folder.files, model,
                                          {std::string("\xC3\x84"
                                                       "B"),
                                           std::string(40, 'X')},
                                          "t", LongText::Cut);
        QVERIFY2(bound, bound ? "" : bound.error().text().c_str());
        QCOMPARE(bound->requests[0].prompt, *model.text->tokenizer->encode("\xC3\xA4"
                                                                           "b",
                                                                           {.addSpecial = true, .verbatim = {}}));
        QVERIFY(!bound->truncated[0] && bound->truncated[1]);
        QCOMPARE(bound->requests[1].prompt.size(), std::size_t{12});
        folder.put("sentence_bert_config.json", R"({"max_seq_length": 0})");
        QVERIFY(!folder.mode());
        folder.put("sentence_bert_config.json", R"({"max_seq_length": null})");
        QVERIFY(!folder.mode()->maxTokens);
    }
    void theTokenizersLimitHoldsWhereTheFolderHasNone() {
        Folder folder;
        ServedModel model = servedModel(folder.path, 20);
        auto text = std::make_shared<TextModel>(*model.text);
        text->maxTokens = 6;
        model.text = text;
        const auto sizeOf = [&] {
            return bindEmbeddings(*folder.files, model, {std::string(40, 'x')}, "t", LongText::Cut)
                ->requests[0]
                .prompt.size();
        };
        QCOMPARE(sizeOf(), std::size_t{6});
        text->maxTokens = 512;
        QCOMPARE(sizeOf(), std::size_t{20});
        folder.put("modules.json", kModules);
        folder.put("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
        folder.put("sentence_bert_config.json", R"({"max_seq_length": 12})");
        text->maxTokens = 6;
        QCOMPARE(sizeOf(), std::size_t{12});
    }
    void aCutKeepsWhatStandsAroundTheText() {
        Folder folder;
        const ServedModel model = servedModel(folder.path, 9);
        const std::string text = "qxzwvjkQXZ";
        const auto whole = *model.text->tokenizer->encode(text);
        QVERIFY(whole.size() > 9);
        auto bound = bindEmbeddings(*folder.files, model, {text}, "t", LongText::Cut);
        std::vector<TokenId> expected = {kTinyBegin};
        expected.insert(expected.end(), whole.begin(), whole.begin() + 7);
        expected.push_back(kTinyEnd);
        QCOMPARE(bound->requests[0].prompt, expected);
        // Ids are used as given, so a cut takes the first.
        const std::vector<TokenId> ids = {9, 8, 7, 6, 5, 4, 3, 2, 9, 8};
        bound = bindEmbeddings(*folder.files, model, {ids}, "t", LongText::Cut);
        QCOMPARE(bound->requests[0].prompt, std::vector<TokenId>(ids.begin(), ids.end() - 1));
        const auto refused = bindEmbeddings(*folder.files, model, {text}, "t", LongText::Refuse);
        QCOMPARE(refused.error().code, ErrorCode::ContextOverflow);
    }

    // The golden encoder, imported with sentence-transformers files, over HTTP.
    void anEncoderServesEmbeddingsAndRefusesToGenerate() {
        Folder folder;
        std::filesystem::copy(kBert, folder.path / "bert");
        folder.put("bert/modules.json", kModules);
        folder.put("bert/1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
        folder.put("bert/sentence_bert_config.json", R"({"max_seq_length": 40})");
        SystemClock clock;
        const auto backend = makeCpuBackend({.threads = 1, .isa = {}, .memoryLimit = 0});
        EngineOptions options;
        options.workspace = folder.path / "workspace";
        options.stderrLog = LogLevel::Silent;
        options.poolBytes = 16 << 20;
        options.maxBatchTokens = 16;  // below the context: an encoder gets what it needs
        auto engine = Engine::open(options, *backend, *folder.files, clock).value();
        const auto job = engine->startImport({(folder.path / "bert").string(), "bert", false, false});
        QVERIFY(engine->waitJob(*job));
        const auto record = engine->findModel("bert");
        QVERIFY2(record, record ? "" : record.error().text().c_str());
        QCOMPARE(record->family, std::string("bert"));
        QCOMPARE(record->dtype, std::string("f16"));
        for (const char* name : {"modules.json", "1_Pooling/config.json", "sentence_bert_config.json"})
            QVERIFY2(folder.files->exists(Path(record->folder) / name), name);
        auto daemon = Daemon::start({}, *engine, *folder.files, clock).value();
        const std::string key = loadOrMakeAdminKey(*folder.files, daemon->keyFile()).value();
        const auto port = static_cast<std::uint16_t>(std::stoi(daemon->url().substr(daemon->url().rfind(':') + 1)));
        const auto post = [&](const char* path, const Json& body) {
            return fetch(port, "POST", path, key, dumpJson(body));
        };

        const Json golden = parseJson(*folder.files->readText(kBert / "golden.json", 1 << 20), "golden.json").value();
        const std::vector<TokenId> text = golden["texts"].back();
        const std::string raw = folder.files->readText(kBert / "hidden.f32", 1 << 24).value();
        std::vector<float> hidden(raw.size() / sizeof(float));
        std::memcpy(hidden.data(), raw.data(), raw.size());
        const std::size_t width = 36;
        const auto rows = std::span(hidden).last(text.size() * width);
        std::vector<double> mean(width, 0.0);
        for (std::size_t i = 0; i < rows.size(); ++i) mean[i % width] += double{rows[i]};
        double length = 0;
        for (const double value : mean) length += value * value;
        for (double& value : mean) value /= std::sqrt(length);

        const HttpReply reply = post("/v1/embeddings", {{"model", "bert"}, {"input", {text, {1, 2, 3}}}});
        QCOMPARE(reply.status, 200);
        const std::vector<double> found = reply.json()["data"][0]["embedding"];
        QCOMPARE(found.size(), width);
        for (std::size_t i = 0; i < width; ++i) QVERIFY(std::abs(found[i] - mean[i]) < 1e-5);

        const HttpReply tooLong = post("/v1/embeddings", {{"model", "bert"}, {"input", std::vector<TokenId>(41, 5)}});
        QCOMPARE(tooLong.status, 400);
        QVERIFY(tooLong.json()["error"]["message"].get<std::string>().find("at most 40") != std::string::npos);
        for (const auto& [path, body] :
             {std::pair("/v1/completions", Json{{"model", "bert"}, {"prompt", {1, 2}}}),
              std::pair("/v1/chat/completions",
                        Json{{"model", "bert"}, {"messages", {{{"role", "user"}, {"content", "Hi"}}}}})}) {
            const HttpReply refused = post(path, body);
            QCOMPARE(refused.status, 400);
            QVERIFY2(refused.json()["error"]["message"].get<std::string>().find("embeddings only") != std::string::npos,
                     dumpJson(refused.json()).c_str());
        }
    }
};
ESPALIER_TEST(tst_embedding, TestEmbedding)
#include "tst_embedding.moc"
