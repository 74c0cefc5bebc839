// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include <QTest>
#include <algorithm>
#include <atomic>
#include <ctime>
#include <thread>

#include "core/base/lane.h"
#include "core/base/processors.h"
#include "core/base/thread_pool.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

// Two cores of two processors each, numbered as machines do.
const Processors kTwoCores = {{{0, 0}, {1, 1}, {2, 0}, {3, 1}}, true};

int processorsOfThisThread() {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -1;
}

}  // namespace

class TestProcessors : public QObject {
    Q_OBJECT
private slots:
    void aPlace_isACoreOfItsOwn() {
        QCOMPARE(placesFor(kTwoCores, 2), (std::vector<int>{0, 1}));
        const Processors numberedByCore = {{{0, 0}, {1, 0}, {2, 2}, {3, 2}}, true};
        QCOMPARE(placesFor(numberedByCore, 2), (std::vector<int>{0, 2}));
    }
    void theSystemPlaces_whereCoresAreFewOrChosenForUs() {
        QVERIFY(placesFor(kTwoCores, 1).empty());
        QVERIFY(placesFor(kTwoCores, 3).empty());
        QVERIFY(placesFor({kTwoCores.allowed, false}, 2).empty());
        QVERIFY(placesFor({}, 2).empty());
    }
    void thisMachine_hasProcessors() {
        const Processors here = processorsHere();
        QVERIFY(!here.allowed.empty());
        QCOMPARE(static_cast<int>(here.allowed.size()), processorsOfThisThread());
    }
    void aThread_keepsToItsPlace_untilItReturns() {
        std::thread([] {
            const int before = processorsOfThisThread();
            const int place = processorsHere().allowed.back().id;
            QVERIFY(!homeBeforeKeeping());
            QVERIFY(keepTo(place));
            QCOMPARE(processorsOfThisThread(), 1);
            QCOMPARE(sched_getcpu(), place);
            QCOMPARE(static_cast<int>(processorsHere().allowed.size()), before);  // it knows where it came from
            returnTo(homeBeforeKeeping());
            QCOMPARE(processorsOfThisThread(), before);
            QVERIFY(!homeBeforeKeeping());
        }).join();
    }
    void aLaneOfAPlacedThread_runsAnywhere() {
        std::thread([] {
            const int before = processorsOfThisThread();
            QVERIFY(keepTo(processorsHere().allowed.front().id));
            int inLane = 0;
            {
                std::mutex mutex;
                std::condition_variable done;
                ThreadLane lane;
                std::unique_lock lock(mutex);
                lane.post([&] {
                    const std::lock_guard inner(mutex);
                    inLane = processorsOfThisThread();
                    done.notify_one();
                });
                done.wait(lock, [&] { return inLane != 0; });
            }
            QCOMPARE(inLane, before);
        }).join();
    }
    void theRight_isHeldByOne() {
        const std::string name = "espalier-test-" + std::to_string(getpid());
        PlacingRight first = PlacingRight::take(name);
        QVERIFY(first.isHeld());
        QVERIFY(!PlacingRight::take(name).isHeld());
        PlacingRight moved = std::move(first);
        QVERIFY(!PlacingRight::take(name).isHeld());
        moved = PlacingRight();
        QVERIFY(PlacingRight::take(name).isHeld());
    }
    // Another engine on this machine may hold the right: then nobody is placed, which is as it should be.
    void aPlacedPool_runsEveryThreadInItsPlace() {
        std::thread([] {
            const int before = processorsOfThisThread();
            const auto count = static_cast<int>(processorsHere().allowed.size());
            ThreadPool pool(count, ThreadPool::Placement::OwnCores);
            pool.settle();
            QVERIFY(pool.places().empty() || pool.places() == placesFor(processorsHere(), count));
            std::vector<int> ran(static_cast<std::size_t>(count), -1), allowed(ran);
            std::atomic<int> arrived{0};
            pool.parallelFor(count, [&](std::int64_t task) {  // each waits for all: one task a thread
                ++arrived;
                while (arrived.load() < count) std::this_thread::yield();
                ran[static_cast<std::size_t>(task)] = sched_getcpu();
                allowed[static_cast<std::size_t>(task)] = processorsOfThisThread();
            });
            for (const int n : allowed) QCOMPARE(n, pool.places().empty() ? before : 1);
            if (pool.places().empty()) return;
            std::sort(ran.begin(), ran.end());
            QCOMPARE(ran, pool.places());
            ThreadPool second(count, ThreadPool::Placement::OwnCores);
            QVERIFY(second.places().empty());
        }).join();
    }
    void aPlacedPool_parksWithoutUsingAProcessor() {
        std::thread([] {
            ThreadPool pool(2, ThreadPool::Placement::OwnCores);
            pool.settle();
            pool.parallelFor(100, [](std::int64_t) {});
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            const std::clock_t before = std::clock();  // of all threads of this process
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
            QVERIFY2(used < 0.03, qPrintable(QString("%1 s in 0.3 s").arg(used)));
        }).join();
    }
    void aPoolBesideTheOneThatPlaces_isNotPlaced() {
        const PlacingRight right = PlacingRight::take();  // held here or by another engine
        ThreadPool pool(2, ThreadPool::Placement::OwnCores);
        QVERIFY(pool.places().empty());
    }
};
ESPALIER_TEST(tst_processors, TestProcessors)
#include "tst_processors.moc"
