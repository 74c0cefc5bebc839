// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDialog>
#include <QDockWidget>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTableView>
#include <ctime>

#include "tests/ui/support/bench.h"
#include "tests/ui/support/fit.h"
#include "ui/shell/sidebar.h"
#include "ui/shell/status_strip.h"
#include "ui/widgets/plot.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;
using espalier::test::clippedTexts;
using espalier::test::namelessControls;

namespace {

const QStringList kPages{QStringLiteral("home"),        QStringLiteral("models"),   QStringLiteral("serve"),
                         QStringLiteral("playground"),  QStringLiteral("tenants"),  QStringLiteral("workspaces"),
                         QStringLiteral("preferences"), QStringLiteral("commands"), QStringLiteral("about")};

}  // namespace

class TestShell : public QObject {
    Q_OBJECT
private slots:
    void controlsHaveNames_data() { pagesAndSizes(); }
    void controlsHaveNames() {
        QFETCH(QString, page);
        QFETCH(QSize, size);
        Bench bench;
        fill(bench);
        QVERIFY(bench.open(page, size));
        QTest::qWait(50);
        QCOMPARE(namelessControls(&bench.window).join(QLatin1Char('\n')), QString());
    }
    void textsFit_data() { pagesAndSizes(); }
    void textsFit() {
        QFETCH(QString, page);
        QFETCH(QSize, size);
        Bench bench;
        fill(bench);
        QVERIFY(bench.open(page, size));
        QTest::qWait(50);
        QCOMPARE(bench.window.size(), size);
        QCOMPARE(clippedTexts(&bench.window).join(QLatin1Char('\n')), QString());
    }
    void textsFitAtTwiceTheirSize_data() {
        QTest::addColumn<QString>("page");
        QTest::addColumn<QSize>("size");
        for (const QString& page : kPages) QTest::addRow("%s 1440", qPrintable(page)) << page << QSize(1440, 900);
    }
    void textsFitAtTwiceTheirSize() {
        QFETCH(QString, page);
        QFETCH(QSize, size);
        espalier::test::theme().setTextPercent(200);
        {
            Bench bench;
            fill(bench);
            QVERIFY(bench.open(page, size));
            QTest::qWait(50);
            QVERIFY(bench.window.findChild<Sidebar*>()->isFolded());
            const QString clipped = clippedTexts(&bench.window).join(QLatin1Char('\n'));
            espalier::test::theme().setTextPercent(100);
            QCOMPARE(clipped, QString());
        }
    }
    void dialogs_haveNamesAndFit() {
        Bench bench;
        QVERIFY(bench.open());
        bench.window.openImport(QStringLiteral("/data/tiny"));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("Name")));
        QTRY_VERIFY(!bench.find<QLineEdit>(QStringLiteral("Name"))->text().isEmpty());
        int dialogs = 0;
        for (auto* dialog : bench.window.findChildren<QDialog*>()) {
            if (!dialog->isVisible()) continue;
            ++dialogs;
            QCOMPARE(namelessControls(dialog), QStringList());
            QCOMPARE(clippedTexts(dialog), QStringList());
        }
        QVERIFY(dialogs >= 1);
    }
    void keysGoToThePages() {
        Bench bench;
        QVERIFY(bench.open());
        for (int i = 0; i < 4; ++i) {
            QTest::keyClick(&bench.window, Qt::Key(Qt::Key_1 + i), Qt::ControlModifier);
            const QStringList marks{QStringLiteral("Jobs"), QStringLiteral("Filter models"),
                                    QStringLiteral("Queue, requests"), QStringLiteral("Message")};
            QTRY_VERIFY2(bench.find<QWidget>(marks[i]), qPrintable(marks[i]));
        }
    }
    void everyActionIsInAMenuAndInThePalette() {
        Bench bench;
        QVERIFY(bench.open());
        QSet<QAction*> inMenus;
        for (QAction* menu : bench.window.menuBar()->actions())
            for (QAction* action : menu->menu()->actions()) inMenus.insert(action);
        for (QAction* action : bench.window.actions().all()) {
            QVERIFY2(inMenus.contains(action), qPrintable(action->objectName()));
            QVERIFY(!action->text().isEmpty());
        }
        QTest::keyClick(&bench.window, Qt::Key_K, Qt::ControlModifier);
        auto* list = bench.find<QTableView>(QStringLiteral("Commands"));
        QVERIFY(list);
        int enabled = 0;
        for (QAction* action : bench.window.actions().all()) enabled += action->isEnabled() && action->isVisible();
        QCOMPARE(list->model()->rowCount(), enabled - 1);  // the palette does not offer itself
    }
    void shortcutsAreUnique() {
        Bench bench;
        QHash<QString, QString> owner;
        for (QAction* action : bench.window.actions().all()) {
            const QString keys = action->shortcut().toString();
            if (keys.isEmpty()) continue;
            QVERIFY2(!owner.contains(keys), qPrintable(keys + QStringLiteral(" of ") + action->objectName()));
            owner.insert(keys, action->objectName());
        }
    }
    void palette_findsByWordsAndRuns() {
        Bench bench;
        QVERIFY(bench.open());
        QTest::keyClick(&bench.window, Qt::Key_K, Qt::ControlModifier);
        auto* search = bench.find<QLineEdit>(QStringLiteral("Go to or run a command"));
        QVERIFY(search);
        QTest::keyClicks(search, QStringLiteral("ground play"));
        QTest::keyClick(search, Qt::Key_Return);
        QTRY_VERIFY(bench.find<QWidget>(QStringLiteral("Message")));
        QVERIFY(!bench.find<QTableView>(QStringLiteral("Commands")));
    }
    void theFieldOfThePaletteStaysInTheWindow() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("home"), {1024, 768}));
        auto* field = bench.find<QPushButton>(QStringLiteral("Go to or run a command"));
        QVERIFY(field);
        for (const QSize size : {QSize(1024, 768), QSize(1440, 900), QSize(1024, 768), QSize(1300, 800)}) {
            bench.window.resize(size);
            QTest::qWait(50);
            const QRect place(field->mapTo(&bench.window, QPoint()), field->size());
            QVERIFY2(place.right() < size.width() && place.right() > size.width() - 24,
                     qPrintable(QString::number(place.right())));
            QCOMPARE(place.width(), size.width() < 1280 ? 260 : 320);
        }
    }
    void sidebar_foldsUnder1280() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("home"), {1300, 800}));
        auto* sidebar = bench.window.findChild<Sidebar*>();
        QVERIFY(!sidebar->isFolded());
        bench.window.resize(1100, 800);
        QTRY_VERIFY(sidebar->isFolded());
        QCOMPARE(sidebar->width(), 48);
        bench.window.resize(1440, 800);
        QTRY_COMPARE(sidebar->width(), 184);
    }
    void docks_openFromTheStatusStripAndNeverFloat() {
        Bench bench;
        fill(bench);
        QVERIFY(bench.open());
        for (const QString& name : {QStringLiteral("Jobs"), QStringLiteral("Log")}) {
            QDockWidget* dock = nullptr;
            for (auto* known : bench.window.findChildren<QDockWidget*>())
                if (known->accessibleName() == name) dock = known;
            QVERIFY(dock && !dock->isVisible());
            QVERIFY(!(dock->features() & QDockWidget::DockWidgetFloatable));
            auto* strip = bench.window.findChild<StatusStrip*>();
            for (auto* button : strip->findChildren<QPushButton*>())
                if (button->accessibleName() == name) QTest::mouseClick(button, Qt::LeftButton);
            QTRY_VERIFY(dock->isVisible());
            QCOMPARE(namelessControls(dock), QStringList());
            QCOMPARE(clippedTexts(dock), QStringList());
        }
    }
    void connectionLostIsShownAndTakenUpAgain() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open());
        QTRY_VERIFY(bench.find<Badge>(QStringLiteral("Attached")));
        bench.daemon.goAway();
        QTRY_VERIFY(bench.find<Badge>(QStringLiteral("Connection lost, retrying")));
        bench.daemon.addModel("newer");
        bench.daemon.comeBack();
        QTRY_VERIFY_WITH_TIMEOUT(bench.find<Badge>(QStringLiteral("Attached")), 10'000);
        QTRY_COMPARE(bench.workspace.models().rowCount(), 2);
    }
    void sessionIsRestored() {
        QTemporaryDir folder;
        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        EngineClient engine;
        Workspace workspace(engine);
        PreferenceStore preferences(settings);
        ServerBook servers(folder.path());
        {
            MainWindow window(workspace, espalier::test::theme(), preferences, servers);
            window.goTo(QStringLiteral("serve"));
            window.resize(1300, 820);
            window.show();
            window.close();
        }
        MainWindow window(workspace, espalier::test::theme(), preferences, servers);
        window.show();
        QCOMPARE(window.size(), QSize(1300, 820));
        bool serveShown = false;
        for (auto* plot : window.findChildren<Plot*>())
            serveShown |= plot->isVisible() && plot->accessibleName() == QLatin1String("Queue, requests");
        QVERIFY(serveShown);
    }
    void themeChangeRepaintsAndRebuildsNothing() {
        Bench bench;
        fill(bench);
        QVERIFY(bench.open(QStringLiteral("models")));
        QTest::qWait(50);
        const auto widgets = [&] {
            const auto list = bench.window.findChildren<QWidget*>();
            return QSet<QWidget*>(list.begin(), list.end());
        };
        const auto before = widgets();
        const QColor light = bench.window.grab().toImage().pixelColor(700, 400);
        bench.window.actions().get(QStringLiteral("view.theme-dark"))->trigger();
        QTest::qWait(50);
        const QColor dark = bench.window.grab().toImage().pixelColor(700, 400);
        bench.window.actions().get(QStringLiteral("view.theme-light"))->trigger();
        QVERIFY(light.lightness() > 200 && dark.lightness() < 60);
        QCOMPARE(widgets(), before);
    }
    void watchdog_seesAStallAndNamesIt() {
        class Slow : public QObject {
        public:
            bool event(QEvent* event) override {
                if (event->type() != QEvent::User) return QObject::event(event);
                const auto cpuNs = [] {
                    timespec now{};
                    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
                    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
                };
                for (const auto start = cpuNs(); cpuNs() - start < 60'000'000LL;) continue;
                return true;
            }
        } slow;
        StallWatchdog& watchdog = espalier::test::watchdog();
        watchdog.reset();
        QTest::ignoreMessage(QtWarningMsg, QRegularExpression(QStringLiteral("^stall: .* in event 1000 of QObject")));
        QCoreApplication::postEvent(&slow, new QEvent(QEvent::User));
        QTest::qWait(1);
        QCOMPARE(watchdog.stalls().size(), 1u);
        QVERIFY(watchdog.longest().cpuMs >= 60);
        QCOMPARE(watchdog.longest().eventType, int(QEvent::User));
    }
    void noEventTakes50MsWhileServingAndImporting() {
        Bench bench;
        fill(bench);
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTest::qWait(200);
        StallWatchdog& watchdog = espalier::test::watchdog();
        watchdog.reset();
        JobRecord job = bench.daemon.jobs.front();
        for (int round = 0; round < 60; ++round) {
            bench.daemon.snapshot.decodeTokensPerS = 1000 + round;
            bench.daemon.snapshot.ttftMs = {double(20 + round), double(40 + round), double(90 + round), 10};
            job.progress = round / 60.0;
            bench.daemon.snapshot.jobs = {job};
            bench.daemon.sendSnapshot();
            bench.daemon.sendEvent(job);
            bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at, "info", "serve", "a line"});
            if (round % 15 == 0) bench.window.goTo(kPages[round / 15 % kPages.size()]);
            QTest::qWait(10);
        }
        const auto& longest = watchdog.longest();
        QVERIFY(watchdog.events() > 100);
        QVERIFY2(longest.cpuMs < espalier::test::stallLimitMs(), qPrintable(QStringLiteral("%1 ms in event %2 of %3")
                                                                                .arg(longest.cpuMs)
                                                                                .arg(longest.eventType)
                                                                                .arg(longest.receiver)));
    }

    void cleanup() { espalier::test::theme().setTextPercent(100); }

private:
    void pagesAndSizes() {
        QTest::addColumn<QString>("page");
        QTest::addColumn<QSize>("size");
        for (const QString& page : kPages)
            for (const QSize size : {QSize(1440, 900), QSize(1280, 800), QSize(1024, 768)})
                QTest::addRow("%s %d", qPrintable(page), size.width()) << page << size;
    }
    void fill(Bench& bench) {
        bench.daemon.addModel("Llama-3.2-1B-Instruct-with-a-long-name");
        bench.daemon.addModel("tiny");
        bench.daemon.addAdapter("tiny", "contracts-in-a-long-name");
        Tenants& tenants = bench.daemon.tenants.registry();
        tenants
            .create("a-tenant-with-a-rather-long-name",
                    {.requestsPerMinute = 120, .tokensPerMinute = 30'000, .tokensPerDay = 2'000'000})
            .value();
        tenants.createKey("a-tenant-with-a-rather-long-name").value();
        tenants.create("zoe", {}).value();
        bench.daemon.tenants.usage = {{"a-tenant-with-a-rather-long-name", bench.daemon.snapshot.at / kDayMs * kDayMs,
                                       9, 2, 1'400'000, 0, 500'000}};
        bench.daemon.snapshot.tenants = {{"zoe", 46, 7, 1024, 1 << 30, 2914.0, 3}};
        JobRecord running;
        running.id = 2;
        running.kind = "import";
        running.title = "Import tiny-llama-with-a-long-name";
        running.state = JobState::Running;
        running.progress = 0.44;
        running.etaS = 18840;
        running.bytesPerS = 412e6;
        running.step = "copying model-00001-of-00002.safetensors";
        JobRecord failed = running;
        failed.id = 1;
        failed.state = JobState::Failed;
        failed.error =
            fail(ErrorCode::CorruptFile, "model.safetensors: the header names 291 tensors, the file ends after 288");
        bench.daemon.jobs = {running, failed};
        bench.daemon.snapshot.running = 46;
        bench.daemon.snapshot.waiting = 7;
        bench.daemon.snapshot.decodeTokensPerS = 2914;
        bench.daemon.snapshot.ttftMs = {81, 163, 372, 100};
        bench.daemon.snapshot.tpotMs = {15, 20, 27, 100};
        LoadedModel loaded;
        loaded.name = "tiny";
        loaded.state = "ready";
        loaded.poolPages = 4096;
        loaded.poolPagesUsed = 1024;
        loaded.weightsBytes = 16'000'000;
        bench.daemon.snapshot.models = {loaded};
        bench.daemon.log = {{bench.daemon.snapshot.at, "info", "serve", "Server started"},
                            {bench.daemon.snapshot.at, "warning", "import", "2 tensors are not used"}};
        for (int i = 0; i < 600; ++i) {
            HistoryPoint point;
            point.at = bench.daemon.snapshot.at - 600'000 + i * 1000;
            point.memory = bench.daemon.snapshot.memory;
            point.decodeTokensPerS = 2500 + 500 * ((i * 7919) % 100) / 100.0;
            point.prefillTokensPerS = 3500 + 900 * ((i * 104729) % 100) / 100.0;
            point.running = 40;
            point.ttftMs = {81, 163, 372, 100};
            point.tpotMs = {15, 20, 27, 100};
            bench.daemon.history.push_back(point);
        }
    }
};
ESPALIER_TEST(tst_shell, TestShell)
#include "tst_shell.moc"
