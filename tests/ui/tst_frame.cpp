// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QButtonGroup>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFile>
#include <QFocusFrame>
#include <QLineEdit>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStyleOptionFrame>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/shell/drop_overlay.h"
#include "ui/shell/link_strip.h"
#include "ui/shell/sidebar.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/panel.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;
using espalier::test::FakeDaemon;

namespace {

JobRecord jobOf(std::int64_t id, JobState state, const std::string& title) {
    JobRecord job;
    job.id = id;
    job.state = state;
    job.title = title;
    return job;
}

// What the overlay says while something is over `under`; empty when there is none.
QString overlaySays(Bench& bench, QWidget* under, const QMimeData& data, bool& accepted) {
    QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
    enter.ignore();
    QApplication::sendEvent(under, &enter);
    accepted = enter.isAccepted();
    auto* overlay = bench.window.findChild<DropOverlay*>();
    const QString sentence = overlay->isVisible() ? overlay->accessibleDescription() : QString();
    QDragLeaveEvent leave;
    QApplication::sendEvent(under, &leave);
    return sentence;
}

}  // namespace

class TestFrame : public QObject {
    Q_OBJECT
private slots:
    void aLostConnectionIsExplainedAndNothingTypedIsLost() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* strip = bench.window.findChild<LinkStrip*>();
        QVERIFY(!strip->isVisible());
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("half a thought"));
        bench.daemon.goAway();
        QTRY_VERIFY(strip->isVisible());
        QVERIFY(strip->text().startsWith(QLatin1String("The connection to harbour-lane is lost\n")));
        QVERIFY(strip->text().contains(QLatin1String("Trying again")));
        QTest::keyClicks(input, QStringLiteral(", and the rest"));
        bench.daemon.comeBack();
        QVERIFY(bench.click(QStringLiteral("Try again")));
        QTRY_VERIFY(!strip->isVisible());
        QVERIFY(bench.engine.isAttached());
        QCOMPARE(input->toPlainText(), QStringLiteral("half a thought, and the rest"));
    }
    void retriesComeAtGrowingPauses() {
        Bench bench;
        QVERIFY(bench.open());
        bench.daemon.goAway();
        QTRY_COMPARE(bench.engine.link(), Link::Lost);
        QTRY_VERIFY(bench.engine.retryInMs() > 0);
        int longest = 0;
        // 250, 500, 1000 and 2000 ms: the fourth pause begins within four seconds.
        QVERIFY(QTest::qWaitFor([&] { return (longest = qMax(longest, bench.engine.retryInMs())) > 1500; }, 8000));
    }
    void anotherProtocolIsExplainedInWords_data() {
        QTest::addColumn<int>("protocol");
        QTest::addColumn<QString>("advice");
        QTest::addRow("older server") << kProtocolVersion - 1 << "Update the server";
        QTest::addRow("newer server") << kProtocolVersion + 1 << "Update this workbench";
    }
    void anotherProtocolIsExplainedInWords() {
        QFETCH(int, protocol);
        QFETCH(QString, advice);
        Bench bench;
        bench.daemon.protocol = protocol;
        bench.window.show();
        bench.engine.attach(bench.daemon.url(), bench.daemon.key);
        QTRY_COMPARE(bench.engine.link(), Link::Refused);
        const QString said = bench.window.findChild<LinkStrip*>()->text();
        QVERIFY2(said.contains(advice), qPrintable(said));
        QVERIFY2(said.contains(QStringLiteral("0.1.0")), qPrintable(said));
        QVERIFY(!QApplication::activeModalWidget());
    }
    void aKeyForModelsAloneOpensThePlaygroundAlone() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.window.goTo(QStringLiteral("serve"));
        bench.window.show();
        bench.engine.attach(bench.daemon.url(), bench.daemon.guestKey);
        QTRY_VERIFY(bench.engine.isAttached());
        QCOMPARE(bench.engine.access(), Access::Guest);
        QCOMPARE(bench.window.page(), QStringLiteral("playground"));
        QVERIFY(!bench.window.goTo(QStringLiteral("models")));
        for (const char* id : {action::kGoHome, action::kGoModels, action::kGoServe, action::kImport,
                               action::kServeToggle, action::kJobsDock, action::kStopEngine})
            QVERIFY2(!bench.window.actions().get(id)->isVisible(), id);
        QVERIFY(bench.window.actions().get(action::kGoPlayground)->isVisible());
        QTRY_COMPARE(bench.find<QComboBox>(QStringLiteral("Model"))->currentText(), QStringLiteral("tiny"));
        QTest::keyClicks(bench.find<QPlainTextEdit>(QStringLiteral("Message")), QStringLiteral("Hi"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 1);
        QCOMPARE(bench.daemon.count(QStringLiteral("jobs")), 0);
        QCOMPARE(bench.daemon.eventStreams(), 0);
    }
    void aGuestsConnectionIsWatchedAndItsEndIsShown() {
        Bench bench;
        bench.window.show();
        bench.engine.attach(bench.daemon.url(), bench.daemon.guestKey);
        QTRY_VERIFY(bench.engine.isAttached());
        bench.daemon.goAway();
        QTRY_COMPARE_WITH_TIMEOUT(bench.engine.link(), Link::Lost, 10'000);
    }
    void onAnotherMachineImportIsAbsentAndSaysWhy() {
        Bench bench;
        QVERIFY(bench.open());
        QCOMPARE(bench.engine.access(), Access::Owner);
        QVERIFY(bench.window.actions().get(action::kImport)->isVisible());
        bench.engine.attach(bench.daemon.url(), bench.daemon.key);
        QTRY_VERIFY(bench.engine.isAttached());
        QCOMPARE(bench.engine.access(), Access::Admin);
        QVERIFY(!bench.window.actions().get(action::kImport)->isVisible());
        QVERIFY(!bench.window.actions().get(action::kStopEngine)->isVisible());
        QVERIFY(bench.window.actions().get(action::kServeToggle)->isVisible());
        QTemporaryDir model;
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(model.path())});
        bool accepted = true;
        const QString said = overlaySays(bench, &bench.window, data, accepted);
        QVERIFY2(said.contains(QLatin1String("not from here")), qPrintable(said));
        QVERIFY(!accepted);
    }
    void aFileOverATextFieldIsTheWindows() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTemporaryDir workspace;
        QFile(workspace.filePath(QStringLiteral("workspace.db"))).open(QIODevice::WriteOnly);
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(workspace.path())});
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        bool accepted = false;
        const QString said = overlaySays(bench, input->viewport(), data, accepted);
        QVERIFY2(said.startsWith(QLatin1String("Drop to open the workspace ")), qPrintable(said));
        QVERIFY(accepted);
        QSignalSpy chosen(&bench.window, &MainWindow::workspaceChosen);
        QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(input->viewport(), &enter);
        QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(input->viewport(), &drop);
        QCOMPARE(chosen.count(), 1);
        QCOMPARE(chosen[0][0].toString(), workspace.path());
        QCOMPARE(input->toPlainText(), QString());
        QMimeData text;
        text.setText(QStringLiteral("words"));
        QCOMPARE(overlaySays(bench, input->viewport(), text, accepted), QString());
    }
    void anAddressDroppedAsksForItsKey() {
        Bench bench;
        QVERIFY(bench.open());
        QMimeData data;
        data.setUrls({QUrl(QStringLiteral("http://10.0.0.7:8420/v1/models"))});
        QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(&bench.window, &enter);
        QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(&bench.window, &drop);
        QCOMPARE(bench.window.page(), QStringLiteral("workspaces"));
        QCOMPARE(bench.find<QLineEdit>(QStringLiteral("Address"))->text(), QStringLiteral("http://10.0.0.7:8420"));
    }
    void connectPage_attachesKeepsTheServerAndKeepsItsKeyOnlyWhenAsked() {
        Bench bench;
        bench.window.goTo(QStringLiteral("workspaces"));
        bench.window.show();
        auto* address = bench.find<QLineEdit>(QStringLiteral("Address"));
        auto* key = bench.find<QLineEdit>(QStringLiteral("Key"));
        QCOMPARE(key->echoMode(), QLineEdit::Password);
        QTest::keyClicks(address, bench.daemon.url().toString() + QStringLiteral("/v1/"));
        QTest::keyClicks(key, bench.daemon.key);
        QTest::keyClick(key, Qt::Key_Return);
        QTRY_VERIFY(bench.engine.isAttached());
        QCOMPARE(bench.servers.servers().size(), 1u);
        QCOMPARE(bench.servers.keyOf(bench.daemon.url()), QString());
        auto* keep = bench.find<QCheckBox>(QStringLiteral("Keep the key on this machine"));
        QVERIFY(keep);
        QTest::mouseClick(keep, Qt::LeftButton, Qt::NoModifier, {8, 8});
        QVERIFY(bench.click(QStringLiteral("Attach")));
        QTRY_COMPARE(bench.servers.keyOf(bench.daemon.url()), bench.daemon.key);
        bench.settings.sync();
        QFile settings(bench.settings.fileName());
        QVERIFY(!settings.open(QIODevice::ReadOnly) || !settings.readAll().contains(bench.daemon.key.toUtf8()));
        QVERIFY(bench.window.page() == QLatin1String("workspaces"));
    }
    void connectPage_keepsNoKeyForAnotherServerThanItWasTypedFor() {
        Bench bench;
        FakeDaemon other;
        bench.window.goTo(QStringLiteral("workspaces"));
        bench.window.show();
        auto* address = bench.find<QLineEdit>(QStringLiteral("Address"));
        auto* key = bench.find<QLineEdit>(QStringLiteral("Key"));
        auto* keep = bench.find<QCheckBox>(QStringLiteral("Keep the key on this machine"));
        // One that refuses the key; then a workspace of this machine is opened instead.
        QTest::keyClicks(address, other.url().toString());
        QTest::keyClicks(key, QStringLiteral("esp_wrong"));
        keep->setChecked(true);
        QVERIFY(bench.click(QStringLiteral("Attach")));
        QTRY_COMPARE(bench.engine.link(), Link::Refused);
        bench.engine.openWorkspace(bench.daemon.makeWorkspace(bench.folder.filePath(QStringLiteral("ws"))));
        QTRY_VERIFY(bench.engine.isAttached());
        QVERIFY(bench.servers.servers().empty());
        // While one answers slowly, what is typed for the next is not its key.
        other.held.insert(QStringLiteral("hello"));
        key->clear();
        QTest::keyClicks(key, other.key);
        QVERIFY(bench.click(QStringLiteral("Attach")));
        QTRY_VERIFY(other.count(QStringLiteral("hello")) >= 2);
        address->setText(QStringLiteral("http://10.0.0.9:8420"));
        key->setText(QStringLiteral("esp_of_the_next"));
        other.release(QStringLiteral("hello"));
        QTRY_VERIFY(bench.engine.isAttached());
        QTRY_COMPARE(bench.servers.keyOf(other.url()), other.key);
        QCOMPARE(bench.servers.servers().size(), 1u);
    }
    void connectPage_saysInPlaceWhyAKeyIsNotTaken() {
        Bench bench;
        bench.window.goTo(QStringLiteral("workspaces"));
        bench.window.show();
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Address")), bench.daemon.url().toString());
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Key")), QStringLiteral("esp_wrong"));
        QVERIFY(bench.click(QStringLiteral("Attach")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.servers.servers().empty());
        QCOMPARE(bench.find<QLineEdit>(QStringLiteral("Key"))->text(), QStringLiteral("esp_wrong"));
    }
    void preferences_holdAtOnceAndAreKept() {
        Bench bench;
        QVERIFY(bench.open());
        QTest::keyClick(&bench.window, Qt::Key_Comma, Qt::ControlModifier);
        QCOMPARE(bench.window.page(), QStringLiteral("preferences"));
        auto* plots = bench.find<QComboBox>(QStringLiteral("Plots are drawn"));
        QVERIFY(plots);
        plots->setFocus();
        QTest::keyClick(plots, Qt::Key_Down);
        QTest::keyClick(plots, Qt::Key_Down);
        QCOMPARE(bench.preferences.now().refreshMs, 1000);
        auto* engine = bench.find<QCheckBox>(QStringLiteral("Engine"));
        QVERIFY(engine);
        QTest::mouseClick(engine, Qt::LeftButton, Qt::NoModifier, {8, 8});
        QCOMPARE(bench.preferences.now().startEngine, false);
        QVERIFY(bench.click(QStringLiteral("Theme: Dark")));
        QCOMPARE(bench.preferences.now().theme, ThemeChoice::Dark);
        const PreferenceStore later(bench.settings);
        QCOMPARE(later.now(), bench.preferences.now());
    }
    void preferences_outOfRangeInTheFileAreNotTaken() {
        Bench bench;
        bench.settings.setValue(QStringLiteral("preferences/refresh-ms"), 1);
        bench.settings.setValue(QStringLiteral("preferences/text-percent"), 9000);
        bench.settings.setValue(QStringLiteral("preferences/motion"), QStringLiteral("sideways"));
        const PreferenceStore store(bench.settings);
        QCOMPARE(store.now(), Preferences());
    }
    void commands_listsEveryActionWithItsKeysAndFilters() {
        Bench bench;
        QVERIFY(bench.open());
        QTest::keyClick(&bench.window, Qt::Key_F1);
        QCOMPARE(bench.window.page(), QStringLiteral("commands"));
        auto* table = bench.find<QTableView>(QStringLiteral("Commands and keys"));
        int visible = 0;
        for (const QAction* action : bench.window.actions().all()) visible += action->isVisible();
        QCOMPARE(table->model()->rowCount(), visible);
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Filter commands")), QStringLiteral("ctrl+k"));
        QCOMPARE(table->model()->rowCount(), 1);
        QCOMPARE(table->model()->index(0, 0).data().toString(), QStringLiteral("Go to or run a command"));
    }
    void about_showsEveryLicenceThatIsInTheProgram() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("about")));
        auto* parts = bench.find<QTableView>(QStringLiteral("Made of"));
        auto* licence = bench.find<QPlainTextEdit>(QStringLiteral("Text of the licence"));
        QStringList begins;
        for (int row = 0; row < 3; ++row) {
            parts->selectRow(row);
            QVERIFY(licence->toPlainText().size() > 400);
            begins << licence->toPlainText().left(2000);
        }
        QVERIFY(begins[0].contains(QLatin1String("GNU GENERAL PUBLIC LICENSE")));
        QVERIFY(begins[1].contains(QLatin1String("SIL OPEN FONT LICENSE"), Qt::CaseInsensitive));
        QVERIFY(begins[2].contains(QLatin1String("ISC License")));
        parts->selectRow(3);
        QVERIFY(!licence->toPlainText().isEmpty());
    }
    void jobsDock_filtersByState() {
        Bench bench;
        bench.daemon.jobs = {jobOf(1, JobState::Failed, "one"), jobOf(2, JobState::Running, "two"),
                             jobOf(3, JobState::Paused, "three"), jobOf(4, JobState::Finished, "four")};
        QVERIFY(bench.open());
        QTest::keyClick(&bench.window, Qt::Key_J, Qt::ControlModifier);
        auto* shown = bench.find<QComboBox>(QStringLiteral("Jobs shown"));
        QVERIFY(shown);
        QTableView* table = nullptr;
        for (QWidget* up = shown->parentWidget(); up && !table; up = up->parentWidget())
            if (qobject_cast<QDockWidget*>(up)) table = up->findChild<QTableView*>();
        QVERIFY(table);
        QTRY_COMPARE(table->model()->rowCount(), 4);
        const auto titles = [&](int filter) {
            shown->setCurrentIndex(filter);
            QStringList found;
            for (int row = 0; row < table->model()->rowCount(); ++row)
                found << table->model()->index(row, 0).data().toString();
            found.sort();
            return found.join(QLatin1Char(' '));
        };
        QCOMPARE(titles(1), QStringLiteral("two"));
        QCOMPARE(titles(2), QStringLiteral("three"));
        QCOMPARE(titles(3), QStringLiteral("one"));
        table->selectRow(0);
        QVERIFY(bench.click(QStringLiteral("Discard")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("job-discard"), "id"), QStringLiteral("1"));
    }
    void jobsDock_offersWhatTheDaemonTakesAndSaysWhatItRefused() {
        Bench bench;
        bench.daemon.jobs = {jobOf(1, JobState::Paused, "Import one"), jobOf(2, JobState::Running, "Scan two")};
        bench.daemon.jobs[1].kind = "scan";
        QVERIFY(bench.open(QStringLiteral("serve")));
        QTest::keyClick(&bench.window, Qt::Key_J, Qt::ControlModifier);
        auto* dock = bench.window.findChild<QDockWidget*>(QStringLiteral("jobs-dock"));
        auto* table = dock->findChild<QTableView*>();
        QTRY_COMPARE(table->model()->rowCount(), 2);
        const auto isOffered = [&](const QString& name) {
            for (auto* button : dock->findChildren<QPushButton*>())
                if (button->text().trimmed() == name) return button->isEnabled();
            return false;
        };
        table->selectRow(0);
        QVERIFY(!isOffered(QStringLiteral("Pause")) && isOffered(QStringLiteral("Cancel")));
        QVERIFY(!isOffered(QStringLiteral("Discard")));
        table->selectRow(1);
        QVERIFY(isOffered(QStringLiteral("Resume")) && isOffered(QStringLiteral("Discard")));
        bench.daemon.failures.insert(QStringLiteral("job-discard"), fail(ErrorCode::IoError, "the folder is in use"));
        QVERIFY(bench.click(QStringLiteral("Discard")));
        auto* strip = dock->findChild<ErrorStrip*>();
        QTRY_VERIFY(strip->isVisible());
        QVERIFY(strip->text().contains(QLatin1String("in use")));
        table->selectRow(0);
        QVERIFY(!strip->isVisible());  // it was said of the other one
        // After the connection was lost, what was chosen is chosen still.
        bench.daemon.goAway();
        QTRY_COMPARE(bench.engine.link(), Link::Lost);
        const int read = bench.daemon.count(QStringLiteral("jobs"));
        bench.daemon.comeBack();
        QTRY_VERIFY_WITH_TIMEOUT(bench.daemon.count(QStringLiteral("jobs")) > read, 20'000);
        QTest::qWait(50);
        QCOMPARE(table->selectionModel()->selectedRows().size(), 1);
    }
    void aListThatCannotBeReadSaysSo() {
        Bench bench;
        bench.daemon.failures.insert(QStringLiteral("jobs"),
                                     fail(ErrorCode::CorruptFile, "jobs of workspace.db are torn"));
        bench.window.show();
        bench.engine.attach(bench.daemon.url(), bench.daemon.key);
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        const QString said = bench.find<ErrorStrip>(QStringLiteral("Error"))->text();
        QVERIFY2(said.contains(QLatin1String("The list of jobs was not read")) && said.contains(QLatin1String("torn")),
                 qPrintable(said));
    }
    void whatIsLeftOutOfAListStandsInTheLog() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.brokenRecords = 1;
        QVERIFY(bench.open());
        QCOMPARE(bench.workspace.models().rowCount(), 1);
        QTRY_COMPARE(bench.workspace.log().countAtLeast(2), 1);
        QVERIFY(bench.workspace.log().records().back().text.find("models") != std::string::npos);
    }
    void theKeyCanBeCopiedWhereThereIsNoRoomToShowIt() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve"), {1024, 768}));
        QTRY_VERIFY(bench.window.actions().get(action::kCopyKey)->isEnabled());
        bench.window.actions().get(action::kCopyKey)->trigger();
        QCOMPARE(QApplication::clipboard()->text(), bench.daemon.key);
    }
    void aGuestSeesNothingOfTheServerBefore() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.jobs = {jobOf(1, JobState::Running, "Import one")};
        QVERIFY(bench.open());
        QTRY_VERIFY(bench.find<Badge>(QStringLiteral("1 running")));
        bench.engine.attach(bench.daemon.url(), bench.daemon.guestKey);
        QTRY_VERIFY(bench.engine.isAttached());
        QTRY_VERIFY(!bench.find<Badge>(QStringLiteral("1 running")));
        QCOMPARE(bench.workspace.jobs().rowCount(), 0);
    }
    void log_isSavedAndCopiedWithoutSecrets() {
        Bench bench;
        bench.daemon.log = {{bench.daemon.snapshot.at, "info", "api", "Authorization: Bearer esp_abcdefgh was sent"}};
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.workspace.log().rowCount(), 1);
        bench.window.actions().get(action::kCopyDiagnostics)->trigger();
        const QString copied = QApplication::clipboard()->text();
        QVERIFY(copied.contains(QLatin1String("was sent")));
        QVERIFY(!copied.contains(QLatin1String("abcdefgh")));
    }
    void log_opensAtItsNewestLineAndFollows() {
        Bench bench;
        for (int i = 0; i < 60; ++i)
            bench.daemon.log.push_back({bench.daemon.snapshot.at + i, "info", "test", "line " + std::to_string(i)});
        QVERIFY(bench.open());
        QTRY_COMPARE(bench.workspace.log().rowCount(), 60);
        bench.window.actions().get(action::kLogDock)->trigger();
        auto* table = bench.window.findChild<QDockWidget*>(QStringLiteral("log-dock"))->findChild<QTableView*>();
        const auto atEnd = [&] {
            const QScrollBar* bar = table->verticalScrollBar();
            return table->isVisible() && bar->maximum() > 0 && bar->value() == bar->maximum();
        };
        QTRY_VERIFY(atEnd());
        QCOMPARE(table->model()->index(59, 1).data().toString(), QStringLiteral("Info"));
        bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at + 100, "info", "test", "the newest"});
        QTRY_COMPARE(table->model()->rowCount(), 61);
        QTRY_VERIFY(atEnd());
        table->verticalScrollBar()->setValue(0);  // somebody reads further up
        bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at + 101, "info", "test", "one more"});
        QTRY_COMPARE(table->model()->rowCount(), 62);
        QTest::qWait(20);
        QCOMPARE(table->verticalScrollBar()->value(), 0);
    }
    void theFocusRingStandsAroundEveryFieldThatIsWrittenIn() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* ring = bench.window.findChild<QFocusFrame*>();
        for (const char* name : {"Message", "System prompt"}) {
            auto* field = bench.find<QPlainTextEdit>(QString::fromLatin1(name));
            QTest::mouseClick(field->viewport(), Qt::LeftButton);
            QTRY_COMPARE(ring->widget(), static_cast<QWidget*>(field));
            QVERIFY(ring->isVisible());
        }
        // What is only read has none, but a caret.
        bench.window.goTo(QStringLiteral("about"));
        auto* licence = bench.find<QPlainTextEdit>(QStringLiteral("Text of the licence"));
        licence->setFocus();
        QCOMPARE(ring->widget(), nullptr);
    }
    void textBeginsAtOneInsetInEveryKindOfField() {
        QLineEdit line;
        QPlainTextEdit text;
        QSpinBox number;
        for (QWidget* field : std::initializer_list<QWidget*>{&line, &text, &number}) {
            field->resize(160, field == &number ? 24 : 28);  // a small one too
            field->show();
        }
        QStyleOptionFrame option;
        option.initFrom(&line);
        option.rect = line.rect();
        const int ofLine = line.style()->subElementRect(QStyle::SE_LineEditContents, &option, &line).left() + 2;
        const int ofText = text.viewport()->x() + int(text.document()->documentMargin());
        auto* edit = number.findChild<QLineEdit*>();
        option.rect = edit->rect();
        const int ofNumber =
            edit->x() + edit->style()->subElementRect(QStyle::SE_LineEditContents, &option, edit).left() + 2;
        QCOMPARE(ofLine, 8);
        QCOMPARE(ofText, 8);
        QCOMPARE(ofNumber, 8);
    }
    void f6_goesAroundThePartsOfTheWindow() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* sidebar = bench.window.findChild<Sidebar*>();
        bool inSidebar = false, elsewhere = false;
        for (int i = 0; i < 4; ++i) {
            QTest::keyClick(&bench.window, Qt::Key_F6);
            const QWidget* focus = QApplication::focusWidget();
            QVERIFY(focus);
            (sidebar->isAncestorOf(focus) ? inSidebar : elsewhere) = true;
        }
        QVERIFY(inSidebar && elsewhere);
    }
    void tabReachesEveryControlOfEachPage_data() {
        QTest::addColumn<QString>("page");
        for (const char* page :
             {"home", "models", "serve", "playground", "tenants", "workspaces", "preferences", "commands", "about"})
            QTest::addRow("%s", page) << QString::fromLatin1(page);
    }
    void tabReachesEveryControlOfEachPage() {
        QFETCH(QString, page);
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.tenants.registry().create("ada", {}).value();
        bench.daemon.tenants.registry().createKey("ada").value();
        QVERIFY(bench.open(page));
        QTest::qWait(50);
        QSet<QWidget*> wanted;
        for (auto* widget : bench.window.findChildren<QWidget*>()) {
            if (!widget->isVisible() || !widget->isEnabled() || !(widget->focusPolicy() & Qt::TabFocus)) continue;
            if (widget->focusProxy()) continue;
            // Of a group of which one is chosen, Tab goes to the chosen one and the arrow keys to the others.
            const auto* button = qobject_cast<const QAbstractButton*>(widget);
            const bool isOneOfSeveral =
                button && (button->autoExclusive() || (button->group() && button->group()->exclusive()));
            if (isOneOfSeveral && !button->isChecked()) continue;
            if (qobject_cast<QAbstractButton*>(widget) || qobject_cast<QLineEdit*>(widget) ||
                qobject_cast<QPlainTextEdit*>(widget) || qobject_cast<QTableView*>(widget))
                wanted << widget;
        }
        QVERIFY(wanted.size() > 5);
        QSet<QWidget*> reached;
        QStringList way;
        for (int i = 0; i < 300 && reached.size() < wanted.size(); ++i) {
            QWidget* focus = QApplication::focusWidget();
            if (focus && wanted.contains(focus)) reached << focus;
            if (focus) way << QString::fromLatin1(focus->metaObject()->className()) + focus->accessibleName();
            QTest::keyClick(focus ? focus : &bench.window, Qt::Key_Tab);
            QVERIFY2(QApplication::focusWidget() != focus, qPrintable(focus->accessibleName()));
        }
        QStringList missed;
        for (const QWidget* widget : wanted - reached)
            missed << QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char(' ') +
                          widget->accessibleName();
        QVERIFY2(missed.isEmpty(), qPrintable(missed.join(QStringLiteral(", ")) + QStringLiteral(" after ") +
                                              way.mid(0, 60).join(QStringLiteral(", "))));
    }
    void reducedMotionOpensADockAtOnce() {
        Theme& theme = espalier::test::theme();
        theme.chooseMotion(MotionChoice::Reduced);
        QCOMPARE(theme.duration(120), 0);
        theme.chooseMotion(MotionChoice::Full);
        QCOMPARE(theme.duration(120), 120);
        Bench bench;
        QVERIFY(bench.open());
        QDockWidget* dock = bench.window.findChild<QDockWidget*>(QStringLiteral("jobs-dock"));
        QTest::keyClick(&bench.window, Qt::Key_J, Qt::ControlModifier);
        QVERIFY(dock->isVisible());
        QTRY_COMPARE(dock->widget()->maximumHeight(), QWIDGETSIZE_MAX);
        QTRY_COMPARE(dock->height(), 200);
        QTest::keyClick(&bench.window, Qt::Key_J, Qt::ControlModifier);
        theme.chooseMotion(MotionChoice::Reduced);
        QTest::keyClick(&bench.window, Qt::Key_J, Qt::ControlModifier);
        QCOMPARE(dock->widget()->maximumHeight(), QWIDGETSIZE_MAX);
        QTRY_COMPARE(dock->height(), 200);
        theme.chooseMotion(MotionChoice::System);
    }
    void closingInTheMiddleOfAnAnswerFallsOverNothing() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.holdChat = true;
        bench.daemon.jobs = {jobOf(2, JobState::Running, "two")};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTest::keyClicks(bench.find<QPlainTextEdit>(QStringLiteral("Message")), QStringLiteral("Hi"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 1);
        bench.window.close();
        bench.daemon.sendSnapshot();
        QTest::qWait(50);
        QCOMPARE(bench.daemon.count(QStringLiteral("job-cancel")), 0);
    }
    void backgroundFailuresOpenNoModalBox() {
        Bench bench;
        QVERIFY(bench.open());
        JobRecord failed = jobOf(9, JobState::Failed, "Import broken");
        failed.error = fail(ErrorCode::CorruptFile, "the header ends early");
        bench.daemon.sendEvent(failed);
        bench.daemon.sendEvent(LogRecord{bench.daemon.snapshot.at, "error", "import", "the header ends early"});
        bench.daemon.goAway();
        QTRY_COMPARE(bench.engine.link(), Link::Lost);
        QVERIFY(!QApplication::activeModalWidget());
        QVERIFY(!QApplication::activePopupWidget());
    }
};
ESPALIER_TEST(tst_frame, TestFrame)
#include "tst_frame.moc"
