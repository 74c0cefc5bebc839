// SPDX-License-Identifier: GPL-3.0-or-later
// The Tenants page by mouse and keys: a tenant is made, its key is shown once, limits hold and can be undone.
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QFile>
#include <QFileDialog>
#include <QGuiApplication>
#include <QLineEdit>
#include <QListWidget>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/models/limit_text.h"
#include "ui/models/tenant_load_table.h"
#include "ui/models/tenant_table.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/plot.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;
using espalier::test::FakeDaemon;

namespace {

QTableView* table(Bench& bench) {
    return bench.find<QTableView>(QStringLiteral("Tenants"));
}

QLineEdit* field(Bench& bench, const char* name) {
    return bench.find<QLineEdit>(QString::fromLatin1(name));
}
QString shown(Bench& bench, const char* name) {
    const QLineEdit* edit = field(bench, name);
    return edit ? edit->text() : QString();
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
    const QTableView* view = table(bench);  // not there before the first record
    return view ? view->model()->index(row, column).data().toString() : QString();
}

int rowsShown(Bench& bench) {
    const QTableView* view = table(bench);
    return view ? view->model()->rowCount() : 0;
}

struct Tenanted : Bench {
    Tenanted() {
        daemon.addModel("alpha");
        daemon.addModel("beta");
        daemon.addAdapter("alpha", "legal");
        daemon.tenants.registry()
            .create("ada", {.maxConcurrency = 8, .requestsPerMinute = 120, .tokensPerDay = 2000000})
            .value();
        daemon.tenants.registry().createKey("ada").value();
        daemon.tenants.registry().create("bo", {}).value();
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
        QLineEdit* name = nullptr;
        QTRY_VERIFY((name = field(bench, "Name of the new tenant")) && name->hasFocus());
        QTest::keyClicks(name, QStringLiteral("havel-legal"));
        QVERIFY(bench.click(QStringLiteral("Create")));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        const QString key = bench.find<QLineEdit>(QStringLiteral("New key"))->text();
        QVERIFY(key.startsWith(QLatin1String("esp_")));
        QVERIFY(bench.click(QStringLiteral("Copy the key")));
        QCOMPARE(QGuiApplication::clipboard()->text(), key);
        QVERIFY(bench.click(QStringLiteral("Done")));
        QTRY_VERIFY(!bench.find<QLineEdit>(QStringLiteral("New key")));
        QTRY_COMPARE(rowsShown(bench), 1);
        QCOMPARE(cell(bench, 0, TenantTable::Name), QStringLiteral("havel-legal"));
        QCOMPARE(cell(bench, 0, TenantTable::State), QStringLiteral("Active"));
        QVERIFY(bench.daemon.tenants.registry().tenantOf(key.toStdString()));
    }
    void aNameThatIsRefused_saysSoAndStays() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QVERIFY(bench.click(QStringLiteral("New tenant")));
        QLineEdit* name = nullptr;
        QTRY_VERIFY((name = field(bench, "Name of the new tenant")));
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
        QTRY_COMPARE(shown(bench, "Requests a minute"), QStringLiteral("120"));
        QVERIFY(typeLimit(bench, "Requests a minute", QStringLiteral("60")));
        QTRY_COMPARE(limitsOf(bench, "ada").requestsPerMinute, std::int64_t{60});
        QVERIFY(typeLimit(bench, "Tokens a day", QStringLiteral("2.5 M")));
        QTRY_COMPARE(limitsOf(bench, "ada").tokensPerDay, std::int64_t{2500000});
        QVERIFY(typeLimit(bench, "Weight", QStringLiteral("4")));
        QTRY_COMPARE(limitsOf(bench, "ada").weight, 4.0);
        QVERIFY(typeLimit(bench, "Expires", QStringLiteral("2999-01-01")));
        QTRY_VERIFY(limitsOf(bench, "ada").expiresAt > 0);
        // The focus is still in the field that was edited last.
        QVERIFY(field(bench, "Expires")->hasFocus());
        for (int i = 0; i < 4; ++i) {
            QTRY_VERIFY(bench.window.actions().get(action::kUndo)->isEnabled());
            const int before = bench.daemon.count(QStringLiteral("tenant-limit"));
            QTest::keyClick(field(bench, "Expires"), Qt::Key_Z, Qt::ControlModifier);
            QTRY_COMPARE(bench.daemon.count(QStringLiteral("tenant-limit")), before + 1);
        }
        QTRY_COMPARE(limitsOf(bench, "ada").requestsPerMinute, std::int64_t{120});
        QCOMPARE(limitsOf(bench, "ada").tokensPerDay, std::int64_t{2000000});
        QCOMPARE(limitsOf(bench, "ada").weight, 1.0);
        QCOMPARE(limitsOf(bench, "ada").expiresAt, std::int64_t{0});
        QTRY_COMPARE(shown(bench, "Requests a minute"), QStringLiteral("120"));
        QTRY_VERIFY(!bench.window.actions().get(action::kUndo)->isEnabled());
    }
    void aLimitThatIsNone_isSaidAndSet() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(shown(bench, "Tokens a minute"), QStringLiteral("none"));
        QVERIFY(typeLimit(bench, "Calls at once", QStringLiteral("none")));
        QTRY_COMPARE(limitsOf(bench, "ada").maxConcurrency, std::int64_t{0});
        // No number: said so, and what holds stands again.
        const int asked = bench.daemon.count(QStringLiteral("tenant-limit"));
        QVERIFY(typeLimit(bench, "Tokens a minute", QStringLiteral("many")));
        QTRY_COMPARE(shown(bench, "Tokens a minute"), QStringLiteral("none"));
        bool isSaid = false;
        for (const auto* label : bench.window.findChildren<QLabel*>())
            isSaid |= label->isVisible() && label->text().contains(QStringLiteral("“many” is not a number"));
        QVERIFY(isSaid);
        QCOMPARE(bench.daemon.count(QStringLiteral("tenant-limit")), asked);
        QVERIFY(typeLimit(bench, "Weight", QStringLiteral("0")));  // a number that the daemon refuses
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QTRY_COMPARE(shown(bench, "Weight"), QStringLiteral("1"));
    }
    void escDropsWhatIsTypedAndChangesNothing() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(shown(bench, "Requests a minute"), QStringLiteral("120"));
        QLineEdit* edit = field(bench, "Requests a minute");
        QTest::mouseClick(edit, Qt::LeftButton);
        QTest::keyClicks(edit, QStringLiteral("99"));
        QVERIFY(edit->text() != QLatin1String("120"));
        // While something is typed, Ctrl+Z is the field's.
        QTest::keyClick(edit, Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(edit->text(), QStringLiteral("120"));
        QTest::keyClicks(edit, QStringLiteral("99"));
        QTest::keyClick(edit, Qt::Key_Escape);
        QCOMPARE(edit->text(), QStringLiteral("120"));
        QVERIFY(edit->hasFocus());
        QTest::keyClick(edit, Qt::Key_Tab);
        QVERIFY(!edit->hasFocus());
        QCOMPARE(bench.daemon.count(QStringLiteral("tenant-limit")), 0);
    }
    void theFocusStaysOnAKeysButtonWhileTheListIsReadAgain() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        const QString prefix = QString::fromStdString(bench.daemon.tenants.registry().find("ada")->keys.at(0).prefix);
        const QString name = QStringLiteral("Revoke ") + prefix + QStringLiteral("…");
        QPushButton* revoke = nullptr;
        QTRY_VERIFY((revoke = bench.find<QPushButton>(name)));
        revoke->setFocus();
        const int before = bench.daemon.count(QStringLiteral("tenants"));
        bench.daemon.tenants.registry().create("zoe", {}).value();
        bench.daemon.sendEvent(TenantChanged{"zoe", "created"});
        QTRY_VERIFY(bench.daemon.count(QStringLiteral("tenants")) > before);
        QTRY_COMPARE(rowsShown(bench), 3);
        QVERIFY(revoke->hasFocus());
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
        QListWidget* list = nullptr;
        QTRY_VERIFY((list = bench.find<QListWidget>(QStringLiteral("Models and adapters allowed"))));
        QTRY_COMPARE(list->count(), 4);  // alpha, alpha:*, alpha:legal, beta
        QCOMPARE(list->item(1)->text(), QStringLiteral("every adapter of alpha"));
        QCOMPARE(list->item(2)->text(), QStringLiteral("alpha:legal"));
        QCOMPARE(list->item(2)->data(Qt::AccessibleTextRole).toString(), QStringLiteral("alpha:legal, r16, 80.0 MiB"));
        list->setCurrentRow(3);
        list->setFocus();
        QTest::keyClick(list, Qt::Key_Space);
        QTRY_COMPARE(limitsOf(bench, "ada").models, std::vector<std::string>{"beta"});
        QTRY_COMPARE(cell(bench, 0, TenantTable::Models), QStringLiteral("1"));
        list->setCurrentRow(1);
        QTest::keyClick(list, Qt::Key_Space);
        QTRY_COMPARE(limitsOf(bench, "ada").models, (std::vector<std::string>{"alpha:*", "beta"}));
    }
    void use_isInTheTableThePlotAndTheFile() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_COMPARE(cell(bench, 0, TenantTable::Days), QStringLiteral("1,500"));
        const Plot* plot = nullptr;
        QTRY_VERIFY((plot = bench.find<Plot>(QStringLiteral("Usage in tokens"))));
        QTRY_COMPARE(plot->valueAt(0, std::nullopt), 1200.0);
        QCOMPARE(plot->valueAt(1, std::nullopt), 300.0);
        QCOMPARE(plot->content().reference, std::optional(2000000.0));
        QVERIFY(plot->content().bars);
        // A track says that there is a limit.
        const auto share = [&](int row) {
            return table(bench)->model()->index(row, TenantTable::Today).data(ShareRole);
        };
        QVERIFY(share(0).isValid());
        QVERIFY(!share(1).isValid());
        QVERIFY(bench.click(QStringLiteral("Export usage of this tenant")));
        QFileDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = bench.window.findChild<QFileDialog*>()));
        const QString path = bench.folder.filePath(QStringLiteral("usage.csv"));
        emit dialog->fileSelected(path);
        dialog->close();
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray csv = file.readAll();
        QVERIFY2(csv.startsWith("tenant,from,requests"), csv.constData());
        QVERIFY(csv.contains(",3,1,1200,0,300"));
        QVERIFY(bench.click(QStringLiteral("Export usage of this tenant")));
        QTRY_VERIFY((dialog = bench.find<QFileDialog>(QString())));
        const QString document = bench.folder.filePath(QStringLiteral("usage.json"));
        emit dialog->fileSelected(document);
        dialog->close();
        QFile json(document);
        QVERIFY(json.open(QIODevice::ReadOnly));
        const auto rows = parseJson(json.readAll().toStdString(), "usage");
        QVERIFY(rows && rows->size() == 1);
        QCOMPARE(QString::fromStdString((*rows)[0].value("tenant", "")), QStringLiteral("ada"));
        QCOMPARE((*rows)[0].value("prompt_tokens", 0), 1200);
    }
    void useIsShownByTheHour() {
        Tenanted bench;
        const qint64 hour = QDateTime::currentMSecsSinceEpoch() / kHourMs * kHourMs;
        bench.daemon.tenants.usage = {{"ada", hour - kHourMs, 1, 0, 700, 0, 70}, {"ada", hour, 1, 0, 500, 0, 50}};
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QVERIFY(bench.click(QStringLiteral("Usage shown: 48 hours")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("usage"), "by"), QStringLiteral("hour"));
        QCOMPARE(bench.daemon.argument(QStringLiteral("usage"), "tenant"), QStringLiteral("ada"));
        Plot* plot = nullptr;
        QTRY_VERIFY((plot = bench.find<Plot>(QStringLiteral("Usage in tokens"))));
        // The hour may end while the test runs: each value stands at its own place in time.
        QTRY_COMPARE(plot->valueAt(0, double(hour / kHourMs)), 500.0);
        QCOMPARE(plot->valueAt(0, double(hour / kHourMs - 1)), 700.0);
        QCOMPARE(plot->valueAt(1, double(hour / kHourMs - 1)), 70.0);
        QCOMPARE(plot->valueAt(0, double(hour / kHourMs - 2)), 0.0);
        QVERIFY(!plot->content().reference);
        plot->setFocus();
        QTest::keyClick(plot, Qt::Key_Left);
        QTRY_VERIFY(plot->content().mark);
        QVERIFY(plot->content().markName.contains(QLatin1String("Prompt")));
        QVERIFY(bench.click(QStringLiteral("Usage shown: 30 days")));
        QTRY_COMPARE(plot->content().rangeTo - plot->content().rangeFrom, double(kUsageDays));
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
        // The chevron of a row leads in and a button leads back; wide windows have neither.
        const auto* model = table(bench)->model();
        for (const int hidden : {TenantTable::Models, TenantTable::Weight})
            QVERIFY(table(bench)->isColumnHidden(hidden));
        QVERIFY(!table(bench)->isColumnHidden(TenantTable::Open));
        QTest::mouseClick(table(bench)->viewport(), Qt::LeftButton, {},
                          table(bench)->visualRect(model->index(1, TenantTable::Open)).center());
        QTRY_VERIFY(!table(bench));
        QPushButton* back = nullptr;
        for (auto* button : bench.window.findChildren<QPushButton*>())
            if (button->isVisible() && button->text() == QLatin1String("All tenants")) back = button;
        QVERIFY(back && back->hasFocus());
        QTest::keyClick(back, Qt::Key_Space);
        QTRY_VERIFY(table(bench));
        QVERIFY(table(bench)->hasFocus());
        bench.window.resize(1440, 900);
        QTRY_VERIFY(table(bench)->isColumnHidden(TenantTable::Open));
        QVERIFY(!back->isVisible());
    }
    void theUnitOfALimitStandsInItsField() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QTRY_VERIFY(field(bench, "Tokens a day"));
        // What is typed ends before the unit; the fields of both columns are equally wide.
        QVERIFY(field(bench, "Tokens a day")->textMargins().right() > 8);
        QCOMPARE(field(bench, "Calls at once")->textMargins().right(), 0);
        QCOMPARE(field(bench, "Tokens a day")->width(), field(bench, "Calls at once")->width());
        QWidget* limit = field(bench, "Tokens a day");
        const QImage image = limit->grab().toImage();
        int inked = 0;
        for (int x = limit->width() - 28; x < limit->width() - 8; ++x)
            for (int y = 6; y < limit->height() - 6; ++y)
                inked += image.pixelColor(x, y) != image.pixelColor(limit->width() - 5, limit->height() / 2);
        QVERIFY(inked > 10);
    }
    void aChangeElsewhere_isFollowed() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_COMPARE(rowsShown(bench), 2);
        bench.daemon.tenants.registry().create("cy", {}).value();
        bench.daemon.sendEvent(TenantChanged{"cy", "created"});
        QTRY_COMPARE(rowsShown(bench), 3);
    }
    void aManyTenantsFilterFindsOneAndTheRestComesBack() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_COMPARE(rowsShown(bench), 2);
        QTest::keyClicks(field(bench, "Filter tenants"), QStringLiteral("BO"));
        QTRY_COMPARE(rowsShown(bench), 1);
        QCOMPARE(cell(bench, 0, TenantTable::Name), QStringLiteral("bo"));
        field(bench, "Filter tenants")->clear();
        QTRY_COMPARE(rowsShown(bench), 2);
    }
    void anotherWorkspaceShowsNothingOfTheOneBefore() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QVERIFY(typeLimit(bench, "Requests a minute", QStringLiteral("60")));
        QTRY_VERIFY(bench.window.actions().get(action::kUndo)->isEnabled());
        FakeDaemon other;
        bench.engine.openWorkspace(other.makeWorkspace(bench.folder.filePath(QStringLiteral("elsewhere"))));
        QTRY_VERIFY(bench.find<QPushButton>(QStringLiteral("Make the first tenant")));
        QVERIFY(!bench.window.actions().get(action::kUndo)->isEnabled());
    }
    void serve_showsWhoUsesItNowAndOpensTheTenant() {
        Tenanted bench;
        bench.daemon.snapshot.tenants = {{"bo", 3, 1, 12, 12 << 20, 30.0, 2}, {"ada", 1, 0, 4, 4 << 20, 10.0, 0}};
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("What is shown below: Tenants")));
        QTableView* live = nullptr;
        QTRY_VERIFY((live = bench.find<QTableView>(QStringLiteral("Tenants that use the server"))));
        QTRY_COMPARE(live->model()->rowCount(), 2);
        const auto shown = [&](int row, int column) { return live->model()->index(row, column).data().toString(); };
        QCOMPARE(shown(0, TenantLoadTable::Name), QStringLiteral("ada"));
        QCOMPARE(shown(1, TenantLoadTable::Running), QStringLiteral("3"));
        QCOMPARE(shown(1, TenantLoadTable::Share), QStringLiteral("75 %"));
        QCOMPARE(shown(1, TenantLoadTable::Refused), QStringLiteral("2"));
        bench.daemon.snapshot.tenants.front().running = 5;  // the busiest first: rows stay where they are
        bench.daemon.sendSnapshot();
        QTRY_COMPARE(shown(1, TenantLoadTable::Running), QStringLiteral("5"));
        live->selectRow(1);
        live->setFocus();
        QTest::keyClick(live, Qt::Key_Return);
        QTRY_COMPARE(bench.window.page(), QStringLiteral("tenants"));
        QTRY_VERIFY(table(bench));
        QTRY_COMPARE(cell(bench, table(bench)->currentIndex().row(), TenantTable::Name), QStringLiteral("bo"));
    }
    void theIsolationCheckIsStartedAndItsFindingsAreShown() {
        Tenanted bench;
        bench.daemon.isolation = {
            {"passed", false},
            {"model", "beta"},
            {"adapters", {"legal"}},
            {"compute_mode", "f32"},
            {"kv", "bf16"},
            {"compared", 42},
            {"scenes",
             {{{"name", "crowd"}, {"passed", true}, {"compared", 40}, {"detail", ""}},
              {{"name", "prefix_cache"}, {"passed", true}, {"compared", 2}, {"detail", ""}},
              {{"name", "ends"}, {"passed", false}, {"compared", 2}, {"detail", "token 3 is 7"}}}}};
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(clickRow(bench, 0));
        QVERIFY(bench.click(QStringLiteral("Isolation check")));
        QComboBox* model = nullptr;
        QTRY_VERIFY((model = bench.find<QComboBox>(QStringLiteral("Model to check"))));
        model->setCurrentText(QStringLiteral("beta"));
        QVERIFY(bench.click(QStringLiteral("Start the isolation check")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("isolation-check"), "model"), QStringLiteral("beta"));
        const auto isShown = [&](const QString& part) {
            for (const auto* label : bench.window.findChildren<QLabel*>())
                if (label->isVisible() && label->text().contains(part)) return true;
            for (const auto* label : bench.window.findChildren<TextLabel*>())
                if (label->isVisible() && label->text().contains(part)) return true;
            return false;
        };
        QTRY_VERIFY(isShown(QStringLiteral("42 answers compared; compute f32, KV bf16")));
        QVERIFY(isShown(QStringLiteral("Everyone at once: same bits")));
        QVERIFY(isShown(QStringLiteral("Each first and last: different, token 3 is 7")));
        QVERIFY(isShown(QStringLiteral("Prefixes of other tenants and adapters: none found")));
        QVERIFY(bench.find<QPushButton>(QStringLiteral("Check again whether answers are isolated")));
        bool isSaid = false;
        for (const auto* badge : bench.window.findChildren<Badge*>())
            isSaid |= badge->isVisible() && badge->word() == QLatin1String("Not isolated");
        QVERIFY(isSaid);
        QVERIFY(bench.click(QStringLiteral("Close the isolation check")));
        QVERIFY(!isShown(QStringLiteral("42 answers")));
    }
    void counts_areReadInTheLanguageInUse() {
        const QLocale before;
        QLocale::setDefault(QLocale(QLocale::German));
        const auto dots = countFromText(QStringLiteral("2.000.000")), half = countFromText(QStringLiteral("2,5 M"));
        const auto foreign = countFromText(QStringLiteral("2.5 M"));
        const auto weight = weightFromText(QStringLiteral("1,5"));
        QLocale::setDefault(before);
        QCOMPARE(dots.value_or(-1), std::int64_t{2000000});
        QCOMPARE(half.value_or(-1), std::int64_t{2500000});
        QVERIFY(!foreign);  // not 25 million
        QCOMPARE(weight.value_or(-1), 1.5);
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
