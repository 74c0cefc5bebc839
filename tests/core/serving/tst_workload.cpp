// SPDX-License-Identifier: GPL-3.0-or-later
// The workload generator against the checksums of the published traces, row for row.
#include <QTest>
#include <cmath>
#include <map>

#include "core/serving/workload.h"
#include "tests/support/test_main.h"

using namespace espalier;

class TestWorkload : public QObject {
    Q_OBJECT

private slots:
    void isThePublishedTrace_data() {
        QTest::addColumn<int>("adapters");
        QTest::addColumn<double>("alpha");
        QTest::addColumn<double>("rate");
        QTest::addColumn<double>("cv");
        QTest::addColumn<double>("duration");
        QTest::addColumn<int>("most");
        QTest::addColumn<int>("requests");
        QTest::addColumn<int>("prompts");
        QTest::addColumn<int>("answers");
        QTest::addColumn<int>("firstAdapter");
        QTest::addColumn<int>("firstPrompt");
        QTest::addColumn<int>("firstAnswer");
        QTest::addColumn<double>("firstAt");
        QTest::addColumn<double>("lastAt");
        QTest::addColumn<int>("distinct");
        struct Row {
            int n;
            double alpha, rate, cv, duration;
            int most, requests, in, out, adapter, prompt, answer;
            double first, last;
            int distinct;
        };
        const Row rows[] = {
            {200, 1, 2, 1, 300, 512, 600, 153447, 155474, 74, 12, 410, .15985, 301.005, 187},
            {200, .1, 2, 1, 300, 512, 600, 153447, 155474, 0, 12, 410, .15985, 301.005, 107},
            {5, 1, 10, 1, 120, 512, 1200, 314805, 315809, 1, 388, 268, .05032, 124.987, 5},
            {100, 1, 10, 1, 120, 512, 1200, 314805, 315809, 37, 388, 268, .05032, 124.987, 100},
            {1000, 1, 10, 1, 120, 512, 1200, 314805, 315809, 374, 388, 268, .05032, 124.987, 704},
            {2000, 1, 10, 1, 120, 512, 1200, 314805, 315809, 749, 388, 268, .05032, 124.987, 907},
            {400, 1, 6, 1, 300, 512, 1800, 466980, 469301, 149, 140, 491, .02749, 293.717, 396},
            {400, 1, 6, 8, 300, 512, 1800, 466980, 469301, 149, 140, 491, .00000, 290.714, 396},
            {400, 1, 20, 1, 120, 512, 2400, 621634, 636619, 149, 434, 352, .02567, 117.571, 400},
            {2000, 1, 20, 1, 120, 512, 2400, 621634, 636619, 749, 434, 352, .02567, 117.571, 1392},
            {2000, 1, 40, 1, 120, 512, 4800, 1223470, 1240949, 749, 410, 381, .01328, 119.581, 1812},
            {16, 1, 4, 1, 60, 128, 240, 16604, 15915, 5, 99, 36, .91624, 60.242, 16},
            {1000, 1, 4, 1, 60, 128, 240, 16604, 15915, 374, 99, 36, .91624, 60.242, 216},
        };
        for (const Row& row : rows)
            QTest::addRow("n %d alpha %g R %g cv %g", row.n, row.alpha, row.rate, row.cv)
                << row.n << row.alpha << row.rate << row.cv << row.duration << row.most << row.requests << row.in
                << row.out << row.adapter << row.prompt << row.answer << row.first << row.last << row.distinct;
    }
    void isThePublishedTrace() {
        QFETCH(int, adapters);
        QFETCH(double, alpha);
        QFETCH(double, rate);
        QFETCH(double, cv);
        QFETCH(double, duration);
        QFETCH(int, most);
        const auto made = makeWorkload(
            {.adapters = adapters, .alpha = alpha, .rate = rate, .cv = cv, .durationS = duration, .mostTokens = most});
        QVERIFY(made);
        std::int64_t prompts = 0, answers = 0;
        std::map<std::int32_t, int> byAdapter;
        double before = 0;
        for (const WorkloadRequest& request : *made) {
            prompts += request.promptTokens;
            answers += request.answerTokens;
            ++byAdapter[request.adapter];
            QVERIFY(request.adapter >= 0 && request.adapter < adapters && request.arrivalS >= before);
            before = request.arrivalS;
        }
        QTEST(static_cast<int>(made->size()), "requests");
        QTEST(static_cast<int>(prompts), "prompts");
        QTEST(static_cast<int>(answers), "answers");
        QTEST(made->front().adapter, "firstAdapter");
        QTEST(made->front().promptTokens, "firstPrompt");
        QTEST(made->front().answerTokens, "firstAnswer");
        QFETCH(double, firstAt);
        QFETCH(double, lastAt);
        QVERIFY(std::abs(made->front().arrivalS - firstAt) < 0.5e-5);
        QVERIFY(std::abs(made->back().arrivalS - lastAt) < 0.5e-3);
        QTEST(static_cast<int>(byAdapter.size()), "distinct");
        if (alpha < 1) QCOMPARE(std::round(byAdapter[0] * 1000.0 / static_cast<double>(made->size())), 570.0);
    }

    void whatMakesNoSenseIsRefused() {
        for (const WorkloadOptions& wrong :
             {WorkloadOptions{.adapters = 0}, WorkloadOptions{.alpha = 0}, WorkloadOptions{.rate = 0},
              WorkloadOptions{.cv = 0.5}, WorkloadOptions{.durationS = -1}, WorkloadOptions{.mostTokens = 8}})
            QCOMPARE(makeWorkload(wrong).error().code, ErrorCode::InvalidArgument);
    }
};

ESPALIER_TEST(tst_workload, TestWorkload)
#include "tst_workload.moc"
