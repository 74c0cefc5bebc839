// SPDX-License-Identifier: GPL-3.0-or-later
// The decider without a device: single decisions by hand, then long traces replayed with an accountant of pages.
#include <QTest>
#include <algorithm>
#include <map>

#include "core/compute/backend.h"
#include "core/serving/fair_share.h"
#include "core/serving/scheduler.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

PoolUsage usageOf(std::int32_t free, std::int32_t kv, std::int32_t cached = 0) {
    PoolUsage usage;
    usage.pages = {free, kv, cached};
    return usage;
}

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
constexpr StepLimits kLimits{.maxBatchTokens = 64, .maxLogitRows = 64, .maxSequences = 8, .expectedOutput = 16};

// A trace with an accountant instead of a device.
struct Simulation {
    struct Item {
        std::int32_t tenant = 0, prompt = 0, output = 0;
        std::int32_t generated = 0, computed = 0, pages = 0;
        bool isRunning = false;
        int submittedAt = 0, firstTokenAt = -1;
    };
    std::int32_t pool = 64;
    StepLimits limits = kLimits;
    std::vector<Item> queue;  // by arrival
    std::vector<Item> done;
    FairShare share;
    std::vector<double> service = std::vector<double>(4, 0.0);  // counted here, independently of FairShare
    int steps = 0, preemptions = 0;
    std::string broken;

    void submit(std::int32_t tenant, std::int32_t prompt, std::int32_t output) {
        const auto slot = share.enter(std::to_string(tenant));
        if (slot != tenant) broken = "tenants must enter in order";
        Item item;
        item.tenant = tenant;
        item.prompt = prompt;
        item.output = output;
        item.submittedAt = steps;
        queue.push_back(item);
    }

    std::int32_t held() const {
        std::int32_t pages = 0;
        for (const Item& item : queue) pages += item.pages;
        return pages;
    }

    void step() {
        ++steps;
        std::vector<SequenceView> views;
        for (const Item& item : queue) {
            SequenceView view;
            view.tenant = item.tenant;
            view.isRunning = item.isRunning;
            view.target = item.prompt + item.generated;
            view.computed = item.computed;
            view.pages = item.pages;
            view.generated = item.generated;
            view.mayGenerate = item.output - item.generated;
            views.push_back(view);
        }
        const StepPlan plan = planStep({views, share.served()}, usageOf(pool - held(), held()), limits);
        if (plan.isEmpty()) broken = "a step without work at " + std::to_string(steps);
        const auto at = [&](std::int32_t i) -> Item& { return queue[static_cast<std::size_t>(i)]; };
        for (const std::int32_t i : plan.preempted) {
            if (i == 0) broken = "the oldest was preempted";
            at(i).isRunning = false;
            at(i).pages = at(i).computed = 0;
            ++preemptions;
        }
        for (const std::int32_t i : plan.admitted) {
            if (at(i).isRunning) broken = "admitted twice";
            at(i).isRunning = true;
        }
        std::int32_t rows = 0;
        for (const auto& [i, count] : plan.work) {
            Item& item = at(i);
            const std::int32_t target = item.prompt + item.generated;
            if (!item.isRunning || count < 1 || item.computed + count > target) broken = "rows that are not there";
            rows += count;
            const std::int32_t before = item.computed;
            item.computed += count;
            item.pages = std::max(item.pages, pagesForTokens(item.computed));
            const double prompt = std::max(0, std::min(item.computed, item.prompt) - before);
            share.charge(item.tenant, kPromptTokenCost * prompt);
            service[static_cast<std::size_t>(item.tenant)] += kPromptTokenCost * prompt;
            if (item.computed < target) continue;
            if (item.firstTokenAt < 0) item.firstTokenAt = steps;
            ++item.generated;
            share.charge(item.tenant, kGeneratedTokenCost);
            service[static_cast<std::size_t>(item.tenant)] += kGeneratedTokenCost;
        }
        std::int32_t running = 0;
        for (const Item& item : queue) running += item.isRunning;
        if (rows > limits.maxBatchTokens) broken = "too many rows";
        if (running > limits.maxSequences) broken = "too many sequences";
        if (held() > pool) broken = "too many pages";
        for (std::size_t i = queue.size(); i-- > 0;) {
            if (queue[i].generated < queue[i].output) continue;
            share.leave(queue[i].tenant);
            done.push_back(queue[i]);
            queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
};

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
    void whenPagesRunOutTheNewestArrivalIsPreempted() {
        // All three need a page for their next token; none is free.
        const auto result = plan({decoding(17), decoding(33), decoding(49)}, usageOf(0, 6), kLimits);
        QCOMPARE(result.preempted, Indices{2});
        QCOMPARE(rowsOf(result), (Rows{{0, 1}, {1, 1}}));
        QVERIFY(result.admitted.empty());
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

    void replay_everyRequestEndsAndNoLimitIsBroken() {
        for (std::uint64_t seed = 1; seed <= 8; ++seed) {
            TestRandom random(seed);
            Simulation simulation;
            simulation.pool = 20 + random.below(60);
            simulation.limits.maxBatchTokens = 8 + random.below(120);
            simulation.limits.maxSequences = std::min(2 + random.below(14), simulation.limits.maxBatchTokens);
            simulation.limits.expectedOutput = 1 + random.below(40);
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
            return planStep({sequences, served, pages}, usageOf(free, 0), kLimits).admitted;
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
        QCOMPARE(planStep({sequences, served, pages}, usage, kLimits).admitted, (Indices{0}));  // evicts it
        sequences[0].adapter = 0;
        QVERIFY(planStep({sequences, served, pages}, usage, kLimits).isEmpty());  // needs it and one page
        usage.pages = {1, 0, 0, 0, 8};
        QCOMPARE(planStep({sequences, served, pages}, usage, kLimits).admitted, (Indices{0}));
    }
    void adapters_giveTheirPagesBackWithTheirLastUser() {
        std::vector<SequenceView> sequences{decoding(17), decoding(17), decoding(17)};  // each needs a second page
        sequences[1].adapter = sequences[2].adapter = 0;
        const std::vector<double> served{0.0};
        const std::vector<std::int32_t> pages{8};
        const auto both = planStep({sequences, served, pages}, usageOf(0, 11), kLimits);
        QCOMPARE(both.preempted, (Indices{2, 1}));  // one page each: the adapter stays until both are gone
        QCOMPARE(rowsOf(both), (Rows{{0, 1}}));
        sequences[1].adapter = -1;
        const auto one = planStep({sequences, served, pages}, usageOf(0, 11), kLimits);
        QCOMPARE(one.preempted, (Indices{2}));
        QCOMPARE(rowsOf(one), (Rows{{0, 1}, {1, 1}}));  // nine pages came back
    }
};
ESPALIER_TEST(tst_scheduler, TestScheduler)
#include "tst_scheduler.moc"
