// SPDX-License-Identifier: GPL-3.0-or-later
// Which adapters are brought ahead of their turn: in fair order, each once, just in time, within the budget of pages.
#include <QTest>
#include <cmath>

#include "core/serving/prefetch_plan.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

using Indices = std::vector<std::int32_t>;
using At = AdapterPlace::At;

SequenceView waiting(std::int32_t adapter, std::int32_t tenant = 0, std::int32_t tokens = 10) {
    SequenceView view;
    view.tenant = tenant;
    view.target = tokens;
    view.adapter = adapter;
    view.isAdapterReady = false;
    return view;
}

std::vector<AdapterWish> inOrder(std::initializer_list<std::int32_t> adapters) {
    std::vector<AdapterWish> wishes;
    for (const std::int32_t adapter : adapters) {
        const auto turn = static_cast<std::int32_t>(wishes.size());
        wishes.push_back({adapter, turn, turn});
    }
    return wishes;
}

Indices adaptersOf(const std::vector<AdapterWish>& wishes) {
    Indices adapters;
    for (const AdapterWish& wish : wishes) adapters.push_back(wish.adapter);
    return adapters;
}

PrefetchLimits roomy() {
    return {.reach = 100, .secondsPerTurn = 0, .secondsPerStep = 0, .stagedPages = 100, .reclaimable = 100};
}

}  // namespace

class TestPrefetchPlan : public QObject {
    Q_OBJECT

private slots:
    void theOrderIsThatOfTheScheduler() {
        std::vector<SequenceView> sequences{waiting(0, 0, 100), waiting(1, 0), waiting(2, 1), waiting(3, 1),
                                            waiting(4, 2)};
        sequences[4].isRunning = true;
        const std::vector<double> served{0.0, 30.0, 0.0};
        // Tenant 0 is served least; its first prompt puts it behind both of tenant 1's.
        QCOMPARE(waitingInFairOrder({sequences, served}, 10), (Indices{0, 2, 3, 1}));
        QCOMPARE(waitingInFairOrder({sequences, served}, 2), (Indices{0, 2}));
        const std::vector<double> weights{10.0, 1.0, 1.0};  // 100 tokens count as 10 for tenant 0
        QCOMPARE(waitingInFairOrder({sequences, served, weights}, 10), (Indices{0, 1, 2, 3}));
        QCOMPARE(waitingInFairOrder({{}, {}}, 4), (Indices{}));
        // Of tenants served alike the one that runs less comes first.
        std::vector<SequenceView> alike{waiting(0, 0), waiting(1, 0), waiting(2, 1)};
        alike[0].isRunning = true;
        QCOMPARE(waitingInFairOrder({alike, std::vector{5.0, 5.0}}, 10), (Indices{2, 1}));
    }

    void everyAdapterIsWishedForOnceAndTheBaseNever() {
        const std::vector<SequenceView> sequences{waiting(1), waiting(-1), waiting(0),
                                                  waiting(1), waiting(2),  waiting(3)};
        const std::vector<double> served{0.0};
        const std::vector<std::int32_t> pages(4, 4);
        const auto wishes = wishesInFairOrder({sequences, served, {}, {}, pages}, 6);
        QCOMPARE(adaptersOf(wishes), (Indices{1, 0, 2, 3}));
        QCOMPARE(wishes[1].request, 2);
        QCOMPARE(wishes[3].turn, 5);  // the base's request and the second of adapter 1 have their turns, too
        QCOMPARE(adaptersOf(wishesInFairOrder({sequences, served, {}, {}, pages}, 3)), (Indices{1, 0}));
    }

    void whatIsOnDiskIsReadAndWhatIsOnTheHostIsCopied() {
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Disk, 0}, {At::Coming, 4}, {At::Used, 4}};
        const PrefetchPlan plan = planPrefetch(inOrder({1, 0, 2, 3}), places, roomy());
        QCOMPARE(adaptersOf(plan.toHost), (Indices{1}));
        QCOMPARE(adaptersOf(plan.toPool), (Indices{0}));
        PrefetchLimits narrow = roomy();
        narrow.reach = 1;
        QCOMPARE(adaptersOf(planPrefetch(inOrder({1, 0, 2, 3}), places, narrow).toPool), (Indices{}));  // not looked at
    }

    void theBudgetEndsAtTheFirstThatDoesNotFit() {
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Host, 9}, {At::Host, 1}, {At::Disk, 0}};
        const auto planned = [&](std::int32_t staged, std::int32_t reclaimable) {
            PrefetchLimits limits = roomy();
            limits.stagedPages = staged;
            limits.reclaimable = reclaimable;
            return planPrefetch(inOrder({0, 1, 2, 3}), places, limits);
        };
        QCOMPARE(adaptersOf(planned(14, 14).toPool), (Indices{0, 1, 2}));
        QCOMPARE(adaptersOf(planned(12, 14).toPool), (Indices{0}));  // a smaller one behind does not overtake
        QCOMPARE(adaptersOf(planned(14, 12).toPool), (Indices{0}));
        QCOMPARE(adaptersOf(planned(3, 14).toPool), (Indices{}));
        QCOMPARE(adaptersOf(planned(3, 14).toHost), (Indices{3}));  // reading takes no pages
        QCOMPARE(adaptersOf(planned(14, -2).toPool), (Indices{}));  // what runs is about to take everything
    }

    // Adapter 1 lies in the pool and is wanted: no room for those behind it, room for those before it.
    void nothingIsTakenFromWhatIsWantedSooner() {
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Idle, 10}};
        const auto planned = [&](std::initializer_list<std::int32_t> order, std::int32_t reclaimable) {
            PrefetchLimits limits = roomy();
            limits.reclaimable = reclaimable;
            return adaptersOf(planPrefetch(inOrder(order), places, limits).toPool);
        };
        QCOMPARE(planned({1, 0}, 14), (Indices{0}));
        QCOMPARE(planned({1, 0}, 13), (Indices{}));
        QCOMPARE(planned({0, 1}, 13), (Indices{0}));
    }

    // Ten seconds between two turns; a copy takes eleven, a read twenty: what is farther away than twice the moves and
    // a step is left alone, however much room there is.
    void nothingComesMuchEarlierThanItsTurn() {
        PrefetchLimits limits = roomy();
        limits.secondsPerTurn = 10;
        limits.secondsPerStep = 1;
        std::vector<AdapterPlace> places(6, AdapterPlace{At::Host, 4, 11});
        const auto planned = [&] { return planPrefetch(inOrder({0, 1, 2, 3, 4, 5}), places, limits); };
        // One after the other: 11 s are twice 22 away, so the k-th may be up to 22 k + 23 s ahead of its turn.
        QCOMPARE(adaptersOf(planned().toPool), (Indices{0, 1, 2, 3, 4, 5}));
        for (AdapterPlace& place : places) place.seconds = 2;
        QCOMPARE(adaptersOf(planned().toPool), (Indices{0}));  // twice 4 and 1 are less than 10
        limits.secondsPerStep = 2;
        QCOMPARE(adaptersOf(planned().toPool), (Indices{0, 1}));
        limits.secondsPerStep = 1;
        places[3] = {At::Disk, 0, 20};
        QCOMPARE(adaptersOf(planned().toHost), (Indices{3}));        // slow roads begin earlier
        QCOMPARE(adaptersOf(planned().toPool), (Indices{0, 4, 5}));  // and who comes behind waits for them
        limits.secondsPerTurn = 0;                                   // not known yet
        QCOMPARE(adaptersOf(planned().toPool), (Indices{0, 1, 2, 4, 5}));
    }

    void theReachShrinksWithWasteAndGrowsWithUse() {
        PrefetchReach reach;
        const std::int32_t first = reach.requests();
        reach.saw(0, 1);
        QCOMPARE(reach.requests(), first / 2);
        reach.saw(0, 100);
        QCOMPARE(reach.requests(), 1);  // the next one is always brought
        for (int i = 0; i < 40; ++i) reach.saw(1, 0);
        const std::int32_t grown = reach.requests();
        QVERIFY(grown > first && grown < 20);
        for (int i = 0; i < 100000; ++i) reach.saw(1, 0);
        QVERIFY(reach.requests() > grown && reach.requests() <= 64);
    }

    void thePaceCountsWhileSomebodyWaits() {
        TurnPace pace;
        QCOMPARE(pace.secondsPerTurn(), 0.0);
        for (int i = 0; i < 200; ++i) {
            pace.stepped(true, 0, 0.5);
            pace.stepped(true, 2, 0.5);  // two a second
        }
        QVERIFY(std::abs(pace.secondsPerTurn() - 0.5) < 0.01 && std::abs(pace.secondsPerStep() - 0.5) < 0.01);
        pace.stepped(false, 1, 1000.0);  // nobody waited: it says nothing
        QVERIFY(std::abs(pace.secondsPerTurn() - 0.5) < 0.01);
    }
};

ESPALIER_TEST(tst_prefetch_plan, TestPrefetchPlan)
#include "tst_prefetch_plan.moc"
