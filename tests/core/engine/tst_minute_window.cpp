// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <deque>

#include "core/engine/minute_window.h"
#include "tests/support/fake_transformer.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;
using Ms = std::chrono::milliseconds;
using Sec = std::chrono::seconds;

namespace {

constexpr TimePoint kStart{std::chrono::hours(5)};

}  // namespace

class TestMinuteWindow : public QObject {
    Q_OBJECT
private slots:
    void somethingCountsForSixtySecondsAndNotForLonger() {
        MinuteWindow window;
        window.add(kStart, 5);
        QCOMPARE(window.amount(kStart), std::int64_t{5});
        QCOMPARE(window.amount(kStart + Ms(59'999)), std::int64_t{5});
        QCOMPARE(window.amount(kStart + Sec(60)), std::int64_t{0});
    }
    void momentsAreRoundedUpToTenMilliseconds() {
        MinuteWindow window;
        window.add(kStart + Ms(1), 1);
        QCOMPARE(window.amount(kStart + Ms(60'009)), std::int64_t{1});
        QCOMPARE(window.amount(kStart + Ms(60'010)), std::int64_t{0});
    }
    void untilAtMost_isWhenEnoughHasLeft() {
        MinuteWindow window;
        window.add(kStart, 3);
        window.add(kStart + Sec(20), 4);
        const TimePoint now = kStart + Sec(30);
        QCOMPARE(window.untilAtMost(now, 7), Duration::zero());
        QCOMPARE(window.untilAtMost(now, 6), Duration(Sec(30)));
        QCOMPARE(window.untilAtMost(now, 4), Duration(Sec(30)));
        QCOMPARE(window.untilAtMost(now, 3), Duration(Sec(50)));
        QCOMPARE(window.untilAtMost(now, 0), Duration(Sec(50)));
        QCOMPARE(window.amount(now + window.untilAtMost(now, 3)), std::int64_t{0});
    }
    // Against a list that is counted through at every question.
    void aRandomHistory_isNeverUndercountedAndOvercountedByTenMillisecondsAtMost() {
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            TestRandom random(seed);
            MinuteWindow window;
            std::deque<std::pair<TimePoint, std::int64_t>> all;
            TimePoint now = kStart;
            for (int i = 0; i < 3000; ++i) {
                now += Ms(random.below(200));
                if (random.below(3) > 0) {
                    const std::int64_t amount = 1 + random.below(9);
                    window.add(now, amount);
                    all.emplace_back(now, amount);
                }
                std::int64_t least = 0, most = 0;
                for (const auto& [at, amount] : all) {
                    least += at + Sec(60) > now ? amount : 0;
                    most += at + Sec(60) + Ms(10) > now ? amount : 0;
                }
                const std::int64_t counted = window.amount(now);
                QVERIFY2(counted >= least && counted <= most, qPrintable(QString("seed %1 at %2").arg(seed).arg(i)));
                const std::int64_t goal = counted * random.below(10) / 10;
                const Duration wait = window.untilAtMost(now, goal);
                MinuteWindow later = window;
                QVERIFY(later.amount(now + wait) <= goal);
                MinuteWindow before = window;
                if (wait > Duration::zero()) QVERIFY(before.amount(now + wait - Duration(1)) > goal);
            }
        }
    }
};
ESPALIER_TEST(tst_minute_window, TestMinuteWindow)
#include "tst_minute_window.moc"
