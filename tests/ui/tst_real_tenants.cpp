// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants from the window to the real daemon and back: one is made, its key answers a question elsewhere, what it used
// is in the table, the isolation check passes, and a revocation holds.
#include <QLineEdit>
#include <QProcess>
#include <QTableView>

#include "tests/ui/support/desk.h"
#include "ui/models/tenant_table.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::kDaemonPatienceMs;
using espalier::test::SessionDesk;

class TestRealTenants : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() {
        QVERIFY2(!espalierctlPath().isEmpty(), "espalierctl is built beside the tests");
        m_workspace = m_home.filePath(QStringLiteral("sample"));
        QProcess sample;
        sample.start(espalierctlPath(), {QStringLiteral("sample"), m_workspace, QStringLiteral("--quiet")});
        QVERIFY(sample.waitForFinished(kDaemonPatienceMs));
        QVERIFY2(sample.exitCode() == 0, sample.readAllStandardError().constData());
        m_daemon.setProgram(espalierctlPath());
        m_daemon.setArguments({QStringLiteral("serve"), QStringLiteral("--workspace"), m_workspace,
                               QStringLiteral("--port"), QStringLiteral("0"), QStringLiteral("--threads"),
                               QStringLiteral("1"), QStringLiteral("--json")});
        m_daemon.start();
        QVERIFY(m_daemon.waitForStarted());
        QVERIFY(QTest::qWaitFor([this] { return findDaemon(m_workspace).has_value(); }, kDaemonPatienceMs));
    }
    void cleanupTestCase() {
        QProcess::execute(espalierctlPath(), {QStringLiteral("--workspace"), m_workspace, QStringLiteral("serve"),
                                              QStringLiteral("--stop"), QStringLiteral("--quiet")});
        m_daemon.waitForFinished(kDaemonPatienceMs);
    }
    void aTenantIsMadeUsesItsKeyIsCountedAndRevoked() {
        SessionDesk desk;
        desk.session.window().show();
        desk.session.openWorkspace(m_workspace);
        QVERIFY(QTest::qWaitFor([&] { return desk.session.workspace().snapshot() != nullptr; }, kDaemonPatienceMs));
        QTRY_VERIFY_WITH_TIMEOUT(desk.session.workspace().models().rowCount() > 0, kDaemonPatienceMs);
        desk.session.window().goTo(QStringLiteral("tenants"));
        QVERIFY(desk.click(QStringLiteral("New tenant"), kDaemonPatienceMs));
        auto* name = desk.find<QLineEdit>(QStringLiteral("Name of the new tenant"));
        QVERIFY(name);
        QTest::keyClicks(name, QStringLiteral("havel-legal"));
        QTest::keyClick(name, Qt::Key_Return);
        QLineEdit* shown = nullptr;
        QTRY_VERIFY_WITH_TIMEOUT((shown = desk.find<QLineEdit>(QStringLiteral("New key"))), kDaemonPatienceMs);
        const QString key = shown->text();
        QVERIFY(desk.click(QStringLiteral("Done"), kDaemonPatienceMs));

        // A program of the tenant, with that key.
        EngineClient program;
        program.attach(desk.session.engine().address().url, key);
        QTRY_COMPARE_WITH_TIMEOUT(program.link(), Link::Attached, kDaemonPatienceMs);
        QCOMPARE(program.access(), Access::Guest);
        ChatRequest question;
        question.model = QString::fromStdString(desk.session.workspace().models().models().front().name);
        question.messages = {{QStringLiteral("user"), QStringLiteral("What is an espalier?")}};
        const auto ask = [&] {
            bool isOver = false;
            std::optional<Error> error;
            const QPointer<ChatStream> stream = program.chat(question, this);
            connect(stream.data(), &ChatStream::failed, this, [&](const Error& why) { error = why; });
            connect(stream.data(), &ChatStream::finished, this, [&] { isOver = true; });
            (void)QTest::qWaitFor([&] { return isOver || error; }, kDaemonPatienceMs);
            delete stream.data();  // what it may still say is not for this call; it may be gone
            return error ? error->message : std::string(isOver ? "" : "no end");
        };
        QCOMPARE(ask(), std::string());
        auto* table = desk.find<QTableView>(QStringLiteral("Tenants"));
        QVERIFY(table);
        const auto cell = [&](int column) {  // beside the tenants of the sample
            for (int row = 0; row < table->model()->rowCount(); ++row)
                if (table->model()->index(row, TenantTable::Name).data().toString() == QLatin1String("havel-legal"))
                    return table->model()->index(row, column).data().toString();
            return QString();
        };
        QTRY_VERIFY_WITH_TIMEOUT(cell(TenantTable::Today) != QLatin1String("0"), kDaemonPatienceMs);
        QCOMPARE(cell(TenantTable::State), QStringLiteral("Active"));

        QVERIFY(desk.click(QStringLiteral("Isolation check"), kDaemonPatienceMs));
        const auto verdict = [&]() -> QString {
            for (const auto* badge : desk.session.window().findChildren<Badge*>())
                if (badge->isVisible() && badge->word().contains(QLatin1String("solated"))) return badge->word();
            return {};
        };
        QTRY_COMPARE_WITH_TIMEOUT(verdict(), QStringLiteral("Isolated"), kDaemonPatienceMs);

        QVERIFY(desk.click(QStringLiteral("Revoke the tenant"), kDaemonPatienceMs));
        QTRY_COMPARE_WITH_TIMEOUT(cell(TenantTable::State), QStringLiteral("Revoked"), kDaemonPatienceMs);
        QVERIFY(ask().find("revoked") != std::string::npos);
    }

private:
    QTemporaryDir m_home;
    QString m_workspace;
    QProcess m_daemon;
};
ESPALIER_TEST(tst_real_tenants, TestRealTenants)
#include "tst_real_tenants.moc"
