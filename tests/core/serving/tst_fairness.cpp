// SPDX-License-Identifier: GPL-3.0-or-later
// The noisy tenant (serving.md, sections 5 and 9.2): one tenant at ten times its share beside three normal ones, with
// first come first served on the same trace for contrast. Deterministic: no device, no clock.
#include <QTest>
#include <cmath>

#include "tests/core/serving/scheduler_simulation.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr std::int32_t kNoisy = 3;
constexpr std::int32_t kPrompt = 80, kAnswer = 24;  // longest
constexpr std::int32_t kRunning = 16, kDoor = 2;
constexpr double kCredit = 256;  // four steps, as in the serving loop

Simulation fourTenants(bool fcfs) {
    Simulation simulation;
    simulation.isFirstComeFirstServed = fcfs;
    simulation.pool = 400;
    simulation.limits = {.maxBatchTokens = 64,
                         .maxLogitRows = 64,
                         .maxSequences = kRunning,
                         .doorSequences = kDoor,
                         .expectedOutput = kAnswer};
    simulation.weights = {1.0, 2.0, 4.0, 1.0};
    return simulation;
}

double served(const Simulation& simulation, std::int32_t tenant) {
    const auto index = static_cast<std::size_t>(tenant);
    return simulation.service[index] / simulation.weights[index];
}

// VTC, theorem 4.8, with weights: U is what one prompt or one full batch may put a tenant ahead, over the least weight.
double bound(const Simulation& simulation) {
    const double batch =
        kGeneratedTokenCost * (kRunning + kDoor) * kAnswer + kPromptTokenCost * simulation.limits.maxBatchTokens;
    return 2.0 * std::max(kPromptTokenCost * kPrompt, batch);
}

// The largest difference of service over weight that any two tenants ever had while both had work waiting.
double worstDifference(Simulation& simulation, int steps) {
    // Service since a pair became backlogged together is what the theorem speaks of; here all are, from the start.
    double worst = 0.0;
    while (simulation.steps < steps) {
        simulation.step();
        for (std::int32_t a = 0; a < 4; ++a)
            for (std::int32_t b = a + 1; b < 4; ++b)
                worst = std::max(worst, std::abs(served(simulation, a) - served(simulation, b)));
    }
    return worst;
}

// All four backlogged; the noisy one has ten requests waiting for each one of a normal tenant of its weight.
void flood(Simulation& simulation) {
    TestRandom random(7);
    for (int round = 0; round < 60; ++round)
        for (std::int32_t tenant = 0; tenant < 4; ++tenant) {
            const int weight = static_cast<int>(simulation.weights[static_cast<std::size_t>(tenant)]);
            for (int i = 0; i < (tenant == kNoisy ? 10 : 5 * weight); ++i)
                simulation.submit(tenant, 1 + random.below(kPrompt), 1 + random.below(kAnswer));
        }
}

struct Wait {
    int p95 = 0;
    int count = 0;
};
Wait firstTokenWait(const Simulation& simulation, std::int32_t tenant) {
    std::vector<int> waits;
    for (const auto& item : simulation.done)
        if (item.tenant == tenant) waits.push_back(item.firstTokenAt - item.submittedAt);
    std::sort(waits.begin(), waits.end());
    const auto at = static_cast<std::size_t>(std::ceil(0.95 * static_cast<double>(waits.size()))) - 1;
    return {waits.empty() ? 0 : waits[at], static_cast<int>(waits.size())};
}

// Three tenants that together ask for a third of what the engine does, with and without a fourth that asks for far more
// than all of it.
Simulation crowd(bool fcfs, bool noisy) {
    Simulation simulation = fourTenants(fcfs);
    TestRandom random(11);
    for (std::int32_t tenant = 0; tenant < 4; ++tenant) simulation.submit(tenant, 8, 1);
    while (simulation.steps < 1200) {
        if (simulation.steps % 12 == 0)
            for (std::int32_t tenant = 0; tenant < 3; ++tenant) simulation.submit(tenant, 60, 12);
        if (noisy && simulation.steps % 12 == 0)
            for (int i = 0; i < 20; ++i) simulation.submit(kNoisy, 40 + random.below(40), 24);
        if (simulation.queue.empty())
            ++simulation.steps;
        else
            simulation.step();
        if (!simulation.broken.empty()) break;
    }
    return simulation;
}

// The same in time: a step costs a fixed part and its rows. The three ask for four fifths of their shares, at random
// moments; the noisy one for ten times its own. What their first tokens waited, 95th percentile.
double waitInTime(bool fcfs, bool noisy, std::int32_t door, double credit) {
    constexpr double kStepCost = 0.3, kRowCost = 1.0 / 64, kUntil = 4000,
                     kLoad = 0.6;  // requests in a unit of time, of four tenants
    Simulation simulation = fourTenants(fcfs);
    simulation.weights = {1.0, 1.0, 1.0, 1.0};
    simulation.limits.doorSequences = door;
    simulation.share = FairShare(credit);
    TestRandom randoms[4] = {TestRandom(1 << 20), TestRandom(2 << 20), TestRandom(3 << 20), TestRandom(4 << 20)};
    double next[4] = {}, now = 0;
    for (std::int32_t tenant = 0; tenant < 4; ++tenant) simulation.submit(tenant, 8, 1);
    std::vector<double> timeOf{0.0};  // by step
    while (now < kUntil && simulation.broken.empty()) {
        for (std::size_t tenant = 0; tenant < (noisy ? 4 : 3); ++tenant)
            for (TestRandom& random = randoms[tenant]; next[tenant] <= now;) {
                const bool isNoisy = tenant == kNoisy;
                if (isNoisy && simulation.queue.size() < 400)
                    simulation.submit(kNoisy, 40 + random.below(40), 24);
                else if (!isNoisy)
                    simulation.submit(static_cast<std::int32_t>(tenant), 60, 12);
                next[tenant] -=
                    std::log(1.0 - random.below(1 << 20) / double(1 << 20)) * 4 / kLoad / (isNoisy ? 10 : 1);
            }
        if (simulation.queue.empty()) {
            ++simulation.steps;
            now += 0.05;
        } else {
            const std::int32_t rows = simulation.step();
            now += kStepCost + kRowCost * rows;
        }
        timeOf.push_back(now);
    }
    CHECK(simulation.broken.empty());
    std::vector<double> waits;
    for (const auto& item : simulation.done)
        if (item.tenant != kNoisy && item.submittedAt > 0)
            waits.push_back(timeOf[static_cast<std::size_t>(item.firstTokenAt)] -
                            timeOf[static_cast<std::size_t>(item.submittedAt)]);
    std::sort(waits.begin(), waits.end());
    return waits[waits.size() * 95 / 100];
}

}  // namespace

class TestFairness : public QObject {
    Q_OBJECT
private slots:
    void backloggedTenants_differByNoMoreThanTwiceUWhateverTheyAskFor() {
        Simulation fair = fourTenants(false), fcfs = fourTenants(true);
        flood(fair);
        flood(fcfs);
        const double worst = worstDifference(fair, 1200), unfair = worstDifference(fcfs, 1200);
        QVERIFY2(fair.broken.empty(), fair.broken.c_str());
        for (std::int32_t tenant = 0; tenant < 4; ++tenant) QVERIFY(fair.runningOf(tenant) > 0);  // still backlogged
        qInfo("largest difference of service: %.0f of 2U = %.0f; first come first served: %.0f", worst, bound(fair),
              unfair);
        QVERIFY2(worst <= bound(fair), qPrintable(QString::number(worst)));
        // Enough was served for the bound to mean something, and without fairness it is broken.
        QVERIFY(served(fair, kNoisy) > 3 * bound(fair));
        QVERIFY(unfair > bound(fair));
    }
    void serviceFollowsTheWeights() {
        Simulation fair = fourTenants(false);
        flood(fair);
        (void)worstDifference(fair, 1200);
        for (std::int32_t tenant = 0; tenant < 4; ++tenant) {
            const double ratio = served(fair, tenant) / served(fair, 0);
            QVERIFY2(ratio > 0.9 && ratio < 1.1, qPrintable(QString::number(ratio)));
        }
    }
    void aNoisyTenant_delaysItselfAndNotTheOthers() {
        const Simulation alone = crowd(false, false), fair = crowd(false, true), fcfs = crowd(true, true);
        for (const Simulation* simulation : {&alone, &fair, &fcfs})
            QVERIFY2(simulation->broken.empty(), simulation->broken.c_str());
        for (std::int32_t tenant = 0; tenant < 3; ++tenant) {
            const Wait calm = firstTokenWait(alone, tenant), crowded = firstTokenWait(fair, tenant),
                       unfair = firstTokenWait(fcfs, tenant);
            qInfo(
                "tenant %d: steps to the first token, p95: alone %d, beside the noisy one %d, first come first served "
                "%d (%d of %d answered)",
                tenant, calm.p95, crowded.p95, unfair.p95, unfair.count, crowded.count);
            QVERIFY(crowded.count >= calm.count - 2);
            QVERIFY(crowded.p95 <= 12);  // steps: a running answer's end, for a place, and one prompt
            QVERIFY(unfair.count < crowded.count / 2 || unfair.p95 > 10 * crowded.p95);
        }
    }
    // Half a step until the next begins, and steps that are full, are what nobody can take away from the wait beside a
    // flood; the wait for a place is what the door takes away, and being put behind the flood for two requests in a row
    // is what the credit does.
    void besideAFlood_aVictimWaitsAtMostThreeTimesAsLongAsAlone() {
        const double alone = waitInTime(false, false, kDoor, kCredit), fair = waitInTime(false, true, kDoor, kCredit),
                     neither = waitInTime(false, true, 0, 0), fcfs = waitInTime(true, true, 0, 0);
        qInfo(
            "time to the first token, p95: alone %.2f, beside the noisy one %.2f (%.2fx), without door and credit %.2f "
            "(%.2fx), first come first served %.2f",
            alone, fair, fair / alone, neither, neither / alone, fcfs);
        QVERIFY(fair <= 3 * alone && fair <= 1.05 * neither && fcfs > 10 * alone);
    }
    // One whose places end at once and one whose answers are long: the first could begin at the door again and again.
    void theDoor_letsNobodyGetAhead() {
        Simulation simulation = fourTenants(false);
        simulation.weights = {1.0, 1.0, 1.0, 1.0};
        double worst = 0.0;
        while (simulation.steps < 2000) {
            while (simulation.queue.size() < 120) {
                simulation.submit(0, kPrompt, 1);
                simulation.submit(1, 1, kAnswer);
            }
            for (std::int32_t tenant = 0; tenant < 2; ++tenant)
                while (std::ranges::count(simulation.queue, tenant, &Simulation::Item::tenant) < 40)
                    simulation.submit(tenant, tenant == 0 ? kPrompt : 1, tenant == 0 ? 1 : kAnswer);
            simulation.step();
            worst = std::max(worst, std::abs(served(simulation, 0) - served(simulation, 1)));
        }
        QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
        QVERIFY(served(simulation, 0) > 3 * bound(simulation));
        QVERIFY2(worst <= bound(simulation), qPrintable(QString::number(worst)));
    }
    // Three that come and go, each with a few things at once, beside a flood: none of them ever gets more than the
    // flood by more than the bound and the credit, while both have work waiting.
    void withCredit_theBoundGrowsByNoMoreThanIt() {
        Simulation simulation = fourTenants(false);
        simulation.weights = {1.0, 1.0, 1.0, 1.0};
        simulation.share = FairShare(kCredit);
        TestRandom random(17);
        double worst = 0.0;
        std::vector<double> before(4, 0.0);  // service when a tenant's work began to wait beside the flood
        std::vector<bool> waited(4, false);
        for (std::int32_t tenant = 0; tenant < 4; ++tenant) simulation.submit(tenant, 8, 1);
        std::vector<double> floodBefore(4, 0.0);
        while (simulation.steps < 3000) {
            while (simulation.queue.size() < 60)
                simulation.submit(kNoisy, 1 + random.below(kPrompt), 1 + random.below(kAnswer));
            if (random.below(30) == 0)
                for (int i = random.below(30); i > 0; --i)
                    simulation.submit(random.below(3), 1 + random.below(kPrompt), 1 + random.below(kAnswer));
            simulation.step();
            for (std::int32_t tenant = 0; tenant < kNoisy; ++tenant) {
                const auto index = static_cast<std::size_t>(tenant);
                const bool waits = std::ranges::any_of(
                    simulation.queue, [&](const auto& item) { return item.tenant == tenant && !item.isRunning; });
                if (waits && !waited[index]) {
                    before[index] = served(simulation, tenant);
                    floodBefore[index] = served(simulation, kNoisy);
                }
                waited[index] = waits;
                if (waits)
                    worst = std::max(worst, std::abs((served(simulation, tenant) - before[index]) -
                                                     (served(simulation, kNoisy) - floodBefore[index])));
            }
        }
        QVERIFY2(simulation.broken.empty(), simulation.broken.c_str());
        qInfo("largest difference of service while both waited: %.0f of 2U + credit = %.0f", worst,
              bound(simulation) + kCredit);
        QVERIFY(worst > 0 && worst <= bound(simulation) + kCredit);
    }
    void aReplay_isTheSameEveryTime() {
        Simulation first = crowd(false, true), second = crowd(false, true);
        QCOMPARE(first.done.size(), second.done.size());
        for (std::size_t i = 0; i < first.done.size(); ++i)
            QCOMPARE(first.done[i].firstTokenAt, second.done[i].firstTokenAt);
    }
    void aCap_holdsForTheNoisyOneAndCostsTheOthersNothing() {
        Simulation capped = fourTenants(false);
        capped.pool = 120;
        capped.caps = {0, 0, 0, 20};
        flood(capped);
        int most = 0;
        while (capped.steps < 800) {
            capped.step();
            most = std::max(most, capped.heldBy(kNoisy));
        }
        QVERIFY2(capped.broken.empty(), capped.broken.c_str());
        QVERIFY2(most <= 20 && most > 10, qPrintable(QString::number(most)));
        QVERIFY(served(capped, 0) > 0);
    }
};
ESPALIER_TEST(tst_fairness, TestFairness)
#include "tst_fairness.moc"
