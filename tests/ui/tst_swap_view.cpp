// SPDX-License-Identifier: GPL-3.0-or-later
// The Swap view of the Serve page: a lane of steps over the lanes of moves, the chosen move in words, and their twins.
#include <QAbstractItemModelTester>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/models/format.h"
#include "ui/models/step_table.h"
#include "ui/widgets/move_detail.h"
#include "ui/widgets/move_legend.h"
#include "ui/widgets/move_timeline.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

AdapterMove read() {
    return {.sequence = 1,
            .at = 60'000,
            .adapter = "math",
            .tenant = "ada",
            .from = AdapterTier::Disk,
            .to = AdapterTier::Host,
            .bytes = 1 << 20,
            .seconds = 0.5,
            .cause = MoveCause::Prefetch,
            .base = "m-tiny"};
}

AdapterMove copied() {
    return {.sequence = 3,
            .at = 61'000,
            .adapter = "math",
            .tenant = "ada",
            .from = AdapterTier::Host,
            .to = AdapterTier::Pool,
            .bytes = 1 << 20,
            .seconds = 0.002,
            .cause = MoveCause::Miss,
            .base = "m-tiny",
            .waiters = 2,
            .waitedSeconds = 0.0031};
}

AdapterMove evicted() {
    return {.sequence = 2,
            .at = 60'500,
            .adapter = "law",
            .from = AdapterTier::Pool,
            .to = AdapterTier::Host,
            .bytes = 2 << 20,
            .cause = MoveCause::Evicted,
            .evictedFor = "math"};
}

std::vector<StepRecord> steps(std::int64_t first, std::int64_t last) {
    std::vector<StepRecord> made;
    for (std::int64_t i = first; i <= last; ++i)
        made.push_back({.sequence = i,
                        .at = 59'000 + 100 * i,
                        .seconds = 0.05,
                        .promptRows = i % 4 == 0 ? 64 : 0,
                        .answerRows = 3,
                        .adapters = 1,
                        .model = "tiny"});
    return made;
}

// A Serve page with three moves and twenty steps, at the Swap view.
bool openSwap(Bench& bench) {
    bench.daemon.addModel("tiny");
    bench.daemon.snapshot.moves = {read(), evicted(), copied()};
    bench.daemon.steps = steps(1, 20);
    if (!bench.open(QStringLiteral("serve"))) return false;
    if (!bench.click(QStringLiteral("What is shown below: Swap"))) return false;
    return QTest::qWaitFor([&] { return bench.find<MoveTimeline>(QStringLiteral("Swap timeline")) != nullptr; });
}

}  // namespace

class TestSwapView : public QObject {
    Q_OBJECT
private slots:
    void aChosenMoveIsExplainedInWords() {
        Bench bench;
        QVERIFY(openSwap(bench));
        auto* line = bench.find<MoveTimeline>(QStringLiteral("Swap timeline"));
        auto* detail = bench.window.findChild<MoveDetail*>();
        QVERIFY(detail && detail->isVisible());
        QCOMPARE(detail->text(), QString());
        QTRY_VERIFY(!line->partRect(line->partOfStep(0)).isNull());
        QTest::mouseClick(line, Qt::LeftButton, {}, line->partRect(line->partOfMove(0)).center());
        const QString said = detail->text();
        for (const QString& part : {QStringLiteral("math, adapter of tiny"), formatBytes(1 << 20),
                                    QStringLiteral("RAM → Device, %1 ms at 524 MB/s").arg(formatMs(2)),
                                    QStringLiteral("Asked for by a request; for ada"),
                                    QStringLiteral("2 requests waited, up to %1 ms").arg(formatMs(3.1)),
                                    QStringLiteral("1 step in 100 % of its time")})
            QVERIFY2(said.contains(part), qPrintable(part + QStringLiteral(" in\n") + said));
        QCOMPARE(detail->accessibleDescription(), said);
        // The keys lead on to the older ones; what was given up cost nothing and took no time.
        QTest::keyClick(line, Qt::Key_Left);
        QVERIFY2(detail->text().contains(QStringLiteral("Room for math")), qPrintable(detail->text()));
        QVERIFY(detail->text().contains(QStringLiteral("Nothing was copied")));
        QVERIFY(!detail->text().contains(QStringLiteral("Meanwhile")));
        QTest::keyClick(line, Qt::Key_Left);
        QVERIFY2(detail->text().contains(QStringLiteral("Cost No added wait")), qPrintable(detail->text()));
        QTest::keyClick(line, Qt::Key_Escape);
        QVERIFY(detail->text().contains(QStringLiteral("No added wait")));  // it stays to be read
    }
    void whatIsSaidOfAMoveThatNobodyWaitedForAgrees() {
        MoveDetail detail;
        AdapterMove move = copied();
        move.waiters = 0;
        detail.show(move, QStringLiteral("tiny"), {});
        QVERIFY2(detail.text().contains(QStringLiteral("Why Asked for by a request; for ada\nCost No added wait")),
                 qPrintable(detail.text()));
        QCOMPARE(detail.findChild<Badge*>()->word(), QStringLiteral("No added wait"));
        detail.show(move, QStringLiteral("tiny"), {steps(1, 20).back()});
        QCOMPARE(detail.findChild<Badge*>()->word(), QStringLiteral("Hidden behind compute"));
    }
    void theColoursOfTheTimelineAreNamedWhileThereIsRoom() {
        Bench bench;
        QVERIFY(openSwap(bench));
        MoveLegend* legend = nullptr;
        QTRY_VERIFY((legend = bench.find<MoveLegend>(QStringLiteral("Colours of the timeline"))));
        QCOMPARE(legend->accessibleDescription(), QStringLiteral("Decode, Prefill, Adapter, Evicted"));
        QTRY_VERIFY(legend->areNamesShown());
        MoveLegend alone;
        alone.resize(alone.minimumSizeHint());
        alone.show();
        QVERIFY(!alone.areNamesShown());
        QCOMPARE(alone.toolTip(), QStringLiteral("Decode, Prefill, Adapter, Evicted"));
        const QImage image = alone.grab().toImage();
        for (const QRgb color : {colorsOf(alone.palette()).kvRunning, colorsOf(alone.palette()).adapters}) {
            bool isThere = false;
            for (int x = 0; x < image.width(); ++x)
                isThere |= image.pixel(x, image.height() / 2) == QColor(color).rgb();
            QVERIFY(isThere);
        }
    }
    void aRowOfTheTableChoosesItsMove() {
        Bench bench;
        QVERIFY(openSwap(bench));
        auto* table = bench.find<QTableView>(QStringLiteral("Moves of adapters"));
        QVERIFY(table);
        table->selectRow(1);
        auto* line = bench.find<MoveTimeline>(QStringLiteral("Swap timeline"));
        QCOMPARE(line->chosen(), line->partOfMove(1));
        QVERIFY(bench.window.findChild<MoveDetail*>()->text().contains(QStringLiteral("law")));
        // One too old for the time shown is brought into sight, until Esc.
        for (int i = 0; i < 9; ++i) line->zoom(1);
        line->choose(PartCanvas::kNone);
        QTest::keyClick(line, Qt::Key_Escape);
        QVERIFY(line->partRect(line->partOfMove(2)).isNull());
        table->selectRow(2);
        QVERIFY(!line->partRect(line->partOfMove(2)).isNull());
        QTest::keyClick(line, Qt::Key_Escape);
        QVERIFY(line->partRect(line->partOfMove(2)).isNull());
        table->selectRow(1);
        // Others that come do not take its place.
        AdapterMove next = copied();
        next.sequence = 4;
        next.at += 200;
        bench.daemon.snapshot.moves.push_back(next);
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(table->model()->rowCount(), 4);
        QCOMPARE(line->chosen(), line->partOfMove(2));
    }
    void stepsHaveALaneAndATable() {
        Bench bench;
        QVERIFY(openSwap(bench));
        auto* line = bench.find<MoveTimeline>(QStringLiteral("Swap timeline"));
        QTRY_VERIFY(!line->partRect(line->partOfStep(19)).isNull());
        const QRect newest = line->partRect(line->partOfStep(0)), older = line->partRect(line->partOfStep(1));
        QVERIFY(older.right() < newest.left() && older.top() == newest.top());
        QVERIFY(newest.bottom() < line->partRect(line->partOfMove(0)).top());  // the lane above the moves
        QTest::mouseClick(line, Qt::LeftButton, {}, line->partRect(line->partOfMove(0)).center());
        QTest::keyClick(line, Qt::Key_Up);
        QCOMPARE(line->chosen(), line->partOfStep(0));  // at the same time
        QVERIFY(line->accessibleDescription().startsWith(QStringLiteral("Step of tiny\n64 prompt tokens, 3 answers")));
        QTest::keyClick(line, Qt::Key_Left);
        QVERIFY(line->accessibleDescription().contains(QStringLiteral("\n3 answers · 50")));
        QTest::keyClick(line, Qt::Key_Down);
        QCOMPARE(line->chosen(), line->partOfMove(0));
        QVERIFY(bench.click(QStringLiteral("Table under the timeline: Steps")));
        auto* table = bench.find<QTableView>(QStringLiteral("Steps of the models"));
        QVERIFY(table);
        QCOMPARE(table->model()->rowCount(), 20);
        QCOMPARE(table->model()->index(0, StepTable::Prompt).data().toString(), QStringLiteral("64"));
        QCOMPARE(table->model()->index(0, StepTable::Model).data().toString(), QStringLiteral("tiny"));
    }
    void stepsAreAskedForOnlyWhileTheyAreSeen() {
        Bench bench;
        bench.daemon.snapshot.moves = {copied()};
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTest::qWait(700);  // longer than a tick of the tables
        QCOMPARE(bench.daemon.count(QStringLiteral("steps")), 0);
        QVERIFY(bench.click(QStringLiteral("What is shown below: Swap")));
        QTRY_VERIFY(bench.daemon.count(QStringLiteral("steps")) >= 2);
        QVERIFY(bench.click(QStringLiteral("What is shown below: Requests")));
        QTest::qWait(50);
        const int asked = bench.daemon.count(QStringLiteral("steps"));
        QTest::qWait(700);
        QCOMPARE(bench.daemon.count(QStringLiteral("steps")), asked);
    }
    void zoomingHoldsTheChosenMoveInTheMiddle() {
        Bench bench;
        QVERIFY(openSwap(bench));
        auto* line = bench.find<MoveTimeline>(QStringLiteral("Swap timeline"));
        QCOMPARE(line->spanMs(), 10'000);
        line->setFocus();
        line->choose(line->partOfMove(2));
        QTest::keyClick(line, Qt::Key_Plus);
        QCOMPARE(line->spanMs(), 1000);
        const QRect read = line->partRect(line->partOfMove(2));
        QVERIFY(!read.isNull());
        QVERIFY2(qAbs(read.right() - (92 + (line->width() - 92 - 8) / 2)) < 4,
                 qPrintable(QString::number(read.right())));
        QVERIFY(line->partRect(line->partOfMove(0)).isNull());  // later than what is shown
        QTest::keyClick(line, Qt::Key_Escape);
        QVERIFY(!line->partRect(line->partOfMove(0)).isNull());
        QVERIFY(bench.click(QStringLiteral("Longer time")));
        QCOMPARE(line->spanMs(), 10'000);
        for (int i = 0; i < 9; ++i) line->zoom(1);
        QCOMPARE(line->spanMs(), 100);
        for (int i = 0; i < 9; ++i) line->zoom(-1);
        QCOMPARE(line->spanMs(), 300'000);
        (void)line->grab();  // more steps than room are drawn as how much was computed
    }
    void steps_areGatheredInPlace() {
        StepTable table;
        QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
        table.setSteps(steps(1, 10));
        QCOMPARE(table.rowCount(), 10);
        QPersistentModelIndex kept = table.index(0, 0);
        table.setSteps(steps(4, 12));
        QCOMPARE(table.rowCount(), 12);
        QCOMPARE(kept.row(), 2);
        QCOMPARE(table.steps().front().sequence, 12);
        table.setSteps(steps(5, 12));
        QCOMPARE(table.rowCount(), 12);
        table.setSteps(steps(700, 1600));  // nothing of it was seen
        QCOMPARE(table.steps().front().sequence, 1600);
        table.setSteps(steps(1, 2));  // another daemon
        QCOMPARE(table.rowCount(), 2);
        table.setSteps({});
        QCOMPARE(table.rowCount(), 0);
    }
};
ESPALIER_TEST(tst_swap_view, TestSwapView)
#include "tst_swap_view.moc"
