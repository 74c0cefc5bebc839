// SPDX-License-Identifier: GPL-3.0-or-later
// The GGUF models of tests/data/gguf (made by make_models.py there): every tensor type, both versions, split files, and
// types mixed in one stack, against what transformers computes from the dequantised weights.
#include <QTest>
#include <cmath>
#include <cstring>
#include <set>

#include "core/formats/gguf_model.h"
#include "tests/support/backends.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Path kData = Path(ESPALIER_TEST_DATA) / "gguf";
constexpr float kTolerance = 1e-4f;

std::vector<std::string> modelNames(std::optional<bool> encoders = {}) {
    const auto files = makeFileSystem();
    std::vector<std::string> names;
    const auto entries = files->list(kData).value();
    for (const FileEntry& entry : entries)
        if (entry.isDirectory && files->exists(entry.path / "golden.json") &&
            (!encoders || *encoders == entry.path.filename().string().starts_with("bert")))
            names.push_back(entry.path.filename());
    return names;
}

struct Opened {
    std::unique_ptr<FileSystem> files = makeFileSystem();
    GgufModel model;
    explicit Opened(const Path& folder) {
        const auto file = findGguf(*files, folder);
        CHECK(file && *file);
        auto opened = openGgufModel(*files, **file);
        if (!opened) qWarning("%s", opened.error().message.c_str());
        CHECK(opened);
        model = std::move(*opened);
    }
};

Json goldenOf(const Path& folder) {
    return parseJson(*makeFileSystem()->readText(folder / "golden.json", 1 << 20), "golden.json").value();
}

std::vector<float> logitsOf(const Path& folder) {
    const std::string bytes = *makeFileSystem()->readText(folder / "logits.f32", 1 << 24);
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

float largestDifference(std::span<const float> a, std::span<const float> b) {
    CHECK(!a.empty() && a.size() == b.size());
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (const float difference = std::abs(a[i] - b[i]); !(difference <= largest)) largest = difference;
    return largest;
}

}  // namespace

class TestGgufGolden : public QObject {
    Q_OBJECT

    void eachModelOnEachBackend(bool encoders) {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QByteArray>("name");
        for (const std::string& model : modelNames(encoders))
            for (const char* name : backendNames())
                QTest::newRow((model + " on " + name).c_str()) << QString::fromStdString(model) << QByteArray(name);
    }

private slots:
    void everyTypeIsThere() {
        std::set<DType> types;
        for (const std::string& name : modelNames()) {
            const Opened opened(kData / name);
            for (const TensorEntry& entry : opened.model.tensors->tensors()) types.insert(entry.dtype);
        }
        for (const DType type : {DType::F32, DType::F16, DType::BF16}) QVERIFY(types.contains(type));
        for (const DType type : kBlockTypes) QVERIFY2(types.contains(type), dtypeName(type).data());
    }

    void logitsAndGreedyTokensAreThoseOfTransformers_data() { eachModelOnEachBackend(false); }
    void logitsAndGreedyTokensAreThoseOfTransformers() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const Path folder = kData / model.toStdString();
        const Json golden = goldenOf(folder);
        const std::vector<float> expected = logitsOf(folder);
        Opened opened(folder);
        const ArchSpec& spec = opened.model.spec;
        const auto transformer = Transformer::load(ops, spec, *opened.model.tensors, {});
        QVERIFY2(transformer, transformer ? "" : transformer.error().message.c_str());
        KvMemory memory(ops, spec, 8);
        SequenceRunner sequence(ops, **transformer, memory, 128);
        const std::vector<std::int32_t> prompt = golden["prompt"];
        std::vector<float> logits = sequence.append(prompt);
        const auto width = static_cast<std::size_t>(spec.vocabulary);
        std::size_t at = 0;
        for (const std::size_t row : golden["logit_rows"].get<std::vector<std::size_t>>()) {
            const float difference = largestDifference(std::span(logits).subspan(row * width, width),
                                                       std::span(expected).subspan(at * width, width));
            QVERIFY2(difference <= kTolerance, qPrintable(QString("row %1: %2").arg(row).arg(difference)));
            ++at;
        }
        std::vector<std::int32_t> greedy;
        while (greedy.size() < 64) {
            greedy.push_back(largest(std::span(logits).last(width)));
            logits = sequence.append(std::span(greedy).last(1));
        }
        QCOMPARE(greedy, golden["greedy"].get<std::vector<std::int32_t>>());
    }

    void hiddenStatesOfEncodersAreThoseOfTransformers_data() { eachModelOnEachBackend(true); }
    void hiddenStatesOfEncodersAreThoseOfTransformers() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const Path folder = kData / model.toStdString();
        const Json golden = goldenOf(folder);
        Opened opened(folder);
        const auto transformer = Transformer::load(ops, opened.model.spec, *opened.model.tensors, {});
        QVERIFY2(transformer, transformer ? "" : transformer.error().message.c_str());
        const std::vector<std::int32_t> prompt = golden["prompt"], wanted = golden["logit_rows"];
        KvMemory memory(ops, opened.model.spec, 8);
        const auto pages = memory.take(static_cast<std::int32_t>(prompt.size()));
        const Segment segments[] = {{0, static_cast<std::int32_t>(prompt.size()), 0, pages}};
        const auto stream = ops.makeStream();
        const auto output =
            (*transformer)
                ->forward(*stream, {.tokens = prompt, .segments = segments, .logitRows = {}, .hiddenRows = wanted},
                          memory.layers());
        QVERIFY(output);
        const float difference = largestDifference(floatsOf(output->hidden), logitsOf(folder));
        QVERIFY2(difference <= kTolerance, qPrintable(QString::number(difference)));
    }

    // What a model holds on a device is what its file holds, a few per cent more for whole panels and K-type scales.
    void memoryStaysNearTheFile() {
        const auto backend = makeCpuBackend({.threads = 1});
        for (const char* name : {"llama-q4_k", "llama-q5_k", "llama-q6_k", "llama-q4_k_m", "llama-q8_0"}) {
            Opened opened(kData / name);
            const WeightReport report = checkWeights(opened.model.spec, *opened.model.tensors).value();
            const MemoryEstimate estimate =
                estimateMemory(*backend, opened.model.spec, *opened.model.tensors, DType::F32, {});
            QVERIFY2(estimate.weightsBytes < report.bytes + report.bytes / 8, name);
            const auto loaded = Transformer::load(*backend, opened.model.spec, *opened.model.tensors, {});
            QCOMPARE((*loaded)->weightBytes(), estimate.weightsBytes);
        }
    }

    void parametersAreCountedByShape() {
        Opened small(kData / "llama-q4_0"), plain(kData / "llama-f32");
        QCOMPARE(checkWeights(small.model.spec, *small.model.tensors)->parameters,
                 checkWeights(plain.model.spec, *plain.model.tensors)->parameters);
    }
};
ESPALIER_TEST(tst_gguf_golden, TestGgufGolden)
#include "tst_gguf_golden.moc"
