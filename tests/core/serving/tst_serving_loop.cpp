// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <set>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/request_check.h"
#include "core/serving/serving_loop.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

struct Bench {
    explicit Bench(const ServingOptions& options = roomy(), std::shared_ptr<const Tokenizer> tokenizer = nullptr,
                   const FakeTransformerOptions& modelOptions = {})
        : model(modelOptions),
          loop(std::move(ServingLoop::create(*backend, model, std::move(tokenizer), options, clock).value())) {}

    static ServingOptions roomy() {
        ServingOptions options;
        options.poolPages = 128;
        options.maxSequences = 8;
        return options;
    }
    void run() {
        while (!loop->idle()) loop->step();
    }
    PoolUsage pages() const { return loop->stats().pages; }

    std::unique_ptr<Backend> backend = makeReferenceBackend();
    ManualClock clock;
    FakeTransformer model;
    std::unique_ptr<ServingLoop> loop;
};

Request makeRequest(std::uint64_t id, std::int32_t promptTokens, std::int32_t maxTokens, Received& received) {
    Request request;
    request.id = {id};
    request.tenant = "ada";
    for (std::int32_t i = 0; i < promptTokens; ++i)
        request.prompt.push_back(static_cast<TokenId>((static_cast<std::uint64_t>(i) * 5 + id * 3) % 60));
    request.maxTokens = maxTokens;
    request.sink = received.sink();
    return request;
}

// The greedy answer, from the definition.
std::vector<TokenId> greedy(const FakeTransformer& model, std::vector<TokenId> tokens, int count) {
    std::vector<TokenId> answer;
    for (int i = 0; i < count; ++i) {
        const auto logits = model.expectedLogits(tokens);
        answer.push_back(static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin()));
        tokens.push_back(answer.back());
    }
    return answer;
}

}  // namespace

class TestServingLoop : public QObject {
    Q_OBJECT
private slots:
    void anAnswerHasItsTokensUsageAndOneLastChunk() {
        Bench bench;
        Received received;
        const Request request = makeRequest(1, 20, 12, received);
        const auto expected = greedy(bench.model, request.prompt, 12);
        QVERIFY(bench.loop->submit(request));
        QCOMPARE(bench.loop->stats().waiting, 1);
        bench.run();
        QCOMPARE(received.ids, expected);
        QCOMPARE(received.lastChunks, 1);
        QCOMPARE(received.chunks, 12);
        QCOMPARE(received.finish, std::optional(FinishReason::Length));
        QCOMPARE(received.usage.promptTokens, 20);
        QCOMPARE(received.usage.completionTokens, 12);
        QVERIFY(!bench.loop->step());
        const ServingStats stats = bench.loop->stats();
        QCOMPARE(stats.counters.promptTokens, std::int64_t{20});
        QCOMPARE(stats.counters.generationTokens, std::int64_t{12});
        QCOMPARE(stats.counters.finishedLength, std::int64_t{1});
        QCOMPARE(stats.running + stats.waiting, 0);
    }
    void aStopIdEndsTheAnswerAndIsNotPartOfIt() {
        Bench bench;
        Received received;
        Request request = makeRequest(1, 20, 50, received);
        const auto expected = greedy(bench.model, request.prompt, 50);
        request.stopIds = {expected[7]};
        const auto end = std::find(expected.begin(), expected.end(), expected[7]);
        QVERIFY(bench.loop->submit(request));
        bench.run();
        QCOMPARE(received.ids, std::vector(expected.begin(), end));
        QCOMPARE(received.finish, std::optional(FinishReason::Stop));
        QCOMPARE(received.usage.completionTokens, static_cast<std::int32_t>(end - expected.begin()));
    }
    void aStopStringAcrossTokensEndsTheAnswer() {
        std::vector<std::string> pieces;
        for (int i = 0; i < 61; ++i) pieces.push_back("<" + std::to_string(i) + ">");
        Bench bench(Bench::roomy(), makePieceTokenizer(pieces));
        Received received;
        Request request = makeRequest(1, 20, 50, received);
        const auto expected = greedy(bench.model, request.prompt, 50);
        // From inside the fourth token to inside the sixth.
        const std::string a = pieces[static_cast<std::size_t>(expected[3])],
                          b = pieces[static_cast<std::size_t>(expected[4])];
        request.stop = {"never", a.substr(1) + b + "<"};
        QVERIFY(bench.loop->submit(request));
        bench.run();
        std::string text;
        for (int i = 0; i < 3; ++i) text += pieces[static_cast<std::size_t>(expected[static_cast<std::size_t>(i)])];
        QCOMPARE(received.text, text + "<");
        QCOMPARE(received.ids, std::vector(expected.begin(), expected.begin() + 6));  // up to the one that completed it
        QCOMPARE(received.finish, std::optional(FinishReason::Stop));
    }
    void textThatOnlyBeganAStopIsShownAtTheEnd() {
        Bench bench(Bench::roomy(), makePieceTokenizer(std::vector<std::string>(61, "ab")));
        Received received;
        Request request = makeRequest(1, 5, 4, received);
        request.stop = {"bababababababX"};
        QVERIFY(bench.loop->submit(request));
        bench.run();
        QCOMPARE(received.text, std::string("abababab"));
        QCOMPARE(received.finish, std::optional(FinishReason::Length));
    }
    void anAnswerEndsWithTheContext() {
        Bench bench(Bench::roomy(), nullptr, {.context = 32});
        QCOMPARE(bench.loop->contextLimit(), 32);
        Received received;
        QVERIFY(bench.loop->submit(makeRequest(1, 30, 1000, received)));
        bench.run();
        QCOMPARE(received.ids.size(), std::size_t{2});
        QCOMPARE(received.finish, std::optional(FinishReason::Length));
    }
    void aPoolSmallerThanTheContextLimitsTheAnswer() {
        ServingOptions options = Bench::roomy();
        options.poolPages = 3;
        Bench bench(options);
        QCOMPARE(bench.loop->contextLimit(), 48);
        Received received;
        QVERIFY(bench.loop->submit(makeRequest(1, 40, 1000, received)));
        bench.run();
        QCOMPARE(received.usage.completionTokens, 8);
    }
    void requestsThatCannotBeAreRefusedWithNumbers() {
        ServingOptions options = Bench::roomy();
        options.poolPages = 4;
        options.maxWaiting = 2;
        Bench bench(options, nullptr, {.context = 100});
        Received received;
        const auto refused = [&](auto change) {
            Request request = makeRequest(9, 10, 5, received);
            change(request);
            const auto result = bench.loop->submit(std::move(request));
            return result ? Error{} : result.error();
        };
        Error error = refused([](Request& r) { r.prompt.assign(100, 1); });
        QCOMPARE(error.code, ErrorCode::ContextOverflow);
        QCOMPARE(
            error.message,
            std::string("the prompt has 100 tokens and the answer needs at least one; the model's context is 100"));
        error = refused([](Request& r) { r.prompt.assign(64, 1); });
        QCOMPARE(error.code, ErrorCode::ContextOverflow);  // no wait makes room for it
        QVERIFY(error.message.find("whole KV pool holds 64") != std::string::npos);
        QCOMPARE(refused([](Request& r) { r.prompt.clear(); }).code, ErrorCode::InvalidArgument);
        QCOMPARE(refused([](Request& r) { r.prompt[3] = 61; }).message,
                 std::string("prompt token 3 is 61; the model's ids are 0 to 60"));
        QCOMPARE(refused([](Request& r) { r.prompt[3] = -1; }).code, ErrorCode::InvalidArgument);
        QCOMPARE(refused([](Request& r) { r.maxTokens = 0; }).where, std::string("max_tokens"));
        QCOMPARE(refused([](Request& r) { r.logprobs = kMaxLogprobs + 1; }).where, std::string("logprobs"));
        QCOMPARE(refused([](Request& r) { r.sampling.topP = 2; }).where, std::string("top_p"));
        QCOMPARE(refused([](Request& r) { r.sampling.logitBias = {{61, 1.0f}}; }).where, std::string("logit_bias"));
        QCOMPARE(refused([](Request& r) { r.stop = {"x"}; }).code, ErrorCode::Unsupported);
        QCOMPARE(refused([](Request& r) { r.stop = {""}; }).where, std::string("stop"));
        QCOMPARE(refused([](Request& r) { r.stop.assign(17, "x"); }).where, std::string("stop"));
        QCOMPARE(refused([](Request& r) { r.stop = {"\x80"}; }).where, std::string("stop"));
        QCOMPARE(received.chunks, 0);
        // A score or an embedding of a prompt that fills the pool is possible.
        QVERIFY(bench.loop->submit([&] {
            Request r = makeRequest(1, 64, 5, received);
            r.kind = RequestKind::Score;
            return r;
        }()));
        QCOMPARE(refused([](Request& r) { r.id = {1}; }).code, ErrorCode::AlreadyExists);
        QVERIFY(bench.loop->submit(makeRequest(2, 10, 5, received)));
        QCOMPARE(refused([](Request&) {}).code, ErrorCode::Busy);
        bench.loop.reset();  // before the sinks' targets go
    }
    void cancel_freesPagesWhileWaitingInThePromptAndInTheAnswer() {
        ServingOptions options = Bench::roomy();
        options.maxBatchTokens = 32;
        options.maxSequences = 1;
        options.prefixCache = false;
        Bench bench(options);
        for (const int steps : {0, 1, 4, 9}) {
            Received received;
            QVERIFY(bench.loop->submit(makeRequest(7, 100, 50, received)));
            for (int i = 0; i < steps; ++i) bench.loop->step();
            QCOMPARE(bench.pages().of(PageOwner::Kv) > 0, steps > 0);
            bench.loop->cancel({7});
            QCOMPARE(received.finish, std::optional(FinishReason::Cancelled));
            QCOMPARE(received.lastChunks, 1);
            QCOMPARE(bench.pages().of(PageOwner::Free), 128);
            QVERIFY(bench.loop->idle());
            QVERIFY(bench.loop->checkIntegrity());
            bench.loop->cancel({7});
        }
        QCOMPARE(bench.loop->stats().counters.finishedCancelled, std::int64_t{4});
    }
    void aDeviceErrorFailsTheBatchAndTheLoopGoesOn() {
        Bench bench;
        Received first, second, later;
        QVERIFY(bench.loop->submit(makeRequest(1, 20, 30, first)));
        QVERIFY(bench.loop->submit(makeRequest(2, 20, 30, second)));
        bench.loop->step();
        bench.model.failNext(fail(ErrorCode::DeviceError, "an illegal address was read"));
        bench.loop->step();
        for (const Received* received : {&first, &second}) {
            QCOMPARE(received->finish, std::optional(FinishReason::Failed));
            QCOMPARE(received->error->code, ErrorCode::DeviceError);
            QCOMPARE(received->ids.size(), std::size_t{1});
        }
        QVERIFY(bench.loop->idle());
        QVERIFY(bench.loop->checkIntegrity());
        QVERIFY(bench.loop->submit(makeRequest(3, 20, 5, later)));
        bench.run();
        QCOMPARE(later.ids.size(), std::size_t{5});
    }
    void theDestructorCancelsWhatIsLeft() {
        Received received;
        {
            Bench bench;
            QVERIFY(bench.loop->submit(makeRequest(1, 20, 30, received)));
            bench.loop->step();
        }
        QCOMPARE(received.finish, std::optional(FinishReason::Cancelled));
    }
    void aSecondRequestReadsThePrefixOfTheFirst() {
        Bench bench;
        Received first, second, other;
        QVERIFY(bench.loop->submit(makeRequest(1, 50, 5, first)));
        bench.run();
        const std::int64_t rows = bench.model.rows();
        Request again = makeRequest(1, 50, 5, second);
        QVERIFY(bench.loop->submit(again));
        bench.run();
        QCOMPARE(second.usage.cachedTokens, 48);
        QCOMPARE(bench.model.rows() - rows, std::int64_t{2 + 4});
        QVERIFY(sameBits(first, second));
        QCOMPARE(bench.loop->stats().counters.prefixHits, std::int64_t{48});
        QCOMPARE(bench.loop->stats().counters.prefixQueries, std::int64_t{100});

        Request stranger = makeRequest(1, 50, 5, other);
        stranger.tenant = "bo";
        QVERIFY(bench.loop->submit(std::move(stranger)));
        bench.run();
        QCOMPARE(other.usage.cachedTokens, 0);  // another tenant sees nothing of it
        QVERIFY(sameBits(first, other));
        bench.loop->dropPrefixCache();
        QCOMPARE(bench.pages().of(PageOwner::Free), 128);
    }
    void aTenantOfFourTimesTheWeightGetsFourTimesTheService() {
        Bench bench;
        const auto light = std::make_shared<TenantShare>(), heavy = std::make_shared<TenantShare>();
        heavy->weight = 4.0;
        std::vector<Received> received(240);
        for (std::size_t i = 0; i < received.size(); ++i) {
            Request request = makeRequest(i + 1, 10, 6, received[i]);
            request.tenant = i % 2 ? "heavy" : "light";
            request.share = i % 2 ? heavy : light;
            QVERIFY(bench.loop->submit(std::move(request)));
        }
        const auto done = [&](std::size_t first) {
            int count = 0;
            for (std::size_t i = first; i < received.size(); i += 2) count += received[i].lastChunks;
            return count;
        };
        while (done(1) < 80) QVERIFY(bench.loop->step());
        const double ratio = done(1) / static_cast<double>(done(0));
        QVERIFY2(ratio > 3.0 && ratio < 5.0, qPrintable(QString::number(ratio)));
        light->weight = 4.0;  // changed while they run
        const int lightBefore = done(0), heavyBefore = done(1);
        while (done(1) < 110) QVERIFY(bench.loop->step());
        const double after = (done(1) - heavyBefore) / static_cast<double>(done(0) - lightBefore);
        QVERIFY2(after > 0.7 && after < 1.4, qPrintable(QString::number(after)));
        bench.run();
    }
    void aTenantThatWouldNotWaitIsRefusedAtOnce() {
        Bench bench;
        const auto hasty = std::make_shared<TenantShare>();
        hasty->firstTokenMs = 1000;
        std::vector<Received> received(40);
        Received late, early;
        Request request = makeRequest(100, 10, 2, late);
        request.share = hasty;
        QVERIFY(bench.loop->submit(request));  // nothing was measured yet: it waits
        bench.model.onForward = [&](const ForwardBatch&) { bench.clock.advance(std::chrono::milliseconds(100)); };
        bench.run();
        for (std::size_t i = 0; i < received.size(); ++i)
            QVERIFY(bench.loop->submit(makeRequest(i + 1, 100, 2, received[i])));  // of the same tenant
        request = makeRequest(101, 10, 2, early);
        request.share = hasty;
        const auto refused = bench.loop->submit(request);
        QCOMPARE(refused.error().code, ErrorCode::Busy);
        QVERIFY(refused.error().retryAfterS > 1);
        bench.run();
        QVERIFY(bench.loop->submit(request));
        bench.run();
        QCOMPARE(early.lastChunks, 1);
    }
    void aFollowUpReadsTheAnswerToo() {
        Bench bench;
        Received first, second;
        Request request = makeRequest(1, 20, 30, first);
        QVERIFY(bench.loop->submit(request));
        bench.run();
        Request next = makeRequest(2, 1, 3, second);
        next.prompt = request.prompt;
        next.prompt.insert(next.prompt.end(), first.ids.begin(), first.ids.end());
        QVERIFY(bench.loop->submit(std::move(next)));
        bench.run();
        QCOMPARE(second.usage.cachedTokens, 48);
    }
    void scoresTakeNoMoreLogitRowsThanThereAre() {
        Bench bench(Bench::roomy(), nullptr, {.maxLogitRows = 7});
        Received received, embedding;
        Request request = makeRequest(1, 60, 1, received);
        request.kind = RequestKind::Score;
        QVERIFY(bench.loop->submit(std::move(request)));
        Request embed = makeRequest(2, 60, 1, embedding);
        embed.kind = RequestKind::Embed;
        QVERIFY(bench.loop->submit(std::move(embed)));
        bench.run();  // the transformer checks the rows
        QCOMPARE(received.logprobs.size(), std::size_t{59});
        QCOMPARE(received.chunks, 9);
        QCOMPARE(embedding.embedding.size(), std::size_t{8});
        QCOMPARE(received.finish, std::optional(FinishReason::Stop));
    }
    void aScoreOfOneTokenScoresNothing() {
        Bench bench;
        Received received;
        Request request = makeRequest(1, 1, 1, received);
        request.kind = RequestKind::Score;
        QVERIFY(bench.loop->submit(std::move(request)));
        bench.run();
        QVERIFY(received.logprobs.empty());
        QCOMPARE(received.finish, std::optional(FinishReason::Stop));
    }
    void timesAreTakenFromTheClock() {
        Bench bench;
        Received received;
        bench.model.onForward = [&](const ForwardBatch&) { bench.clock.advance(std::chrono::milliseconds(10)); };
        QVERIFY(bench.loop->submit(makeRequest(1, 20, 5, received)));
        bench.clock.advance(std::chrono::milliseconds(30));
        bench.run();
        QCOMPARE(received.timing.queueMs, 30.0);
        QCOMPARE(received.timing.ttftMs, 40.0);
        QCOMPARE(received.timing.totalMs, 80.0);
        QCOMPARE(received.timing.tokensPerS, 100.0);
        const ServingStats stats = bench.loop->stats();
        QCOMPARE(stats.ttftMs.p50, 40.0);
        QCOMPARE(stats.tpotMs.p95, 10.0);
        QCOMPARE(stats.tpotMs.samples, std::int64_t{4});
        QCOMPARE(stats.prefillTokensPerS, 20.0);
        QCOMPARE(stats.decodeTokensPerS, 5.0);
        bench.clock.advance(std::chrono::seconds(2));
        QCOMPARE(bench.loop->stats().decodeTokensPerS, 0.0);
        bench.clock.advance(std::chrono::seconds(60));
        QCOMPARE(bench.loop->stats().ttftMs.samples, std::int64_t{0});
    }
    void aFloodOfOneTenantDoesNotHoldUpAnother() {
        ServingOptions options = Bench::roomy();
        options.maxBatchTokens = 32;
        Bench bench(options);
        std::vector<Received> flood(60);
        for (std::size_t i = 0; i < flood.size(); ++i)
            QVERIFY(bench.loop->submit(makeRequest(100 + i, 90, 10, flood[i])));
        for (int i = 0; i < 20; ++i) bench.loop->step();
        Received received;
        Request request = makeRequest(1, 10, 3, received);
        request.tenant = "bo";
        QVERIFY(bench.loop->submit(std::move(request)));
        int steps = 0;
        for (; !received.finish; ++steps) bench.loop->step();
        QVERIFY2(steps < 30, qPrintable(QString::number(steps)));
        int ended = 0;
        for (const Received& other : flood) ended += other.finish.has_value();
        QVERIFY(ended < 30);
        bench.loop.reset();
    }
    void tenantsWithWorkWaitingGetEqualServiceNotEqualTurns() {
        ServingOptions options = Bench::roomy();
        options.maxBatchTokens = 32;
        Bench bench(options);
        std::vector<Received> answers(400);
        for (std::size_t i = 0; i < answers.size(); ++i) {
            Request request = makeRequest(1 + i, i % 2 ? 90 : 9, 1, answers[i]);
            for (TokenId& id : request.prompt) id = (id + static_cast<TokenId>(i)) % 61;  // no common beginnings
            request.tenant = i % 2 ? "long" : "short";
            QVERIFY(bench.loop->submit(std::move(request)));
        }
        for (int i = 0; i < 100; ++i) bench.loop->step();
        std::int32_t served[2] = {0, 0};
        for (std::size_t i = 0; i < answers.size(); ++i)
            if (answers[i].finish)
                served[i % 2] += answers[i].usage.promptTokens + 2 * answers[i].usage.completionTokens;
        QVERIFY2(std::abs(served[0] - served[1]) <= 2 * 92, qPrintable(QString("%1 %2").arg(served[0]).arg(served[1])));
        QVERIFY(served[0] > 1000);
        bench.loop.reset();
    }
    void aPromptThatIsPreemptedGivesEachResultOnce_data() {
        QTest::addColumn<int>("kind");
        QTest::newRow("score") << static_cast<int>(RequestKind::Score);
        QTest::newRow("embedding") << static_cast<int>(RequestKind::Embed);
    }
    void aPromptThatIsPreemptedGivesEachResultOnce() {
        QFETCH(int, kind);
        ServingOptions options = Bench::roomy();
        options.poolPages = 8;
        options.maxBatchTokens = 2;  // one row of the answer, one of the other prompt
        Bench bench(options);
        for (std::uint64_t i = 0; i < 128; ++i) {  // admission learns to expect short answers
            Received ignored;
            QVERIFY(bench.loop->submit(makeRequest(1000 + i, 1, 1, ignored)));
            bench.run();
        }
        Received answer, prompt, alone;
        const auto request = [&](Received& received) {
            Request made = makeRequest(2, 64, 1, received);
            made.kind = static_cast<RequestKind>(kind);
            return made;
        };
        QVERIFY(bench.loop->submit(makeRequest(1, 30, 90, answer)));
        for (int i = 0; i < 20; ++i) bench.loop->step();
        QVERIFY(bench.loop->submit(request(prompt)));
        bench.run();
        QVERIFY(bench.loop->stats().counters.preemptions > 0);
        QVERIFY(bench.loop->submit(request(alone)));
        bench.run();
        QCOMPARE(prompt.lastChunks, 1);
        QVERIFY(sameBits(prompt, alone));
    }
    void tenThousandRandomOperationsLeakNothing() {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            TestRandom random(seed);
            ServingOptions options = Bench::roomy();
            options.poolPages = 12 + random.below(30);
            options.maxBatchTokens = 4 + random.below(60);
            options.maxSequences = 1 + random.below(8);
            options.maxWaiting = 20;
            options.prefixCache = random.below(4) > 0;
            Bench bench(options, makePieceTokenizer(std::vector<std::string>(61, "xy")), {.context = 160});
            std::vector<std::unique_ptr<Received>> all;
            std::set<std::uint64_t> refused;
            for (int operation = 0; operation < 2500; ++operation) {
                const std::string history = "seed " + std::to_string(seed) + ", operation " + std::to_string(operation);
                const std::int32_t kind = random.below(12);
                if (kind < 2) {
                    all.push_back(std::make_unique<Received>());
                    Request request = makeRequest(all.size(), 1 + random.below(170), 1 + random.below(60), *all.back());
                    for (TokenId& id : request.prompt) id = id % 3;  // many common beginnings
                    request.tenant = random.below(2) ? "ada" : "bo";
                    request.kind = static_cast<RequestKind>(random.below(3));
                    request.stopIds = {random.below(61)};
                    if (random.below(3) == 0) request.stop = {"yxyx", "xyz"};
                    request.sampling.temperature = random.below(2);
                    if (!bench.loop->submit(std::move(request))) refused.insert(all.size() - 1);
                } else if (kind == 2 && !all.empty()) {
                    bench.loop->cancel(
                        {1 + static_cast<std::uint64_t>(random.below(static_cast<std::int32_t>(all.size())))});
                } else if (kind == 3 && random.below(20) == 0) {
                    bench.model.failNext(fail(ErrorCode::DeviceError, "lost"));
                } else if (kind == 4 && random.below(10) == 0) {
                    bench.loop->dropPrefixCache();
                } else {
                    const bool hadWork = !bench.loop->idle();
                    QVERIFY2(bench.loop->step() == hadWork, history.c_str());
                }
                const auto integrity = bench.loop->checkIntegrity();
                QVERIFY2(integrity.has_value(), (history + (integrity ? "" : integrity.error().message)).c_str());
            }
            bench.run();
            for (std::size_t i = 0; i < all.size(); ++i) QCOMPARE(all[i]->lastChunks, refused.contains(i) ? 0 : 1);
            bench.loop->dropPrefixCache();
            QCOMPARE(bench.pages().of(PageOwner::Free), options.poolPages);
        }
    }
};
ESPALIER_TEST(tst_serving_loop, TestServingLoop)
#include "tst_serving_loop.moc"
