// SPDX-License-Identifier: GPL-3.0-or-later
#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QFileDialog>
#include <QHelpEvent>
#include <QJsonObject>
#include <QLineEdit>
#include <QTableView>
#include <QToolTip>
#include <cmath>
#include <random>

#include "tests/ui/support/bench.h"
#include "ui/models/format.h"
#include "ui/models/request_table.h"
#include "ui/pages/serve_page.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/key_field.h"
#include "ui/widgets/move_timeline.h"
#include "ui/widgets/owner_table.h"
#include "ui/widgets/page_map_view.h"
#include "ui/widgets/page_table.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

RequestRecord request(std::int64_t id) {
    RequestRecord record;
    record.id = id;
    record.model = "tiny";
    record.kind = "generate";
    record.state = "decode";
    record.promptTokens = 100;
    record.producedTokens = 43;
    record.maxTokens = 128;
    record.pages = 9;
    record.tokensPerS = 63.4;
    record.ageS = 2;
    return record;
}

// A daemon with one model on the device that answers two requests.
void serveTwo(Bench& bench) {
    bench.daemon.addModel("tiny");
    LoadedModel loaded;
    loaded.name = "tiny";
    loaded.state = "ready";
    loaded.pageBytes = 4096;
    loaded.poolPages = 20;
    loaded.poolPagesUsed = 12;
    loaded.poolPagesCached = 3;
    loaded.running = 2;
    bench.daemon.snapshot.models = {loaded};
    bench.daemon.snapshot.running = 2;
    RequestRecord ofAda = request(42);
    ofAda.adapter = "cook";
    ofAda.tenant = "ada";
    ofAda.ageS = 65;
    bench.daemon.requests = {{request(41), ofAda}, 2};
    bench.daemon.pageMap = {20,
                            1,
                            4096,
                            {{9, PageOwner::Kv, 41},
                             {3, PageOwner::Kv, kSeveralReaders},
                             {3, PageOwner::KvCached, kNoReader},
                             {5, PageOwner::Free, kNoReader}},
                            {}};
}

double metric(const Bench& bench, int sample, Metric which) {
    return bench.workspace.history().value(sample, int(which));
}

}  // namespace

class TestServePage : public QObject {
    Q_OBJECT
private slots:
    void requests_areListedAndCancelled() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Requests")));
        auto* table = bench.find<QTableView>(QStringLiteral("Requests"));
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QCOMPARE(table->model()->index(0, RequestTable::Produced).data().toString(), QStringLiteral("43 of 128"));
        const auto cell = [&](int row, int column) { return table->model()->index(row, column).data().toString(); };
        QCOMPARE(cell(0, RequestTable::Model), QStringLiteral("tiny"));
        QCOMPARE(cell(0, RequestTable::Tenant), QStringLiteral("–"));
        QCOMPARE(cell(0, RequestTable::Age), QStringLiteral("2.0 s"));
        QCOMPARE(cell(1, RequestTable::Model), QStringLiteral("tiny:cook"));
        QCOMPARE(cell(1, RequestTable::Tenant), QStringLiteral("ada"));
        QCOMPARE(cell(1, RequestTable::Age), QStringLiteral("1 min 5 s"));
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                          table->visualRect(table->model()->index(1, 0)).center());
        QVERIFY(bench.click(QStringLiteral("Cancel request")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("request-cancel"), "id"), QStringLiteral("42"));
        QTRY_COMPARE(table->model()->rowCount(), 1);
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                          table->visualRect(table->model()->index(0, 0)).center());
        QTest::keyClick(table, Qt::Key_Delete);
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("request-cancel"), "id"), QStringLiteral("41"));
    }
    void moves_areShownWithWhyAndForWhom() {
        Bench bench;
        serveTwo(bench);
        bench.daemon.snapshot.moves = {
            {1, 60'000, "math", "ada", AdapterTier::Disk, AdapterTier::Host, 1 << 20, 0.5, MoveCause::Prefetch, {}},
            {2, 60'500, "law", {}, AdapterTier::Pool, AdapterTier::Host, 2 << 20, 0, MoveCause::Evicted, "math"},
            {3, 61'000, "math", "ada", AdapterTier::Host, AdapterTier::Pool, 1 << 20, 0.002, MoveCause::Miss, {}}};
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("What is shown below: Swap")));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Moves of adapters")));
        const auto* model = bench.find<QTableView>(QStringLiteral("Moves of adapters"))->model();
        QTRY_COMPARE(model->rowCount(), 3);
        const auto cell = [&](int row, int column) { return model->index(row, column).data().toString(); };
        QCOMPARE(cell(0, MoveTable::Way), QStringLiteral("RAM → Device"));
        QCOMPARE(cell(0, MoveTable::Tenant), QStringLiteral("ada"));
        QCOMPARE(cell(1, MoveTable::Why), QStringLiteral("Room for math"));
        QCOMPARE(cell(1, MoveTable::Took), QStringLiteral("–"));
        QCOMPARE(cell(2, MoveTable::Took), formatMs(500));
        auto* line = bench.window.findChild<MoveTimeline*>();
        QVERIFY(line);
        // A tenth of the time shown is a tenth of the lane; a short copy is still seen; what took no time is a diamond.
        const QRect read = line->partRect(2), copy = line->partRect(0), gone = line->partRect(1);
        QVERIFY(read.width() > copy.width() && copy.width() >= 3);
        QCOMPARE(gone.width(), gone.height());
        QVERIFY(copy.bottom() < gone.top() && gone.bottom() < read.top() && read.right() < copy.left());
        QVERIFY(line->partText(1).contains(QStringLiteral("Room for math")));
        QVERIFY(line->partText(2).contains(QStringLiteral("for ada")));
        QCOMPARE(line->partText(3), QString());
        line->setFocus();
        QTest::keyClick(line, Qt::Key_Left);
        QTest::keyClick(line, Qt::Key_Left);
        QCOMPARE(line->accessibleDescription(), line->partText(1));
        QTest::keyClick(line, Qt::Key_Escape);
        QCOMPARE(line->accessibleDescription(), QString());
    }
    void moves_areGatheredOverSnapshots() {
        MoveTable table;
        QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto moves = [](std::int64_t first, std::int64_t last) {
            std::vector<AdapterMove> made;
            for (std::int64_t i = first; i <= last; ++i)
                made.push_back({.sequence = i, .at = i, .adapter = std::to_string(i)});
            return made;
        };
        table.add(moves(1, 4));
        table.add(moves(3, 6));
        QCOMPARE(table.rowCount(), 6);
        QCOMPARE(table.index(0, MoveTable::Adapter).data().toString(), QStringLiteral("6"));
        QCOMPARE(table.index(5, MoveTable::Adapter).data().toString(), QStringLiteral("1"));
        table.add(moves(7, 600));
        QCOMPARE(table.rowCount(), 512);
        table.add(moves(1, 2));  // another daemon
        QCOMPARE(table.rowCount(), 2);
    }
    void requests_areAskedForOnlyWhileThereAreAny() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTest::qWait(1200);
        QCOMPARE(bench.daemon.count(QStringLiteral("requests")), 0);
        QCOMPARE(bench.daemon.count(QStringLiteral("pages")), 0);
    }
    void pageMap_explainsThePageUnderThePointer() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        auto* view = bench.window.findChild<PageMapView*>();
        QVERIFY(view);
        QTRY_COMPARE(view->cellCount(), 20);
        QTRY_VERIFY(view->partText(0).contains(QStringLiteral("tiny, 143 tokens in 9 pages")));
        QVERIFY(view->partText(0).startsWith(QStringLiteral("Page 0 · KV, running")));
        QVERIFY(view->partText(10).contains(QStringLiteral("several requests")));
        QVERIFY(view->partText(13).contains(QStringLiteral("cached prefixes")));
        QVERIFY(view->partText(19).startsWith(QStringLiteral("Page 19 · Free")));
        QCOMPARE(view->partText(20), QString());
        QHelpEvent help(QEvent::ToolTip, {4, 4}, view->mapToGlobal(QPoint(4, 4)));
        QApplication::sendEvent(view, &help);
        QTRY_VERIFY(QToolTip::text().contains(QStringLiteral("Request 41")));
        view->setFocus();
        QTest::keyClick(view, Qt::Key_Right);
        QTest::keyClick(view, Qt::Key_Right);
        QVERIFY(view->accessibleDescription().startsWith(QStringLiteral("Page 1 ·")));
        QVERIFY(!view->grab().toImage().allGray());
    }
    void pageMap_paintsOnlyWhatChanged() {
        PageMapView view([](qint64) { return QString(); });
        view.resize(300, 200);
        view.show();
        PageMap map{1000, 1, 4096, {{1000, PageOwner::Free, kNoReader}}, {}};
        view.setMap(map);
        const int before = view.paintedCells();
        map.runs = {{3, PageOwner::Kv, 7}, {997, PageOwner::Free, kNoReader}};
        view.setMap(map);
        QCOMPARE(view.paintedCells() - before, 3);
        map.runs = {{3, PageOwner::Kv, 8}, {997, PageOwner::Free, kNoReader}};  // another request, the same colours
        view.setMap(map);
        QCOMPARE(view.paintedCells() - before, 3);
    }
    void pageMap_showsOnePageOfAnAdapterAmongMany() {
        PageMapView view([](qint64) { return QString(); });
        view.resize(300, 200);
        view.show();
        PageMap map{64, 8, 4096, {{3, PageOwner::Kv, 7}, {5, PageOwner::Free, kNoReader}}, {"cook"}};
        view.setMap(map);
        const auto pixel = [&](int cell, double across) {
            const QRect rect = view.partRect(cell);
            return view.grab().toImage().pixel(rect.left() + int(rect.width() * across), rect.center().y());
        };
        const ThemeColors& colors = colorsOf(view.palette());
        QCOMPARE(pixel(1, 0.95), QColor(colors.kvRunning).rgb());
        map.runs = {{1, PageOwner::Kv, 7},
                    {1, PageOwner::Kv, 7, kNoAdapter, {1, PageOwner::Adapter, 0}},
                    {1, PageOwner::Kv, 7},
                    {5, PageOwner::Free, kNoReader}};
        const int before = view.paintedCells();
        view.setMap(map);
        QCOMPARE(view.paintedCells() - before, 1);
        QCOMPARE(pixel(1, 0.95), QColor(colors.adapters).rgb());
        QCOMPARE(pixel(1, 0.3), QColor(colors.kvRunning).rgb());
        // One that is idle has its own cue, and its colour around it.
        const QImage inUse = view.grab().toImage();
        map.runs[1].beside.owner = PageOwner::AdapterIdle;
        view.setMap(map);
        const QImage idle = view.grab().toImage();
        const QRect cell = view.partRect(1);
        QVERIFY(idle.copy(cell) != inUse.copy(cell));
        QCOMPARE(idle.copy(view.partRect(0)), inUse.copy(view.partRect(0)));
        QCOMPARE(idle.pixel(cell.right() - 1, cell.top() + 1), QColor(colors.adapters).rgb());
        map.runs[1].beside.owner = PageOwner::Adapter;
        view.setMap(map);
        QCOMPARE(pixel(0, 0.95), QColor(colors.kvRunning).rgb());
        QVERIFY2(view.partText(1).endsWith(QStringLiteral("\n1 of these: Adapters, cook, in use")),
                 qPrintable(view.partText(1)));
        PageTable table([](qint64) { return QString(); });
        table.setMap(map);
        QCOMPARE(table.index(1, PageTable::Reader).data().toString(),
                 QStringLiteral("Request 7; 1 of these: Adapters, cook, in use"));
    }
    void pageMap_isAskedForOnlyWhileItIsSeen() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTRY_VERIFY(bench.daemon.count(QStringLiteral("pages")) > 0);
        QVERIFY(bench.daemon.argument(QStringLiteral("pages"), "cells").toInt() <= kMostPageCells);
        bench.window.goTo(QStringLiteral("home"));
        QTest::qWait(100);
        const int asked = bench.daemon.count(QStringLiteral("pages"));
        QTest::qWait(1200);
        QCOMPARE(bench.daemon.count(QStringLiteral("pages")), asked);
    }
    void pageMap_goesWhenTheModelLeaves() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        auto* view = bench.window.findChild<PageMapView*>();
        QTRY_COMPARE(view->cellCount(), 20);
        bench.daemon.snapshot.models.clear();
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(view->cellCount(), 0);
    }
    void requestTable_keepsRowsThatStay() {
        RequestTable table;
        QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const unsigned seed = 20261121;
        std::mt19937 random(seed);
        table.setRequests({request(5), request(7)});
        const QPersistentModelIndex seven = table.index(1, 0);
        for (int round = 0; round < 100; ++round) {
            std::vector<RequestRecord> now;
            for (std::int64_t id = 1; id < 12; ++id)
                if (id == 7 || random() % 2) now.push_back(request(id));
            table.setRequests(now);
            QVERIFY2(table.idAt(seven.row()) == 7,
                     qPrintable(QStringLiteral("seed %1, round %2").arg(seed).arg(round)));
            QCOMPARE(table.rowCount(), int(now.size()));
        }
        QVERIFY(table.find(7) && !table.find(99));
    }
    void key_isShownOnlyWhenAsked() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        const auto isVisibleSomewhere = [&] {
            for (auto* label : bench.window.findChildren<TextLabel*>())
                if (label->isVisible() && label->text().contains(bench.daemon.key)) return true;
            return false;
        };
        QVERIFY(!isVisibleSomewhere());
        const auto* mask = bench.find<KeyField>(QString())->findChild<TextLabel*>();
        QTRY_VERIFY(mask->width() >= mask->sizeHint().width());  // all of it, where there is room
        QVERIFY(bench.click(QStringLiteral("Copy the key")));
        QCOMPARE(QApplication::clipboard()->text(), bench.daemon.key);
        QVERIFY(!isVisibleSomewhere());
        QVERIFY(bench.click(QStringLiteral("Show the key")));
        QVERIFY(isVisibleSomewhere());
        QVERIFY(bench.click(QStringLiteral("Hide the key")));
        QVERIFY(!isVisibleSomewhere());
    }
    void tables_standInForAllPlotsAndGoAgain() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        for (int i = 0; i < 20; ++i) bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 21);
        QVERIFY(bench.click(QStringLiteral("Show the plots as tables")));
        auto* table = bench.find<QTableView>(QStringLiteral("Device memory by owner, table"));
        QVERIFY(table);
        QCOMPARE(table->model()->columnCount(), int(kMemoryOwners.size()) + 1);
        QVERIFY(table->model()->rowCount() >= 1);
        QCOMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("4.00"));
        QVERIFY(bench.click(QStringLiteral("Show the plots as tables")));
        QTRY_VERIFY(!bench.find<QTableView>(QStringLiteral("Device memory by owner, table")));
    }
    void export_writesEveryPlotAndSaysWhenItCannot() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        for (int i = 0; i < 5; ++i) bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 6);
        const auto exportTo = [&](const QString& folder) {
            if (!bench.click(QStringLiteral("Export"))) return false;
            if (!QTest::qWaitFor([&] { return bench.window.findChild<QFileDialog*>() != nullptr; })) return false;
            auto* dialog = bench.window.findChild<QFileDialog*>();
            emit dialog->fileSelected(folder);
            dialog->close();
            return QTest::qWaitFor([&] { return !bench.window.findChild<QFileDialog*>(); });
        };
        QTemporaryDir folder;
        QVERIFY(exportTo(folder.path()));
        const auto made = [&] { return QDir(folder.path()).entryList({QStringLiteral("espalier-plots-*")}); };
        QTRY_COMPARE(made().size(), 1);  // of its own: an export before is not written over
        const QDir files(folder.filePath(made().first()));
        QTRY_COMPARE(files.entryList({QStringLiteral("*.png")}).size(), 10);
        QTRY_VERIFY(bench.find<TextLabel>(QStringLiteral("Exported into %1").arg(files.path())));
        QCOMPARE(files.entryList({QStringLiteral("*.csv")}).size(), 10);
        QCOMPARE(files.entryList({QStringLiteral("*.png")}).size(), 10);
        QFile memory(files.filePath(QStringLiteral("device-memory-by-owner.csv")));
        QVERIFY(memory.open(QIODevice::ReadOnly));
        const QByteArray csv = memory.readAll();
        QVERIFY(csv.startsWith("time_utc,unix_seconds,Weights (GiB),"));
        QVERIFY(csv.contains(",4,0,2,1,0,0,0.25,0.75\r\n"));
        QFile inTheWay(folder.filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        QVERIFY(exportTo(inTheWay.fileName()));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QStringLiteral("cannot be made")));
    }
    void hitShare_isOfTheLastMinute_andSurvivesARestart() {
        Bench bench;
        auto& counters = bench.daemon.snapshot.counters;
        counters = {{"prefix_cache_queries_total", 1000}, {"prefix_cache_hits_total", 100}};
        QVERIFY(bench.open(QStringLiteral("serve")));
        counters = {{"prefix_cache_queries_total", 1200}, {"prefix_cache_hits_total", 250}};
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 2);
        QVERIFY(std::isnan(metric(bench, 0, Metric::HitShare)));
        QCOMPARE(metric(bench, 1, Metric::HitShare), 75.0);
        bench.daemon.snapshot.startedAt += 1;
        counters = {{"prefix_cache_queries_total", 10}, {"prefix_cache_hits_total", 1}};
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 4);  // and one that is no sample
        QVERIFY(std::isnan(metric(bench, 2, Metric::Weights)));
        QCOMPARE(metric(bench, 3, Metric::HitShare), 10.0);
        QCOMPARE(bench.workspace.marks().all().back().text, QStringLiteral("Engine restarted"));
    }
    void theCursorSaysItsAgeFromNowAlsoInAZoomAndInAPause() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        Dashboard& dashboard = bench.window.servePage().dashboard();
        for (int i = 0; i < 90; ++i) {
            bench.daemon.snapshot.at += 1000;
            bench.daemon.sendSnapshot();
        }
        const SampleRing& history = bench.workspace.history();
        QTRY_VERIFY(history.size() >= 90);
        const double newest = history.lastX();
        dashboard.zoom(newest - 60, newest - 30);
        dashboard.setCursor(newest - 40);
        const auto isSaid = [&](const QString& part) {
            for (const auto* label : bench.window.servePage().findChildren<TextLabel*>())
                if (label->isVisible() && label->text().contains(part)) return true;
            return false;
        };
        QTRY_VERIFY(isSaid(QStringLiteral("40 s ago")));
        QVERIFY(!isSaid(QStringLiteral("10 s ago")));
        dashboard.setPaused(true);
        QTRY_VERIFY(isSaid(QStringLiteral("Paused ")));
        QVERIFY(isSaid(QStringLiteral("40 s ago")));
        dashboard.setCursor(std::nullopt);
        QTRY_VERIFY(!isSaid(QStringLiteral("40 s ago")));
        QVERIFY(isSaid(QStringLiteral("Paused ")));
    }
    void memoryIsCountedInMebibytesWhileLittleIsUsed() {
        Bench bench;
        MemoryByOwner& memory = bench.daemon.snapshot.memory;
        memory = {};
        memory.total = 16LL << 30;
        memory.weights = 6 << 20;
        memory.kvCached = 266LL << 20;
        memory.adapters = 3 << 20;
        memory.free = memory.total - memory.weights - memory.kvCached - memory.adapters;
        QVERIFY(bench.open(QStringLiteral("serve")));
        const auto* owners = bench.window.findChild<OwnerTable*>();
        QVERIFY(owners);
        QTRY_COMPARE(owners->valuesNow().join(QLatin1Char(' ')), QStringLiteral("16,109 0 0 3.00 266 0 0 6.00"));
        memory.weights = 4LL << 30;
        memory.free -= memory.weights;
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(owners->valuesNow().back(), QStringLiteral("4.00"));
        QCOMPARE(owners->valuesNow().at(3), QStringLiteral("<0.01"));  // there is something
    }
    void swapIsDrawnOnBothSidesOfZero() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        const Plot* swap = nullptr;
        for (const auto* plot : bench.window.servePage().findChildren<Plot*>())
            if (plot->accessibleName().startsWith(QLatin1String("Swap"))) swap = plot;
        QVERIFY(swap && swap->content().isMirrored());
        const auto* legend = bench.find<PlotLegend>(QStringLiteral("Swap, MB/s, legend"));
        QVERIFY(legend);
        QCOMPARE(legend->shownNames(), (QStringList{QStringLiteral("In ↑"), QStringLiteral("Out ↓")}));
    }
    void marks_tellModelsJobsPreemptionsAndErrors() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("serve")));
        bench.daemon.sendEvent(ModelChanged{"m-tiny", "loaded"});
        JobRecord job;
        job.id = 9;
        job.title = "Import other";
        job.state = JobState::Running;
        bench.daemon.sendEvent(job);
        job.progress = 0.5;
        bench.daemon.sendEvent(job);  // the same run
        bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at, "error", "serve", "the disk is full"});
        bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at, "info", "serve", "quiet"});
        bench.daemon.snapshot.counters["num_preemptions_total"] = 2;
        bench.daemon.sendSnapshot();
        QStringList texts;
        QTRY_COMPARE(bench.workspace.marks().all().size(), 4u);
        for (const EventMark& mark : bench.workspace.marks().all()) texts << mark.text;
        texts.sort();
        QCOMPARE(texts, (QStringList{QStringLiteral("2 preemptions"), QStringLiteral("Error: the disk is full"),
                                     QStringLiteral("Import other"), QStringLiteral("tiny loaded")}));
    }
    void aLostConnection_isAGapThatTheDaemonsMemoryFills() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        const double last = bench.workspace.history().lastX();
        bench.daemon.goAway();
        for (int s = 1; s <= 20; ++s) {
            HistoryPoint point;
            point.at = bench.daemon.snapshot.at + 1000 * s;
            point.running = s;
            bench.daemon.history.push_back(point);
        }
        bench.daemon.snapshot.at += 30'000;
        bench.daemon.startedAt += 1;  // the events between are lost
        bench.daemon.comeBack();
        QTRY_VERIFY_WITH_TIMEOUT(bench.workspace.history().size() >= 20, 15'000);
        const SampleRing& history = bench.workspace.history();
        const int at = history.nearest(last + 10);
        QCOMPARE(history.value(at, int(Metric::Running)), 10.0);
        for (int i = 1; i < history.size(); ++i) QVERIFY(history.x(i) > history.x(i - 1));
    }
    void thePage_standsStillWhenTheLastRequestEnds() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        auto* table = bench.find<QTableView>(QStringLiteral("Requests"));
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Requests"))) && table->model()->rowCount() == 2);
        const auto places = [&] {
            QList<QRect> list;
            for (auto* plot : bench.window.servePage().findChildren<Plot*>())
                list << QRect(plot->mapTo(&bench.window, QPoint()), plot->size());
            return list;
        };
        const QList<QRect> before = places();
        bench.daemon.snapshot.running = 0;
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(table->model()->rowCount(), 0);
        QTest::qWait(50);
        QCOMPARE(places(), before);
    }
    void aNote_isWrittenAtTheCursorChangedAndRemoved_andComesBackWithItsWorkspace() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        ServePage& page = bench.window.servePage();
        for (int i = 0; i < 30; ++i) bench.daemon.sendSnapshot();
        QTRY_VERIFY(bench.workspace.history().size() > 25);
        QTRY_VERIFY(page.dashboard().to() - page.dashboard().from() > 2);
        page.dashboard().setCursor(page.dashboard().from() + 1);
        const double at = *page.dashboard().cursor();
        const auto write = [&](const QString& text) {
            if (!bench.click(QStringLiteral("Note at the cursor"))) return false;
            auto* field = bench.find<QLineEdit>(QStringLiteral("Note at the cursor"));
            if (!field || !field->hasFocus()) return false;
            field->selectAll();
            QTest::keyClick(field, Qt::Key_Delete);
            QTest::keyClicks(field, text);
            QTest::keyClick(field, Qt::Key_Return);
            return !field->isVisible();
        };
        const auto notes = [&] {
            QStringList list;
            for (const EventMark& mark : bench.workspace.marks().all())
                if (mark.kind == MarkKind::Note) list << mark.text;
            return list.join(QLatin1Char('|'));
        };
        QVERIFY(write(QStringLiteral("new weights")));
        QCOMPARE(notes(), QStringLiteral("new weights"));
        QCOMPARE(bench.workspace.marks().noteNear(at, 0.001)->x, at);
        QVERIFY(write(QStringLiteral("newer weights")));
        QCOMPARE(notes(), QStringLiteral("newer weights"));
        const QJsonObject kept = page.session();
        QVERIFY(write({}));
        QCOMPARE(notes(), QString());
        QJsonObject ofAnother = kept;
        ofAnother[QStringLiteral("origin")] = QStringLiteral("/somewhere/else");
        page.restoreSession(ofAnother);
        QCOMPARE(notes(), QString());
        QCOMPARE(page.session(), ofAnother);  // kept until that workspace is open again
        page.restoreSession(kept);
        QCOMPARE(notes(), QStringLiteral("newer weights"));
        QVERIFY(bench.click(QStringLiteral("Note at the cursor")));
        auto* field = bench.find<QLineEdit>(QStringLiteral("Note at the cursor"));
        QTest::keyClicks(field, QStringLiteral(" not"));
        QTest::keyClick(field, Qt::Key_Escape);
        QVERIFY(!field->isVisible());
        QCOMPARE(notes(), QStringLiteral("newer weights"));
    }
    void pageMap_hasATableTwin() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTRY_VERIFY(bench.window.findChild<PageMapView*>()->cellCount() == 20);
        QVERIFY(bench.click(QStringLiteral("Show the pages as a table")));
        QTableView* table = nullptr;
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Pages by owner"))));
        QVERIFY(!bench.find<PageMapView>(QStringLiteral("Page map")));
        const auto line = [&](int row) {
            QStringList cells;
            for (int column = 0; column < table->model()->columnCount(); ++column)
                cells << table->model()->index(row, column).data().toString();
            return cells.join(QLatin1Char('|'));
        };
        QTRY_COMPARE(table->model()->rowCount(), 4);
        QTRY_COMPARE(line(0), QStringLiteral("0–8|9|KV, running|Request 41, tiny, 143 tokens in 9 pages"));
        QCOMPARE(line(1), QStringLiteral("9–11|3|KV, running|several requests"));
        QCOMPARE(line(3), QStringLiteral("15–19|5|Free|–"));
        QVERIFY(bench.click(QStringLiteral("Show the pages as a table")));
        QTRY_VERIFY(bench.find<PageMapView>(QStringLiteral("Page map")));
    }
    void pageTable_survivesChanges() {
        PageTable table([](qint64) { return QString(); });
        QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
        table.setMap({5, 2, 4096, {{1, PageOwner::Kv, 1}, {2, PageOwner::Free, kNoReader}}, {}});
        QCOMPARE(table.rowCount(), 2);
        QCOMPARE(table.index(1, PageTable::Count).data().toString(), QStringLiteral("3"));  // the last cell is half
        table.setMap({8, 1, 4096, {{3, PageOwner::Kv, 1}, {1, PageOwner::Kv, 2}, {4, PageOwner::Free, kNoReader}}, {}});
        QCOMPARE(table.rowCount(), 3);
        table.setMap({});
        QCOMPARE(table.rowCount(), 0);
    }
    void pageMap_standsBehindATabWhereTheWindowIsNarrow() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve"), {1024, 768}));
        QVERIFY(!bench.find<PageMapView>(QStringLiteral("Page map")));
        QVERIFY(bench.click(QStringLiteral("What is shown below: Page map")));
        QTRY_VERIFY(bench.find<PageMapView>(QStringLiteral("Page map")));
        bench.window.resize(1440, 900);
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Requests")));
        QVERIFY(bench.find<PageMapView>(QStringLiteral("Page map")));
        QVERIFY(!bench.find<QAbstractButton>(QStringLiteral("What is shown below: Page map")));
        bench.window.resize(1024, 768);
        QTRY_VERIFY(!bench.find<PageMapView>(QStringLiteral("Page map")));
    }
    void aServerElsewhere_beginsWithoutTheFiguresOfTheOneBefore() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Requests")));
        QVERIFY(bench.workspace.history().size() > 0);
        espalier::test::FakeDaemon silent;
        silent.goAway();
        bench.engine.attach(silent.url(), silent.key);
        QCOMPARE(bench.workspace.models().rowCount(), 0);
        QVERIFY(!bench.workspace.snapshot());
        QVERIFY(bench.workspace.history().isEmpty());
        QVERIFY(!bench.find<QTableView>(QStringLiteral("Requests")));
        for (const QWidget* figure : bench.window.servePage().findChildren<QWidget*>())
            if (figure->accessibleName().startsWith(QLatin1String("Running ")))
                QCOMPARE(figure->accessibleName().trimmed(), QStringLiteral("Running –"));
        QTRY_COMPARE(bench.engine.link(), Link::Lost);
    }
    void answersOfTheServerBefore_areNotTakenForThoseOfTheNext() {
        Bench bench;
        bench.daemon.addModel("of-the-first");
        QVERIFY(bench.open(QStringLiteral("models")));
        espalier::test::FakeDaemon next;
        next.addModel("of-the-second");
        bench.workspace.refreshModels();  // under way when the other server is chosen
        bench.engine.attach(next.url(), next.key);
        QTRY_COMPARE(bench.workspace.models().rowCount(), 1);
        QTest::qWait(100);
        QCOMPARE(bench.workspace.models().models().front().name, std::string("of-the-second"));
    }
    void plots_outliveARestartOfTheDaemonInAWindowThatWasMadeAnew() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        Workspace anew(bench.engine);  // as after a change of the language
        for (int i = 0; i < 5; ++i) bench.daemon.sendSnapshot();
        QTRY_VERIFY(anew.history().size() >= 5);
        const double first = anew.history().x(0);
        bench.daemon.goAway();
        QTRY_COMPARE(bench.engine.link(), Link::Lost);
        bench.daemon.startedAt += 1;
        bench.daemon.comeBack();
        bench.engine.retryNow();
        QTRY_VERIFY_WITH_TIMEOUT(bench.engine.isAttached() && bench.daemon.eventStreams() > 0, 15'000);
        QCOMPARE(anew.history().x(0), first);
    }
    void panelsAreAsWideAsTheLookSays() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        const auto widths = [&](const QStringList& names) {
            QList<int> found;
            for (const QString& name : names)
                for (const auto* panel : bench.window.servePage().findChildren<Panel*>())
                    if (panel->accessibleName() == name && panel->isVisible()) found << panel->width();
            return found;
        };
        const QStringList upper{QStringLiteral("Device memory by owner"), QStringLiteral("Page map")};
        const QStringList lower{QStringLiteral("Tokens/s"), QStringLiteral("Swap"), QStringLiteral("TTFT"),
                                QStringLiteral("TPOT")};
        QTRY_COMPARE(widths(upper), (QList<int>{820, 404}));
        QCOMPARE(widths(lower), (QList<int>{312, 256, 344, 296}));
        bench.window.resize(1280, 800);
        QTRY_COMPARE(widths(lower), (QList<int>{262, 262, 262, 262}));
        // With or without a scroll bar.
        bench.window.resize(1024, 768);
        QTRY_COMPARE(widths(upper), (QList<int>{952}));
        QCOMPARE(widths(lower), (QList<int>{472, 472, 472, 472}));
        bench.window.resize(1024, 1600);
        QTest::qWait(50);
        QCOMPARE(widths(lower), (QList<int>{472, 472, 472, 472}));
    }
    void everyWidth_showsEveryPanel() {
        Bench bench;
        serveTwo(bench);
        QVERIFY(bench.open(QStringLiteral("serve"), {1024, 768}));
        for (const QSize size : {QSize(1024, 768), QSize(1440, 900), QSize(1024, 768)}) {
            bench.window.resize(size);
            QTest::qWait(50);
            int plots = 0;
            for (auto* plot : bench.window.servePage().findChildren<Plot*>()) plots += plot->isVisible();
            QCOMPARE(plots, 10);
            QVERIFY(bench.window.findChild<PageMapView*>());
        }
    }
};
ESPALIER_TEST(tst_serve_page, TestServePage)
#include "tst_serve_page.moc"
