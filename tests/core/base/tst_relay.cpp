// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <atomic>
#include <new>

#include "core/base/relay.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestRelay : public QObject {
    Q_OBJECT
private slots:
    void itemsAreWorkedOnInOrderEachOnce() {
        std::vector<int> seen;
        Relay<int> relay(3, [&](int& item) { seen.push_back(item); });
        std::vector<int> sent;
        for (int i = 0; i < 1000; ++i) {
            relay.next() = i;
            relay.pass();
            sent.push_back(i);
        }
        relay.drain();
        QCOMPARE(seen, sent);
        relay.drain();  // nothing left is no wait
        relay.next() = 7;
        relay.pass();
        relay.drain();
        QCOMPARE(seen.back(), 7);
    }
    void thereAreNeverMoreItemsThanSlots() {
        std::atomic<bool> mayWork = false;
        std::atomic<int> worked = 0;
        Relay<int> relay(2, [&](int&) {
            while (!mayWork) std::this_thread::yield();
            ++worked;
        });
        for (int i = 0; i < 2; ++i) {
            relay.next();
            relay.pass();
        }
        std::atomic<bool> gotThird = false;
        std::jthread filler([&] {
            relay.next();
            gotThird = true;
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        QVERIFY(!gotThird);
        mayWork = true;
        filler.join();
        QVERIFY(gotThird && worked >= 1);
    }
    void anItemStaysReadableForItsFillerWhileItIsWorkedOn() {
        Relay<std::vector<int>> relay(2, [](std::vector<int>& item) { CHECK(item.size() == 5); });
        std::vector<int>& item = relay.next();
        item.assign(5, 3);
        relay.pass();
        QCOMPARE(item, std::vector<int>(5, 3));
        relay.drain();
    }
    // The border that turns exceptions into errors is on the filling thread; here they would end the process.
    void anExceptionOfTheWorkComesOutOnTheFillingThread() {
        std::atomic<int> worked = 0;
        const auto fails = [&](int& item) {
            if (item == 3) throw std::bad_alloc();
            ++worked;
        };
        {
            Relay<int> relay(2, fails);
            for (const int item : {1, 2, 3}) {
                relay.next() = item;
                relay.pass();
            }
            QVERIFY_THROWS_EXCEPTION(std::bad_alloc, relay.drain());
            QVERIFY_THROWS_EXCEPTION(std::bad_alloc, relay.drain());
            QVERIFY_THROWS_EXCEPTION(std::bad_alloc, relay.next());
        }
        QCOMPARE(worked, 2);
        Relay<int> relay(2, fails);
        const auto fillForEver = [&] {
            for (;;) {
                relay.next() = 3;
                relay.pass();
            }
        };
        QVERIFY_THROWS_EXCEPTION(std::bad_alloc, fillForEver());
    }
    void goingAwayEarlyDropsWhatWasNotBegun() {
        std::atomic<bool> mayWork = false;
        std::atomic<int> begun = 0;
        std::jthread releaser;
        {
            Relay<int> relay(4, [&](int&) {
                ++begun;
                while (!mayWork) std::this_thread::yield();
            });
            for (int i = 0; i < 4; ++i) {
                relay.next();
                relay.pass();
            }
            while (begun == 0) std::this_thread::yield();
            releaser = std::jthread([&] {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));  // so that the destructor gets to ask
                mayWork = true;
            });
        }
        QVERIFY(begun >= 1 && begun <= 4);
    }
};

ESPALIER_TEST(tst_relay, TestRelay)
#include "tst_relay.moc"
