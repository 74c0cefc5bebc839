// SPDX-License-Identifier: GPL-3.0-or-later
// Answers that pause beyond the places (scheduler.h): they go on within a bounded number of steps, under any flood;
// they say what they would have said; and however they end meanwhile, nothing of them stays.
#include <QTest>
#include <map>

#include "core/compute/reference/reference_backend.h"
#include "core/serving/serving_loop.h"
#include "tests/core/serving/scheduler_simulation.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kLongestPrompt = 40, kLongestAnswer = 24;

struct Flood {
    const char* name;
    std::int32_t places = 8;
    std::vector<double> weights = {1.0, 1.0, 1.0, 1.0};
    std::int32_t pool = 400;
};
const std::vector<Flood> kFloods = {
    {.name = "tenants alike"},
    {.name = "tenants of many weights", .weights = {1.0, 2.0, 4.0, 1.0}},
    {.name = "more tenants than places", .places = 2},
    {.name = "fewer pages than all want", .pool = 40},
};

Simulation simulationOf(const Flood& flood) {
    Simulation simulation;
    simulation.pool = flood.pool;
    simulation.weights = flood.weights;
    simulation.limits = {.maxBatchTokens = 64,
                         .maxLogitRows = 64,
                         .maxSequences = flood.places,
                         .doorSequences = flood.places,
                         .expectedOutput = kLongestAnswer};
    return simulation;
}

// Each tenant always has this many requests.
void keepFlooded(Simulation& simulation, TestRandom& random, std::int32_t requests = 12) {
    for (std::int32_t tenant = 0; tenant < 4; ++tenant)
        while (std::ranges::count(simulation.queue, tenant, &Simulation::Item::tenant) < requests)
            simulation.submit(tenant, 1 + random.below(kLongestPrompt), 1 + random.below(kLongestAnswer));
}

int longestPause(const Simulation& simulation) {
    int longest = 0;
    for (const auto* items : {&simulation.done, &simulation.queue})
        for (const auto& item : *items) longest = std::max(longest, item.longestPause);
    return longest;
}

// What goes on ends within its own length, and its place falls free; whoever pauses, counted as served no more, is then
// soon not the most served any longer.
constexpr int kMostPaused = 2 * kLongestAnswer;

struct Bench {
    explicit Bench(const ServingOptions& options = fewPlaces())
        : loop(std::move(ServingLoop::create(*backend, model, nullptr, options, clock).value())) {}

    static ServingOptions fewPlaces() {
        ServingOptions options;
        options.poolPages = 160;
        options.maxSequences = 2;
        return options;
    }
    void run() {
        while (!loop->idle()) loop->step();
    }
    std::map<std::uint64_t, LiveRequest> live() const {
        std::map<std::uint64_t, LiveRequest> found;
        for (const LiveRequest& request : loop->requests()) found.emplace(request.id.value, request);
        return found;
    }
    // One step; the ids of answers that were under way and got nothing from it.
    std::vector<std::uint64_t> stepAndSeePaused() {
        const auto before = live();
        const std::int64_t preemptions = loop->stats().counters.preemptions;
        loop->step();
        std::vector<std::uint64_t> paused;
        if (loop->stats().counters.preemptions != preemptions) return paused;  // these do not pause
        for (const auto& [id, now] : live()) {
            const auto was = before.find(id);
            if (was == before.end() || !was->second.isRunning || was->second.producedTokens == 0) continue;
            if (was->second.producedTokens == now.producedTokens && was->second.computedTokens == now.computedTokens &&
                now.computedTokens == now.promptTokens + now.producedTokens - 1)
                paused.push_back(id);
        }
        return paused;
    }
    PoolUsage pages() const { return loop->stats().pages; }

    std::unique_ptr<Backend> backend = makeReferenceBackend();
    ManualClock clock;
    FakeTransformer model;
    std::unique_ptr<ServingLoop> loop;
};

Request requestOf(std::uint64_t id, const char* tenant, std::int32_t prompt, std::int32_t answer, Received& into) {
    Request request;
    request.id = {id};
    request.tenant = tenant;
    for (std::int32_t i = 0; i < prompt; ++i)
        request.prompt.push_back(static_cast<TokenId>((static_cast<std::uint64_t>(i) * 5 + id * 7) % 61));
    request.maxTokens = answer;
    request.logprobs = 2;
    request.sampling.temperature = id % 2 ? 1.0 : 0.0;
    request.sampling.seed = id * 977;
    request.sink = into.sink();
    return request;
}

Received alone(std::uint64_t id, const char* tenant, std::int32_t prompt, std::int32_t answer) {
    Bench bench;
    Received received;
    CHECK(bench.loop->submit(requestOf(id, tenant, prompt, answer, received)));
    bench.run();
    return received;
}

// Two places; ada's two answers have them, then bo comes: ada's newer one pauses, and bo's goes on.
struct Paused : Bench {
    static constexpr std::int32_t kPrompt = 20, kAnswer = 60;
    Received older, newer, other;

    Paused() {
        CHECK(loop->submit(requestOf(1, "ada", kPrompt, kAnswer, older)));
        CHECK(loop->submit(requestOf(2, "ada", kPrompt, kAnswer, newer)));
        for (int i = 0; i < 10; ++i) loop->step();
        CHECK(loop->submit(requestOf(3, "bo", kPrompt, kAnswer, other)));
        for (int i = 0; i < 5; ++i) loop->step();
    }
    ~Paused() { loop.reset(); }  // before what its sinks write into
    bool isPaused() { return stepAndSeePaused() == std::vector<std::uint64_t>{2}; }
    bool leavesNothing() {
        loop->dropPrefixCache();
        return loop->checkIntegrity() && pages().of(PageOwner::Free) == pages().total();
    }
};

const Received& expected(std::uint64_t id) {
    static const Received answers[] = {alone(1, "ada", Paused::kPrompt, Paused::kAnswer),
                                       alone(2, "ada", Paused::kPrompt, Paused::kAnswer),
                                       alone(3, "bo", Paused::kPrompt, Paused::kAnswer)};
    return answers[id - 1];
}

}  // namespace

class TestPauses : public QObject {
    Q_OBJECT
private slots:
    void underAFlood_whoPausesGoesOnInABoundedNumberOfSteps_data() {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < kFloods.size(); ++i) QTest::newRow(kFloods[i].name) << static_cast<int>(i);
    }
    void underAFlood_whoPausesGoesOnInABoundedNumberOfSteps() {
        QFETCH(int, index);
        const Flood& flood = kFloods[static_cast<std::size_t>(index)];
        int longest = 0, longestAnswer = 0;
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            Simulation simulation = simulationOf(flood);
            TestRandom random(seed);
            while (simulation.steps < 2000) {
                keepFlooded(simulation, random);
                simulation.step();
                QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
            }
            longest = std::max(longest, longestPause(simulation));
            for (const auto& item : simulation.done)
                longestAnswer = std::max(longestAnswer, item.endedAt - item.firstTokenAt);
            // Whoever has begun and is still there has not been there for long either.
            for (const auto& item : simulation.queue)
                if (item.firstTokenAt >= 0)
                    longestAnswer = std::max(longestAnswer, simulation.steps - item.firstTokenAt);
        }
        qInfo("longest pause %d steps of at most %d; from the first token to the last at most %d", longest, kMostPaused,
              longestAnswer);
        QVERIFY(longest > 0 && longest <= kMostPaused);
        QVERIFY(longestAnswer <= kLongestAnswer + kMostPaused);
    }
    void aDefect_thatForgetsWhatTheOthersGotStarvesWhoPauses() {
        const Flood& flood = kFloods[2];
        Simulation simulation = simulationOf(flood);
        simulation.onlyCharged = 0;
        TestRandom random(1);
        for (std::int32_t tenant = 0; tenant < 4; ++tenant) simulation.submit(tenant, 8, 1);
        for (int i = 0; i < 4; ++i) simulation.submit(0, 8, kLongestAnswer);
        for (int i = 0; i < 12; ++i) simulation.step();
        while (simulation.steps < 2000) {
            keepFlooded(simulation, random);
            simulation.step();
        }
        QVERIFY2(longestPause(simulation) > 4 * kMostPaused, qPrintable(QString::number(longestPause(simulation))));
    }
    void amongATenantsPausedAnswers_theOldestGoesOnFirst() {
        Simulation simulation = simulationOf({.name = "", .places = 4});
        for (int i = 0; i < 4; ++i) simulation.submit(0, 4, 20);
        for (int i = 0; i < 3; ++i) simulation.step();
        for (int i = 0; i < 4; ++i) simulation.submit(1, 4, 20);
        int paused = 0;
        while (!simulation.queue.empty()) {
            simulation.step();
            QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
            for (std::size_t i = 0; i + 1 < simulation.queue.size(); ++i) {
                const auto &older = simulation.queue[i], &newer = simulation.queue[i + 1];
                if (older.tenant != newer.tenant || !newer.isRunning || newer.generated == 0) continue;
                if (newer.firstTokenAt == simulation.steps) continue;  // it was a prompt in this step
                paused += newer.pausedFor > 0;
                QVERIFY(older.pausedFor == 0 || newer.pausedFor > 0);
            }
        }
        QVERIFY(paused > 5);
    }
    void whenPagesRunOut_whoPausesOfTheMostServedGivesWay() {
        const auto decoding = [](std::int32_t tokens, std::int32_t tenant) {
            SequenceView view;
            view.tenant = tenant;
            view.target = tokens;
            view.mayGenerate = 32;
            view.isRunning = true;
            view.computed = tokens - 1;
            view.pages = pagesForTokens(tokens - 1);
            view.generated = 1;
            return view;
        };
        const StepLimits limits{.maxBatchTokens = 64, .maxLogitRows = 64, .maxSequences = 2, .doorSequences = 2};
        const std::vector sequences{decoding(17, 0), decoding(33, 1), decoding(33, 0), decoding(33, 0)};
        const std::vector<double> served{90.0, 10.0};
        // 0 and 1 need a page; 2 and 3 pause, and the newer of them is worth two.
        const StepPlan plan = planStep({sequences, served}, usageOf(0, 7), limits);
        QCOMPARE(plan.preempted, std::vector<std::int32_t>{3});
        QCOMPARE(plan.work.size(), std::size_t{2});
        for (std::size_t i = 0; i < 2; ++i) {
            QCOMPARE(plan.work[i].sequence, static_cast<std::int32_t>(i));
            QCOMPARE(plan.work[i].rows, 1);
        }
        // What pauses takes no page: with room for two, nobody gives way.
        QVERIFY(planStep({sequences, served}, usageOf(2, 7), limits).preempted.empty());
    }

    void aPausedAnswer_keepsItsPagesAndSaysWhatItWouldHaveSaid() {
        Paused bench;
        QVERIFY(bench.isPaused());
        const LiveRequest before = bench.live().at(2);
        QVERIFY(before.pages == pagesForTokens(before.computedTokens) && before.isRunning);
        int pauses = 0;
        while (!bench.loop->idle()) {
            const auto paused = bench.stepAndSeePaused();
            pauses += static_cast<int>(paused.size());
            if (paused.size() == 1 && paused[0] == 2) QCOMPARE(bench.live().at(2).pages, before.pages);
            QVERIFY(bench.loop->checkIntegrity());
        }
        QVERIFY2(pauses >= 20, qPrintable(QString::number(pauses)));
        QCOMPARE(bench.loop->stats().counters.preemptions, std::int64_t{0});
        QVERIFY(sameBits(bench.older, expected(1)) && sameBits(bench.newer, expected(2)) &&
                sameBits(bench.other, expected(3)));
        QCOMPARE(bench.newer.lastChunks, 1);
        QVERIFY(bench.leavesNothing());
    }
    void cancelledWhileItPauses_itsPagesAreFreeAtOnce() {
        Paused bench;
        QVERIFY(bench.isPaused());
        const std::int32_t its = bench.live().at(2).pages, held = bench.pages().of(PageOwner::Kv);
        QVERIFY(its > 0);
        bench.loop->cancel({2});
        QCOMPARE(bench.newer.finish, std::optional(FinishReason::Cancelled));
        QCOMPARE(bench.pages().of(PageOwner::Kv), held - its);
        QVERIFY(bench.loop->checkIntegrity());
        bench.run();
        QVERIFY(sameBits(bench.older, expected(1)) && sameBits(bench.other, expected(3)));
        QVERIFY(bench.leavesNothing());
    }
    void whenWhoTookItsPlaceIsCancelled_itGoesOnAtTheNextStep() {
        Paused bench;
        QVERIFY(bench.isPaused());
        bench.loop->cancel({3});
        QVERIFY(bench.stepAndSeePaused().empty());
        bench.run();
        QVERIFY(sameBits(bench.newer, expected(2)));
    }
    void aDeviceErrorMeanwhile_isNotItsOwn() {
        Paused bench;
        QVERIFY(bench.isPaused());
        bench.model.failNext(fail(ErrorCode::DeviceError, "an illegal address was read"));
        bench.loop->step();
        QCOMPARE(bench.older.finish, std::optional(FinishReason::Failed));
        QCOMPARE(bench.other.finish, std::optional(FinishReason::Failed));
        QVERIFY(!bench.newer.finish);
        bench.run();
        QVERIFY(sameBits(bench.newer, expected(2)));
        QVERIFY(bench.leavesNothing());
    }
    void theEndOfTheLoop_endsItToo() {
        Paused bench;
        QVERIFY(bench.isPaused());
        bench.loop.reset();
        for (const Received* received : {&bench.older, &bench.newer, &bench.other}) {
            QCOMPARE(received->finish, std::optional(FinishReason::Cancelled));
            QCOMPARE(received->lastChunks, 1);
        }
    }

    // Four tenants, few places and few pages: pauses and preemptions together, cancels now and then.
    void randomCrowds_pauseGiveWayAndSayTheSame() {
        constexpr const char* kTenants[] = {"ada", "bo", "cy", "di"};
        int pauses = 0, preemptions = 0, cancelled = 0;
        for (std::uint64_t seed = 1; seed <= 16; ++seed) {
            TestRandom random(seed);
            ServingOptions options = Bench::fewPlaces();
            options.maxSequences = 1 + random.below(4);
            options.poolPages = 9 + random.below(8);
            options.maxBatchTokens = 8 + random.below(40);
            options.prefixCache = seed % 2 == 0;
            std::vector<Received> received(60);
            Bench bench(options);
            struct Shape {
                std::int32_t prompt, answer;
            };
            std::vector<Shape> shapes;
            for (std::uint64_t next = 0; next < received.size() || !bench.loop->idle();) {
                if (next < received.size() && random.below(3) == 0) {
                    // Most are short, so that admission does not expect the long ones.
                    shapes.push_back({1 + random.below(40), random.below(6) ? 4 + random.below(8) : 60});
                    QVERIFY(bench.loop->submit(requestOf(next + 1, kTenants[next % 4], shapes.back().prompt,
                                                         shapes.back().answer, received[next])));
                    ++next;
                }
                if (next > 0 && random.below(60) == 0)
                    bench.loop->cancel({1 + static_cast<std::uint64_t>(random.below(static_cast<std::int32_t>(next)))});
                if (!bench.loop->idle()) pauses += static_cast<int>(bench.stepAndSeePaused().size());
                const auto whole = bench.loop->checkIntegrity();
                QVERIFY2(whole, whole ? "" : whole.error().message.c_str());
            }
            preemptions += static_cast<int>(bench.loop->stats().counters.preemptions);
            for (std::uint64_t i = 0; i < received.size(); ++i) {
                QCOMPARE(received[i].lastChunks, 1);
                if (*received[i].finish == FinishReason::Cancelled) {
                    ++cancelled;
                    continue;
                }
                const Received same = alone(i + 1, kTenants[i % 4], shapes[i].prompt, shapes[i].answer);
                QVERIFY2(sameBits(received[i], same), qPrintable(QString("seed %1, request %2").arg(seed).arg(i + 1)));
            }
            bench.loop->dropPrefixCache();
            QCOMPARE(bench.pages().of(PageOwner::Free), options.poolPages);
        }
        qInfo("%d pauses, %d preemptions, %d cancelled", pauses, preemptions, cancelled);
        QVERIFY(pauses > 100 && preemptions > 10 && cancelled > 10 && cancelled < 480);
    }
};
ESPALIER_TEST(tst_pauses, TestPauses)
#include "tst_pauses.moc"
