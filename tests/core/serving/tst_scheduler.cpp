// SPDX-License-Identifier: GPL-3.0-or-later
// The decider without a device: single decisions by hand, then long traces replayed with an accountant of pages.
#include <QTest>
#include <algorithm>
#include <map>

#include "core/compute/backend.h"
#include "core/serving/fair_share.h"
#include "core/serving/scheduler.h"
#include "tests/core/serving/scheduler_simulation.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

SequenceView waiting(std::int32_t tokens, std::int32_t tenant = 0) {
    SequenceView view;
    view.tenant = tenant;
    view.target = tokens;
    view.mayGenerate = 32;
    return view;
}

SequenceView decoding(std::int32_t tokens, std::int32_t tenant = 0) {
    SequenceView view = waiting(tokens, tenant);
    view.isRunning = true;
    view.computed = tokens - 1;
    view.pages = pagesForTokens(tokens - 1);
    view.generated = 1;
    return view;
}

SequenceView prefilling(std::int32_t tokens, std::int32_t computed, std::int32_t tenant = 0) {
    SequenceView view = waiting(tokens, tenant);
    view.isRunning = true;
    view.computed = computed;
    view.pages = pagesForTokens(computed);
    return view;
}

StepPlan plan(const std::vector<SequenceView>& sequences, const PoolUsage& usage, const StepLimits& limits,
              std::vector<double> served = {0.0, 0.0, 0.0}) {
    return planStep({sequences, served}, usage, limits);
}

std::map<std::int32_t, std::int32_t> rowsOf(const StepPlan& plan) {
    std::map<std::int32_t, std::int32_t> rows;
    for (const auto& work : plan.work) rows[work.sequence] = work.rows;
    return rows;
}

using Rows = std::map<std::int32_t, std::int32_t>;
using Indices = std::vector<std::int32_t>;
const StepLimits kLimits = kSimulatedLimits;

}  // namespace

class TestScheduler : public QObject {
    Q_OBJECT
private slots:
    void decodesComeFirstAndAPromptFillsTheRest() {
        const auto result =
            plan({prefilling(200, 20), decoding(40), decoding(17), waiting(10)}, usageOf(100, 10), kLimits);
        QCOMPARE(rowsOf(result), (Rows{{1, 1}, {2, 1}, {0, 62}}));
        QVERIFY(result.admitted.empty());
    }
    void aShortPromptIsAdmittedBesideTheLastChunkOfALongOne() {
        const auto result = plan({prefilling(30, 20), waiting(100)}, usageOf(100, 2), kLimits);
        QCOMPARE(rowsOf(result), (Rows{{0, 10}, {1, 54}}));
        QCOMPARE(result.admitted, Indices{1});
    }
    void theLeastServedTenantComesFirst() {
        const auto sequences = std::vector{waiting(60, 0), waiting(60, 1), waiting(60, 2)};
        QCOMPARE(rowsOf(plan(sequences, usageOf(100, 0), kLimits, {30.0, 20.0, 10.0})), (Rows{{2, 60}, {1, 4}}));
        QCOMPARE(rowsOf(plan(sequences, usageOf(100, 0), kLimits, {0.0, 0.0, 0.0})), (Rows{{0, 60}, {1, 4}}));
    }
    void aTenantWithManyPromptsSharesOneStepWithAnother() {
        std::vector<SequenceView> sequences(6, waiting(20, 0));
        sequences.push_back(waiting(20, 1));
        QCOMPARE(plan(sequences, usageOf(100, 0), kLimits).admitted, (Indices{0, 6, 1, 2}));
    }
    void amongTenantsServedAlikeWhoRunsLessComesFirst() {
        const auto result = plan({decoding(20, 0), waiting(60, 0), waiting(60, 1)}, usageOf(100, 2), kLimits);
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {2, 60}, {1, 3}}));
    }
    void whoRunsMoreThanItsPartComputesNoPromptBesideOneThatDoesNot() {
        StepLimits limits = kLimits;
        limits.maxSequences = 4;
        const std::vector served{9.0, 0.0};
        std::vector sequences{decoding(20, 0), decoding(20, 0), decoding(20, 0), waiting(16, 0)};
        QCOMPARE(planStep({sequences, served}, usageOf(100, 6), limits).admitted, Indices{3});  // alone
        sequences.push_back(waiting(16, 1));
        QCOMPARE(planStep({sequences, served}, usageOf(100, 6), limits).admitted, Indices{4});
        sequences.erase(sequences.begin());  // two of four places are its part
        QCOMPARE(planStep({sequences, served}, usageOf(100, 4), limits).admitted, (Indices{3, 2}));
        const std::vector rested{0.0, 9.0};  // served less it comes first, whatever it runs
        sequences.insert(sequences.begin(), decoding(20, 0));
        QCOMPARE(planStep({sequences, rested}, usageOf(100, 6), limits).admitted.front(), 3);
    }
    void besideAPromptOfOneWithinItsPartTheOthersAnswersGoOnUpToTheirs() {
        StepLimits limits = kLimits;
        limits.maxSequences = 4;
        const std::vector served{9.0, 0.0};
        std::vector sequences{decoding(20, 0), decoding(20, 0), decoding(20, 0), decoding(20, 1)};
        QCOMPARE(rowsOf(planStep({sequences, served}, usageOf(100, 8), limits)),
                 (Rows{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
        sequences.push_back(waiting(16, 1));
        const auto beside = planStep({sequences, served}, usageOf(100, 8), limits);
        QCOMPARE(rowsOf(beside), Rows({{0, 1}, {1, 1}, {2, 1}, {3, 1}}));  // every place is taken
        limits.doorSequences = 4;
        const auto door = planStep({sequences, served}, usageOf(100, 8), limits);
        QCOMPARE(rowsOf(door), (Rows{{0, 1}, {1, 1}, {3, 1}, {4, 16}}));  // two of four places are its part
        QVERIFY(door.preempted.empty());
    }
    void theMostServedOneOverItsPartFillsNoStepWithItsPrompts() {
        StepLimits limits = kLimits;
        limits.maxSequences = 4;
        std::vector sequences{decoding(20, 0), decoding(20, 0), prefilling(100, 20, 0), decoding(20, 1),
                              waiting(30, 0)};
        const auto rows = [&](std::vector<double> served) {
            limits.doorSequences = 4;
            return rowsOf(planStep({sequences, served}, usageOf(100, 12), limits));
        };
        QCOMPARE(rows({9.0, 0.0}), (Rows{{0, 1}, {1, 1}, {3, 1}, {2, kLimits.maxBatchTokens / 8}}));
        QCOMPARE(rows({0.0, 9.0})[2], kLimits.maxBatchTokens - 3);  // served less, it may
        sequences[2].isWhole = true;                                // a text that cannot be cut stays whole
        sequences[2].computed = 0;
        sequences[2].target = 40;
        QCOMPARE(rows({9.0, 0.0})[2], 40);
        sequences = {decoding(20, 0), decoding(20, 0), prefilling(100, 20, 0)};  // nobody else is here
        QCOMPARE(rows({9.0, 0.0})[2], kLimits.maxBatchTokens - 2);
    }
    void atTheDoorATenantGetsInWithUpToTwiceItsPartOfThePlaces() {
        StepLimits limits = kLimits;
        limits.maxSequences = 2;
        limits.doorSequences = 4;
        const std::vector sequences{decoding(20, 0), decoding(20, 0), waiting(10, 0),
                                    waiting(10, 1),  waiting(10, 1),  waiting(10, 1)};
        // Tenant 0 was served more and has every place; tenant 1 has none, and its part of two places is one.
        QCOMPARE(plan(sequences, usageOf(100, 4), limits, {50.0, 0.0, 0.0}).admitted, (Indices{3, 4}));
        QCOMPARE(plan(sequences, usageOf(100, 4), limits, {0.0, 50.0, 0.0}).admitted, Indices{});  // it would get ahead
        limits.doorSequences = 1;
        QCOMPARE(plan(sequences, usageOf(100, 4), limits, {50.0, 0.0, 0.0}).admitted, Indices{3});
        limits.doorSequences = 0;
        QCOMPARE(plan(sequences, usageOf(100, 4), limits, {50.0, 0.0, 0.0}).admitted, Indices{});
        limits.doorSequences = 4;
        const std::vector alone{decoding(20, 0), decoding(20, 0), waiting(10, 0)};
        QCOMPARE(plan(alone, usageOf(100, 4), limits).admitted, Indices{});  // a tenant alone has its places
        const std::vector<double> served(2), weights{1.0, 7.0};
        const std::vector heavier{decoding(20, 1), decoding(20, 1), waiting(10, 1), waiting(10, 0)};
        // Of two places, 1.75 are tenant 1's and a quarter of one tenant 0's: the door is for the first alone.
        QCOMPARE(planStep({heavier, std::vector{9.0, 0.0}, weights}, usageOf(100, 4), limits).admitted, Indices{2});
        QCOMPARE(planStep({heavier, served, weights}, usageOf(100, 4), limits).admitted, Indices{});
    }
    void beyondThePlacesTheNewestOfTheMostServedPause() {
        StepLimits limits = kLimits;
        limits.maxSequences = 4;
        limits.doorSequences = 4;
        const std::vector sequences{decoding(20, 0), decoding(20, 1), decoding(20, 0), decoding(20, 0),
                                    decoding(20, 0), decoding(20, 1), waiting(5, 1)};
        const auto result = plan(sequences, usageOf(100, 12), limits, {90.0, 10.0, 0.0});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {1, 1}, {2, 1}, {5, 1}, {6, 5}}));
        QVERIFY(result.preempted.empty());
        // Down to its part, which is two, and no further: then the next most served one's.
        QCOMPARE(rowsOf(plan({decoding(20, 0), decoding(20, 0), decoding(20, 1), decoding(20, 1), decoding(20, 1)},
                             usageOf(100, 10), limits, {90.0, 10.0, 0.0})),
                 (Rows{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
    }
    void pausesEndWhenOthersWereServedAsMuch() {
        StepLimits limits = kLimits;
        limits.maxSequences = 1;
        limits.doorSequences = 1;
        const std::vector sequences{decoding(20, 0), decoding(20, 1)};
        QCOMPARE(rowsOf(plan(sequences, usageOf(100, 4), limits, {9.0, 8.0, 0.0})), (Rows{{1, 1}}));
        QCOMPARE(rowsOf(plan(sequences, usageOf(100, 4), limits, {9.0, 10.0, 0.0})), (Rows{{0, 1}}));
    }
    void whenPagesRunOutTheNewestArrivalIsPreempted() {
        // All three need a page for their next token; none is free.
        const auto result = plan({decoding(17), decoding(33), decoding(49)}, usageOf(0, 6), kLimits);
        QCOMPARE(result.preempted, Indices{2});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {1, 1}}));
        QVERIFY(result.admitted.empty());
    }
    void whenPagesRunOutTheTenantServedMostGivesWay() {
        const std::vector sequences{decoding(17, 0), decoding(33, 1), decoding(49, 0), decoding(65, 2)};
        // All need a page. Tenant 1 was served most; nobody else is touched as long as its pages do.
        const auto result = plan(sequences, usageOf(1, 12), kLimits, {10.0, 90.0, 20.0});
        QCOMPARE(result.preempted, Indices{1});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {2, 1}, {3, 1}}));
    }
    void theOldestIsNeverPreemptedHoweverMuchItsTenantWasServed() {
        const auto result = plan({decoding(17, 1), decoding(33, 0)}, usageOf(0, 3), kLimits, {10.0, 90.0, 0.0});
        QCOMPARE(result.preempted, Indices{1});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}}));
    }
    void aSequenceThatGaveWayLosesTheRowItWasGiven() {
        // 0 and 1 take rows first; then 2 needs a page, and tenant 1, served most, gives it back.
        const auto result =
            plan({decoding(17, 0), decoding(34, 1), decoding(33, 2)}, usageOf(1, 6), kLimits, {0.0, 90.0, 0.0});
        QCOMPARE(result.preempted, Indices{1});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {2, 1}}));
    }
    void aSequenceThatIsTheNewestItselfGivesWay() {
        const auto result = plan({decoding(20), decoding(17)}, usageOf(0, 3), kLimits);
        QCOMPARE(result.preempted, Indices{1});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}}));
    }
    void cachedPagesAreReclaimedBeforeAnyoneIsPreempted() {
        const auto result = plan({decoding(17), decoding(33)}, usageOf(0, 3, 2), kLimits);
        QVERIFY(result.preempted.empty());
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {1, 1}}));
    }
    void sharedPagesOfAVictimAreNotCounted() {
        auto first = decoding(17), second = decoding(33);
        second.sharedPages = 2;  // its pages stay in use: preempting it gives nothing
        const auto result = plan({first, second}, usageOf(0, 3), kLimits);
        QCOMPARE(result.preempted, Indices{1});
        QVERIFY(result.work.empty());  // the next step knows more
    }
    void admissionKeepsAWatermarkAndWhatRunningOnesWillNeed() {
        // 100 pages, watermark 2. Running: 3 pages held, 1 more expected (48 + 16 tokens). New: 80 + 16 tokens: 6
        // pages.
        const auto sequences = std::vector{decoding(48), waiting(80)};
        QCOMPARE(plan(sequences, usageOf(9, 91), kLimits).admitted, Indices{1});
        QVERIFY(plan(sequences, usageOf(8, 92), kLimits).admitted.empty());
    }
    void theFirstRequestIsAdmittedWhateverTheExpectation() {
        auto request = waiting(90);
        request.mayGenerate = 1000;
        const StepLimits limits{.maxBatchTokens = 64, .maxLogitRows = 64, .maxSequences = 8, .expectedOutput = 1000};
        QCOMPARE(plan({request}, usageOf(6, 0), limits).admitted, Indices{0});
    }
    void nobodyOvertakesARequestThatDoesNotFitYet() {
        const auto result = plan({decoding(16), waiting(160), waiting(16)}, usageOf(10, 1), kLimits);
        QVERIFY(result.admitted.empty());
    }
    void aCachedPrefixCountsAsComputedAndItsIdlePagesAsTaken() {
        auto hit = waiting(100);
        hit.computed = 64;
        hit.pages = hit.idlePages = 4;
        QCOMPARE(rowsOf(plan({hit}, usageOf(3, 0, 4), kLimits)), (Rows{{0, 36}}));
        auto other = decoding(20);
        QVERIFY(plan({other, hit}, usageOf(5, 2, 4), kLimits).admitted.empty());  // 4 of the 9 are the hits themselves
    }
    void scoresShareTheLogitRows() {
        auto score = waiting(50);
        score.everyLogit = true;
        score.lastLogit = false;
        score.mayGenerate = 0;
        const StepLimits limits{.maxBatchTokens = 64, .maxLogitRows = 10, .maxSequences = 8, .expectedOutput = 16};
        QCOMPARE(rowsOf(plan({decoding(5), score}, usageOf(50, 1), limits)), (Rows{{0, 1}, {1, 9}}));
        // No logit row is left for the end of the last prompt: its last token waits.
        QCOMPARE(rowsOf(plan({decoding(5), score, waiting(30)}, usageOf(50, 1), limits, {0.0, 0.0, 0.0})),
                 (Rows{{0, 1}, {1, 9}, {2, 29}}));
    }
    void aWholeTextWaitsForAStepThatHoldsItAndIsNotOvertaken() {
        const auto whole = [](std::int32_t tokens, std::int32_t tenant = 0) {
            SequenceView view = waiting(tokens, tenant);
            view.isWhole = true;
            view.lastLogit = false;
            view.mayGenerate = 0;
            return view;
        };
        QCOMPARE(rowsOf(plan({whole(64)}, usageOf(50, 0), kLimits)), (Rows{{0, 64}}));
        QCOMPARE(rowsOf(plan({whole(30), whole(34), whole(1)}, usageOf(50, 0), kLimits)), (Rows{{0, 30}, {1, 34}}));
        // 24 rows are left after the first: the second takes none of them, and neither does a third that would fit.
        QCOMPARE(rowsOf(plan({whole(40), whole(25), whole(3)}, usageOf(50, 0), kLimits)), (Rows{{0, 40}}));
        // The next step begins with it.
        QCOMPARE(rowsOf(plan({whole(25), whole(3)}, usageOf(50, 0), kLimits)), (Rows{{0, 25}, {1, 3}}));
        // Admitted, but its pages were gone when they were to be taken: again all or nothing.
        SequenceView running = whole(40);
        running.isRunning = true;
        QVERIFY(plan({running}, usageOf(2, 0), kLimits).work.empty());
        QCOMPARE(rowsOf(plan({running}, usageOf(3, 0), kLimits)), (Rows{{0, 40}}));
    }
    void promptsThatAreAllShortOfPagesMakeTheNewestGiveWay() {
        const auto result = plan({prefilling(100, 32), prefilling(100, 32)}, usageOf(0, 4), kLimits);
        QCOMPARE(result.preempted, Indices{1});
        QVERIFY(result.work.empty());
    }

    void aTenantAtItsCapWaitsAndNobodyBehindItDoes() {
        const std::vector<std::int32_t> caps{4, 0};
        const std::vector<double> served{0.0, 100.0};
        // Tenant 0 holds 3 pages and expects one more; its next request would need 2. Tenant 1 comes after it in fair
        // order and is not held up.
        const std::vector sequences{decoding(48, 0), waiting(20, 0), waiting(20, 1)};
        const auto result = planStep({sequences, served, {}, caps}, usageOf(100, 3), kLimits);
        QCOMPARE(result.admitted, Indices{2});
        const std::vector<std::int32_t> wide{10, 0};
        QCOMPARE(planStep({sequences, served, {}, wide}, usageOf(100, 3), kLimits).admitted, (Indices{1, 2}));
    }
    void aTenantThatGrowsIntoItsCapPreemptsItsOwnNewest() {
        const std::vector<std::int32_t> caps{4, 0};
        const std::vector<double> served{0.0, 100.0};
        const std::vector sequences{decoding(33, 0), decoding(33, 1), decoding(33, 0)};
        const auto result = planStep({sequences, served, {}, caps}, usageOf(100, 6), kLimits);
        QCOMPARE(result.preempted, Indices{2});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {1, 1}}));
    }
    void oneSequenceAloneMayPassItsTenantsCap() {  // which was lowered while it ran
        const std::vector<std::int32_t> caps{1};
        const std::vector<double> served{0.0};
        const auto decoded = planStep({std::vector{decoding(33, 0)}, served, {}, caps}, usageOf(100, 2), kLimits);
        QCOMPARE(rowsOf(decoded), (Rows{{0, 1}}));
        const auto admitted = planStep({std::vector{waiting(60, 0)}, served, {}, caps}, usageOf(100, 0), kLimits);
        QCOMPARE(admitted.admitted, Indices{0});
    }
    void pagesThatATenantsSequencesShareCountOnce() {
        const std::vector<std::int32_t> caps{8};
        const std::vector<double> served{0.0};
        auto first = decoding(66, 0), second = decoding(66, 0);
        first.sharedPages = second.sharedPages = 4;  // five pages each, four of them the same
        const std::vector sequences{first, second, waiting(10, 0)};
        // 6 held, 2 promised: the next would pass the cap; with one page more it fits.
        QVERIFY(planStep({sequences, served, {}, caps}, usageOf(100, 6), kLimits).admitted.empty());
        const std::vector<std::int32_t> wider{10};
        QCOMPARE(planStep({sequences, served, {}, wider}, usageOf(100, 6), kLimits).admitted, Indices{2});
    }
    void aPromptOfDoubleWeightCountsHalf() {
        const std::vector<double> served{0.0, 0.0}, weights{1.0, 2.0};
        std::vector<SequenceView> sequences(6, waiting(10, 0));
        for (int i = 0; i < 6; ++i) sequences.push_back(waiting(10, 1));
        const StepLimits limits{.maxBatchTokens = 60, .maxLogitRows = 60, .maxSequences = 60, .expectedOutput = 16};
        const auto result = planStep({sequences, served, weights}, usageOf(100, 0), limits);
        const auto mine = std::ranges::count_if(result.admitted, [](std::int32_t i) { return i < 6; });
        QCOMPARE(mine, 2);
        QCOMPARE(result.admitted.size(), std::size_t{6});
    }

    void replay_everyRequestEndsAndNoLimitIsBroken() {
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            TestRandom random(seed);
            Simulation simulation;
            simulation.pool = 20 + random.below(60);
            simulation.limits.maxBatchTokens = 8 + random.below(120);
            simulation.limits.maxSequences = std::min(2 + random.below(14), simulation.limits.maxBatchTokens);
            simulation.limits.doorSequences = random.below(simulation.limits.maxSequences + 1);
            simulation.limits.expectedOutput = 1 + random.below(40);
            if (seed % 2 == 0) {  // every other time with weights and caps
                simulation.weights = {1.0, 2.0, 4.0, 1.0};
                for (std::int32_t& cap : simulation.caps) cap = random.below(3) == 0 ? 0 : 20 + random.below(30);
            }
            for (int tenant = 0; tenant < 3; ++tenant) simulation.submit(tenant, 5, 1);
            int submitted = 3;
            while (submitted < 200 || !simulation.queue.empty()) {
                for (int i = random.below(3); i > 0 && submitted < 200; --i, ++submitted)
                    simulation.submit(random.below(3), 1 + random.below(200), 1 + random.below(100));
                if (!simulation.queue.empty()) simulation.step();
                QVERIFY2(simulation.broken.empty(),
                         qPrintable(QString("seed %1: %2").arg(seed).arg(simulation.broken.c_str())));
                QVERIFY2(simulation.steps < 400000, qPrintable(QString("seed %1 does not end").arg(seed)));
            }
            QCOMPARE(simulation.done.size(), std::size_t{200});
        }
    }
    void replay_aFloodDelaysItsOwnTenantNotTheOther() {
        Simulation simulation;
        simulation.pool = 400;
        for (int i = 0; i < 200; ++i) simulation.submit(0, 100, 20);  // the flood
        for (int i = 0; i < 30; ++i) simulation.step();
        for (int i = 0; i < 10; ++i) {
            simulation.submit(1, 20, 5);
            for (int k = 0; k < 10; ++k) simulation.step();
        }
        while (!simulation.queue.empty()) simulation.step();
        QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
        int worst = 0, flood = 0;
        for (const auto& item : simulation.done)
            (item.tenant == 1 ? worst : flood) =
                std::max(item.tenant == 1 ? worst : flood, item.firstTokenAt - item.submittedAt);
        QVERIFY2(worst <= 25,
                 qPrintable(QString::number(worst)));  // one running answer's length, for a slot to fall free
        QVERIFY(flood > 200);
    }
    void replay_backloggedTenantsGetEqualService() {
        Simulation simulation;
        simulation.pool = 600;
        simulation.limits.maxSequences = 16;
        // Both always have work waiting; one sends long prompts, the other long answers.
        for (int i = 0; i < 600; ++i) simulation.submit(0, 120, 6);
        for (int i = 0; i < 600; ++i) simulation.submit(1, 10, 60);
        double worst = 0.0;
        while (simulation.steps < 1500) {
            simulation.step();
            worst = std::max(worst, std::abs(simulation.service[0] - simulation.service[1]));
        }
        QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
        // VTC, theorem 4.8: 2 max(wp x longest prompt, wq x tokens of a full batch).
        const double bound = 2.0 * std::max(kPromptTokenCost * 120, kGeneratedTokenCost * 16 * 70);
        QVERIFY2(worst <= bound, qPrintable(QString::number(worst)));
        QVERIFY(simulation.service[0] > 5 * bound);
    }
    void fairShare_liftsATenantThatComesBack() {
        FairShare share;
        const auto ada = share.enter("ada");
        share.charge(ada, 1000);
        const auto bo = share.enter("bo");
        QCOMPARE(share.served()[static_cast<std::size_t>(bo)], 1000.0);  // no credit for having been away
        share.charge(bo, 50);
        share.leave(ada);
        share.charge(bo, 500);
        const auto again = share.enter("ada");
        QCOMPARE(share.served()[static_cast<std::size_t>(again)], 1550.0);
        share.leave(again);
        share.leave(bo);
        const auto late = share.enter("cy");
        QCOMPARE(share.served()[static_cast<std::size_t>(late)], 1550.0);  // nobody is active: the last one that left
    }
    void fairShare_countsServiceOverWeight() {
        FairShare share;
        const auto ada = share.enter("ada"), bo = share.enter("bo");
        share.setWeight(ada, 4.0);
        share.charge(ada, 400);
        share.charge(bo, 100);
        QCOMPARE(share.served()[0], share.served()[1]);
        share.setWeight(ada, 1.0);
        share.charge(ada, 50);
        QCOMPARE(share.served()[0], 150.0);
    }
    void fairShare_keepsNoMoreSlotsThanItNeeds() {
        FairShare share;
        for (int i = 0; i < 5000; ++i) {
            const auto slot = share.enter("tenant " + std::to_string(i));
            share.charge(slot, 10);
            share.leave(slot);
        }
        QVERIFY(share.served().size() < 10);
    }

    // Two requests of one adapter and one of another; eight pages each, besides a page per prompt.
    void adapters_areCountedOnceHoweverManyUseThem() {
        std::vector<SequenceView> sequences(3, waiting(10));
        sequences[0].adapter = sequences[1].adapter = 0;
        sequences[2].adapter = 1;
        for (SequenceView& sequence : sequences) sequence.mayGenerate = 0;
        const std::vector<double> served{0.0};
        const std::vector<std::int32_t> pages{8, 8};
        const auto admitted = [&](std::int32_t free) {
            return planStep({sequences, served, {}, {}, pages}, usageOf(free, 0), kLimits).admitted;
        };
        QCOMPARE(admitted(19 + 1), (Indices{0, 1, 2}));  // 2 x 8 + 3, and the watermark
        QCOMPARE(admitted(18), (Indices{0, 1}));
        QCOMPARE(admitted(11), (Indices{0, 1}));
        QCOMPARE(admitted(9), (Indices{0}));
        QCOMPARE(admitted(8), (Indices{}));  // the adapter fits, the prompt beside it does not
    }
    void adapters_thatAreIdleAreRoomForOthersAndNoneForTheirOwn() {
        std::vector<SequenceView> sequences{waiting(10)};
        sequences[0].mayGenerate = 0;
        const std::vector<double> served{0.0};
        const std::vector<std::int32_t> pages{8};
        PoolUsage usage;
        usage.pages = {0, 0, 0, 0, 8};
        QCOMPARE(planStep({sequences, served, {}, {}, pages}, usage, kLimits).admitted, (Indices{0}));  // evicts it
        sequences[0].adapter = 0;
        QVERIFY(planStep({sequences, served, {}, {}, pages}, usage, kLimits).isEmpty());  // needs it and one page
        usage.pages = {1, 0, 0, 0, 8};
        QCOMPARE(planStep({sequences, served, {}, {}, pages}, usage, kLimits).admitted, (Indices{0}));
    }
    // What only lacks its adapter is named with room left for it, once however many want it, and passed by.
    void adapters_thatAreMissingAreNamedAndPassedBy() {
        std::vector<SequenceView> sequences{waiting(16), waiting(16), waiting(16, 1)};
        sequences[0].adapter = sequences[1].adapter = 0;
        sequences[0].isAdapterReady = sequences[1].isAdapterReady = false;
        for (SequenceView& sequence : sequences) sequence.mayGenerate = 0;
        const std::vector<std::int32_t> adapterPages{8};
        const std::vector<double> served{0.0, 0.0};
        const auto planned = [&](std::int32_t free, std::int32_t most) {
            PoolUsage usage;
            usage.pages[static_cast<std::size_t>(PageOwner::Free)] = free;
            StepLimits limits = kLimits;
            limits.maxSequences = most;
            return planStep({sequences, served, {}, {}, adapterPages}, usage, limits);
        };
        QCOMPARE(planned(40, 8).missing, (Indices{0, 1}));
        QCOMPARE(planned(40, 8).admitted, (Indices{2}));
        QCOMPARE(planned(40, 1).missing, (Indices{0}));  // the other's turn has not come
        QCOMPARE(planned(40, 1).admitted, (Indices{2}));
        QCOMPARE(planned(9, 8).missing, (Indices{0, 1}));  // the adapter is counted once
        QCOMPARE(planned(8, 8).missing, (Indices{}));      // its prompt finds no page: nobody behind it is admitted
        QCOMPARE(planned(8, 8).admitted, (Indices{}));
    }
    void adapters_giveTheirPagesBackWithTheirLastUser() {
        std::vector<SequenceView> sequences{decoding(17), decoding(17), decoding(17)};  // each needs a second page
        sequences[1].adapter = sequences[2].adapter = 0;
        const std::vector<double> served{0.0};
        const std::vector<std::int32_t> pages{8};
        const auto both = planStep({sequences, served, {}, {}, pages}, usageOf(0, 11), kLimits);
        QCOMPARE(both.preempted, (Indices{2, 1}));  // one page each: the adapter stays until both are gone
        QCOMPARE(rowsOf(both), (Rows{{0, 1}}));
        sequences[1].adapter = -1;
        const auto one = planStep({sequences, served, {}, {}, pages}, usageOf(0, 11), kLimits);
        QCOMPARE(one.preempted, (Indices{2}));
        QCOMPARE(rowsOf(one), (Rows{{0, 1}, {1, 1}}));  // nine pages came back
    }
};
ESPALIER_TEST(tst_scheduler, TestScheduler)
#include "tst_scheduler.moc"
