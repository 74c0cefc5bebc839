// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "core/base/lane.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestLane : public QObject {
    Q_OBJECT

private slots:
    void jobsRunOneAfterTheOtherInOrder() {
        std::vector<int> ran;  // the lane's alone until `last` says so
        std::atomic<bool> last = false;
        ThreadLane lane;
        for (int i = 0; i < 1000; ++i) lane.post([&ran, i] { ran.push_back(i); });
        lane.post([&] { last = true; });
        while (!last) std::this_thread::yield();
        QCOMPARE(ran.size(), std::size_t{1000});
        QVERIFY(std::is_sorted(ran.begin(), ran.end()));
    }

    void theEndWaitsForTheRunningJob() {
        std::atomic<bool> began = false, go = false, ended = false;
        std::thread helper;
        {
            ThreadLane lane;
            lane.post([&] {
                began = true;
                while (!go) std::this_thread::yield();
                ended = true;
            });
            while (!began) std::this_thread::yield();
            helper = std::thread([&] { go = true; });
        }
        QVERIFY(ended);
        helper.join();
    }

    void aJobMayPostAnother() {
        std::atomic<bool> done = false;
        ThreadLane lane;
        lane.post([&] { lane.post([&] { done = true; }); });
        while (!done) std::this_thread::yield();
        std::vector<int> order;
        InlineLane here;
        here.post([&] { order.push_back(1); });
        order.push_back(2);
        QCOMPARE(order, (std::vector<int>{1, 2}));
    }
};

ESPALIER_TEST(tst_lane, TestLane)
#include "tst_lane.moc"
