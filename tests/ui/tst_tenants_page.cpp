// SPDX-License-Identifier: GPL-3.0-or-later
// The Tenants page by mouse and keys: a tenant is made, its key is shown once, limits hold and can be undone.
#include <QClipboard>
#include <QDialog>
#include <QFile>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLineEdit>
#include <QListWidget>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/pages/tenant_inspector.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/plot.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

QTableView* table(Bench& bench) {
    return bench.find<QTableView>(QStringLiteral("Tenants"));
}

QLineEdit* field(Bench& bench, const char* name) {
    return bench.find<QLineEdit>(QString::fromLatin1(name));
}

TenantLimits limitsOf(Bench& bench, const std::string& tenant) {
    return bench.daemon.tenants.registry().limitsOf(tenant).value();
}

// Types a value over what stands in a field and leaves it by Enter, as a person does.
bool typeLimit(Bench& bench, const char* name, const QString& value) {
    QLineEdit* edit = field(bench, name);
    if (!edit) return false;
    QTest::mouseDClick(edit, Qt::LeftButton);
    edit->selectAll();
    QTest::keyClicks(edit, value);
    QTest::keyClick(edit, Qt::Key_Return);
    return true;
}

bool clickRow(Bench& bench, int row) {
    QTableView* view = table(bench);
    if (!view || view->model()->rowCount() <= row) return false;
    QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, view->visualRect(view->model()->index(row, 0)).center());
    return true;
}

QString cell(Bench& bench, int row, int column) {
    return table(bench)->model()->index(row, column).data().toString();
}

struct Tenanted : Bench {
    Tenanted() {
        daemon.addModel("alpha");
        daemon.addModel("beta");
        daemon.tenants.registry().create("ada",
                                         {.maxConcurrency = 8, .requestsPerMinute = 120, .tokensPerDay = 2000000});
        daemon.tenants.registry().createKey("ada");
        daemon.tenants.registry().create("bo", {});
        daemon.tenants.usage = {{"ada", QDateTime::currentMSecsSinceEpoch() / kDayMs * kDayMs, 3, 1, 1200, 0, 300}};
    }
};

}  // namespace

class TestTenantsPage : public QObject {
    Q_OBJECT
private slots:
    void withoutTenants_thePageSaysWhatOneIsAndMakesTheFirst() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QVERIFY(bench.click(QStringLiteral("Make the first tenant")));
        QLineEdit* name = field(bench, "Name of the new tenant");
        QTRY_VERIFY(name && name->hasFocus());
        QTest::keyClicks(name, QStringLiteral("havel-legal"));
        QVERIFY(bench.click(QStringLiteral("Create")));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        const QString key = bench.find<QLineEdit>(QStringLiteral("New key"))->text();
        QVERIFY(key.startsWith(QLatin1String("esp_")));
        QVERIFY(bench.click(QStringLiteral("Copy the key")));
        QCOMPARE(QGuiApplication::clipboard()->text(), key);
        QVERIFY(bench.click(QStringLiteral("Done")));
        QTRY_VERIFY(!bench.find<QLineEdit>(QStringLiteral("New key")));
        QTRY_COMPARE(table(bench)->model()->rowCount(), 1);
        QCOMPARE(cell(bench, 0, TenantTable::Name), QStringLiteral("havel-legal"));
        QCOMPARE(cell(bench, 0, TenantTable::State), QStringLiteral("Active"));
        QVERIFY(bench.daemon.tenants.registry().tenantOf(key.toStdString()));
    }
    void aNameThatIsRefused_saysSoAndStays() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QVERIFY(bench.click(QStringLiteral("New tenant")));
        QLineEdit* name = field(bench, "Name of the new tenant");
        QTest::keyClicks(name, QStringLiteral("ada"));
        QTest::keyClick(name, Qt::Key_Return);
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QLatin1String("already")));
        QVERIFY(name->isVisible());
        QTest::keyClick(name, Qt::Key_Escape);
        QTRY_VERIFY(!name->isVisible());
    }
    void limits_holdWhenEnterIsPressedAndUndoTakesThemBack() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(field(bench, "Requests a minute")->text(), QStringLiteral("120"));
        QVERIFY(typeLimit(bench, "Requests a minute", QStringLiteral("60")));
        QTRY_COMPARE(limitsOf(bench, "ada").requestsPerMinute, std::int64_t{60});
        QVERIFY(typeLimit(bench, "Tokens a day", QStringLiteral("2.5 M")));
        QTRY_COMPARE(limitsOf(bench, "ada").tokensPerDay, std::int64_t{2500000});
        QVERIFY(typeLimit(bench, "Weight", QStringLiteral("4")));
        QTRY_COMPARE(limitsOf(bench, "ada").weight, 4.0);
        QVERIFY(typeLimit(bench, "Expires", QStringLiteral("2999-01-01")));
        QTRY_VERIFY(limitsOf(bench, "ada").expiresAt > 0);
        table(bench)->setFocus();
        for (int i = 0; i < 4; ++i) {
            QTRY_VERIFY(bench.window.actions().get(action::kUndo)->isEnabled());
            const int before = bench.daemon.count(QStringLiteral("tenant-limit"));
            QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
            QTRY_COMPARE(bench.daemon.count(QStringLiteral("tenant-limit")), before + 1);
        }
        QTRY_COMPARE(limitsOf(bench, "ada").requestsPerMinute, std::int64_t{120});
        QCOMPARE(limitsOf(bench, "ada").tokensPerDay, std::int64_t{2000000});
        QCOMPARE(limitsOf(bench, "ada").weight, 1.0);
        QCOMPARE(limitsOf(bench, "ada").expiresAt, std::int64_t{0});
        QTRY_COMPARE(field(bench, "Requests a minute")->text(), QStringLiteral("120"));
        QTRY_VERIFY(!bench.window.actions().get(action::kUndo)->isEnabled());
    }
    void aLimitThatIsNone_isSaidAndSet() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(field(bench, "Tokens a minute")->text(), QStringLiteral("none"));
        QVERIFY(typeLimit(bench, "Calls at once", QStringLiteral("none")));
        QTRY_COMPARE(limitsOf(bench, "ada").maxConcurrency, std::int64_t{0});
        QVERIFY(typeLimit(bench, "Tokens a minute", QStringLiteral("many")));  // no number: what holds stands again
        QTRY_COMPARE(field(bench, "Tokens a minute")->text(), QStringLiteral("none"));
        QVERIFY(typeLimit(bench, "Weight", QStringLiteral("0")));  // a number that the daemon refuses
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QTRY_COMPARE(field(bench, "Weight")->text(), QStringLiteral("1"));
    }
    void keys_areMadeRotatedRevokedAndTheRevocationUndone() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        const auto keys = [&] { return bench.daemon.tenants.registry().find("ada")->keys; };
        const QString first = QString::fromStdString(keys().at(0).prefix) + QStringLiteral("…");
        QVERIFY(bench.click(QStringLiteral("Rotate ") + first));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        QVERIFY(bench.click(QStringLiteral("Done")));
        QCOMPARE(keys().size(), std::size_t{2});
        QVERIFY(keys().at(0).revokedAt);
        QVERIFY(bench.click(QStringLiteral("New key")));
        QTRY_COMPARE(keys().size(), std::size_t{3});
        QVERIFY(bench.click(QStringLiteral("Done")));
        const QString second = QString::fromStdString(keys().at(1).prefix) + QStringLiteral("…");
        QVERIFY(bench.click(QStringLiteral("Revoke ") + second));
        QTRY_VERIFY(keys().at(1).revokedAt);
        QTRY_VERIFY(bench.window.actions().get(action::kUndo)->isEnabled());
        bench.window.actions().get(action::kUndo)->trigger();
        QTRY_VERIFY(!keys().at(1).revokedAt);
    }
    void revoking_isShownAndCanBeTakenBack() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 1));
        QVERIFY(bench.click(QStringLiteral("Revoke the tenant")));
        QTRY_COMPARE(cell(bench, 1, TenantTable::State), QStringLiteral("Revoked"));
        QCOMPARE(cell(bench, 0, TenantTable::State), QStringLiteral("Active"));
        QVERIFY(bench.click(QStringLiteral("Restore the tenant")));
        QTRY_COMPARE(cell(bench, 1, TenantTable::State), QStringLiteral("Active"));
    }
    void models_areAllowedByCheckingThem() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        auto* list = bench.find<QListWidget>(QStringLiteral("Models allowed"));
        QTRY_COMPARE(list->count(), 2);
        list->setCurrentRow(1);
        list->setFocus();
        QTest::keyClick(list, Qt::Key_Space);
        QTRY_COMPARE(limitsOf(bench, "ada").models, std::vector<std::string>{"beta"});
        QTRY_COMPARE(cell(bench, 0, TenantTable::Models), QStringLiteral("1"));
    }
    void use_isInTheTableThePlotAndTheFile() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(cell(bench, 0, TenantTable::Days), QStringLiteral("1.50 k"));
        const auto* plot = bench.find<Plot>(QStringLiteral("Usage, tokens a day"));
        QVERIFY(plot);
        QTRY_COMPARE(plot->valueAt(0, std::nullopt), 1200.0);
        QCOMPARE(plot->valueAt(1, std::nullopt), 300.0);
        QCOMPARE(plot->content().reference, std::optional(2000000.0));
        QVERIFY(bench.click(QStringLiteral("Export usage of this tenant")));
        QFileDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = bench.window.findChild<QFileDialog*>()));
        const QString path = bench.folder.filePath(QStringLiteral("usage.csv"));
        emit dialog->fileSelected(path);
        dialog->close();
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray csv = file.readAll();
        QVERIFY2(csv.startsWith("tenant,day,requests"), csv.constData());
        QVERIFY(csv.contains(",3,1,1200,0,300"));
    }
    void whereTheWindowIsNarrow_theInspectorOpensInPlaceAndEscReturns() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants"), {1024, 768}));
        QTRY_VERIFY(clickRow(bench, 0));
        QVERIFY(!field(bench, "Requests a minute"));
        QTest::keyClick(table(bench), Qt::Key_Return);
        QTRY_VERIFY(field(bench, "Requests a minute"));
        QVERIFY(!table(bench));
        QTest::keyClick(field(bench, "Requests a minute"), Qt::Key_Escape);
        QTRY_VERIFY(table(bench));
    }
    void aChangeElsewhere_isFollowed() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_COMPARE(table(bench)->model()->rowCount(), 2);
        bench.daemon.tenants.registry().create("cy", {});
        bench.daemon.sendEvent(TenantChanged{"cy", "created"});
        QTRY_COMPARE(table(bench)->model()->rowCount(), 3);
    }
    void counts_areReadAsPeopleWriteThem() {
        QCOMPARE(*countFromText(QStringLiteral("120")), std::int64_t{120});
        QCOMPARE(*countFromText(QStringLiteral("30 k")), std::int64_t{30000});
        QCOMPARE(*countFromText(QStringLiteral("2.5M")), std::int64_t{2500000});
        QCOMPARE(*countFromText(QStringLiteral("2,000,000")), std::int64_t{2000000});
        QCOMPARE(*countFromText(QString()), std::int64_t{0});
        QCOMPARE(*countFromText(QStringLiteral("none")), std::int64_t{0});
        for (const char* wrong : {"-1", "many", "1.5", "k", "1e99", "0.0001k"})
            QVERIFY2(!countFromText(QString::fromLatin1(wrong)), wrong);
    }
};
ESPALIER_TEST(tst_tenants_page, TestTenantsPage)
#include "tst_tenants_page.moc"
