// SPDX-License-Identifier: GPL-3.0-or-later
// Isolation: what a request with an adapter gets, and what a request of the base gets, is the same bits alone and among
// requests with other adapters: first and last in the batch, in small chunks, with the prefix cache, in a pool so small
// that adapters are evicted and their pages reused. On plain and on block-quantised bases, with adapters of every type.
#include <QTemporaryDir>
#include <QTest>

#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/reference/reference_backend.h"
#include "core/formats/gguf_model.h"
#include "core/serving/kv_cache.h"
#include "core/serving/serving_loop.h"
#include "tests/support/adapter_data.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/faulty_backend.h"
#include "tests/support/model_runner.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr int kRequests = 30;
constexpr int kLoras = 5, kAdapters = kLoras + 2;  // and two bottlenecks

struct Setup {
    std::int32_t pages = 600;
    std::int32_t batchTokens = 64;
    std::int32_t sequences = 12;
    bool prefixCache = false;
    bool backwards = false;  // the last request first
};

// Request i uses adapter i % (kAdapters + 1); 0 is the base. Prompts begin alike, so that the prefix cache has work.
Request requestOf(int number, std::int32_t vocabulary) {
    TestRandom random(static_cast<std::uint64_t>(number) * 31 + 1);
    Request request;
    request.id = {static_cast<std::uint64_t>(number) + 1};
    const std::int32_t shared = 16 * random.below(3);
    for (std::int32_t i = 0; i < shared; ++i) request.prompt.push_back(4 + i % 50);
    const std::int32_t own = 1 + random.below(30);
    for (std::int32_t i = 0; i < own; ++i) request.prompt.push_back(random.below(vocabulary));
    request.maxTokens = 1 + random.below(20);
    request.logprobs = 2;
    request.sampling.seed = random.next();
    request.sampling.temperature = number % 2 ? 1.0 : 0.0;
    if (number % 7 == 5) request.kind = RequestKind::Score;
    if (number % 7 == 6) request.kind = RequestKind::Embed;
    return request;
}

struct Outcome {
    std::vector<Received> answers{kRequests};
    ServingCounters counters;
    std::int64_t loraCalls = 0;
};

class Bench {
public:
    Bench(std::unique_ptr<Backend> device, const Path& folder, const ArchSpec& spec, DType kvType)
        : m_device(std::move(device)),
          m_backend(*m_device),
          m_kvType(kvType),
          m_model(loadModel(m_backend, folder, spec,
                            {.maxBatchTokens = 64, .maxLogitRows = 64, .progress = {}, .stop = {}})) {
        const auto pageBytes = layerPageBytes(m_backend, spec, kvType);
        const std::int32_t ranks[kLoras] = {1, 8, 17, 3, 64};
        const DType types[kLoras] = {DType::F32, DType::BF16, DType::F16, DType::BF16, DType::F32};
        // Every place in a model, alone and together: the layers, one projection, the embedding, the head, both of
        // these.
        const std::vector<std::string> layers = {"q_proj",    "k_proj",  "v_proj",   "o_proj",
                                                 "gate_proj", "up_proj", "down_proj"};
        const auto with = [&](std::initializer_list<std::string> more) {
            std::vector<std::string> targets = layers;
            targets.insert(targets.end(), more);
            return targets;
        };
        const std::vector<std::string> targets[kLoras] = {
            with({"embed_tokens"}), {"v_proj"}, with({"embed_tokens", "lm_head"}), {"lm_head"}, layers};
        for (int i = 0; i < kLoras; ++i)
            m_images.push_back(tinyImage(spec, pageBytes,
                                         {.rank = ranks[i],
                                          .alpha = 4,
                                          .targets = targets[i],
                                          .dtype = types[i],
                                          .strength = 0.3f,
                                          .seed = 40u + static_cast<unsigned>(i)}));
        m_images.push_back(tinyBottleneckImage(spec, pageBytes, {.houlsby = true, .reduction = 4, .seed = 50}));
        m_images.push_back(
            tinyBottleneckImage(spec, pageBytes, {.houlsby = false, .reduction = 3, .dtype = DType::BF16, .seed = 51}));
    }

    Request make(int number) const {
        Request request = requestOf(number, m_model.spec.vocabulary);
        if (const int adapter = number % (kAdapters + 1))
            request.adapter = m_images[static_cast<std::size_t>(adapter - 1)];
        return request;
    }
    std::shared_ptr<const LoraImage> image(std::size_t i) const { return m_images[i]; }

    // All in one loop, or one loop for each.
    Outcome run(const Setup& setup, bool alone, const std::function<void(Request&)>& change = {}) {
        Outcome outcome;
        const std::int64_t before = m_backend.loraCalls();
        std::unique_ptr<ServingLoop> loop;
        ManualClock clock;
        const auto open = [&] {
            ServingOptions options;
            options.poolPages = setup.pages;
            options.maxBatchTokens = setup.batchTokens;
            options.maxSequences = setup.sequences;
            options.prefixCache = setup.prefixCache;
            options.kvType = m_kvType;
            loop = ServingLoop::create(m_backend, *m_model.transformer, nullptr, options, clock).value();
        };
        open();
        for (int i = 0; i < kRequests; ++i) {
            const int number = setup.backwards ? kRequests - 1 - i : i;
            Request request = make(number);
            if (change) change(request);
            request.sink = outcome.answers[static_cast<std::size_t>(number)].sink();
            const auto submitted = loop->submit(std::move(request));
            CHECK(submitted);
            if (alone) {
                while (!loop->idle()) loop->step();
                CHECK(loop->checkIntegrity());
                open();
            } else if (i % 3 == 0) {
                loop->step();
                CHECK(loop->checkIntegrity());
            }
        }
        while (!loop->idle()) loop->step();
        CHECK(loop->checkIntegrity());
        CHECK(loop->stats().pages.of(PageOwner::Adapter) == 0 && loop->stats().pages.of(PageOwner::Kv) == 0);
        outcome.counters = loop->stats().counters;
        outcome.loraCalls = m_backend.loraCalls() - before;
        return outcome;
    }

private:
    std::unique_ptr<Backend> m_device;
    FaultyBackend m_backend;
    DType m_kvType;
    LoadedModel m_model;
    std::vector<std::shared_ptr<const LoraImage>> m_images;
};

std::string firstDifference(const Outcome& a, const Outcome& b) {
    for (int i = 0; i < kRequests; ++i)
        if (!sameBits(a.answers[static_cast<std::size_t>(i)], b.answers[static_cast<std::size_t>(i)]))
            return "request " + std::to_string(i);
    return {};
}

}  // namespace

class TestAdapterBits : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    // A folder with a base: one of the three plain types, or the tests' block-quantised GGUF files.
    Path folderOf(const QString& base) const {
        if (base.contains("q")) return Path(ESPALIER_TEST_DATA) / "gguf" / base.toStdString();
        const Path folder = Path(m_folder.path().toStdString()) / base.toStdString();
        if (!std::filesystem::exists(folder))
            writeTinyModel(folder, {.dtype = *dtypeFromName(base.toStdString()), .tokenizer = false});
        return folder;
    }
    static ArchSpec specOf(const Path& folder) {
        const auto files = makeFileSystem();
        if (const auto gguf = findGguf(*files, folder).value()) return openGgufModel(*files, *gguf)->spec;
        return archSpecFromConfig(*parseJson(*files->readText(folder / "config.json", 1 << 20), ""), "").value();
    }

    void compare(const Path& folder, int isa, DType kvType) const {
        const ArchSpec spec = specOf(folder);
        const auto device = [&](int threads) {
            return isa < 0 ? makeReferenceBackend()
                           : makeCpuBackend({.threads = threads, .isa = static_cast<IsaLevel>(isa)});
        };
        Bench single(device(1), folder, spec, kvType);
        const Outcome expected = single.run({}, true);
        for (const Received& answer : expected.answers)
            QVERIFY(answer.finish && *answer.finish != FinishReason::Failed);
        const std::int32_t tight = single.image(4)->pages + single.image(2)->pages + 14;
        const Setup crowds[] = {
            {},
            {.batchTokens = 64, .backwards = true},
            {.batchTokens = 7, .sequences = 7, .prefixCache = true},
            {.pages = tight, .batchTokens = 33, .sequences = 6, .prefixCache = true},
            {.pages = tight, .batchTokens = 48, .sequences = 12, .prefixCache = true, .backwards = true},
        };
        std::int64_t evictions = 0, hits = 0, loads = 0;
        for (const Setup& setup : crowds) {
            Bench bench(device(1 + setup.batchTokens % 3), folder, spec, kvType);
            const Outcome crowd = bench.run(setup, false);
            const std::string difference = firstDifference(expected, crowd);
            QVERIFY2(difference.empty(), (difference + " with chunks of " + std::to_string(setup.batchTokens) + " in " +
                                          std::to_string(setup.pages) + " pages")
                                             .c_str());
            evictions += crowd.counters.adapterEvictions;
            hits += crowd.counters.prefixHits;
            loads += crowd.counters.adapterLoads;
        }
        QVERIFY(evictions > 0);
        QVERIFY(hits > 0);
        QVERIFY(loads > 5 * kAdapters);
    }

private slots:
    void aloneAndAmongOthersAreTheSameBits_data() {
        QTest::addColumn<QString>("base");
        QTest::addColumn<int>("isa");  // -1: the reference backend
        QTest::addColumn<int>("kvType");
        const int best = static_cast<int>(bestIsa());
        for (int isa = -1; isa <= best; ++isa)
            QTest::addRow("f32 base, %d", isa) << QString("f32") << isa << static_cast<int>(DType::F32);
        QTest::newRow("bf16 base, bf16 KV") << QString("bf16") << best << static_cast<int>(DType::BF16);
        for (const char* name : {"llama-q8_0", "llama-q4_0", "llama-q4_k"})
            QTest::newRow(name) << QString(name) << best << static_cast<int>(DType::F32);
        QTest::newRow("f16 base, f16 KV") << QString("f16") << best << static_cast<int>(DType::F16);
    }
    void aloneAndAmongOthersAreTheSameBits() {
        QFETCH(QString, base);
        QFETCH(int, isa);
        QFETCH(int, kvType);
        compare(folderOf(base), isa, static_cast<DType>(kvType));
    }

    void theComparisonSeesAWrongAdapter() {
        const Path folder = folderOf("f32");
        Bench bench(makeReferenceBackend(), folder, specOf(folder), DType::F32);
        const Outcome expected = bench.run({}, true);
        for (int wrong = 0; wrong < 2; ++wrong) {
            const Outcome other = bench.run({}, true, [&](Request& request) {
                if (request.id.value == 4) request.adapter = wrong == 0 ? bench.image(0) : nullptr;  // was another's
                if (request.id.value == 1 && wrong == 0) request.adapter = nullptr;  // is the base's anyway
            });
            QCOMPARE(firstDifference(expected, other), std::string("request 3"));
        }
        const Outcome based = bench.run({}, true, [&](Request& request) {
            if (request.id.value == 1) request.adapter = bench.image(3);
        });
        QCOMPARE(firstDifference(expected, based), std::string("request 0"));
    }

    void theBaseAloneCallsNothingForAdapters() {
        const Path folder = folderOf("f32");
        Bench bench(makeReferenceBackend(), folder, specOf(folder), DType::F32);
        const Outcome base = bench.run({}, false, [](Request& request) { request.adapter = nullptr; });
        QCOMPARE(base.loraCalls, 0);
        QCOMPARE(base.counters.adapterSteps, 0);
        QVERIFY(base.counters.steps > 0);
        const Outcome mixed = bench.run({}, false);
        QVERIFY(mixed.loraCalls > 0);
        QVERIFY(mixed.counters.adapterSteps > 0 && mixed.counters.adapterSteps <= mixed.counters.steps);
    }

    void withoutMemoryForItsRanksARequestFailsAndTheBaseGoesOn() {
        const Path folder = folderOf("f32");
        const auto device = makeReferenceBackend();
        FaultyBackend backend(*device);
        const LoadedModel model = loadModel(backend, folder, specOf(folder));
        ManualClock clock;
        ServingOptions options;
        options.poolPages = 64;
        const auto loop = ServingLoop::create(backend, *model.transformer, nullptr, options, clock).value();
        const auto image = tinyImage(model.spec, layerPageBytes(backend, model.spec, DType::F32));
        std::vector<Received> received(3);
        const auto submit = [&](std::size_t i, bool withAdapter) {
            Request request;
            request.id = {i + 1};
            request.prompt = {5, 6, 7};
            request.maxTokens = 6;
            if (withAdapter) request.adapter = image;
            request.sink = received[i].sink();
            CHECK(loop->submit(std::move(request)));
        };
        backend.failAllocate(true);
        submit(0, false);
        submit(1, true);
        while (!loop->idle()) loop->step();
        QCOMPARE(*received[0].finish, FinishReason::Length);
        QCOMPARE(*received[1].finish, FinishReason::Failed);
        QCOMPARE(received[1].error->code, ErrorCode::PoolExhausted);
        QVERIFY(loop->checkIntegrity());
        QCOMPARE(loop->stats().pages.of(PageOwner::Adapter) + loop->stats().pages.of(PageOwner::AdapterIdle), 0);
        backend.failAllocate(false);
        submit(2, true);
        while (!loop->idle()) loop->step();
        QCOMPARE(*received[2].finish, FinishReason::Length);
    }

    void anAdapterThatNeverFitsIsRefusedAtOnce() {
        const Path folder = folderOf("f32");
        Bench bench(makeReferenceBackend(), folder, specOf(folder), DType::F32);
        const auto backend = makeReferenceBackend();
        const LoadedModel model = loadModel(*backend, folder, specOf(folder));
        ManualClock clock;
        const auto open = [&](std::int32_t pages) {
            ServingOptions options;
            options.poolPages = pages;
            return ServingLoop::create(*backend, *model.transformer, nullptr, options, clock).value();
        };
        const std::int32_t pages = bench.image(4)->pages;
        Request request = bench.make(5);
        request.kind = RequestKind::Generate;
        request.sink = [](const Chunk&) {};
        QCOMPARE(open(pages)->submit(request).error().code, ErrorCode::PoolExhausted);
        const auto tight = open(pages + 1);  // room for 16 tokens beside it
        request.prompt.assign(16, 5);
        QCOMPARE(tight->submit(request).error().code, ErrorCode::ContextOverflow);
        request.prompt.assign(9, 5);
        request.maxTokens = 100;
        request.stopIds.clear();
        Received received;
        request.sink = received.sink();
        QVERIFY(tight->submit(request));
        while (!tight->idle()) tight->step();
        QCOMPARE(*received.finish, FinishReason::Length);
        QCOMPARE(received.ids.size(), std::size_t{7});  // up to the end of its page
        QVERIFY(tight->checkIntegrity());
    }
};

ESPALIER_TEST(tst_adapter_bits, TestAdapterBits)
#include "tst_adapter_bits.moc"
