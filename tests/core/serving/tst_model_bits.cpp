// SPDX-License-Identifier: GPL-3.0-or-later
// The promise kept through the real Transformer: greedy and sampled answers, scores and embeddings of a tiny model,
// alone and in a crowd with small chunks, prefix hits, shuffled pages and preemption: the same bits.
#include <QTemporaryDir>
#include <QTest>

#include "core/base/file_system.h"
#include "core/compute/cpu/cpu_backend.h"
#include "core/compute/reference/reference_backend.h"
#include "core/serving/serving_loop.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"
#include "tests/support/tiny_model.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr int kRequests = 16;

struct Setup {
    std::int32_t pages = 256;
    std::int32_t batchTokens = 64;
    std::int32_t sequences = 8;
    bool prefixCache = false;
    bool alone = false;
};

Request requestOf(int number) {
    TestRandom random(static_cast<std::uint64_t>(number) * 31 + 1);
    Request request;
    request.id = {static_cast<std::uint64_t>(number) + 1};
    const std::int32_t shared = 16 * random.below(3);
    for (std::int32_t i = 0; i < shared; ++i) request.prompt.push_back(kTinyFirstByte + i % 50);
    const std::int32_t own = 1 + random.below(45);
    for (std::int32_t i = 0; i < own; ++i) request.prompt.push_back(random.below(kTinyVocabulary));
    request.maxTokens = 1 + random.below(40);
    request.logprobs = 2;
    request.sampling.seed = random.next();
    request.sampling.temperature = number % 2 ? 1.0 : 0.0;
    if (number % 8 == 6) request.kind = RequestKind::Score;
    if (number % 8 == 7) {
        request.kind = RequestKind::Embed;
        request.normalize = true;
        request.pooling = static_cast<Pooling>(number / 8 % 3);
    }
    return request;
}

struct Outcome {
    std::vector<Received> answers{kRequests};
    ServingCounters counters;
    std::string failure;
};

}  // namespace

class TestModelBits : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder, m_bf16Folder;
    ArchSpec m_spec;
    std::unique_ptr<FileSystem> m_files = makeFileSystem();
    std::unique_ptr<TensorSource> m_tensors, m_bf16Tensors;

    void runRequests(Backend& backend, Transformer& transformer, const Setup& setup, DType kvType, Outcome& outcome,
                     int first, int count) const {
        ServingOptions options;
        options.poolPages = setup.pages;
        options.maxBatchTokens = setup.batchTokens;
        options.maxSequences = setup.sequences;
        options.prefixCache = setup.prefixCache;
        options.kvType = kvType;
        ManualClock clock;
        auto loop = ServingLoop::create(backend, transformer, nullptr, options, clock);
        if (!loop) {
            outcome.failure = loop.error().text();
            return;
        }
        for (std::uint64_t i = 0; i < 128 && count > 1; ++i) {  // teaches admission to expect short answers
            Request request;
            request.id = {1000 + i};
            request.prompt = {5};
            request.maxTokens = 1;
            request.sink = [](const Chunk&) {};
            if (const auto result = (*loop)->submit(std::move(request)); !result)
                outcome.failure = result.error().text();
            (*loop)->step();
        }
        for (int i = first; i < first + count; ++i) {
            Request request = requestOf(i);
            request.sink = outcome.answers[static_cast<std::size_t>(i)].sink();
            if (const auto result = (*loop)->submit(std::move(request)); !result)
                outcome.failure = result.error().text();
            (*loop)->step();
        }
        while (!(*loop)->idle()) (*loop)->step();
        if (const auto result = (*loop)->checkIntegrity(); !result) outcome.failure = result.error().text();
        outcome.counters = (*loop)->stats().counters;
    }

    Outcome run(Backend& backend, const Setup& setup, DType kvType) const {
        Outcome outcome;
        TransformerOptions options;
        options.maxBatchTokens = options.maxLogitRows = 64;
        auto transformer = Transformer::load(
            backend, m_spec, backend.device().compute == ComputeMode::F32 ? *m_tensors : *m_bf16Tensors, options);
        if (!transformer) {
            outcome.failure = transformer.error().text();
            return outcome;
        }
        for (int i = 0; i < kRequests; i += setup.alone ? 1 : kRequests)
            runRequests(backend, **transformer, setup, kvType, outcome, i, setup.alone ? 1 : kRequests);
        return outcome;
    }

    // Name of the first request that differs, empty when none does.
    static std::string firstDifference(const Outcome& a, const Outcome& b) {
        for (int i = 0; i < kRequests; ++i)
            if (!sameBits(a.answers[static_cast<std::size_t>(i)], b.answers[static_cast<std::size_t>(i)]))
                return "request " + std::to_string(i);
        return {};
    }

    void compareCrowds(const std::function<std::unique_ptr<Backend>(int threads)>& makeBackend, DType kvType) const {
        const auto backend = makeBackend(1);
        const Outcome expected = run(*backend, {.alone = true}, kvType);
        QVERIFY2(expected.failure.empty(), expected.failure.c_str());
        for (const Received& answer : expected.answers)
            QVERIFY(answer.finish && *answer.finish != FinishReason::Failed);
        const Setup crowds[] = {
            {.pages = 256, .batchTokens = 64, .sequences = 8, .prefixCache = false},
            {.pages = 256, .batchTokens = 9, .sequences = 7, .prefixCache = true},
            {.pages = 15, .batchTokens = 33, .sequences = 6, .prefixCache = true},
        };
        std::int64_t preemptions = 0, hits = 0;
        for (const Setup& setup : crowds) {
            const auto other = makeBackend(1 + setup.batchTokens % 3);
            const Outcome crowd = run(*other, setup, kvType);
            QVERIFY2(crowd.failure.empty(), crowd.failure.c_str());
            const std::string difference = firstDifference(expected, crowd);
            QVERIFY2(difference.empty(), (difference + " with chunks of " + std::to_string(setup.batchTokens)).c_str());
            preemptions += crowd.counters.preemptions;
            hits += crowd.counters.prefixHits;
        }
        QVERIFY(preemptions > 0);
        QVERIFY(hits > 0);
    }

private slots:
    void initTestCase() {
        TinyModelOptions options;
        options.layers = 2;
        const Path folder = m_folder.path().toStdString();
        writeTinyModel(folder, options);
        const auto config = parseJson(dumpJson(tinyConfig(options)), "config.json");
        QVERIFY(config);
        auto spec = archSpecFromConfig(*config, "config.json");
        QVERIFY2(spec.has_value(), spec ? "" : spec.error().text().c_str());
        m_spec = *spec;
        auto tensors = openModelFolder(*m_files, folder);
        QVERIFY2(tensors.has_value(), tensors ? "" : tensors.error().text().c_str());
        m_tensors = std::move(*tensors);
        options.dtype = DType::BF16;
        writeTinyModel(m_bf16Folder.path().toStdString(), options);
        auto bf16 = openModelFolder(*m_files, m_bf16Folder.path().toStdString());
        QVERIFY(bf16);
        m_bf16Tensors = std::move(*bf16);
    }
    void referenceBackend_crowdsEqualAlone() {
        compareCrowds([](int) { return makeReferenceBackend(); }, DType::F32);
    }
    void cpuBackend_crowdsEqualAlone_data() {
        QTest::addColumn<int>("isa");
        QTest::addColumn<int>("kvType");
        QTest::addColumn<int>("compute");
        for (int isa = 0; isa <= static_cast<int>(bestIsa()); ++isa)
            for (const DType kvType : {DType::F32, DType::BF16}) {
                if (kvType == DType::BF16 && isa != static_cast<int>(bestIsa())) continue;
                QTest::addRow("%s, kv %s", std::string(isaName(static_cast<IsaLevel>(isa))).c_str(),
                              std::string(dtypeName(kvType)).c_str())
                    << isa << static_cast<int>(kvType) << static_cast<int>(ComputeMode::F32);
            }
        QTest::newRow("best, products in bf16")
            << static_cast<int>(bestIsa()) << static_cast<int>(DType::F32) << static_cast<int>(ComputeMode::Bf16);
    }
    void cpuBackend_crowdsEqualAlone() {
        QFETCH(int, isa);
        QFETCH(int, kvType);
        QFETCH(int, compute);
        compareCrowds(
            [&](int threads) {
                return makeCpuBackend({.threads = threads,
                                       .isa = static_cast<IsaLevel>(isa),
                                       .compute = static_cast<ComputeMode>(compute)});
            },
            static_cast<DType>(kvType));
    }
    void anotherKvTypeIsNoticed() {  // the comparison sees a rounding of the cache
        const auto backend = makeReferenceBackend();
        QVERIFY(!firstDifference(run(*backend, {}, DType::F32), run(*backend, {}, DType::BF16)).empty());
    }
};
ESPALIER_TEST(tst_model_bits, TestModelBits)
#include "tst_model_bits.moc"
