// SPDX-License-Identifier: GPL-3.0-or-later
// The golden adapters of tests/data/adapters (made by make_golden.py there) against PEFT: logits, 64 greedy tokens
// beside requests of the base, hidden states of encoders.
#include <QTest>
#include <cmath>
#include <cstring>
#include <set>

#include "core/serving/adapter_cache.h"
#include "core/serving/kv_cache.h"
#include "core/serving/serving_loop.h"
#include "tests/support/backends.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const Path kData = Path(ESPALIER_TEST_DATA);
constexpr float kTolerance = 1e-4f;

std::vector<std::string> goldenNames(const char* file) {
    const auto files = makeFileSystem();
    std::vector<std::string> names;
    const auto entries = files->list(kData / "adapters");
    for (const FileEntry& entry : *entries)
        if (entry.isDirectory && files->exists(entry.path / file)) names.push_back(entry.path.filename().string());
    return names;
}

std::vector<float> readFloats(const Path& path) {
    const auto files = makeFileSystem();
    const std::string raw = files->readText(path, 1 << 28).value();
    std::vector<float> values(raw.size() / sizeof(float));
    std::memcpy(values.data(), raw.data(), raw.size());
    return values;
}

float largestDifference(std::span<const float> a, std::span<const float> b) {
    CHECK(a.size() == b.size() && !a.empty());
    float largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const float difference = std::abs(a[i] - b[i]);
        if (!(difference <= largest)) largest = difference;  // NaN wins
    }
    return largest;
}

// A golden adapter beside its base, on one backend.
struct Bench {
    TestDevice device;
    Backend& backend;
    Path folder;
    Json golden;
    LoadedModel model;
    std::shared_ptr<const LoraImage> image;

    Bench(const QString& name, const QByteArray& deviceName)
        : device(openTestDevice(deviceName)),
          backend(*device.backend),
          folder(kData / "adapters" / name.toStdString()) {
        const auto files = makeFileSystem();
        golden = parseJson(files->readText(folder / "golden.json", 1 << 20).value(), "golden.json").value();
        model = loadModel(backend, kData / "models" / golden["base"].get<std::string>());
        const auto adapter = readAdapterFolder(*files, folder, model.spec);
        if (!adapter) qWarning("%s", adapter.error().message.c_str());
        CHECK(adapter);
        image = makeLoraImage(adapter->spec, *adapter->tensors, digestAdapter(*adapter, {}).value(),
                              layerPageBytes(backend, model.spec, DType::F32))
                    .value();
    }

    // Logits or hidden states of every token of a text.
    std::vector<float> forward(const std::vector<std::int32_t>& tokens, bool hidden) {
        PagePool pool(64);
        KvCache kv = KvCache::create(backend, model.spec, DType::F32, 64).value();
        const ManualClock clock;
        InlineLane lane;
        AdapterTiers tiers{lane, lane, clock, INT64_MAX};
        AdapterCache adapters(backend, pool, kv.layers(), 128, tiers, clock);
        const auto stream = backend.makeStream();
        CHECK(adapters.check(*image));
        CHECK(adapters.bring(image, image, MoveCause::Miss, {}));
        const ResidentAdapter* resident = adapters.acquire(image->digest);
        std::vector<PageId> pages;
        CHECK(pool.acquire(PageOwner::Kv, 6, pages));
        const auto rows = static_cast<std::int32_t>(tokens.size());
        const Segment segments[] = {{0, rows, 0, pages}};
        const AdapterRows parts[] = {{0, rows, &resident->modules}};
        const auto wanted = ascendingRows(rows);
        const std::vector<std::int32_t> none;
        const auto output = model.transformer->forward(*stream,
                                                       {.tokens = tokens,
                                                        .segments = segments,
                                                        .logitRows = hidden ? none : wanted,
                                                        .hiddenRows = hidden ? wanted : none,
                                                        .adapters = parts,
                                                        .adapterRanks = adapters.ranks()},
                                                       kv.layers());
        CHECK(output);
        return floatsOf(hidden ? output->hidden : output->logits);
    }
};

}  // namespace

class TestAdapterGolden : public QObject {
    Q_OBJECT

    void eachAdapterOnEachBackend(const char* file) {
        QTest::addColumn<QString>("adapter");
        QTest::addColumn<QByteArray>("name");
        for (const std::string& adapter : goldenNames(file))
            for (const char* name : backendNames())
                QTest::newRow((adapter + " on " + name).c_str()) << QString::fromStdString(adapter) << QByteArray(name);
    }

private slots:
    void everyKindOfFamilyHasGoldenAdapters() {
        std::set<std::string> families;
        const auto files = makeFileSystem();
        for (const char* file : {"logits.f32", "hidden.f32"})
            for (const std::string& name : goldenNames(file)) families.insert(name.substr(0, name.find('-')));
        for (const char* family : {"llama", "mistral", "qwen2", "qwen3", "gpt2", "bert", "distilbert"})
            QVERIFY2(families.contains(family), family);
    }

    void logitsAgreeWithPeft_data() { eachAdapterOnEachBackend("logits.f32"); }
    void logitsAgreeWithPeft() {
        QFETCH(QString, adapter);
        QFETCH(QByteArray, name);
        Bench bench(adapter, name);
        const auto expected = readFloats(bench.folder / "logits.f32");
        const auto logits = bench.forward(bench.golden["prompt"], false);
        const auto width = static_cast<std::size_t>(bench.model.spec.vocabulary);
        const std::vector<std::size_t> rows = bench.golden["logit_rows"];
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const float difference = largestDifference(std::span(logits).subspan(rows[i] * width, width),
                                                       std::span(expected).subspan(i * width, width));
            QVERIFY2(difference <= kTolerance, qPrintable(QString("row %1: %2").arg(rows[i]).arg(difference)));
        }
    }

    void hiddenStatesAgreeWithPeft_data() { eachAdapterOnEachBackend("hidden.f32"); }
    void hiddenStatesAgreeWithPeft() {
        QFETCH(QString, adapter);
        QFETCH(QByteArray, name);
        Bench bench(adapter, name);
        const auto expected = readFloats(bench.folder / "hidden.f32");
        std::vector<float> found;
        for (const Json& text : bench.golden["texts"]) {
            const auto hidden = bench.forward(text.get<std::vector<std::int32_t>>(), true);
            found.insert(found.end(), hidden.begin(), hidden.end());
        }
        const float difference = largestDifference(found, expected);
        QVERIFY2(difference <= kTolerance, qPrintable(QString::number(difference)));
    }

    // Beside two requests of the base model in the same steps, whose answers are those that the base gives alone.
    void greedyTokensEqualThoseOfPeftBesideTheBase_data() { eachAdapterOnEachBackend("logits.f32"); }
    void greedyTokensEqualThoseOfPeftBesideTheBase() {
        QFETCH(QString, adapter);
        QFETCH(QByteArray, name);
        Bench bench(adapter, name);
        ManualClock clock;
        const auto run = [&](bool withBase, bool withAdapter) {
            ServingOptions options;
            options.poolPages = 64;
            auto loop = ServingLoop::create(bench.backend, *bench.model.transformer, nullptr, options, clock).value();
            std::vector<Received> received(3);
            for (std::uint64_t i = 0; i < 3; ++i) {
                if (i == 1 ? !withAdapter : !withBase) continue;
                Request request;
                request.id = {i + 1};
                request.prompt = bench.golden["prompt"].get<std::vector<TokenId>>();
                request.maxTokens = 64;
                request.sink = received[i].sink();
                if (i == 1) request.adapter = bench.image;
                CHECK(loop->submit(std::move(request)));
            }
            while (!loop->idle()) loop->step();
            CHECK(loop->checkIntegrity());
            std::vector<std::vector<TokenId>> ids;
            for (const Received& one : received) ids.push_back(one.ids);
            return ids;
        };
        const auto together = run(true, true), baseAlone = run(true, false);
        QCOMPARE(together[1], bench.golden["greedy"].get<std::vector<TokenId>>());
        QCOMPARE(together[0], baseAlone[0]);
        QCOMPARE(together[2], baseAlone[0]);
        QVERIFY(together[0].size() == 64 && together[0] != together[1]);
    }
};

ESPALIER_TEST(tst_adapter_golden, TestAdapterGolden)
#include "tst_adapter_golden.moc"
