// SPDX-License-Identifier: GPL-3.0-or-later
// Which adapters are brought ahead of their turn: in fair order, each once, within the budget of pages.
#include <QTest>

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

}  // namespace

class TestPrefetchPlan : public QObject {
    Q_OBJECT

private slots:
    void theOrderIsThatOfTheScheduler() {
        std::vector<SequenceView> sequences{waiting(0, 0, 100), waiting(1, 0), waiting(2, 1), waiting(3, 1), waiting(4, 2)};
        sequences[4].isRunning = true;
        const std::vector<double> served{0.0, 30.0, 0.0};
        // Tenant 0 is served least; its first prompt puts it behind both of tenant 1's.
        QCOMPARE(waitingInFairOrder({sequences, served}, 10), (Indices{0, 2, 3, 1}));
        QCOMPARE(waitingInFairOrder({sequences, served}, 2), (Indices{0, 2}));
        const std::vector<double> weights{10.0, 1.0, 1.0};  // 100 tokens count as 10 for tenant 0
        QCOMPARE(waitingInFairOrder({sequences, served, weights}, 10), (Indices{0, 1, 2, 3}));
        QCOMPARE(waitingInFairOrder({{}, {}}, 4), (Indices{}));
    }

    void everyAdapterIsBroughtOnceAndTheBaseNever() {
        const std::vector<SequenceView> sequences{waiting(1), waiting(-1), waiting(0), waiting(1), waiting(2), waiting(3)};
        const std::vector<double> served{0.0};
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Disk, 0}, {At::Coming, 4}, {At::Used, 4}};
        const PrefetchPlan plan = planPrefetch({sequences, served}, places, {6, 100, 100});
        QCOMPARE(plan.wanted, (Indices{1, 0, 2, 3}));
        QCOMPARE(plan.first, (Indices{0, 2, 4, 5}));
        QCOMPARE(plan.toHost, (Indices{1}));
        QCOMPARE(plan.toPool, (Indices{0}));
        QCOMPARE(planPrefetch({sequences, served}, places, {2, 100, 100}).toPool, (Indices{}));  // not looked at yet
    }

    void theBudgetEndsAtTheFirstThatDoesNotFit() {
        const std::vector<SequenceView> sequences{waiting(0), waiting(1), waiting(2), waiting(3)};
        const std::vector<double> served{0.0};
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Host, 9}, {At::Host, 1}, {At::Disk, 0}};
        const auto planned = [&](std::int32_t staged, std::int32_t reclaimable) {
            return planPrefetch({sequences, served}, places, {4, staged, reclaimable});
        };
        QCOMPARE(planned(14, 14).toPool, (Indices{0, 1, 2}));
        QCOMPARE(planned(12, 14).toPool, (Indices{0}));  // a smaller one behind does not overtake
        QCOMPARE(planned(14, 12).toPool, (Indices{0}));
        QCOMPARE(planned(3, 14).toPool, (Indices{}));
        QCOMPARE(planned(3, 14).toHost, (Indices{3}));  // reading takes no pages
    }

    void whatOthersThatWaitWantIsNoRoom() {
        const std::vector<SequenceView> sequences{waiting(0), waiting(1)};
        const std::vector<double> served{0.0};
        const std::vector<AdapterPlace> places{{At::Host, 4}, {At::Idle, 10}};
        QCOMPARE(planPrefetch({sequences, served}, places, {4, 100, 14}).toPool, (Indices{0}));
        QCOMPARE(planPrefetch({sequences, served}, places, {4, 100, 13}).toPool, (Indices{}));
        QCOMPARE(planPrefetch({sequences, served}, places, {1, 100, 13}).toPool, (Indices{0}));  // nobody looked at wants it
    }
};

ESPALIER_TEST(tst_prefetch_plan, TestPrefetchPlan)
#include "tst_prefetch_plan.moc"
