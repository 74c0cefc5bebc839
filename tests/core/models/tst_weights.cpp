// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>

#include "core/compute/reference/reference_backend.h"
#include "core/models/transformer.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// A tiny model's tensors, changed by a test, as a folder of its own.
class Folder {
public:
    explicit Folder(const TinyModelOptions& options = {}) : m_path(m_temporary.path().toStdString()) {
        writeTinyModel(m_path, options);
        const auto source = open();
        for (const TensorEntry& entry : source->tensors()) {
            const char* dtype = entry.dtype == DType::F32 ? "F32" : entry.dtype == DType::BF16 ? "BF16" : "F16";
            tensors.push_back({entry.name, dtype, entry.shape, readTensor(*source, entry).value()});
        }
        spec = archSpecFromConfig(tinyConfig(options), "config.json").value();
    }

    std::unique_ptr<TensorSource> open() const { return openModelFolder(*m_files, m_path).value(); }
    std::unique_ptr<TensorSource> write() const {
        writeFile(m_path / "model.safetensors", safetensorsBytes(tensors));
        return open();
    }
    RawTensor& tensor(const std::string& name) {
        return *std::find_if(tensors.begin(), tensors.end(), [&](const RawTensor& raw) { return raw.name == name; });
    }
    const Path& path() const { return m_path; }

    std::vector<RawTensor> tensors;
    ArchSpec spec;

private:
    QTemporaryDir m_temporary;
    Path m_path;
    std::unique_ptr<FileSystem> m_files = makeFileSystem();
};

}  // namespace

class TestWeights : public QObject {
    Q_OBJECT
private slots:
    void aWholeFolderPasses() {
        for (const bool tied : {false, true}) {
            Folder folder({.tied = tied, .attentionBias = true, .mlpBias = true, .dtype = DType::F16});
            const auto report = checkWeights(folder.spec, *folder.open());
            QVERIFY2(report, report ? "" : report.error().message.c_str());
            QVERIFY(report->warnings.empty());
            std::int64_t parameters = 0;
            for (const RawTensor& tensor : folder.tensors)
                parameters += static_cast<std::int64_t>(tensor.bytes.size() / 2);
            QCOMPARE(report->parameters, parameters);
            QCOMPARE(report->bytes, 2 * parameters);
        }
    }
    void everyMissingTensorIsNamed() {
        Folder folder({.attentionBias = true, .mlpBias = true});
        const std::vector<RawTensor> all = folder.tensors;
        for (const RawTensor& gone : all) {
            folder.tensors = all;
            std::erase_if(folder.tensors, [&](const RawTensor& tensor) { return tensor.name == gone.name; });
            const auto report = checkWeights(folder.spec, *folder.write());
            QVERIFY(!report);
            QCOMPARE(report.error().code, ErrorCode::MissingTensor);
            QVERIFY2(report.error().message.find(gone.name) != std::string::npos, report.error().message.c_str());
        }
    }
    void aWrongShapeIsNamedWithBothShapes() {
        Folder folder;
        RawTensor& query = folder.tensor("model.layers.1.self_attn.q_proj.weight");
        std::swap(query.shape[0], query.shape[1]);
        query.shape = {query.shape[0] / 2, query.shape[1] * 2};
        const auto report = checkWeights(folder.spec, *folder.write());
        QCOMPARE(report.error().code, ErrorCode::ShapeMismatch);
        QCOMPARE(report.error().message,
                 std::string("model.safetensors: model.layers.1.self_attn.q_proj.weight must have the "
                             "shape [48, 48], found [24, 96]"));
    }
    void anIntegerWeightIsRefusedByName() {
        Folder folder;
        folder.tensor("model.norm.weight").dtype = "I32";
        const auto report = checkWeights(folder.spec, *folder.write());
        QCOMPARE(report.error().code, ErrorCode::Unsupported);
        QVERIFY(report.error().message.find("model.norm.weight must be f32, bf16 or f16, found i32") !=
                std::string::npos);
    }
    void knownLeftoversAreSilentAndOtherExtrasAreListed() {
        Folder folder({.tied = true});
        const std::vector<std::byte> four(4);
        folder.tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {1}, four});
        folder.tensors.push_back({"position_ids", "I32", {1}, four});
        folder.tensors.push_back({"lm_head.weight", "F32", {1}, four});  // a tied model may carry a copy
        const auto silent = checkWeights(folder.spec, *folder.write());
        QVERIFY(silent && silent->warnings.empty());
        folder.tensors.push_back({"vision.patch", "F32", {1}, four});
        folder.tensors.push_back({"my_position_ids", "F32", {1}, four});
        const auto warned = checkWeights(folder.spec, *folder.write());
        QCOMPARE(warned->warnings.size(), std::size_t{1});
        QCOMPARE(warned->warnings[0], std::string("2 tensors are not used: my_position_ids, vision.patch"));
        QCOMPARE(warned->parameters, silent->parameters);
    }
    void tokenIdsBeyondTheEmbeddingAreAWarning() {
        Folder folder;
        folder.spec.eosIds = {271, 272};
        const auto report = checkWeights(folder.spec, *folder.open());
        QCOMPARE(report->warnings.size(), std::size_t{1});
        QVERIFY(report->warnings[0].find("272") != std::string::npos);
    }

    void loadingRefusesWhatTheCheckRefuses() {
        Folder folder;
        std::erase_if(folder.tensors, [](const RawTensor& tensor) { return tensor.name == "model.norm.weight"; });
        const auto backend = makeReferenceBackend();
        QCOMPARE(Transformer::load(*backend, folder.spec, *folder.write(), {}).error().code, ErrorCode::MissingTensor);
    }
    void loadingReportsEveryByteAndCanBeCancelled() {
        Folder folder;
        const auto backend = makeReferenceBackend();
        std::vector<std::pair<std::int64_t, std::int64_t>> steps;
        TransformerOptions options;
        options.progress = [&](std::int64_t done, std::int64_t all) { steps.emplace_back(done, all); };
        QVERIFY(Transformer::load(*backend, folder.spec, *folder.open(), options));
        QCOMPARE(steps.front().first, std::int64_t{0});
        QCOMPARE(steps.back().first, steps.back().second);
        QVERIFY(std::is_sorted(steps.begin(), steps.end()));
        std::stop_source stop;
        options.stop = stop.get_token();
        options.progress = [&](std::int64_t done, std::int64_t) {
            if (done > 0) stop.request_stop();
        };
        QCOMPARE(Transformer::load(*backend, folder.spec, *folder.open(), options).error().code, ErrorCode::Cancelled);
    }
    void theEstimateIsWhatLoadingTakes() {
        const auto backend = makeReferenceBackend();
        for (const bool tied : {false, true}) {
            Folder folder({.tied = tied, .attentionBias = true, .mlpBias = true, .dtype = DType::BF16});
            const auto source = folder.open();
            const TransformerOptions options{.maxBatchTokens = 33, .maxLogitRows = 5, .progress = {}, .stop = {}};
            const auto estimate = estimateMemory(*backend, folder.spec, *source, DType::F32, options);
            const auto model = Transformer::load(*backend, folder.spec, *source, options);
            QCOMPARE((*model)->weightBytes(), estimate.weightsBytes);
            QCOMPARE((*model)->workspaceBytes(), estimate.workspaceBytes);
            QCOMPARE(estimate.kvBytesPerToken, 2 * backend->kvPageBytes(2, 12, DType::F32) / kTokensPerPage);
        }
    }
    void theEstimateIsWhatLoadingTakesForEveryFamily() {
        const auto backend = makeReferenceBackend();
        const auto files = makeFileSystem();
        const Path data = Path(ESPALIER_TEST_DATA) / "models";
        const auto entries = files->list(data);
        int folders = 0;
        for (const FileEntry& entry : *entries) {
            if (!entry.isDirectory) continue;
            const TransformerOptions options{.maxBatchTokens = 19, .maxLogitRows = 3, .progress = {}, .stop = {}};
            const LoadedModel model = loadModel(*backend, entry.path, options);
            const auto estimate = estimateMemory(*backend, model.spec, *model.source, DType::BF16, options);
            QCOMPARE(model.transformer->weightBytes(), estimate.weightsBytes);
            QCOMPARE(model.transformer->workspaceBytes(), estimate.workspaceBytes);
            ++folders;
        }
        QVERIFY(folders >= 21);
    }

    // Folders call the same tensors by several names: with the prefix or without, norms with gamma and beta.
    void eachNameOfATensorIsFoundAndAMissingOneIsNamedWithBoth() {
        const auto files = makeFileSystem();
        for (const char* name : {"gpt2-odd", "gpt2-old-names-f16", "bert-f16", "bert-masked-old-names"}) {
            const Path folder = Path(ESPALIER_TEST_DATA) / "models" / name;
            const Json config = parseJson(*files->readText(folder / "config.json", 1 << 20), "config.json").value();
            const ArchSpec spec = archSpecFromConfig(config, "config.json").value();
            const auto source = openModelFolder(*files, folder).value();
            const auto report = checkWeights(spec, *source);
            QVERIFY2(report, report ? "" : report.error().text().c_str());
            // What a masked language model has above the encoder is listed; buffers of old GPT-2 folders are not.
            const bool hasHead = std::string(name) == "bert-masked-old-names";
            QCOMPARE(report->warnings.size(), std::size_t{hasHead});
            if (hasHead) QCOMPARE(report->warnings[0], std::string("1 tensors are not used: cls.predictions.bias"));
        }
        QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeFile(folder / "model.safetensors",
                  safetensorsBytes({{"wte.weight", "F32", {1}, std::vector<std::byte>(4)}}));
        ArchSpec spec = archSpecFromConfig(Json::parse(R"({"model_type": "gpt2", "vocab_size": 1, "n_embd": 1,
            "n_head": 1, "n_layer": 1, "n_positions": 4})"),
                                           "config.json")
                            .value();
        const auto source = openModelFolder(*files, folder).value();
        QCOMPARE(checkWeights(spec, *source).error().message,
                 std::string("model.safetensors: wte.weight must have the shape [1, 1], found [1]"));
        spec.tiedEmbeddings = false;
        writeFile(folder / "model.safetensors",
                  safetensorsBytes({{"wte.weight", "F32", {1, 1}, std::vector<std::byte>(4)}}));
        QCOMPARE(
            checkWeights(spec, *openModelFolder(*files, folder).value()).error().message,
            std::string("the tensor transformer.wpe.weight (or wpe.weight) [4, 1] is missing in the model's files"));
    }
    // A copy of the projections the other way round gives the same model.
    void projectionsStoredAsInOutGiveTheSameBits() {
        const auto backend = makeReferenceBackend();
        const Path from = Path(ESPALIER_TEST_DATA) / "models" / "gpt2-old-names-f16";
        LoadedModel stored = loadModel(*backend, from);
        std::vector<RawTensor> turned;
        for (const TensorEntry& entry : stored.source->tensors()) {
            const std::vector<std::byte> bytes = readTensor(*stored.source, entry).value();
            const char* dtype = entry.dtype == DType::F16 ? "F16" : "F32";
            RawTensor tensor{entry.name, dtype, entry.shape, bytes};
            if (entry.name.find(".c_") != std::string::npos && entry.shape.size() == 2) {
                const std::int64_t rows = entry.shape[0], cols = entry.shape[1];
                for (std::int64_t i = 0; i < rows * cols; ++i)
                    std::copy_n(bytes.begin() + i * 2, 2, tensor.bytes.begin() + (i % cols * rows + i / cols) * 2);
                std::swap(tensor.shape[0], tensor.shape[1]);
            }
            turned.push_back(std::move(tensor));
        }
        QTemporaryDir temporary;
        const Path folder = temporary.path().toStdString();
        writeFile(folder / "model.safetensors", safetensorsBytes(turned));
        ArchSpec spec = stored.spec;
        QVERIFY(spec.transposedLinears);
        spec.transposedLinears = false;
        const LoadedModel other = loadModel(*backend, folder, spec);
        const std::vector<std::int32_t> tokens = {5, 6, 7, 80};
        KvMemory memory(*backend, spec, 2);
        const auto expected = SequenceRunner(*backend, *stored.transformer, memory, 4).append(tokens);
        QVERIFY(SequenceRunner(*backend, *other.transformer, memory, 4).append(tokens) == expected);
    }
    // Writers that do not pad the header leave every tensor at an odd address.
    void weightsAtOddAddressesLoadTheSame() {
        const auto backend = makeReferenceBackend();
        Folder folder({.dtype = DType::BF16});
        const auto logits = [&] {
            const LoadedModel model = loadModel(*backend, folder.path());
            KvMemory memory(*backend, model.spec, 1);
            return SequenceRunner(*backend, *model.transformer, memory, 3).append(std::vector<std::int32_t>{5, 6, 7});
        };
        const std::vector<float> expected = logits();
        const std::string padded = safetensorsBytes(folder.tensors);
        const std::size_t headerBytes =
            static_cast<unsigned char>(padded[0]) + 256u * static_cast<unsigned char>(padded[1]);
        const std::string header = padded.substr(8, headerBytes) + " ";
        writeFile(folder.path() / "model.safetensors", safetensorsBytes(header, padded.substr(8 + headerBytes)));
        QVERIFY(logits() == expected);
    }
};
ESPALIER_TEST(tst_weights, TestWeights)
#include "tst_weights.moc"
