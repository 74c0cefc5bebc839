// SPDX-License-Identifier: GPL-3.0-or-later
// What the Serve page says in words: whose adapter a page of the pool is, and how each tenant is served.
#include <QAbstractItemModelTester>
#include <QLineEdit>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/models/tenant_day_table.h"
#include "ui/models/tenant_load_table.h"
#include "ui/widgets/page_map_view.h"
#include "ui/widgets/page_table.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

LoadedModel loaded() {
    LoadedModel model;
    model.name = "tiny";
    model.state = "ready";
    model.pageBytes = 4096;
    model.poolPages = 16;
    model.running = 1;
    return model;
}

PageMap withAdapters() {
    PageMap map{16, 1, 4096, {}, {}};
    map.runs = {{4, PageOwner::Kv, 41},
                {3, PageOwner::Adapter, kNoReader, 0},
                {2, PageOwner::AdapterIdle, kNoReader, 1},
                {2, PageOwner::Staging, kNoReader, 2},
                {1, PageOwner::AdapterIdle, kNoReader, kSeveralAdapters},
                {4, PageOwner::Free, kNoReader}};
    map.adapters = {"cook", "gardener", "brief"};
    return map;
}

// A request that ends at once, of so many tokens.
void answer(Tenants& tenants, const std::string& tenant, std::uint64_t id, std::int32_t tokens) {
    Request request;
    request.id = RequestId{id};
    request.prompt = {1};
    request.call = tenants.admit({tenant, "tiny", 1, 1}).value();
    request.sink = [](const Chunk&) {};
    if (!tenants.begin(request)) return;
    Chunk last;
    last.id = request.id;
    last.finish = FinishReason::Stop;
    last.usage = {.promptTokens = 1, .completionTokens = tokens - 1};
    request.sink(last);
}

TenantLoad ada() {
    return {.name = "ada",
            .running = 2,
            .kvPages = 12,
            .kvBytes = 12 << 20,
            .tokensPerS = 30,
            .ttftMs = {12.4, 96.2, 120, 9},
            .tpotMs = {2.5, 14.1, 20, 300},
            .adapter = "cook",
            .adapterTier = AdapterTier::Pool};
}

}  // namespace

class TestServeTables : public QObject {
    Q_OBJECT
private slots:
    void thePageMapNamesTheAdapterOfAPage() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.snapshot.models = {loaded()};
        bench.daemon.snapshot.running = 1;
        bench.daemon.pageMap = withAdapters();
        QVERIFY(bench.open(QStringLiteral("serve")));
        PageMapView* map = nullptr;
        QTRY_VERIFY((map = bench.find<PageMapView>(QStringLiteral("Page map"))));
        QTRY_COMPARE(map->cellCount(), 16);
        QVERIFY2(map->partText(5).endsWith(QStringLiteral("\ncook, in use")), qPrintable(map->partText(5)));
        QVERIFY(map->partText(8).endsWith(QStringLiteral("\ngardener, kept for its next request")));
        QVERIFY(map->partText(10).endsWith(QStringLiteral("\nbrief, on its way in")));
        QVERIFY(map->partText(11).endsWith(QStringLiteral("\nseveral adapters, kept for its next request")));
        QVERIFY(!map->partText(15).contains(QLatin1Char('\n')));
        map->setFocus();
        for (int i = 0; i < 6; ++i) QTest::keyClick(map, Qt::Key_Right);
        QVERIFY(map->accessibleDescription().contains(QStringLiteral("cook")));
        QVERIFY(bench.click(QStringLiteral("Show the pages as a table")));
        QTableView* table = nullptr;
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Pages by owner"))));
        QAbstractItemModelTester tester(table->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QTRY_COMPARE(table->model()->rowCount(), 6);
        const auto whose = [&](int row) { return table->model()->index(row, PageTable::Reader).data().toString(); };
        QCOMPARE(whose(1), QStringLiteral("cook, in use"));
        QCOMPARE(whose(2), QStringLiteral("gardener, kept for its next request"));
        QCOMPARE(whose(5), QStringLiteral("–"));
    }
    void aTenantIsShownWithItsAdapterAndItsLatencies() {
        Bench bench;
        bench.daemon.addModel("tiny");
        TenantLoad bo{
            .name = "bo", .waiting = 1, .kvBytes = 160 << 10, .adapter = "gardener", .adapterTier = AdapterTier::Host};
        bo.isAdapterMoving = true;
        bench.daemon.snapshot.tenants = {ada(), bo, {.name = "cy", .refused = 2}};
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("What is shown below: Tenants")));
        QTableView* table = nullptr;
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Tenants that use the server"))));
        QAbstractItemModelTester tester(table->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QTRY_COMPARE(table->model()->rowCount(), 3);
        using T = TenantLoadTable;
        const auto cell = [&](int row, int column, int role = Qt::DisplayRole) {
            return table->model()->index(row, column).data(role);
        };
        QCOMPARE(cell(0, T::Adapter).toString(), QStringLiteral("cook"));
        QCOMPARE(cell(0, T::Where).toString(), QStringLiteral("Device"));
        QCOMPARE(cell(0, T::Where, TierRole).toInt(), int(AdapterTier::Pool));
        QCOMPARE(cell(0, T::Ttft).toString(), QStringLiteral("96.2 ms"));
        QCOMPARE(cell(0, T::Ttft, Qt::ToolTipRole).toString(), QStringLiteral("p50 12.4, p95 96.2, p99 120 ms"));
        QCOMPARE(cell(0, T::Tpot).toString(), QStringLiteral("2.50 ms"));
        QCOMPARE(cell(0, T::Memory).toString(), QStringLiteral("12.0 MiB"));
        QCOMPARE(cell(1, T::Memory).toString(), QStringLiteral("0.2 MiB"));  // one unit for the column
        QCOMPARE(cell(2, T::Memory).toString(), QStringLiteral("0"));
        QCOMPARE(cell(0, T::Memory, Qt::ToolTipRole).toString(), QStringLiteral("12 pages of running requests"));
        QCOMPARE(cell(1, T::Where).toString(), QStringLiteral("Loading"));
        QVERIFY(!cell(1, T::Where, TierRole).isValid());
        QCOMPARE(cell(2, T::Adapter).toString(), QStringLiteral("–"));
        QCOMPARE(cell(2, T::Ttft).toString(), QStringLiteral("–"));
        bench.daemon.snapshot.tenants[1].isAdapterMoving = false;
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(cell(1, T::Where).toString(), QStringLiteral("RAM"));
        QVERIFY(!table->grab().toImage().allGray());
    }
    void aTenantIsShownWithItsWeightAndItsDayAndIsFoundByItsName() {
        Bench bench;
        bench.daemon.addModel("tiny");
        Tenants& registry = bench.daemon.tenants.registry();
        QVERIFY(registry.create("ada", {.weight = 2, .tokensPerDay = 1000}));
        QVERIFY(registry.create("bo", {}));
        answer(registry, "ada", 1, 950);
        answer(registry, "bo", 2, 40);
        bench.daemon.snapshot.tenants = {ada(), {.name = "bo"}, {.name = "cy"}};
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("What is shown below: Tenants")));
        QTableView* table = nullptr;
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Tenants that use the server"))));
        using T = TenantLoadTable;
        const auto cell = [&](int row, int column, int role = Qt::DisplayRole) {
            return table->model()->index(row, column).data(role);
        };
        QTRY_COMPARE(cell(0, T::Today).toString(), QStringLiteral("950 of 1,000"));
        QCOMPARE(cell(0, T::Today, ShareRole).toDouble(), 0.95);
        QCOMPARE(cell(0, T::Today, IconRole).toString(), QStringLiteral("triangle-alert"));
        QCOMPARE(cell(0, T::Weight).toString(), QStringLiteral("2"));
        QCOMPARE(cell(1, T::Today).toString(), QStringLiteral("40"));
        QVERIFY(!cell(1, T::Today, ShareRole).isValid());             // no limit: no track
        QCOMPARE(cell(2, T::Today).toString(), QStringLiteral("–"));  // not in the registry
        QCOMPARE(cell(2, T::Weight).toString(), QStringLiteral("–"));
        auto* filter = bench.find<QLineEdit>(QStringLiteral("Filter the tenants that use the server"));
        QVERIFY(filter);
        QTest::keyClicks(filter, QStringLiteral("BO"));
        QTRY_COMPARE(table->model()->rowCount(), 1);
        QCOMPARE(cell(0, T::Name).toString(), QStringLiteral("bo"));
        QTest::keyClicks(filter, QStringLiteral("x"));
        QVERIFY(bench.click(QStringLiteral("Clear the filter")));
        QTRY_COMPARE(table->model()->rowCount(), 3);
        QVERIFY(bench.click(QStringLiteral("What is shown below: Requests")));
        QVERIFY(!filter->isVisible());
    }
    void homeSaysWhoUsedTheServerTodayAndOpensThem() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.addAdapter("tiny", "cook");
        Tenants& registry = bench.daemon.tenants.registry();
        std::uint64_t id = 0;
        for (const auto& [name, tokens] : {std::pair("ada", 100), {"bo", 20'000}, {"cy", 0}}) {
            QVERIFY(registry.create(name, {}));
            if (tokens > 0) answer(registry, name, ++id, tokens);
        }
        QVERIFY(bench.open());
        QTableView* table = nullptr;
        QTRY_VERIFY((table = bench.find<QTableView>(QStringLiteral("Tenants by tokens today"))));
        QAbstractItemModelTester tester(table->model(), QAbstractItemModelTester::FailureReportingMode::QtTest);
        QTRY_COMPARE(table->model()->rowCount(), 2);  // who used none is left out
        const auto cell = [&](int row, int column) { return table->model()->index(row, column).data().toString(); };
        QCOMPARE(cell(0, TenantDayTable::Name), QStringLiteral("bo"));
        QCOMPARE(cell(0, TenantDayTable::Tokens), QStringLiteral("20.0 k"));
        QCOMPARE(table->model()->index(1, TenantDayTable::Share).data(AmountRole).toDouble(), 0.005);
        table->selectRow(0);
        table->setFocus();
        QTest::keyClick(table, Qt::Key_Return);
        QTRY_COMPARE(bench.window.page(), QStringLiteral("tenants"));
        auto* tenants = bench.find<QTableView>(QStringLiteral("Tenants"));
        QTRY_COMPARE(tenants->currentIndex().siblingAtColumn(0).data().toString(), QStringLiteral("bo"));
    }
};
ESPALIER_TEST(tst_serve_tables, TestServeTables)
#include "tst_serve_tables.moc"
