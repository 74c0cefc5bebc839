// SPDX-License-Identifier: GPL-3.0-or-later
// The window over the real daemon: espalierctl makes a sample workspace, the window starts its engine, loses it, takes
// it up again, stops it, and a second window attaches by URL and key.
#include <QComboBox>
#include <QFile>
#include <QPlainTextEdit>
#include <QProcess>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTcpServer>
#include <QTextBrowser>
#include <csignal>

#include "tests/ui/support/desk.h"
#include "ui/pages/address_dialog.h"
#include "ui/shell/link_strip.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::kDaemonPatienceMs;
using espalier::test::SessionDesk;

class TestRealDaemon : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QVERIFY2(!espalierctlPath().isEmpty(), "espalierctl is built beside the tests");
        m_workspace = m_home.filePath(QStringLiteral("sample"));
        QProcess sample;
        sample.start(espalierctlPath(), {QStringLiteral("sample"), m_workspace, QStringLiteral("--quiet")});
        QVERIFY(sample.waitForFinished(kDaemonPatienceMs));
        QVERIFY2(sample.exitCode() == 0, sample.readAllStandardError().constData());
        // The usual port may belong to somebody else on this machine.
        m_daemon.setProgram(espalierctlPath());
        startDaemon();
    }
    void cleanupTestCase() {
        QProcess::execute(espalierctlPath(), {QStringLiteral("--workspace"), m_workspace, QStringLiteral("serve"),
                                              QStringLiteral("--stop"), QStringLiteral("--quiet")});
        m_daemon.waitForFinished(kDaemonPatienceMs);
    }
    void theWindowFindsTheEngineOfItsWorkspaceAndTalksToItsModel() {
        SessionDesk desk;
        desk.session.window().show();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(desk.attached());
        QCOMPARE(desk.session.engine().access(), Access::Owner);
        QTRY_VERIFY(desk.session.workspace().models().rowCount() > 0);
        desk.session.window().goTo(QStringLiteral("playground"));
        auto* input = desk.session.window().findChild<QPlainTextEdit*>();
        for (auto* edit : desk.session.window().findChildren<QPlainTextEdit*>())
            if (edit->accessibleName() == QLatin1String("Message")) input = edit;
        QTest::keyClicks(input, QStringLiteral("What is an espalier?"));
        QTest::keyClick(input, Qt::Key_Return, Qt::ControlModifier);
        QTRY_VERIFY_WITH_TIMEOUT(desk.session.workspace().snapshot()->counters.contains("generation_tokens_total") &&
                                     desk.session.workspace().snapshot()->counters.at("generation_tokens_total") > 0,
                                 kDaemonPatienceMs);
    }
    void anEngineThatDiesIsShownAndTakenUpAgain() {
        SessionDesk desk;
        Preferences still = desk.preferences.now();
        still.startEngine = false;
        desk.preferences.set(still);
        desk.session.window().show();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(desk.attached());
        auto* strip = desk.session.window().findChild<LinkStrip*>();
        QVERIFY(!strip->isVisible());
        m_daemon.kill();
        QVERIFY(m_daemon.waitForFinished(kDaemonPatienceMs));
        QTRY_VERIFY_WITH_TIMEOUT(strip->isVisible(), kDaemonPatienceMs);
        // It may not be started by itself: the window says so and offers it.
        QTRY_COMPARE_WITH_TIMEOUT(desk.session.engine().link(), Link::Detached, kDaemonPatienceMs);
        QVERIFY(strip->text().contains(QLatin1String("No engine runs for sample")));
        QVERIFY(desk.session.window().actions().get(action::kStartEngine)->isEnabled());
        startDaemon();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(desk.attached());
        QVERIFY(!strip->isVisible());
    }
    void aColleagueAttachesByAddressAndKeyAndClosesWithoutStoppingAnything() {
        SessionDesk owner;
        owner.session.window().show();
        owner.session.openWorkspace(m_workspace);
        QVERIFY(owner.attached());
        const DaemonAddress address = owner.session.engine().address();
        {
            SessionDesk guest;
            guest.session.window().show();
            guest.session.engine().attach(address.url, address.key);
            QVERIFY(guest.attached());
            QCOMPARE(guest.session.engine().access(), Access::Admin);
            QVERIFY(!guest.session.window().actions().get(action::kImport)->isVisible());
            guest.session.engine().attach(address.url, QStringLiteral("esp_not_the_key"));
            QTRY_COMPARE_WITH_TIMEOUT(guest.session.engine().link(), Link::Refused, kDaemonPatienceMs);
            guest.session.window().close();
            QVERIFY(guest.told.isEmpty());
        }
        owner.session.window().close();
        QVERIFY(findDaemon(m_workspace).has_value());
    }
    void theSampleIsMadeOneAtATimeAndAgainWhereItIsThere() {
        const QString folder = m_home.filePath(QStringLiteral("another"));
        SampleMaker maker;
        QSignalSpy made(&maker, &SampleMaker::made), failed(&maker, &SampleMaker::failed);
        for (int round = 1; round <= 2; ++round) {
            maker.make(folder);
            maker.make(folder);
            QVERIFY(maker.isRunning());
            QTRY_COMPARE_WITH_TIMEOUT(made.count() + failed.count(), round, kDaemonPatienceMs);
            QVERIFY(!maker.isRunning());
        }
        QCOMPARE(failed.count(), 0);
        QVERIFY(QFile::exists(folder + QStringLiteral("/workspace.db")));
        QFile inTheWay(m_home.filePath(QStringLiteral("file")));
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        maker.make(inTheWay.fileName());
        QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, kDaemonPatienceMs);
        QVERIFY(!failed[0][0].value<Error>().message.empty());
    }
    // `serve --tls-cert`: the window trusts the certificate that the workspace names, and no other.
    void anEngineThatSpeaksTlsIsOpened() {
        QTemporaryDir folder;
        const QString certificate = folder.filePath(QStringLiteral("cert.pem")),
                      key = folder.filePath(QStringLiteral("key.pem"));
        QProcess openssl;
        openssl.start(
            QStringLiteral("openssl"),
            {QStringLiteral("req"), QStringLiteral("-x509"), QStringLiteral("-newkey"), QStringLiteral("rsa:2048"),
             QStringLiteral("-nodes"), QStringLiteral("-days"), QStringLiteral("2"), QStringLiteral("-subj"),
             QStringLiteral("/CN=espalier"), QStringLiteral("-keyout"), key, QStringLiteral("-out"), certificate});
        QVERIFY2(openssl.waitForFinished(kDaemonPatienceMs) && openssl.exitCode() == 0,
                 "the openssl program, which ./dev installs");
        const QString workspace = folder.filePath(QStringLiteral("ws"));
        QProcess daemon;
        daemon.start(espalierctlPath(), {QStringLiteral("serve"), QStringLiteral("--workspace"), workspace,
                                         QStringLiteral("--port"), QStringLiteral("0"), QStringLiteral("--tls-cert"),
                                         certificate, QStringLiteral("--tls-key"), key, QStringLiteral("--json")});
        QVERIFY(daemon.waitForStarted());
        QVERIFY(QTest::qWaitFor([&] { return findDaemon(workspace).has_value(); }, kDaemonPatienceMs));
        {
            SessionDesk desk;
            desk.session.window().show();
            desk.session.openWorkspace(workspace);
            QVERIFY(desk.attached());
            QCOMPARE(desk.session.engine().address().url.scheme(), QStringLiteral("https"));
            QCOMPARE(desk.session.engine().address().certificateFile, certificate);
            // By its address alone nothing says that it may be trusted.
            const DaemonAddress address = desk.session.engine().address();
            desk.session.engine().attach(address.url, address.key);
            QTRY_COMPARE_WITH_TIMEOUT(desk.session.engine().link(), Link::Lost, kDaemonPatienceMs);
        }
        daemon.terminate();
        QVERIFY(QTest::qWaitFor([&] { return daemon.state() == QProcess::NotRunning; }, kDaemonPatienceMs));
    }
    void theEngineIsRestartedOnThePortThatWasChosen() {
        SessionDesk desk;
        desk.session.window().show();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(desk.attached());
        QTcpServer free;
        QVERIFY(free.listen(QHostAddress::LocalHost));
        const int port = free.serverPort();
        free.close();
        desk.session.window().actions().get(action::kAddress)->trigger();
        AddressDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = desk.session.window().findChild<AddressDialog*>()) && dialog->isVisible());
        dialog->findChild<QSpinBox*>()->setValue(port);
        for (auto* button : dialog->findChildren<QPushButton*>())
            if (button->accessibleName() == QLatin1String("Restart the engine"))
                QTest::mouseClick(button, Qt::LeftButton);
        QTRY_COMPARE_WITH_TIMEOUT(desk.session.engine().address().url.port(), port, kDaemonPatienceMs);
        QVERIFY(desk.attached());
        QCOMPARE(desk.preferences.listenAt(m_workspace), (ListenAt{false, port}));
        QTRY_COMPARE_WITH_TIMEOUT(m_daemon.state(), QProcess::NotRunning, kDaemonPatienceMs);
        // The one that was started detached goes as well, for the tests that follow.
        desk.session.window().actions().get(action::kStopEngine)->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(!findDaemon(m_workspace), kDaemonPatienceMs);
        startDaemon();
    }
    void stoppingTheEngineEndsItAndNoneIsStartedForIt() {
        SessionDesk desk;
        desk.session.window().show();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(desk.attached());
        desk.session.window().actions().get(action::kStopEngine)->trigger();
        QTRY_COMPARE_WITH_TIMEOUT(desk.session.engine().link(), Link::Detached, kDaemonPatienceMs);
        // Not waitForFinished: the daemon drains, and ends its answers only while this thread reads them.
        QTRY_COMPARE_WITH_TIMEOUT(m_daemon.state(), QProcess::NotRunning, kDaemonPatienceMs);
        QTest::qWait(600);
        QVERIFY(!findDaemon(m_workspace));
        QVERIFY(desk.session.window().findChild<LinkStrip*>()->isVisible());
    }

private:
    void startDaemon() {
        m_daemon.setArguments({QStringLiteral("serve"), QStringLiteral("--workspace"), m_workspace,
                               QStringLiteral("--port"), QStringLiteral("0"), QStringLiteral("--threads"),
                               QStringLiteral("1"), QStringLiteral("--json")});
        m_daemon.start();
        QVERIFY(m_daemon.waitForStarted());
        QVERIFY(QTest::qWaitFor([this] { return findDaemon(m_workspace).has_value(); }, kDaemonPatienceMs));
    }

    QTemporaryDir m_home;
    QString m_workspace;
    QProcess m_daemon;
};
ESPALIER_TEST(tst_real_daemon, TestRealDaemon)
#include "tst_real_daemon.moc"
