// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>
#include <algorithm>

#include "core/telemetry/window.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace std::chrono_literals;

class TestWindow : public QObject {
    Q_OBJECT
private slots:
    void percentilesAreNearestRank() {
        std::vector<double> values;
        for (int i = 100; i >= 1; --i) values.push_back(i);
        const Percentiles result = percentilesOf(values);
        QCOMPARE(result.p50, 50.0);
        QCOMPARE(result.p95, 95.0);
        QCOMPARE(result.p99, 99.0);
        QCOMPARE(result.samples, std::int64_t{100});
        QCOMPARE(percentilesOf({7.0}).p99, 7.0);
        QCOMPARE(percentilesOf({}).samples, std::int64_t{0});
    }
    void samplesLeaveTheWindowAfterItsSpan() {
        LatencyWindow window(60s);
        ManualClock clock;
        window.add(clock.now(), 100.0);
        clock.advance(30s);
        window.add(clock.now(), 200.0);
        QCOMPARE(window.percentiles(clock.now()).samples, std::int64_t{2});
        clock.advance(30s);
        QCOMPARE(window.percentiles(clock.now()).samples, std::int64_t{1});
        QCOMPARE(window.percentiles(clock.now()).p50, 200.0);
        clock.advance(30s);
        QCOMPARE(window.percentiles(clock.now()).samples, std::int64_t{0});
    }
    void aFullWindowKeepsTheNewest() {
        LatencyWindow window(60s, 4);
        ManualClock clock;
        for (int i = 1; i <= 10; ++i) window.add(clock.now(), i);
        auto values = window.values(clock.now());
        std::sort(values.begin(), values.end());
        QCOMPARE(values, (std::vector<double>{7, 8, 9, 10}));
    }
    void ratesCountTheLastSecond() {
        RateWindow rate;
        ManualClock clock;
        QCOMPARE(rate.perSecond(clock.now()), 0.0);
        for (int i = 0; i < 30; ++i) {
            rate.add(clock.now(), 2.0);
            clock.advance(100ms);
        }
        clock.advance(-50ms);
        QCOMPARE(rate.perSecond(clock.now()), 20.0);
        clock.advance(500ms);
        QCOMPARE(rate.perSecond(clock.now()), 10.0);
        clock.advance(600ms);
        QCOMPARE(rate.perSecond(clock.now()), 0.0);
        clock.advance(1h);
        rate.add(clock.now(), 3.0);
        QCOMPARE(rate.perSecond(clock.now()), 3.0);
    }
};
ESPALIER_TEST(tst_window, TestWindow)
#include "tst_window.moc"
