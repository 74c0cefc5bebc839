// SPDX-License-Identifier: GPL-3.0-or-later
// One request, alone or in a crowd: the same tokens, the same bits. The oracle is a loop of three lines that knows
// neither pages nor batches; every comparison is repeated with a transformer that is defective on purpose.
#include <QTest>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/sampler.h"
#include "core/serving/serving_loop.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

ServingOptions optionsOf(std::int32_t pages, std::int32_t batchTokens, bool prefixCache) {
    ServingOptions options;
    options.poolPages = pages;
    options.maxBatchTokens = batchTokens;
    options.maxSequences = 16;
    options.prefixCache = prefixCache;
    options.hashKey = HashKey{1, 2, 3};
    return options;
}

// Request number i of a crowd: some share beginnings, some are greedy, some have penalties, embeddings and scores
// between.
Request makeRequest(std::uint64_t number) {
    TestRandom random(number * 977 + 5);
    Request request;
    request.id = {number + 1};
    request.tenant = random.below(3) == 0 ? "ada" : "bo";
    const std::int32_t shared = random.below(3) * 16 + random.below(5);
    for (std::int32_t i = 0; i < shared; ++i) request.prompt.push_back((i * 7 + 3) % 61);
    const std::int32_t own = 1 + random.below(40);
    for (std::int32_t i = 0; i < own; ++i) request.prompt.push_back(random.below(61));
    request.maxTokens = 1 + random.below(60);
    request.logprobs = random.below(4) - 1;
    request.stopIds = {60};
    request.sampling.seed = random.next();
    if (random.below(3) > 0) {
        request.sampling.temperature = 0.5 + random.below(10) * 0.1;
        request.sampling.topK = random.below(2) * 20;
        request.sampling.topP = random.below(2) ? 0.9 : 1.0;
        request.sampling.frequencyPenalty = random.below(2) * 0.5;
        request.sampling.repetitionPenalty = random.below(2) ? 1.1 : 1.0;
    }
    const std::int32_t kind = random.below(8);
    if (kind == 0) request.kind = RequestKind::Score;
    if (kind == 1) {
        request.kind = RequestKind::Embed;
        request.pooling = static_cast<Pooling>(random.below(3));
        request.normalize = random.below(2) == 0;
    }
    return request;
}

// The naive oracle of a generation.
Received generateNaively(const FakeTransformer& model, const Request& request) {
    Received result;
    Sampler sampler;
    TokenHistory history;
    history.addPrompt(request.prompt);
    std::vector<TokenId> tokens = request.prompt;
    for (std::int32_t i = 0; i < request.maxTokens; ++i) {
        const std::vector<float> logits = model.expectedLogits(tokens);
        const TokenId id = sampler.sample(logits, request.sampling, &history, static_cast<std::uint64_t>(i)).value();
        if (id == request.stopIds.front()) {
            result.finish = FinishReason::Stop;
            return result;
        }
        if (request.logprobs >= 0) result.logprobs.push_back(sampler.logprob(logits, id, request.logprobs).value());
        history.addOutput(id);
        tokens.push_back(id);
        result.ids.push_back(id);
    }
    result.finish = FinishReason::Length;
    return result;
}

struct CrowdRun {
    std::vector<Received> answers;
    ServingStats stats;
};

CrowdRun runCrowd(FakeTransformer& model, const ServingOptions& options, int requests, bool shuffled = false) {
    const auto backend = makeReferenceBackend();
    ManualClock clock;
    CrowdRun run;
    run.answers.resize(static_cast<std::size_t>(requests));
    auto loop = std::move(ServingLoop::create(*backend, model, nullptr, options, clock).value());
    // One-token answers first, so that admission expects short ones and a small pool overflows.
    for (std::uint64_t i = 0; i < 128; ++i) {
        Request request;
        request.id = {100000 + i};
        request.prompt = {1, 2, 3};
        request.maxTokens = 1;
        request.sink = [](const Chunk&) {};
        if (!loop->submit(std::move(request))) return {};
        loop->step();
    }
    for (int i = 0; i < requests; ++i) {
        const int number = shuffled ? requests - 1 - i : i;
        Request request = makeRequest(static_cast<std::uint64_t>(number));
        request.sink = run.answers[static_cast<std::size_t>(number)].sink();
        if (!loop->submit(std::move(request))) return {};
        if (i % 3 == 0) loop->step();
    }
    while (!loop->idle()) loop->step();
    if (!loop->checkIntegrity()) return {};
    run.stats = loop->stats();
    return run;
}

int differing(const CrowdRun& a, const CrowdRun& b) {
    int count = 0;
    for (std::size_t i = 0; i < a.answers.size(); ++i) count += !sameBits(a.answers[i], b.answers[i]);
    return count;
}

constexpr int kCrowd = 64;

}  // namespace

class TestCrowdBits : public QObject {
    Q_OBJECT

    // Every request by itself, in a loop of its own without a cache.
    static CrowdRun alone(Defect defect) {
        CrowdRun run;
        run.answers.resize(kCrowd);
        const auto backend = makeReferenceBackend();
        ManualClock clock;
        for (int i = 0; i < kCrowd; ++i) {
            FakeTransformer model({.defect = defect});
            auto loop =
                std::move(ServingLoop::create(*backend, model, nullptr, optionsOf(64, 64, false), clock).value());
            Request request = makeRequest(static_cast<std::uint64_t>(i));
            request.sink = run.answers[static_cast<std::size_t>(i)].sink();
            if (!loop->submit(std::move(request))) return {};
            while (!loop->idle()) loop->step();
        }
        return run;
    }

private slots:
    void aloneAnswersEqualTheNaiveLoop() {
        const FakeTransformer model;
        const CrowdRun run = alone(Defect::None);
        int compared = 0;
        for (int i = 0; i < kCrowd; ++i) {
            const Request request = makeRequest(static_cast<std::uint64_t>(i));
            if (request.kind != RequestKind::Generate) continue;
            QVERIFY2(sameBits(run.answers[static_cast<std::size_t>(i)], generateNaively(model, request)),
                     qPrintable(QString("request %1").arg(i)));
            ++compared;
        }
        QVERIFY(compared > kCrowd / 2);
    }

    void scoresAndEmbeddingsEqualTheNaiveLoop() {
        const FakeTransformer model;
        const CrowdRun run = alone(Defect::None);
        Sampler sampler;
        int scores = 0, embeddings = 0;
        for (int i = 0; i < kCrowd; ++i) {
            const Request request = makeRequest(static_cast<std::uint64_t>(i));
            const Received& answer = run.answers[static_cast<std::size_t>(i)];
            const auto prefix = [&](std::size_t n) { return std::span(request.prompt).first(n); };
            if (request.kind == RequestKind::Score) {
                ++scores;
                QCOMPARE(answer.logprobs.size(), request.prompt.size() - 1);
                for (std::size_t n = 1; n < request.prompt.size(); ++n) {
                    const auto expected =
                        sampler.logprob(model.expectedLogits(prefix(n)), request.prompt[n], request.logprobs);
                    QCOMPARE(answer.logprobs[n - 1].logprob, expected->logprob);
                    QCOMPARE(answer.logprobs[n - 1].top, expected->top);
                }
            }
            if (request.kind == RequestKind::Embed && request.pooling == Pooling::Mean) {
                ++embeddings;
                std::vector<double> sum(answer.embedding.size(), 0.0);
                for (std::size_t n = 1; n <= request.prompt.size(); ++n) {
                    const auto row = model.expectedHidden(prefix(n));
                    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<double>(row[k]);
                }
                double scale = static_cast<double>(request.prompt.size());
                if (request.normalize) {
                    scale = 0.0;
                    for (const double value : sum) scale += value * value;
                    scale = std::sqrt(scale);
                }
                for (std::size_t k = 0; k < sum.size(); ++k)
                    QVERIFY(std::abs(sum[k] / scale - static_cast<double>(answer.embedding[k])) < 1e-6);
            }
        }
        QVERIFY(scores > 0 && embeddings > 0);
    }

    void crowdAnswersEqualAloneAnswers_data() {
        QTest::addColumn<int>("pages");
        QTest::addColumn<int>("batchTokens");
        QTest::addColumn<bool>("prefixCache");
        QTest::addColumn<bool>("shuffled");
        QTest::newRow("roomy") << 400 << 64 << false << false;
        QTest::newRow("small chunks") << 400 << 17 << false << false;
        QTest::newRow("prefix cache") << 400 << 64 << true << false;
        QTest::newRow("prefix cache, other order") << 400 << 33 << true << true;
        QTest::newRow("preemption") << 16 << 64 << false << false;
        QTest::newRow("preemption, prefix cache") << 16 << 40 << true << false;
        QTest::newRow("preemption, other order") << 18 << 16 << true << true;
    }
    void crowdAnswersEqualAloneAnswers() {
        QFETCH(int, pages);
        QFETCH(int, batchTokens);
        QFETCH(bool, prefixCache);
        QFETCH(bool, shuffled);
        const ServingOptions options = optionsOf(pages, batchTokens, prefixCache);
        FakeTransformer model;
        const CrowdRun expected = alone(Defect::None);
        const CrowdRun run = runCrowd(model, options, kCrowd, shuffled);
        QCOMPARE(run.answers.size(), expected.answers.size());
        for (int i = 0; i < kCrowd; ++i) {
            const Received& answer = run.answers[static_cast<std::size_t>(i)];
            QCOMPARE(answer.lastChunks, 1);
            QVERIFY2(sameBits(answer, expected.answers[static_cast<std::size_t>(i)]),
                     qPrintable(QString("request %1 differs").arg(i)));
        }
        // The run must have done what its name says.
        QCOMPARE(run.stats.counters.preemptions > 0, pages < 100);
        QCOMPARE(run.stats.counters.prefixHits > 0, prefixCache);
    }

    void aDefectiveTransformerIsNoticed_data() {
        QTest::addColumn<int>("defect");
        QTest::newRow("depends on the batch size") << static_cast<int>(Defect::SeesBatchSize);
        QTest::newRow("depends on chunk borders") << static_cast<int>(Defect::SeesChunkBorder);
        QTest::newRow("depends on page ids") << static_cast<int>(Defect::SeesPageIds);
        QTest::newRow("depends on the place in the batch") << static_cast<int>(Defect::SeesRowNumber);
    }
    void aDefectiveTransformerIsNoticed() {
        QFETCH(int, defect);
        FakeTransformer model({.defect = static_cast<Defect>(defect)});
        const CrowdRun run = runCrowd(model, optionsOf(16, 17, true), kCrowd);
        QCOMPARE(run.answers.size(), std::size_t{kCrowd});
        QVERIFY(differing(run, alone(static_cast<Defect>(defect))) > 5);
    }

    void anotherSeedGivesOtherTokens() {
        FakeTransformer model;
        const auto backend = makeReferenceBackend();
        ManualClock clock;
        auto loop = std::move(ServingLoop::create(*backend, model, nullptr, optionsOf(64, 64, true), clock).value());
        std::vector<Received> answers(3);
        for (std::uint64_t i = 0; i < 3; ++i) {
            Request request;
            request.id = {i + 1};
            request.prompt = {1, 2, 3};
            request.maxTokens = 30;
            request.sampling.temperature = 1.0;
            request.sampling.seed = i == 1 ? 2 : 1;
            request.sampling.choice = i == 2 ? 1 : 0;
            request.sink = answers[i].sink();
            QVERIFY(loop->submit(std::move(request)));
        }
        while (!loop->idle()) loop->step();
        QVERIFY(answers[0].ids != answers[1].ids);
        QVERIFY(answers[0].ids != answers[2].ids);
    }
};
ESPALIER_TEST(tst_crowd_bits, TestCrowdBits)
#include "tst_crowd_bits.moc"
