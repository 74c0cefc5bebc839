// SPDX-License-Identifier: GPL-3.0-or-later
// The Serve page with everything in it, at the sizes, text sizes and languages people have: nothing is cut unsaid.
#include <QSignalSpy>
#include <array>
#include <functional>

#include "tests/ui/support/desk.h"
#include "tests/ui/support/fit.h"
#include "ui/widgets/move_timeline.h"
#include "ui/widgets/plot_legend.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;
using espalier::test::clippedLegends;
using espalier::test::clippedTexts;

namespace {

// Moves between all tiers, for long names; tenants with adapters and latencies; figures of four digits.
void fillServe(espalier::test::FakeDaemon& daemon) {
    daemon.addModel("tiny");
    Snapshot& s = daemon.snapshot;
    s.running = 1046;
    s.waiting = 2107;
    s.decodeTokensPerS = 12'914.2;
    s.prefillTokensPerS = 45'133.7;
    s.swapInBytesPerS = 1'048e6;
    s.swapOutBytesPerS = 917e6;
    s.ttftMs = {1163, 2211, 3372, 40};
    s.tpotMs = {115.2, 220.1, 327.9, 400};
    s.processorShare = 15.37;
    s.residentBytes = std::int64_t(81) << 30;
    s.counters = {{"prefix_cache_queries_total", 1200}, {"prefix_cache_hits_total", 1043},
                  {"adapter_found_total_pool", 940},    {"adapter_found_total_host", 40},
                  {"adapter_found_total_disk", 20},     {"num_preemptions_total", 12}};
    const char* const name = "contracts-of-the-harbour-office-v4";
    const char* const tenant = "a-tenant-with-a-rather-long-name";
    s.moves = {
        {1, 60'000, name, tenant, AdapterTier::Disk, AdapterTier::Host, 80 << 20, 0.021, MoveCause::Prefetch, {}},
        {2, 60'400, "law", {}, AdapterTier::Pool, AdapterTier::Host, 40 << 20, 0, MoveCause::Evicted, name},
        {3,
         61'000,
         name,
         tenant,
         AdapterTier::Host,
         AdapterTier::Pool,
         80 << 20,
         0.0017,
         MoveCause::Miss,
         {},
         false,
         "m-tiny",
         3,
         0.0031}};
    s.tenants = {{.name = tenant,
                  .running = 46,
                  .waiting = 7,
                  .kvPages = 1024,
                  .kvBytes = std::int64_t(3) << 30,
                  .tokensPerS = 2914,
                  .refused = 31,
                  .ttftMs = {1163, 2211, 3372, 40},
                  .tpotMs = {115.2, 220.1, 327.9, 400},
                  .adapter = name,
                  .adapterTier = AdapterTier::Host,
                  .isAdapterMoving = true}};
    for (std::int64_t i = 1; i <= 20; ++i)
        daemon.steps.push_back(
            {.sequence = i, .at = 59'000 + 100 * i, .seconds = 0.05, .answerRows = 3, .model = "tiny"});
}

const std::array kViews{"Requests", "Models", "Tenants", "Swap"};

// Every view of the panel at the foot, each looked at once it stands still.
QString clippedInViews(MainWindow& window, const std::function<bool(const QString&)>& click,
                       const std::function<QString(const char*)>& said) {
    QStringList found;
    for (const char* view : kViews) {
        if (!click(said("What is shown below") + QStringLiteral(": ") + said(view)))
            return QStringLiteral("no view %1").arg(QLatin1String(view));
        QTest::qWait(50);
        for (const QString& one : clippedTexts(&window) + clippedLegends(&window))
            found << QStringLiteral("%1: %2").arg(QLatin1String(view), one);
    }
    return found.join(QLatin1Char('\n'));
}

}  // namespace

class TestFit : public QObject {
    Q_OBJECT
private slots:
    void everyViewOfTheServePageFits_data() {
        QTest::addColumn<QSize>("size");
        QTest::addColumn<int>("percent");
        QTest::newRow("1440") << QSize(1440, 900) << 100;
        QTest::newRow("1280") << QSize(1280, 800) << 100;
        QTest::newRow("1024") << QSize(1024, 768) << 100;
        QTest::newRow("1440 at 200 %") << QSize(1440, 900) << 200;
    }
    void everyViewOfTheServePageFits() {
        QFETCH(QSize, size);
        QFETCH(int, percent);
        espalier::test::theme().setTextPercent(percent);
        QString found;
        {
            Bench bench;
            fillServe(bench.daemon);
            if (bench.open(QStringLiteral("serve"), size))
                found = clippedInViews(
                    bench.window, [&](const QString& name) { return bench.click(name); },
                    [](const char* text) { return QString::fromLatin1(text); });
            else
                found = QStringLiteral("it was not opened");
        }
        espalier::test::theme().setTextPercent(100);
        QCOMPARE(found, QString());
    }
    void everyViewOfTheServePageFitsInGerman_data() {
        QTest::addColumn<QSize>("size");
        QTest::newRow("1440") << QSize(1440, 900);
        QTest::newRow("1024") << QSize(1024, 768);
    }
    void everyViewOfTheServePageFitsInGerman() {
        QFETCH(QSize, size);
        espalier::test::Desk desk;
        fillServe(desk.daemon);
        Preferences wanted = desk.preferences.now();
        wanted.language = QStringLiteral("de");
        QSignalSpy made(&desk.session, &Session::windowMade);
        desk.preferences.set(wanted);
        QTRY_COMPARE(made.count(), 1);
        const bool isOpen = desk.attach();
        QString found = QStringLiteral("it was not opened");
        if (isOpen) {
            desk.session.window().resize(size);
            desk.session.window().goTo(QStringLiteral("serve"));
            desk.daemon.sendSnapshot();
            found = clippedInViews(
                desk.session.window(), [&](const QString& name) { return desk.click(name); },
                [](const char* text) { return QCoreApplication::translate("espalier::ui::NowPanel", text); });
        }
        wanted.language = QStringLiteral("en");
        desk.preferences.set(wanted);
        QCOMPARE(found, QString());
    }
    void legendsSayNamesAndValuesAt1440() {
        Bench bench;
        fillServe(bench.daemon);
        QVERIFY(bench.open(QStringLiteral("serve")));
        for (auto& [name, count] : bench.daemon.snapshot.counters) count += 100;  // shares are of what came since
        bench.daemon.sendSnapshot();
        int legends = 0;
        for (const auto* legend : bench.window.findChildren<PlotLegend*>()) {
            if (!legend->isVisible()) continue;
            ++legends;
            const QString which = legend->accessibleName();
            QTRY_VERIFY2(!legend->values().isEmpty() && !legend->values().contains(QStringLiteral("–")),
                         qPrintable(which));
            QTRY_VERIFY2(legend->width() >= legend->minimumSizeHint().width(), qPrintable(which));  // laid out after it
            const QStringList names = legend->shownNames();
            for (const QString& name : names)
                QVERIFY2(names.size() == 1 || (!name.isEmpty() && !name.endsWith(QChar(0x2026))),
                         qPrintable(which + names.join(QLatin1Char('|'))));
        }
        QCOMPARE(legends, 9);
    }
    void aLegendWithoutRoomElidesNamesAndSaysThemInItsTooltip() {
        Bench bench;
        fillServe(bench.daemon);
        QVERIFY(bench.open(QStringLiteral("serve")));
        auto* legend = bench.find<PlotLegend>(QStringLiteral("Queue, requests, legend"));
        QVERIFY(legend);
        QTRY_COMPARE(legend->values(), (QStringList{QStringLiteral("1,046"), QStringLiteral("2,107")}));
        const int whole = legend->sizeHint().width();
        legend->setParent(nullptr);
        legend->show();
        legend->resize(whole, 24);
        QCOMPARE(legend->shownNames(), (QStringList{QStringLiteral("Running"), QStringLiteral("Waiting")}));
        QCOMPARE(legend->toolTip(), QString());
        legend->resize(whole - 24, 24);
        QVERIFY(legend->shownNames().join(QString()).contains(QChar(0x2026)));
        QTRY_COMPARE(legend->toolTip(), QStringLiteral("Running 1,046 requests\nWaiting 2,107 requests"));
        legend->resize(legend->minimumSizeHint());
        QCOMPARE(legend->shownNames(), (QStringList{QString(), QString()}));
        delete legend;
    }
};
ESPALIER_TEST(tst_fit, TestFit)
#include "tst_fit.moc"
