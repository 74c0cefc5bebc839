// SPDX-License-Identifier: GPL-3.0-or-later
// The golden folders of tests/data/models (made by make_golden.py there) against transformers' logits and greedy
// tokens.
#include <QTest>
#include <cmath>
#include <cstring>

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

Golden readGolden(const Path& folder) {
    const auto files = makeFileSystem();
    const Json json = parseJson(*files->readText(folder / "golden.json", 1 << 20), "golden.json").value();
    Golden golden{json["prompt"], json["greedy"], json["logit_rows"], {}, json["inv_freq"]};
    const auto raw = files->map(folder / "logits.f32");
    const auto bytes = (*raw)->bytes();
    golden.logits.resize(bytes.size() / sizeof(float));
    std::memcpy(golden.logits.data(), bytes.data(), bytes.size());
    return golden;
}

std::vector<std::string> goldenNames() {
    const auto files = makeFileSystem();
    std::vector<std::string> names;
    const auto entries = files->list(kData);
    for (const FileEntry& entry : *entries)
        if (entry.isDirectory) names.push_back(entry.path.filename().string());
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

    void eachModelOnEachBackend() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QByteArray>("name");
        for (const std::string& model : goldenNames())
            for (const char* name : backendNames())
                QTest::newRow((model + " on " + name).c_str()) << QString::fromStdString(model) << QByteArray(name);
    }

private slots:
    void thereAreGoldenModels() { QVERIFY(goldenNames().size() >= 8); }

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
