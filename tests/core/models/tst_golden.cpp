// SPDX-License-Identifier: GPL-3.0-or-later
// The golden folders of tests/data/models (made by make_golden.py there) against transformers: logits and greedy tokens
// of decoders, hidden states of encoders.
#include <QTest>
#include <cmath>
#include <cstring>
#include <map>

#include "core/formats/family.h"
#include "core/models/rope_table.h"
#include "tests/support/backends.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Path kData = Path(ESPALIER_TEST_DATA) / "models";
constexpr float kTolerance = 1e-4f;

struct Golden {
    std::vector<std::int32_t> prompt;
    std::vector<std::int32_t> greedy;
    std::vector<std::int32_t> logitRows;
    std::vector<float> logits;  // [logitRows, vocabulary]
    std::vector<float> inverseFrequencies;
};

std::vector<float> readFloats(FileSystem& files, const Path& path) {
    const std::string bytes = files.readText(path, 1 << 28).value();
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

Json readJson(FileSystem& files, const Path& folder) {
    return parseJson(*files.readText(folder / "golden.json", 1 << 20), "golden.json").value();
}

Golden readGolden(const Path& folder) {
    const auto files = makeFileSystem();
    const Json json = readJson(*files, folder);
    return {json["prompt"], json["greedy"], json["logit_rows"], readFloats(*files, folder / "logits.f32"),
            json["inv_freq"]};
}

struct EncoderGolden {
    std::vector<std::vector<std::int32_t>> texts;
    std::vector<std::vector<std::int32_t>> tokenTypes;
    std::vector<float> hidden;  // [tokens of all texts, hidden]
};

EncoderGolden readEncoderGolden(const Path& folder) {
    const auto files = makeFileSystem();
    const Json json = readJson(*files, folder);
    return {json["texts"], json["token_types"], readFloats(*files, folder / "hidden.f32")};
}

// Folders with logits.f32 are decoders, those with hidden.f32 encoders.
std::vector<std::string> goldenNames(const char* file = "logits.f32") {
    const auto files = makeFileSystem();
    std::vector<std::string> names;
    const auto entries = files->list(kData);
    for (const FileEntry& entry : *entries)
        if (entry.isDirectory && files->exists(entry.path / file)) names.push_back(entry.path.filename().string());
    return names;
}

float largestDifference(std::span<const float> a, std::span<const float> b) {
    CHECK(a.size() == b.size());
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const float difference = std::abs(a[i] - b[i]);
        if (!(difference <= largest)) largest = difference;  // NaN wins
    }
    return largest;
}

}  // namespace

class TestGolden : public QObject {
    Q_OBJECT

    void eachModelOnEachBackend(const char* file = "logits.f32") {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QByteArray>("name");
        for (const std::string& model : goldenNames(file))
            for (const char* name : backendNames())
                QTest::newRow((model + " on " + name).c_str()) << QString::fromStdString(model) << QByteArray(name);
    }

private slots:
    void everyFamilyHasGoldenModels() {
        const auto files = makeFileSystem();
        std::map<std::string, int> found;
        for (const char* file : {"logits.f32", "hidden.f32"})
            for (const std::string& name : goldenNames(file)) {
                const Json config = parseJson(*files->readText(kData / name / "config.json", 1 << 20), "").value();
                ++found[archSpecFromConfig(config, name)->family];
            }
        for (const Family& family : knownFamilies())
            QVERIFY2(found[std::string(family.name)] >= 1, std::string(family.name).c_str());
    }

    void hiddenStatesAgreeWithTransformers_data() { eachModelOnEachBackend("hidden.f32"); }
    void hiddenStatesAgreeWithTransformers() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const Path folder = kData / model.toStdString();
        const EncoderGolden golden = readEncoderGolden(folder);
        const LoadedModel loaded = loadModel(ops, folder);
        const auto width = static_cast<std::size_t>(loaded.spec.hidden);
        std::size_t at = 0;
        for (std::size_t i = 0; i < golden.texts.size(); ++i) {
            const auto rows = static_cast<std::int32_t>(golden.texts[i].size());
            KvMemory memory(ops, loaded.spec, 8);
            memory.shuffle(i + 1);
            const auto pages = memory.take(rows);
            const Segment segments[] = {{0, rows, 0, pages}};
            const auto wanted = ascendingRows(rows);
            const auto stream = ops.makeStream();
            const auto output = loaded.transformer->forward(*stream,
                                                            {.tokens = golden.texts[i],
                                                             .segments = segments,
                                                             .logitRows = {},
                                                             .hiddenRows = wanted,
                                                             .tokenTypes = golden.tokenTypes[i]},
                                                            memory.layers());
            QVERIFY(output);
            const auto expected = std::span(golden.hidden).subspan(at, golden.texts[i].size() * width);
            const float difference = largestDifference(floatsOf(output->hidden), expected);
            QVERIFY2(difference <= kTolerance,
                     (std::to_string(rows) + " tokens: " + std::to_string(difference)).c_str());
            at += expected.size();
        }
        QCOMPARE(at, golden.hidden.size());
    }

    // Windows, learned positions, norms of heads: whatever a family has, chunks and pages change no bit of it.
    void chunksAndPagesChangeNoBitOfAnyFamily_data() { eachModelOnEachBackend(); }
    void chunksAndPagesChangeNoBitOfAnyFamily() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const LoadedModel loaded = loadModel(ops, kData / model.toStdString());
        const Golden golden = readGolden(kData / model.toStdString());
        std::vector<std::int32_t> tokens = golden.prompt;
        tokens.insert(tokens.end(), golden.greedy.begin(), golden.greedy.end());
        const auto count = static_cast<std::int32_t>(tokens.size());
        KvMemory straight(ops, loaded.spec, 8);
        const auto whole = SequenceRunner(ops, *loaded.transformer, straight, count).append(tokens);
        for (const std::size_t chunk : {1, 5, 16, 23}) {
            KvMemory memory(ops, loaded.spec, 12);
            memory.shuffle(chunk);
            SequenceRunner sequence(ops, *loaded.transformer, memory, count);
            std::vector<float> logits;
            for (std::size_t at = 0; at < tokens.size(); at += chunk) {
                const auto part = std::span(tokens).subspan(at, std::min(chunk, tokens.size() - at));
                const auto more = sequence.append(part);
                logits.insert(logits.end(), more.begin(), more.end());
            }
            QVERIFY2(logits == whole, std::to_string(chunk).c_str());
        }
    }

    void logitsAgreeWithTransformers_data() { eachModelOnEachBackend(); }
    void logitsAgreeWithTransformers() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const Path folder = kData / model.toStdString();
        const Golden golden = readGolden(folder);
        const LoadedModel loaded = loadModel(ops, folder);
        KvMemory memory(ops, loaded.spec, 8);
        SequenceRunner sequence(ops, *loaded.transformer, memory, 128);
        const std::vector<float> logits = sequence.append(golden.prompt);
        const auto width = static_cast<std::size_t>(loaded.spec.vocabulary);
        for (std::size_t i = 0; i < golden.logitRows.size(); ++i) {
            const auto row = static_cast<std::size_t>(golden.logitRows[i]);
            const float difference = largestDifference(std::span(logits).subspan(row * width, width),
                                                       std::span(golden.logits).subspan(i * width, width));
            QVERIFY2(difference <= kTolerance,
                     ("row " + std::to_string(row) + ": " + std::to_string(difference)).c_str());
        }
    }

    void greedyTokensEqualThoseOfTransformers_data() { eachModelOnEachBackend(); }
    void greedyTokensEqualThoseOfTransformers() {
        QFETCH(QString, model);
        QFETCH(QByteArray, name);
        const TestDevice device = openTestDevice(name);
        Backend& ops = *device.backend;
        const Path folder = kData / model.toStdString();
        const Golden golden = readGolden(folder);
        QCOMPARE(golden.greedy.size(), std::size_t{64});
        const LoadedModel loaded = loadModel(ops, folder);
        KvMemory memory(ops, loaded.spec, 8);
        SequenceRunner sequence(ops, *loaded.transformer, memory, 128);
        const auto width = static_cast<std::size_t>(loaded.spec.vocabulary);
        std::vector<float> logits = sequence.append(golden.prompt);
        std::vector<std::int32_t> greedy;
        while (greedy.size() < golden.greedy.size()) {
            greedy.push_back(largest(std::span(logits).last(width)));
            logits = sequence.append(std::span(greedy).last(1));
        }
        QCOMPARE(greedy, golden.greedy);
    }

    void ropeFrequenciesEqualThoseOfTransformersButForTheLastBit_data() {
        QTest::addColumn<QString>("model");
        for (const std::string& name : goldenNames()) QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
    void ropeFrequenciesEqualThoseOfTransformersButForTheLastBit() {
        QFETCH(QString, model);
        const Path folder = kData / model.toStdString();
        const auto files = makeFileSystem();
        const auto config = parseJson(*files->readText(folder / "config.json", 1 << 20), "config.json");
        const RopeTable rope(archSpecFromConfig(*config, "config.json")->rope);
        const Golden golden = readGolden(folder);
        QCOMPARE(rope.inverseFrequencies().size(), golden.inverseFrequencies.size());
        for (std::size_t i = 0; i < golden.inverseFrequencies.size(); ++i) {
            const float expected = golden.inverseFrequencies[i];
            const float found = rope.inverseFrequencies()[i];
            // Implementations of the power may differ in its last bit.
            QVERIFY2(std::abs(found - expected) <= 1.2e-7f * expected, std::to_string(i).c_str());
        }
    }
};
ESPALIER_TEST(tst_golden, TestGolden)
#include "tst_golden.moc"
