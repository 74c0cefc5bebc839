// SPDX-License-Identifier: GPL-3.0-or-later
// Home: what the machine has, in bars and figures, asked of the daemon as seldom as it changes; and events of many
// adapters.
#include <QTableView>
#include <QTimer>

#include "tests/ui/support/bench.h"
#include "ui/models/format.h"
#include "ui/pages/home_adapters.h"
#include "ui/pages/limit_row.h"
#include "ui/pages/page.h"
#include "ui/widgets/controls.h"
#include "ui/widgets/resource_row.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

struct AtHome : Bench {
    AtHome() {
        daemon.addModel("alpha");
        daemon.models.back().bytes = 3LL << 30;
        daemon.addModel("elsewhere");
        daemon.models.back().bytes = 70LL << 30;
        daemon.models.back().linked = true;  // its files are not the workspace's
        daemon.addAdapter("alpha", "legal");
        daemon.adapters.back().bytes = 1LL << 30;
        daemon.snapshot.residentBytes = 2LL << 30;
        daemon.snapshot.processorShare = 1.0;
        daemon.snapshot.device = "Test, 4 threads";
    }
    QString said(const char* name) {
        const auto* row = find<ResourceRow>(QString::fromLatin1(name));
        return row ? row->accessibleDescription() : QString();
    }
    double shareOf(const char* name) {
        const auto* row = find<ResourceRow>(QString::fromLatin1(name));
        const auto* bar = row ? row->findChild<ProgressBar*>() : nullptr;
        return bar ? bar->share() : -1;
    }
    int asked() const { return daemon.count(QStringLiteral("machine")); }
    // A snapshot of the daemon that is `ms` younger than the last, seen by the window.
    bool later(qint64 ms) {
        daemon.snapshot.at += ms - 100;
        daemon.sendSnapshot();
        return QTest::qWaitFor([this] { return workspace.snapshot()->at == daemon.snapshot.at; });
    }
};

}  // namespace

class TestHomePage : public QObject {
    Q_OBJECT
private slots:
    void theMachineIsShownInBarsAndFigures() {
        AtHome bench;
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.said("RAM"), QStringLiteral("4.00 GiB of 16.0 GiB, engine 2.00 GiB"));
        QTRY_COMPARE(bench.said("Disk"), QStringLiteral("300 GiB of 400 GiB, 100 GiB free, workspace 4.00 GiB"));
        QCOMPARE(bench.said("Processor"), QStringLiteral("1.00 of 4 cores, by the engine, Test, 4 threads, f32"));
        QCOMPARE(bench.shareOf("RAM"), 0.25);
        QCOMPARE(bench.shareOf("Disk"), 0.75);
        QCOMPARE(bench.shareOf("Processor"), 0.25);
    }
    void whatTheDaemonDoesNotKnow_isADash() {
        AtHome bench;
        bench.daemon.failures.insert(QStringLiteral("machine"), fail(ErrorCode::NotFound, "no such operation"));
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.asked(), 1);
        QTRY_COMPARE(bench.said("Processor"), QStringLiteral("1.00 cores, by the engine, Test, 4 threads, f32"));
        QCOMPARE(bench.said("RAM"), QStringLiteral("–"));
        QCOMPARE(bench.said("Disk"), QStringLiteral("–"));
        QVERIFY(bench.later(5'000));
        QCOMPARE(bench.asked(), 1);  // nor is it asked at every snapshot
    }
    void itIsAskedOnlyWhileItIsSeen_andOftenerWhileSomethingRuns() {
        AtHome bench;
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.said("RAM"), QStringLiteral("4.00 GiB of 16.0 GiB, engine 2.00 GiB"));
        QCOMPARE(bench.asked(), 1);
        QVERIFY(bench.later(9'000));
        QCOMPARE(bench.asked(), 1);
        bench.daemon.machine.memoryFreeBytes = 8LL << 30;
        QVERIFY(bench.later(1'500));
        QTRY_COMPARE(bench.shareOf("RAM"), 0.5);
        QCOMPARE(bench.asked(), 2);
        bench.daemon.snapshot.running = 1;
        QVERIFY(bench.later(2'500));
        QTRY_COMPARE(bench.asked(), 3);
        QVERIFY(bench.window.goTo(QStringLiteral("models")));
        QVERIFY(bench.later(60'000));
        QVERIFY(bench.later(60'000));
        QCOMPARE(bench.asked(), 3);
    }
    void aTenantNearItsLimitNeedsYou_andItsButtonGoesToItsLimits() {
        AtHome bench;
        auto& tenants = bench.daemon.tenants;
        tenants.registry().create("ada", {.tokensPerDay = 1000}).value();
        tenants.registry().create("bob", {.tokensPerDay = 1000}).value();
        tenants.registry().create("eve", {}).value();
        tenants.today["ada"].promptTokens = 950;
        tenants.today["bob"].generatedTokens = 899;
        tenants.today["eve"].promptTokens = 5'000'000;  // without a limit
        QVERIFY(bench.open());
        QTRY_VERIFY(bench.find<LimitRow>(QStringLiteral("ada is near its limit")));
        QCOMPARE(bench.window.findChildren<LimitRow*>().size(), 1);
        QCOMPARE(bench.find<LimitRow>(QStringLiteral("ada is near its limit"))->accessibleDescription(),
                 QStringLiteral("950 of 1,000 tokens today, at 95 %"));
        tenants.today["ada"].promptTokens = 1000;
        tenants.today["bob"].generatedTokens = 900;
        bench.workspace.refreshTenants();
        QTRY_VERIFY(bench.find<LimitRow>(QStringLiteral("ada has used up its tokens of today")));
        QVERIFY(bench.find<LimitRow>(QStringLiteral("bob is near its limit")));
        QVERIFY(bench.click(QStringLiteral("Limits of bob")));
        QCOMPARE(bench.window.page(), QStringLiteral("tenants"));
        QVERIFY(bench.window.goTo(QStringLiteral("home")));
        tenants.today.clear();
        bench.workspace.refreshTenants();
        QTRY_VERIFY(bench.window.findChildren<LimitRow*>().isEmpty());
    }
    void modelsSayWhereTheyAre_andAdaptersWhereTheirCopiesLie() {
        AtHome bench;
        bench.daemon.addAdapter("alpha", "dental");
        bench.daemon.snapshot.models = {{.name = "alpha", .state = "ready", .adapters = 1}};
        bench.daemon.snapshot.hostAdapters = 2;
        QVERIFY(bench.open());
        const auto* models = bench.find<QTableView>(QStringLiteral("Models"));
        QVERIFY(models);
        QTRY_COMPARE(models->model()->index(0, ModelTable::Where).data().toString(), QStringLiteral("Device"));
        QCOMPARE(models->model()->index(1, ModelTable::Where).data().toString(), QStringLiteral("Disk"));
        QVERIFY(!models->isColumnHidden(ModelTable::Where));
        QTRY_VERIFY(bench.find<HomeAdapters>(QStringLiteral("2 adapters: device 1, RAM 2, disk 2")));
    }
    void eventsAreSentencesToTheMinute() {
        AtHome bench;
        const std::int64_t at = 1'700'000'000'000;  // 22:13:20 UTC
        bench.daemon.log = {{at, "info", "catalog", "\"cook\" of sample was imported (version 1, sha256:00)"},
                            {at + 1000, "info", "tenants", "tenant \"ada\" was created"}};
        QVERIFY(bench.open());
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Events")));
        const auto* events = bench.find<QTableView>(QStringLiteral("Events"));
        QTRY_COMPARE(events->model()->rowCount(), 2);
        const auto cell = [&](int row, int column) { return events->model()->index(row, column).data().toString(); };
        QCOMPARE(cell(0, LogTable::Message), QStringLiteral("Tenant \"ada\" was created"));
        QCOMPARE(cell(1, LogTable::Message), QStringLiteral("\"cook\" of sample was imported"));
        QCOMPARE(cell(1, LogTable::Time), formatClock(at, false));
    }
    void heightsOfPanelsAreWholeUnits_andFollowTheWindow() {
        AtHome bench;
        QVERIFY(bench.open());
        const auto heights = [&] {
            QList<int> found;
            for (const Panel* panel : bench.window.findChildren<Panel*>())
                for (const char* name : {"Server", "Needs you"})
                    if (panel->isVisible() && panel->accessibleName() == QLatin1String(name)) found << panel->height();
            return found;
        };
        QTRY_COMPARE(heights().size(), 2);
        const QList<int> large = heights();
        for (const int height : large) QCOMPARE(height % 4, 0);
        bench.window.resize(1440, 800);
        QTRY_VERIFY(heights()[1] < large[1]);
        for (const int height : heights()) QCOMPARE(height % 4, 0);
    }
    void theStatusBarDividesByTheCores() {
        AtHome bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        QTRY_VERIFY(bench.find<TextLabel>(QStringLiteral("25 %")));  // one of four
    }
    void pagesThatAreNotSeen_haveNoTimerThatGoesOn() {
        AtHome bench;
        QVERIFY(bench.open());
        for (const char* page : {"models", "serve", "playground", "tenants"})
            QVERIFY(bench.window.goTo(QString::fromLatin1(page)));
        const auto ofPages = [&](bool seen) {
            QStringList going;
            for (const Page* page : bench.window.findChildren<Page*>())
                for (const QTimer* timer : page->findChildren<QTimer*>())
                    if (page->isVisible() == seen && timer->isActive() && !timer->isSingleShot())
                        going << QString::fromLatin1(page->metaObject()->className());
            return going;
        };
        QCOMPARE(bench.window.findChildren<Page*>().size(), 5);
        QVERIFY(ofPages(true).contains(QLatin1String("espalier::ui::TenantsPage")));
        QTRY_COMPARE(ofPages(false), QStringList());
        QVERIFY(bench.window.goTo(QStringLiteral("about")));
        QTRY_COMPARE(ofPages(false), QStringList());
        QVERIFY(bench.window.goTo(QStringLiteral("tenants")));
        QVERIFY(ofPages(true).contains(QLatin1String("espalier::ui::TenantsPage")));
    }
    void whereThereIsLittleRoom_theBarsStay() {
        AtHome bench;
        QVERIFY(bench.open(QStringLiteral("home"), {1024, 768}));
        QTRY_VERIFY(!bench.said("Disk").isEmpty());
        for (const char* name : {"RAM", "Disk", "Processor"}) {
            auto* bar = bench.find<ResourceRow>(QString::fromLatin1(name))->findChild<ProgressBar*>();
            QTRY_VERIFY2(bar->width() >= 80,
                         qPrintable(QStringLiteral("%1: %2").arg(QLatin1String(name)).arg(bar->width())));
        }
    }
};
ESPALIER_TEST(tst_home_page, TestHomePage)
#include "tst_home_page.moc"
