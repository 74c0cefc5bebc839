// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/serving/step_trace.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestStepTrace : public QObject {
    Q_OBJECT
private slots:
    void theNewestAreKeptInTheirOrder() {
        StepTrace trace;
        QVERIFY(trace.newest(10).empty());
        const auto check = [&](std::int64_t last, std::size_t asked, std::size_t expected) {
            const auto steps = trace.newest(asked);
            QCOMPARE(steps.size(), expected);
            for (std::size_t i = 0; i < expected; ++i) {
                QCOMPARE(steps[i].sequence, last - static_cast<std::int64_t>(expected - 1 - i));
                QCOMPARE(steps[i].at, 10 * steps[i].sequence);
            }
        };
        for (std::int64_t i = 1; i <= 1300; ++i) {
            trace.add({.at = 10 * i, .seconds = 0.5});
            check(i, 3, static_cast<std::size_t>(std::min<std::int64_t>(i, 3)));
            if (i % 97 == 0) check(i, 100'000, std::min(static_cast<std::size_t>(i), kMostStepsKept));
        }
    }
};

ESPALIER_TEST(tst_step_trace, TestStepTrace)
#include "tst_step_trace.moc"
