// SPDX-License-Identifier: GPL-3.0-or-later
// What a window keeps: through a change of the text size or the language, which makes it anew, and to the next start.
#include <QComboBox>
#include <QDockWidget>
#include <QFileInfo>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QSplitter>
#include <QTabBar>
#include <QTableView>

#include "tests/ui/support/desk.h"
#include "ui/pages/models_page.h"
#include "ui/shell/page_names.h"
#include "ui/shell/sidebar.h"
#include "ui/widgets/answer_view.h"
#include "ui/widgets/panel.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;
using espalier::test::Desk;

namespace {

QPlainTextEdit* text(Desk& desk, const QString& name) {
    return desk.find<QPlainTextEdit>(name);
}

bool ask(Desk& desk, const QString& question) {
    auto* input = text(desk, QStringLiteral("Message"));
    QTest::keyClicks(input, question);
    QTest::keyClick(input, Qt::Key_Return, Qt::ControlModifier);
    return QTest::qWaitFor([&] {
        auto* view = desk.find<AnswerView>(QStringLiteral("Conversation"));
        return view && view->toPlainText().contains(question);
    });
}

QString said(Desk& desk) {
    auto* view = desk.find<AnswerView>(QStringLiteral("Conversation"));
    return view ? view->toPlainText() : QString();
}

QSplitter* modelsSplitter(MainWindow& window) {
    return window.findChild<ModelsPage*>()->findChild<QSplitter*>();
}

// Drags the handle before the second part.
void drag(QSplitter* splitter, int by) {
    QWidget* handle = splitter->handle(1);
    const QPoint from = handle->rect().center();
    const QPoint step = splitter->orientation() == Qt::Horizontal ? QPoint(by, 0) : QPoint(0, by);
    QTest::mousePress(handle, Qt::LeftButton, {}, from);
    // The handle moves under the pointer: the places are those of the screen.
    const QPoint to = handle->mapToGlobal(from + step);
    QMouseEvent move(QEvent::MouseMove, handle->mapFromGlobal(to), to, Qt::NoButton, Qt::LeftButton, {});
    QApplication::sendEvent(handle, &move);
    QTest::mouseRelease(handle, Qt::LeftButton, {}, handle->mapFromGlobal(to));
}

QList<QPlainTextEdit*> visibleMessages(Desk& desk) {
    QList<QPlainTextEdit*> found;
    for (auto* edit : desk.session.window().findChildren<QPlainTextEdit*>())
        if (edit->isVisible() && edit->accessibleName() == QLatin1String("Message text")) found << edit;
    return found;
}

}  // namespace

class TestKeeping : public QObject {
    Q_OBJECT
private slots:
    void aLargerTextPutsWhatWasTypedBackIntoItsOwnFields() {
        Desk desk;
        desk.daemon.addModel("tiny");
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("models"));
        auto* tokenizer = text(desk, QStringLiteral("Text to tokenize"));
        QVERIFY(tokenizer);
        tokenizer->selectAll();
        QTest::keyClicks(tokenizer, QStringLiteral("one two three"));
        auto* context = desk.find<QSpinBox>(QStringLiteral("Context, tokens"));
        QTRY_COMPARE(context->maximum(), 2048);
        context->selectAll();
        QTest::keyClicks(context, QStringLiteral("512\t"));
        QVERIFY(desk.click(QStringLiteral("Try out: Chat template")));
        QVERIFY(desk.click(QStringLiteral("Add message")));
        QTRY_VERIFY(desk.find<QPlainTextEdit>(QStringLiteral("Message text")));
        QList<QPlainTextEdit*> messages;
        QTRY_COMPARE((messages = visibleMessages(desk)).size(), 3);
        QTest::keyClicks(messages.last(), QStringLiteral("In spring."));
        // At 1440 the larger text folds the page: panels become tabs, and their fields another order.
        QVERIFY(desk.remake());
        QVERIFY(desk.session.window().findChild<Sidebar*>()->isFolded());
        QStringList kept;
        QString tokenized, rendered;
        for (auto* edit : desk.session.window().findChildren<QPlainTextEdit*>()) {
            if (edit->accessibleName() == QLatin1String("Message text")) kept << edit->toPlainText();
            if (edit->accessibleName() == QLatin1String("Text to tokenize")) tokenized = edit->toPlainText();
        }
        QCOMPARE(tokenized, QStringLiteral("one two three"));
        QCOMPARE(kept, (QStringList{QStringLiteral("You are a careful gardener."),
                                    QStringLiteral("When do I tie young shoots?"), QStringLiteral("In spring.")}));
        for (auto* filter : desk.session.window().findChildren<QLineEdit*>())
            if (filter->accessibleName().contains(QLatin1String("ilter"))) QCOMPARE(filter->text(), QString());
        int contexts = 0;
        for (auto* box : desk.session.window().findChildren<QSpinBox*>()) {
            if (box->accessibleName() != QLatin1String("Context, tokens")) continue;
            ++contexts;
            QTRY_COMPARE(box->maximum(), 2048);
            QCOMPARE(box->value(), 512);
        }
        QCOMPARE(contexts, 1);
    }
    void anotherLanguageKeepsWhatWasTypedAndNothingElse() {
        Desk desk;
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("models"));
        QTest::keyClicks(desk.find<QLineEdit>(QStringLiteral("Filter models")), QStringLiteral("orchard"));
        const MainWindow* before = &desk.session.window();
        Preferences german = desk.preferences.now();
        german.language = QStringLiteral("de");
        desk.preferences.set(german);
        QTRY_VERIFY(&desk.session.window() != before);
        QStringList filters, tokenized;
        for (auto* edit : desk.session.window().findChildren<QLineEdit*>())
            if (edit->text() == QLatin1String("orchard")) filters << edit->accessibleName();
        for (auto* edit : desk.session.window().findChildren<QPlainTextEdit*>())
            if (edit->toPlainText().contains(QLatin1String("gardener"))) tokenized << edit->toPlainText();
        german.language = QStringLiteral("en");
        desk.preferences.set(german);
        QTRY_VERIFY(desk.find<QLineEdit>(QStringLiteral("Filter models")));
        QCOMPARE(filters.size(), 1);
        QCOMPARE(tokenized, QStringList());  // nobody typed the English examples
        QCOMPARE(desk.find<QLineEdit>(QStringLiteral("Filter models"))->text(), QStringLiteral("orchard"));
    }
    void aLargerTextKeepsConversationsAndCases() {
        Desk desk;
        desk.daemon.addModel("tiny");
        desk.daemon.cases = {{{"id", 1}, {"name", "Letter"}, {"prompt", "Write a letter"}}};
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("playground"));
        QVERIFY(ask(desk, QStringLiteral("First")));
        QTRY_VERIFY(said(desk).contains(QLatin1String("the garden.")));
        for (const char* action : {action::kLargerText, action::kUsualText}) {
            QVERIFY(desk.remake(QString::fromLatin1(action)));
            QTRY_VERIFY(said(desk).contains(QLatin1String("First")));
            QVERIFY(said(desk).contains(QLatin1String("the garden.")));
            QTableView* cases = nullptr;
            for (auto* table : desk.session.window().findChildren<QTableView*>())
                if (table->accessibleName() == QLatin1String("Saved cases")) cases = table;
            QVERIFY(cases);
            QTRY_COMPARE(cases->model()->rowCount(), 1);
        }
        // And the conversation goes on where it was.
        QTRY_VERIFY(desk.find<QComboBox>(QStringLiteral("Model"))->currentText() == QLatin1String("tiny"));
        QVERIFY(ask(desk, QStringLiteral("Second")));
        QTRY_COMPARE(desk.daemon.count(QStringLiteral("completions")), 2);
        QCOMPARE(desk.daemon.last(QStringLiteral("completions"))->body["messages"].size(), std::size_t{3});
    }
    void anAnswerGoesOnThroughALargerText() {
        Desk desk;
        desk.daemon.addModel("tiny");
        desk.daemon.holdChat = true;
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("playground"));
        QVERIFY(ask(desk, QStringLiteral("Question")));
        QTRY_VERIFY(said(desk).contains(QLatin1String("Hello")));
        QVERIFY(desk.remake());
        QTRY_VERIFY(said(desk).contains(QLatin1String("Hello")));
        QVERIFY(desk.find<QAbstractButton>(QStringLiteral("Stop")));
        desk.daemon.finishChat();
        QTRY_VERIFY(said(desk).contains(QLatin1String("Hello from the garden.")));
        QTRY_VERIFY(!desk.find<QAbstractButton>(QStringLiteral("Stop")));
        QCOMPARE(desk.daemon.count(QStringLiteral("completions")), 1);
    }
    void anEditAndItsUndoOutliveALargerText() {
        Desk desk;
        desk.daemon.addModel("tiny");
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("playground"));
        QVERIFY(ask(desk, QStringLiteral("First")));
        QTRY_VERIFY(said(desk).contains(QLatin1String("the garden.")));
        QTest::keyClicks(text(desk, QStringLiteral("Message")), QStringLiteral("half a thought"));
        QVERIFY(desk.click(QStringLiteral("Edit the last message")));
        QVERIFY(desk.remake());
        QTRY_COMPARE(text(desk, QStringLiteral("Message"))->toPlainText(), QStringLiteral("First"));
        QVERIFY(desk.click(QStringLiteral("Cancel the edit")));
        QCOMPARE(text(desk, QStringLiteral("Message"))->toPlainText(), QStringLiteral("half a thought"));
        QVERIFY(desk.click(QStringLiteral("New chat")));
        QTRY_VERIFY(!said(desk).contains(QLatin1String("First")));
        QVERIFY(desk.remake(QString::fromLatin1(action::kUsualText)));
        QVERIFY(desk.click(QStringLiteral("Undo")));
        QTRY_VERIFY(said(desk).contains(QLatin1String("First")));
    }
    void pagesAreMadeWhenTheyAreFirstNeeded() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.tenants.registry().create("ada", {}).value();
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.workspace.tenants().rowCount(), 1);
        for (int page = kModels; page < kPageCount; ++page) QVERIFY(!bench.window.isMade(PageIndex(page)));
        // The sidebar counts all the same, and commands about a model find the one that would be chosen.
        QVERIFY(bench.window.actions().get(action::kLoad)->isEnabled());
        bench.window.actions().get(action::kLoad)->trigger();
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("load"), "model"), QStringLiteral("m-tiny"));
        QVERIFY(bench.window.isMade(kModels) && !bench.window.isMade(kServe));
        QCOMPARE(bench.window.page(), QStringLiteral("home"));
        bench.window.goTo(QStringLiteral("serve"));
        QVERIFY(bench.window.isMade(kServe));
        // It shows at once what came before it was there.
        QTRY_VERIFY(bench.find<QAbstractButton>(QStringLiteral("Stop server")));
        QVERIFY(!bench.window.isMade(kPlayground) && !bench.window.isMade(kTenants) && !bench.window.isMade(kAbout));
    }
    void whatWasTypedOnAPageThatIsNotOpenedOutlivesSeveralWindows() {
        Desk desk;
        desk.daemon.addModel("tiny");
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("models"));
        QTest::keyClicks(desk.find<QLineEdit>(QStringLiteral("Filter models")), QStringLiteral("orchard"));
        desk.session.window().goTo(QStringLiteral("playground"));
        QTest::keyClicks(text(desk, QStringLiteral("Message")), QStringLiteral("half a thought"));
        desk.session.window().goTo(QStringLiteral("home"));
        QVERIFY(desk.remake());
        QVERIFY(!desk.session.window().isMade(kModels));
        QVERIFY(desk.remake(QString::fromLatin1(action::kUsualText)));
        QVERIFY(!desk.session.window().isMade(kModels));
        desk.session.window().goTo(QStringLiteral("models"));
        QCOMPARE(desk.find<QLineEdit>(QStringLiteral("Filter models"))->text(), QStringLiteral("orchard"));
        desk.session.window().goTo(QStringLiteral("playground"));
        QCOMPARE(text(desk, QStringLiteral("Message"))->toPlainText(), QStringLiteral("half a thought"));
    }
    // By processor time of single events: making the window, handing over, letting the old one go.
    void makingTheWindowAnewHoldsNothingUp_data() {
        QTest::addColumn<QString>("page");
        for (const char* page : kPageNames) QTest::newRow(page) << QString::fromLatin1(page);
    }
    void makingTheWindowAnewHoldsNothingUp() {
        QFETCH(QString, page);
        Desk desk;
        desk.daemon.addModel("tiny");
        desk.daemon.tenants.registry().create("ada", {}).value();
        QVERIFY(desk.attach());
        desk.daemon.sendSnapshot();
        for (const char* each : kPageNames) desk.session.window().goTo(QString::fromLatin1(each));
        desk.session.window().goTo(QStringLiteral("playground"));
        QVERIFY(ask(desk, QStringLiteral("First")));
        QTRY_VERIFY(said(desk).contains(QLatin1String("the garden.")));
        desk.session.window().goTo(page);
        QTest::qWait(50);
        StallWatchdog& watchdog = espalier::test::watchdog();
        watchdog.reset();
        QVERIFY(desk.remake());
        QTest::qWait(50);
        const StallWatchdog::Stall longest = watchdog.longest();
        QCOMPARE(desk.session.window().page(), page);
        QVERIFY2(longest.cpuMs < espalier::test::stallLimitMs(), qPrintable(QStringLiteral("%1 ms in event %2 of %3")
                                                                                .arg(longest.cpuMs)
                                                                                .arg(longest.eventType)
                                                                                .arg(longest.receiver)));
        qInfo("longest event %.1f ms", longest.cpuMs);
    }
    void readWarningsStayReadThroughALargerText() {
        Desk desk;
        const qint64 at = desk.daemon.snapshot.at;
        desk.daemon.log = {{at, "warning", "serve", "one"}, {at + 1, "error", "serve", "two"}};
        QVERIFY(desk.attach());
        QTRY_VERIFY(desk.find<Badge>(QStringLiteral("2 warnings or errors")));
        desk.session.window().actions().get(action::kLogDock)->trigger();
        QTRY_VERIFY(!desk.find<Badge>(QStringLiteral("2 warnings or errors")));
        desk.session.window().actions().get(action::kLogDock)->trigger();
        QVERIFY(desk.remake());
        QTRY_COMPARE(desk.session.workspace().log().rowCount(), 2);
        for (const auto* badge : desk.session.window().findChildren<Badge*>())
            QVERIFY(!badge->isVisible() || !badge->accessibleName().contains(QLatin1String("warning")));
        // A new one is new, and it is only a warning.
        desk.daemon.sendEvent(LogRecord{at + 2, "warning", "serve", "three"});
        QTRY_VERIFY(desk.find<Badge>(QStringLiteral("1 warning or error")));
    }
    void splitters_keepTheirSizesForEachBreadthAndNeverTheDirection() {
        QTemporaryDir folder;
        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        EngineClient engine;
        Workspace workspace(engine);
        PreferenceStore preferences(settings);
        ServerBook servers(folder.path());
        QList<int> wide, narrow;
        const auto open = [&](QSize size, auto&& use) {
            MainWindow window(workspace, espalier::test::theme(), preferences, servers);
            window.goTo(QStringLiteral("models"));
            window.resize(size);
            window.show();
            QVERIFY(QTest::qWaitForWindowExposed(&window));
            QTest::qWait(20);
            use(window, *modelsSplitter(window));
            window.close();
        };
        open({1440, 900}, [&](MainWindow&, QSplitter& splitter) {
            QCOMPARE(splitter.orientation(), Qt::Horizontal);
            const int before = splitter.sizes().at(1);
            drag(&splitter, -64);
            QCOMPARE(splitter.sizes().at(1), before + 64);
            wide = splitter.sizes();
        });
        // Kept in a wide window, opened in a narrow one, changed there, and back.
        open({1024, 768}, [&](MainWindow& window, QSplitter& splitter) {
            QVERIFY(window.findChild<Sidebar*>()->isFolded());
            QCOMPARE(splitter.orientation(), Qt::Vertical);
            drag(&splitter, 40);
            narrow = splitter.sizes();
        });
        open({1440, 900}, [&](MainWindow& window, QSplitter& splitter) {
            QCOMPARE(splitter.orientation(), Qt::Horizontal);
            QCOMPARE(splitter.sizes(), wide);
            window.resize(1024, 768);
            QTRY_COMPARE(splitter.orientation(), Qt::Vertical);
            QTRY_COMPARE(splitter.sizes(), narrow);
            window.resize(1440, 900);
            QTRY_COMPARE(splitter.sizes(), wide);
        });
    }
    void theSessionIsWrittenOnceAfterAWhileAndForTheOwnerAlone() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        const QString key = QStringLiteral("session/playground");
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("a thought"));
        QVERIFY(!bench.settings.value(key).toString().contains(QLatin1String("a thought")));  // not at each key
        QTRY_VERIFY_WITH_TIMEOUT(bench.settings.value(key).toString().contains(QLatin1String("a thought")), 20'000);
        bench.window.close();
        bench.settings.sync();
        QCOMPARE(QFileInfo(bench.settings.fileName()).permissions() &
                     (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther),
                 QFile::Permissions());
    }
    void chosenModelsAreRememberedAlsoWhileTheyAreNotThere() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(bench.click(QStringLiteral("Add model")));
        auto* model = bench.find<QComboBox>(QStringLiteral("Model"));
        QTest::keyClick(model, Qt::Key_Down);
        QCOMPARE(model->currentText(), QStringLiteral("beta"));
        bench.window.close();
        const auto chosen = [&](MainWindow& window) {
            QStringList names;
            for (auto* box : window.findChildren<QComboBox*>())
                if (box->accessibleName() == QLatin1String("Model")) names << box->currentText();
            return names;
        };
        {
            // A start without a server: something is typed, and the choice stays.
            EngineClient engine;
            Workspace workspace(engine);
            MainWindow window(workspace, espalier::test::theme(), bench.preferences, bench.servers);
            window.goTo(QStringLiteral("playground"));
            window.show();
            for (auto* edit : window.findChildren<QPlainTextEdit*>())
                if (edit->accessibleName() == QLatin1String("Message")) QTest::keyClicks(edit, QStringLiteral("x"));
            QCOMPARE(chosen(window), (QStringList{QString(), QString()}));
            window.close();
        }
        MainWindow later(bench.workspace, espalier::test::theme(), bench.preferences, bench.servers);
        later.show();
        bench.workspace.refreshModels();
        QTRY_COMPARE(chosen(later), (QStringList{QStringLiteral("beta"), QStringLiteral("beta")}));
    }
};
ESPALIER_TEST(tst_keeping, TestKeeping)
#include "tst_keeping.moc"
