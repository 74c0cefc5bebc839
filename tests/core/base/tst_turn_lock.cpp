// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <atomic>
#include <thread>
#include <vector>

#include "core/base/turn_lock.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestTurnLock : public QObject {
    Q_OBJECT

private slots:
    void oneAtATimeHoldsIt() {
        TurnLock lock;
        int count = 0;  // guarded by it
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int n = 0; n < 500; ++n) {
                    const std::lock_guard held(lock);
                    ++count;
                }
            });
        for (std::thread& thread : threads) thread.join();
        QCOMPARE(count, 2000);
        QCOMPARE(lock.waiting(), std::uint64_t{0});
    }

    // Who gives it up and wants it again comes after all that waited, in the order in which they came.
    void whoWaitedLongestIsNext() {
        TurnLock lock;
        std::vector<int> order;  // guarded by it
        std::vector<std::thread> others;
        lock.lock();
        for (int i = 1; i <= 3; ++i) {
            others.emplace_back([&, i] {
                const std::lock_guard held(lock);
                order.push_back(i);
            });
            while (lock.waiting() < static_cast<std::uint64_t>(i)) std::this_thread::yield();
        }
        lock.unlock();
        lock.lock();
        order.push_back(4);
        lock.unlock();
        for (std::thread& other : others) other.join();
        QCOMPARE(order, (std::vector<int>{1, 2, 3, 4}));
    }
};

ESPALIER_TEST(tst_turn_lock, TestTurnLock)
#include "tst_turn_lock.moc"
