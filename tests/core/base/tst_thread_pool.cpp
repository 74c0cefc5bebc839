// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <atomic>
#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/thread_pool.h"
#include "tests/support/test_main.h"

using namespace espalier;

namespace {

double processorSeconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

class TestThreadPool : public QObject {
    Q_OBJECT
private slots:
    void everyTaskRunsOnce_data() {
        QTest::addColumn<int>("threads");
        for (const int threads : {1, 2, 3, 4, 9}) QTest::addRow("%d threads", threads) << threads;
    }
    void everyTaskRunsOnce() {
        QFETCH(int, threads);
        ThreadPool pool(threads);
        QCOMPARE(pool.threads(), threads);
        for (const std::int64_t count : {0, 1, 2, 3, 7, 8, 9, 64, 1000, 20000}) {
            std::vector<int> runs(static_cast<std::size_t>(count), 0);  // one task owns one element: no atomics needed
            pool.parallelFor(count, [&](std::int64_t i) { ++runs[static_cast<std::size_t>(i)]; });
            for (const int n : runs) QCOMPARE(n, 1);
        }
    }
    void negativeCountRunsNothing() {
        ThreadPool pool(3);
        pool.parallelFor(-1, [](std::int64_t) { QFAIL("a task ran"); });
    }
    // Each call has a context of its own on the stack: a worker that wakes late and takes a task of the wrong call
    // shows as a wrong sum, or as a stack access under the sanitizers.
    void manyTinyCalls_neverMixTheirTasks() {
        ThreadPool pool(4);
        for (std::int64_t call = 0; call < 20000; ++call) {
            const std::int64_t count = 2 + call % 5;
            std::atomic<std::int64_t> sum{0};
            pool.parallelFor(count, [&sum, call](std::int64_t i) { sum.fetch_add(call * 8 + i); });
            QCOMPARE(sum.load(), count * call * 8 + count * (count - 1) / 2);
        }
    }
    void callsAfterPauses_wakeSleepingWorkers() {
        ThreadPool pool(2);
        for (int call = 0; call < 30; ++call) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            std::atomic<int> ran{0};
            pool.parallelFor(16, [&](std::int64_t) { ++ran; });
            QCOMPARE(ran.load(), 16);
        }
    }
    // Both tasks wait for each other: they pass only when two threads run at once.
    void twoTasksRunAtTheSameTime() {
        ThreadPool pool(2);
        std::atomic<int> arrived{0};
        pool.parallelFor(2, [&](std::int64_t) {
            ++arrived;
            while (arrived.load() < 2) std::this_thread::yield();
        });
        QCOMPARE(arrived.load(), 2);
    }
    // On the caller's thread and on another one; whose stack the tasks use is left only when none runs any more.
    void aTaskThatThrows_throwsOutOfTheCallWhenNoOtherRuns() {
        ThreadPool pool(3);
        const auto caller = std::this_thread::get_id();
        for (const bool onCaller : {true, false}) {
            std::atomic<int> running{0}, thrown{0};
            std::string what;
            try {
                pool.parallelFor(64, [&](std::int64_t) {
                    ++running;
                    while ((std::this_thread::get_id() == caller) != onCaller && thrown == 0) std::this_thread::yield();
                    if (thrown++ == 0) {
                        --running;
                        throw std::runtime_error("a task's");
                    }
                    std::this_thread::yield();
                    --running;
                });
            } catch (const std::exception& out) {
                what = out.what();
            }
            QCOMPARE(what, std::string("a task's"));
            QCOMPARE(running.load(), 0);
            std::atomic<int> ran{0};
            pool.parallelFor(64, [&](std::int64_t) { ++ran; });
            QCOMPARE(ran.load(), 64);
        }
    }
    void poolsComeAndGoUnused() {
        for (int i = 0; i < 200; ++i) {
            ThreadPool pool(1 + i % 4);
            if (i % 3 == 0) pool.parallelFor(3, [](std::int64_t) {});
        }
    }
    void idleWorkersUseNoProcessor() {
        ThreadPool pool(4);
        pool.parallelFor(100, [](std::int64_t) {});
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const double before = processorSeconds();
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        QVERIFY2(processorSeconds() - before < 0.02, "workers spin while there is nothing to do");
    }
};
ESPALIER_TEST(tst_thread_pool, TestThreadPool)
#include "tst_thread_pool.moc"
