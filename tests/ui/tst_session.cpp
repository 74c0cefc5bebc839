// SPDX-License-Identifier: GPL-3.0-or-later
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QLineEdit>
#include <QLocalServer>
#include <QPlainTextEdit>
#include <QProcess>
#include <QSignalSpy>
#include <QTableView>

#include "tests/ui/support/desk.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Desk;

namespace {

constexpr auto kOwnerOnly = QFile::ReadOwner | QFile::WriteOwner | QFile::ReadUser | QFile::WriteUser;

}  // namespace

class TestSession : public QObject {
    Q_OBJECT
private slots:
    void aLargerTextMakesTheWindowAnewAndKeepsWhatWasTyped() {
        Desk desk;
        desk.daemon.addModel("tiny");
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("playground"));
        QTest::keyClicks(desk.find<QPlainTextEdit>(QStringLiteral("Message")), QStringLiteral("half a thought"));
        const int before = desk.find<QPlainTextEdit>(QStringLiteral("Message"))->font().pixelSize();
        const MainWindow* old = &desk.session.window();
        const int streams = desk.daemon.count(QStringLiteral("events"));
        QSignalSpy made(&desk.session, &Session::windowMade);
        desk.session.window().actions().get(action::kLargerText)->trigger();
        QTRY_COMPARE(made.count(), 1);
        QVERIFY(&desk.session.window() != old);
        QCOMPARE(desk.session.window().page(), QStringLiteral("playground"));
        auto* input = desk.find<QPlainTextEdit>(QStringLiteral("Message"));
        QVERIFY(input);
        QCOMPARE(input->toPlainText(), QStringLiteral("half a thought"));
        QVERIFY(input->font().pixelSize() > before);
        // The connection went on: no second stream was opened, and the lists are there again.
        QCOMPARE(desk.daemon.count(QStringLiteral("events")), streams);
        QTRY_COMPARE(desk.session.workspace().models().rowCount(), 1);
    }
    void theChosenModelIsChosenAgainAfterARestart() {
        Desk desk;
        desk.daemon.addModel("first");
        desk.daemon.addModel("second");
        QVERIFY(desk.attach());
        desk.session.window().goTo(QStringLiteral("models"));
        auto* list = desk.find<QTableView>(QStringLiteral("Models"));
        QVERIFY(list);
        QTRY_COMPARE(list->model()->rowCount(), 2);
        list->selectRow(1);
        const QString chosen = list->model()->index(1, 0).data().toString();
        desk.session.window().close();
        Session later(espalier::test::theme(), desk.preferences, desk.servers, nullptr, {});
        later.window().show();
        later.engine().attach(desk.daemon.url(), desk.daemon.key);
        QCOMPARE(later.window().page(), QStringLiteral("models"));
        QTableView* again = nullptr;
        for (auto* table : later.window().findChildren<QTableView*>())
            if (table->accessibleName() == QLatin1String("Models") && table->isVisible()) again = table;
        QVERIFY(again);
        QTRY_VERIFY(again->currentIndex().isValid());
        QCOMPARE(again->model()->index(again->currentIndex().row(), 0).data().toString(), chosen);
    }
    void docksAndSizeAreThereAgain() {
        Desk desk;
        QVERIFY(desk.attach());
        desk.session.window().resize(1310, 830);
        desk.session.window().actions().get(action::kLogDock)->trigger();
        desk.session.window().close();
        Session later(espalier::test::theme(), desk.preferences, desk.servers, nullptr, {});
        later.window().show();
        QCOMPARE(later.window().size(), QSize(1310, 830));
        QVERIFY(later.window().findChild<QWidget*>(QStringLiteral("log-dock"))->isVisible());
        QVERIFY(!later.window().findChild<QWidget*>(QStringLiteral("jobs-dock"))->isVisible());
    }
    void theDesktopIsToldOfAJobsEndOnlyBehindOtherWindows() {
        Desk desk;
        QVERIFY(desk.attach());
        QVERIFY(QTest::qWaitForWindowActive(&desk.session.window()));
        JobRecord job;
        job.id = 3;
        job.title = "Import tiny";
        job.state = JobState::Running;
        desk.daemon.sendEvent(job);
        job.state = JobState::Finished;
        desk.daemon.sendEvent(job);
        QTRY_COMPARE(desk.session.workspace().jobs().rowCount(), 1);
        QTest::qWait(20);
        QVERIFY(desk.told.isEmpty());
        desk.session.window().hide();
        job.id = 4;
        job.state = JobState::Failed;
        job.error = fail(ErrorCode::DiskFull, "The disk is full");
        desk.daemon.sendEvent(job);
        desk.daemon.sendEvent(job);
        QTRY_COMPARE(desk.told, QStringList{QStringLiteral("Import tiny failed")});
        Preferences quiet = desk.preferences.now();
        quiet.notify = false;
        desk.preferences.set(quiet);
        job.id = 5;
        desk.daemon.sendEvent(job);
        QTRY_COMPARE(desk.session.workspace().jobs().rowCount(), 3);
        QTest::qWait(20);
        QCOMPARE(desk.told.size(), 1);
    }
    void serverBook_keepsKeysFromOthers() {
        QTemporaryDir folder;
        const QString inner = folder.filePath(QStringLiteral("espalier"));
        const QUrl url(QStringLiteral("http://10.0.0.7:8420"));
        {
            ServerBook book(inner);
            QVERIFY(book.remember(url, QStringLiteral("esp_secret")).has_value());
            QCOMPARE(QFileInfo(book.file()).permissions(), kOwnerOnly);
            QCOMPARE(QFileInfo(inner).permissions() & (QFile::ReadGroup | QFile::ExeOther | QFile::ReadOther),
                     QFile::Permissions());
        }
        {
            const ServerBook again(inner);
            QVERIFY(!again.trouble());
            QCOMPARE(again.keyOf(url), QStringLiteral("esp_secret"));
            QFile::setPermissions(again.file(), kOwnerOnly | QFile::ReadGroup);
        }
        ServerBook open(inner);
        QVERIFY(open.trouble().has_value());
        QVERIFY(open.servers().empty());
        QVERIFY(open.trouble()->message.find("0600") != std::string::npos);
    }
    void serverBook_readsWhatIsBrokenWithoutFalling() {
        QTemporaryDir folder;
        const auto troubleOf = [&](const QByteArray& text) {
            QFile file(folder.filePath(QStringLiteral("servers.json")));
            if (!file.open(QIODevice::WriteOnly)) return std::string("not written");
            file.write(text);
            file.setPermissions(kOwnerOnly);
            file.close();
            const ServerBook book(folder.path());
            return book.trouble() ? book.trouble()->message : "servers " + std::to_string(book.servers().size());
        };
        QVERIFY(troubleOf("{\"servers\":").find("servers.json") != std::string::npos);
        QVERIFY(troubleOf("[]").find("has no list") != std::string::npos);
        QCOMPARE(troubleOf("{\"servers\":[1,{\"url\":7},{\"url\":\"http://a:1\",\"key\":3}]}"),
                 std::string("servers 1"));
    }
    void serverBook_neverWritesOverWhatItCouldNotRead() {
        QTemporaryDir folder;
        QFile file(folder.filePath(QStringLiteral("servers.json")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("{\"servers\":[{\"url\":\"http://10.0.0.7:8420\",\"key\":\"esp_wanted\"}]}");
        file.setPermissions(kOwnerOnly | QFile::ReadGroup);
        file.close();
        ServerBook book(folder.path());
        QVERIFY(book.trouble().has_value());
        QVERIFY(!book.remember(QUrl(QStringLiteral("http://10.0.0.8:8420")), QStringLiteral("esp_new")));
        QVERIFY(file.open(QIODevice::ReadOnly));
        QVERIFY(file.readAll().contains("esp_wanted"));
        file.close();
        // Mended by its owner, it is read again and goes on.
        QFile::setPermissions(file.fileName(), kOwnerOnly);
        QVERIFY(book.remember(QUrl(QStringLiteral("http://10.0.0.9:8420")), QString()).has_value());
        const ServerBook again(folder.path());
        QCOMPARE(again.keyOf(QUrl(QStringLiteral("http://10.0.0.7:8420"))), QStringLiteral("esp_wanted"));
        QCOMPARE(again.keyOf(QUrl(QStringLiteral("http://10.0.0.8:8420"))), QStringLiteral("esp_new"));
        QCOMPARE(again.servers().size(), 3u);
    }
    void addressesAreReadAsPeopleTypeThem() {
        QCOMPARE(serverUrl(QStringLiteral(" 10.0.0.7:8420/v1/ ")), QUrl(QStringLiteral("http://10.0.0.7:8420")));
        QCOMPARE(serverUrl(QStringLiteral("https://box.example")), QUrl(QStringLiteral("https://box.example")));
        for (const char* wrong : {"", "   ", "http://", "ftp://box", "http://a b"})
            QVERIFY2(!serverUrl(QString::fromLatin1(wrong)).isValid(), wrong);
    }
    void aSecondStartBringsTheFirstWindowForward() {
        QTemporaryDir runtime, workspace;
        SingleInstance first(runtime.path()), second(runtime.path());
        QSignalSpy raised(&first, &SingleInstance::raiseAsked);
        QCOMPARE(first.claim(workspace.path(), 0), SingleInstance::Claim::Ours);
        QCOMPARE(first.claim(workspace.path() + QStringLiteral("/."), 0), SingleInstance::Claim::Ours);
        QCOMPARE(second.claim(workspace.path(), 0), SingleInstance::Claim::Theirs);
        QTRY_COMPARE(raised.count(), 1);
        QTemporaryDir other;
        QCOMPARE(second.claim(other.path(), 0), SingleInstance::Claim::Ours);
        first.release();
        QCOMPARE(second.claim(workspace.path(), 0), SingleInstance::Claim::Ours);
    }
    void aSecondProgramEndsAndTheFirstGoesOn() {
        QTemporaryDir home;
        const auto inHome = [&](const char* name) { return home.filePath(QString::fromLatin1(name)); };
        for (const char* folder : {"config/espalier", "runtime", "ws"}) QVERIFY(QDir().mkpath(inHome(folder)));
        QFile::setPermissions(inHome("runtime"), QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        QFile config(inHome("config/espalier/espalier.conf"));
        QVERIFY(config.open(QIODevice::WriteOnly));
        config.write("[preferences]\nstart-engine=false\n");
        config.close();
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("XDG_CONFIG_HOME"), inHome("config"));
        environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), inHome("runtime"));
        environment.insert(QStringLiteral("XDG_DATA_HOME"), inHome("data"));
        QProcess first, second;
        for (QProcess* program : {&first, &second}) {
            program->setProcessEnvironment(environment);
            program->setProgram(QStringLiteral(ESPALIER_BIN_DIR "/espalier"));
            program->setArguments({QStringLiteral("--workspace"), inHome("ws")});
        }
        first.start();
        QVERIFY(first.waitForStarted());
        const auto listens = [&] {
            const QDir runtime(inHome("runtime/espalier"));
            return !runtime.entryList({QStringLiteral("*.socket")}, QDir::System).isEmpty();
        };
        QVERIFY(QTest::qWaitFor(listens, 20'000));
        second.start();
        QVERIFY(second.waitForFinished(20'000));
        QCOMPARE(second.exitCode(), 0);
        QCOMPARE(first.state(), QProcess::Running);
        first.kill();
        QVERIFY(first.waitForFinished(20'000));
        // What the killed one left does not stop the next.
        second.start();
        QVERIFY(second.waitForStarted());
        QVERIFY(!second.waitForFinished(1500));
        second.kill();
        QVERIFY(second.waitForFinished(20'000));
    }
    void whatADeadWindowLeftIsTakenOver() {
        QTemporaryDir runtime, workspace;
        QString left;
        {
            SingleInstance first(runtime.path());
            QCOMPARE(first.claim(workspace.path(), 0), SingleInstance::Claim::Ours);
            left = QDir(runtime.path()).entryList({QStringLiteral("*.socket")}, QDir::System).value(0);
            QVERIFY(!left.isEmpty());
        }
        // A socket nobody listens on and a lock of a process that is gone.
        QLocalServer dead;
        QVERIFY(dead.listen(QDir(runtime.path()).filePath(QStringLiteral("spare"))));
        QVERIFY(
            QFile::rename(QDir(runtime.path()).filePath(QStringLiteral("spare")), QDir(runtime.path()).filePath(left)));
        dead.close();
        QFile lock(
            QDir(runtime.path()).filePath(QString(left).replace(QLatin1String(".socket"), QLatin1String(".lock"))));
        QVERIFY(lock.open(QIODevice::WriteOnly));
        lock.write("4194303\nespalier\n" + QSysInfo::machineHostName().toUtf8() + "\n");
        lock.close();
        SingleInstance next(runtime.path()), after(runtime.path());
        QCOMPARE(next.claim(workspace.path(), 500), SingleInstance::Claim::Ours);
        QSignalSpy raised(&next, &SingleInstance::raiseAsked);
        QCOMPARE(after.claim(workspace.path(), 500), SingleInstance::Claim::Theirs);
        QTRY_COMPARE(raised.count(), 1);
    }
    void aWindowThatDoesNotAnswerDoesNotHoldUpTheNext() {
        QTemporaryDir runtime, workspace;
        SingleInstance first(runtime.path()), second(runtime.path());
        QCOMPARE(first.claim(workspace.path(), 0), SingleInstance::Claim::Ours);
        for (const QString& socket : QDir(runtime.path()).entryList({QStringLiteral("*.socket")}, QDir::System))
            QFile::remove(QDir(runtime.path()).filePath(socket));
        QCOMPARE(second.claim(workspace.path(), 100), SingleInstance::Claim::Silent);
    }
    // The window's way to claim: it is told later, and never waits.
    void aClaimOfAnOpenWindowIsAnsweredLaterAndNeverWaitedFor() {
        QTemporaryDir runtime, workspace, other;
        SingleInstance first(runtime.path()), second(runtime.path());
        QSignalSpy raised(&first, &SingleInstance::raiseAsked);
        std::optional<SingleInstance::Claim> told;
        const auto tell = [&told](SingleInstance::Claim claim) { told = claim; };
        first.claimLater(workspace.path(), tell);
        QCOMPARE(told, SingleInstance::Claim::Ours);
        told.reset();
        second.claimLater(workspace.path(), tell);
        QVERIFY(!told);
        QTRY_COMPARE(told, SingleInstance::Claim::Theirs);
        QTRY_COMPARE(raised.count(), 1);
        // A claim that comes while another one is asked takes its place.
        told.reset();
        second.claimLater(workspace.path(), [](SingleInstance::Claim) { QFAIL("an answer nobody waits for"); });
        second.claimLater(other.path(), tell);
        QCOMPARE(told, SingleInstance::Claim::Ours);
        QTest::qWait(50);
        told.reset();
        for (const QString& socket : QDir(runtime.path()).entryList({QStringLiteral("*.socket")}, QDir::System))
            QFile::remove(QDir(runtime.path()).filePath(socket));
        second.claimLater(workspace.path(), tell);
        QTRY_COMPARE(told, SingleInstance::Claim::Silent);
    }
    void attachingElsewhereGivesTheWorkspaceBack() {
        Desk desk;
        QTemporaryDir runtime;
        SingleInstance mine(runtime.path()), another(runtime.path());
        Session session(espalier::test::theme(), desk.preferences, desk.servers, &mine, {});
        const QString workspace = desk.daemon.makeWorkspace(desk.folder.filePath(QStringLiteral("ws")));
        session.openWorkspace(workspace);
        QTRY_VERIFY(session.engine().isAttached());
        QCOMPARE(another.claim(workspace, 0), SingleInstance::Claim::Theirs);
        session.engine().attach(desk.daemon.url(), desk.daemon.key);
        QTRY_VERIFY(session.engine().isAttached() && session.engine().isForeign());
        QCOMPARE(another.claim(workspace, 0), SingleInstance::Claim::Ours);
    }
    void whatTheCommandLineWishesIsNotKept() {
        QTemporaryDir folder;
        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        PreferenceStore preferences(settings);
        Preferences wished = preferences.now();
        wished.theme = ThemeChoice::Dark;
        wished.language = QStringLiteral("de");
        preferences.setForNow(wished);
        QCOMPARE(preferences.now().theme, ThemeChoice::Dark);
        QCOMPARE(PreferenceStore(settings).now(), Preferences());
        // What a person chooses meanwhile is kept, and nothing else of it.
        Preferences chosen = preferences.now();
        chosen.refreshMs = 1000;
        preferences.set(chosen);
        const Preferences later = PreferenceStore(settings).now();
        QCOMPARE(later.refreshMs, 1000);
        QCOMPARE(later.theme, ThemeChoice::System);
        QVERIFY(later.language.isEmpty());
    }
    void namesThatAreNotKnownAreRefusedOnTheCommandLine_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addRow("theme") << QStringList{QStringLiteral("--theme"), QStringLiteral("drak")};
        QTest::addRow("language") << QStringList{QStringLiteral("--language"), QStringLiteral("xx")};
        QTest::addRow("text") << QStringList{QStringLiteral("--text-percent"), QStringLiteral("900")};
    }
    void namesThatAreNotKnownAreRefusedOnTheCommandLine() {
        QFETCH(QStringList, arguments);
        QTemporaryDir home;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"})
            environment.insert(QString::fromLatin1(name), home.path());
        QProcess program;
        program.setProcessEnvironment(environment);
        program.start(QStringLiteral(ESPALIER_BIN_DIR "/espalier"), arguments);
        QVERIFY(program.waitForFinished(20'000));
        QCOMPARE(program.exitCode(), 2);
        QVERIFY(program.readAllStandardError().contains(arguments.first().toUtf8() + " must be"));
        QVERIFY(QDir(home.path()).isEmpty());  // nothing was kept
    }
    void whereAnEngineListensIsKeptForEachWorkspace() {
        QTemporaryDir folder;
        QSettings settings(folder.filePath(QStringLiteral("s.ini")), QSettings::IniFormat);
        PreferenceStore preferences(settings);
        QCOMPARE(preferences.listenAt(QStringLiteral("/srv/a")), ListenAt());
        preferences.setListenAt(QStringLiteral("/srv/a"), {true, 9000});
        preferences.setListenAt(QStringLiteral("/srv/b"), {false, 80});  // not one a person may choose
        const PreferenceStore again(settings);
        QCOMPARE(again.listenAt(QStringLiteral("/srv/a")), (ListenAt{true, 9000}));
        QCOMPARE(again.listenAt(QStringLiteral("/srv/b")), ListenAt());
    }
    void recentWorkspacesAreNewestFirstAndThere() {
        Desk desk;
        QTemporaryDir a, b;
        desk.preferences.remember(a.path());
        desk.preferences.remember(b.path());
        desk.preferences.remember(a.path());
        desk.preferences.remember(QStringLiteral("/nowhere/at/all"));
        const auto there = [&] { return PreferenceStore::existing(desk.preferences.recentWorkspaces()); };
        QCOMPARE(there(), (QStringList{a.path(), b.path()}));
        desk.preferences.forget(a.path());
        QCOMPARE(there(), QStringList{b.path()});
    }
};
ESPALIER_TEST(tst_session, TestSession)
#include "tst_session.moc"
