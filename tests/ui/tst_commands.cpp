// SPDX-License-Identifier: GPL-3.0-or-later
// What is done to a tenant, an adapter or the plots, by the palette, by keys and by the menu of a row: the same
// commands everywhere, and none where there is nothing to do it to.
#include <QApplication>
#include <QDialog>
#include <QFileDialog>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QTabBar>
#include <QTableView>
#include <algorithm>

#include "tests/ui/support/bench.h"
#include "ui/models/tenant_table.h"
#include "ui/pages/serve_page.h"
#include "ui/pages/tenants_page.h"
#include "ui/widgets/panel.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

struct Tenanted : Bench {
    Tenanted() {
        daemon.addModel("alpha");
        daemon.addAdapter("alpha", "legal");
        daemon.tenants.registry().create("ada", {.requestsPerMinute = 120}).value();
        daemon.tenants.registry().createKey("ada").value();
        daemon.tenants.registry().create("bo", {}).value();
    }
    QAction* command(const char* id) { return window.actions().get(QString::fromLatin1(id)); }
    // By Ctrl+K, words and Enter, as a person does.
    bool run(const QString& words) {
        const auto isClosed = [this] { return !window.findChild<QDialog*>() || !QApplication::activeModalWidget(); };
        if (!QTest::qWaitFor(isClosed)) return false;
        window.activateWindow();
        if (!QTest::qWaitForWindowActive(&window)) return false;
        QTest::keyClick(&window, Qt::Key_K, Qt::ControlModifier);
        QLineEdit* search = nullptr;
        const auto isOpen = [&] { return (search = find<QLineEdit>(QStringLiteral("Go to or run a command"))); };
        if (!QTest::qWaitFor(isOpen)) return false;
        QTest::keyClicks(search, words);
        QTest::keyClick(search, Qt::Key_Return);
        return true;
    }
    bool choose(const QString& table, int row) {
        auto* view = find<QTableView>(table);
        if (!view || view->model()->rowCount() <= row) return false;
        QTest::mouseClick(view->viewport(), Qt::LeftButton, {},
                          view->visualRect(view->model()->index(row, 0)).center());
        return true;
    }
    Tenants& registry() { return daemon.tenants.registry(); }
};

}  // namespace

class TestCommands : public QObject {
    Q_OBJECT
private slots:
    void limits_areReachedFromAnywhereByKeys() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("home")));
        QTRY_VERIFY(bench.command(action::kTenantLimits)->isEnabled());
        QTest::keyClick(&bench.window, Qt::Key_E, Qt::ControlModifier);
        QTRY_COMPARE(bench.window.page(), QStringLiteral("tenants"));
        QLineEdit* field = nullptr;
        QTRY_VERIFY((field = bench.find<QLineEdit>(QStringLiteral("Requests a minute"))) && field->hasFocus());
        QTest::keyClicks(field, QStringLiteral("60"));
        QTest::keyClick(field, Qt::Key_Return);
        QTRY_COMPARE(bench.registry().limitsOf("ada").value().requestsPerMinute, std::int64_t{60});
        QTRY_VERIFY(bench.command(action::kUndo)->isEnabled());
        QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(bench.registry().limitsOf("ada").value().requestsPerMinute, std::int64_t{120});
    }
    void keys_areMadeAndRotatedByThePalette() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(bench.choose(QStringLiteral("Tenants"), 1));  // bo, without a key
        QTRY_VERIFY(bench.command(action::kTenantKey)->isEnabled());
        QVERIFY(!bench.command(action::kTenantRotate)->isEnabled());
        QVERIFY(bench.run(QStringLiteral("new key")));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        const QString first = bench.find<QLineEdit>(QStringLiteral("New key"))->text();
        QCOMPARE(bench.registry().tenantOf(first.toStdString()).value(), std::string("bo"));
        QVERIFY(bench.click(QStringLiteral("Done")));
        QTRY_VERIFY(bench.command(action::kTenantRotate)->isEnabled());
        QVERIFY(bench.run(QStringLiteral("rotate key")));
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        const QString second = bench.find<QLineEdit>(QStringLiteral("New key"))->text();
        QVERIFY(second != first);
        QVERIFY(!bench.registry().tenantOf(first.toStdString()));
        QCOMPARE(bench.registry().tenantOf(second.toStdString()).value(), std::string("bo"));
        QVERIFY(bench.click(QStringLiteral("Done")));
    }
    void theRowOfATenantHasItsCommands() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(bench.choose(QStringLiteral("Tenants"), 1));
        auto* table = bench.find<QTableView>(QStringLiteral("Tenants"));
        QCOMPARE(table->contextMenuPolicy(), Qt::ActionsContextMenu);
        for (const char* id : {action::kTenantLimits, action::kTenantKey, action::kTenantRotate, action::kTenantRevoke,
                               action::kTenantExport})
            QVERIFY2(table->actions().contains(bench.command(id)), id);
        bench.command(action::kTenantRevoke)->trigger();
        QTRY_VERIFY(bench.registry().find("bo").value().revokedAt.has_value());
        QTRY_VERIFY(!bench.command(action::kTenantKey)->isEnabled());  // nothing opens for it any more
        QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(!bench.registry().find("bo").value().revokedAt.has_value());
    }
    void usageAndIsolation_areReachedByThePalette() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("home")));
        QTRY_VERIFY(bench.command(action::kTenantExport)->isEnabled());
        QVERIFY(bench.run(QStringLiteral("usage this tenant")));
        QFileDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = bench.window.findChild<QFileDialog*>()));
        // Pages ask for usage too, at any time: what was asked for this one is in the name of its file.
        QCOMPARE(QFileInfo(dialog->selectedFiles().value(0)).completeBaseName(), QStringLiteral("usage-ada"));
        dialog->close();
        QTRY_VERIFY(!bench.window.findChild<QFileDialog*>());
        QVERIFY(bench.run(QStringLiteral("isolation")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("isolation-check")), 1);  // there is one model
    }
    void everythingTheTenantsPageOffers_isACommandToo() {
        // The buttons of a key end with it.
        const std::vector<std::pair<QString, const char*>> offers{
            {QStringLiteral("New tenant"), action::kNewTenant},
            {QStringLiteral("Export usage of this tenant"), action::kTenantExport},
            {QStringLiteral("Export usage"), action::kExportUsage},
            {QStringLiteral("Isolation check"), action::kIsolationCheck},
            {QStringLiteral("Cancel the isolation check"), action::kIsolationCancel},
            {QStringLiteral("Close the isolation check"), action::kIsolationCancel},
            {QStringLiteral("New key"), action::kTenantKey},
            {QStringLiteral("Revoke the tenant"), action::kTenantRevoke},
            {QStringLiteral("Rotate "), action::kTenantRotate},
            {QStringLiteral("Revoke "), action::kTenantRevokeKey},
            {QStringLiteral("Usage shown: "), action::kTenantHours},
            {QStringLiteral("Filter models and adapters"), action::kTenantModels},
            {QStringLiteral("Filter tenants"), action::kFilter},
            {QStringLiteral("Models and adapters allowed"), action::kTenantModels}};
        Tenanted bench;
        bench.daemon.held.insert(QStringLiteral("isolation-check"));
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(bench.choose(QStringLiteral("Tenants"), 0));
        QTest::keyClick(&bench.window, Qt::Key_I, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(bench.command(action::kIsolationCancel)->isEnabled());
        QSet<QString> reached;
        for (const auto* widget : bench.window.findChild<TenantsPage*>()->findChildren<QWidget*>()) {
            const auto* made = qobject_cast<const QAbstractButton*>(widget);
            QString name = widget->accessibleName();
            if (made && name.isEmpty()) name = made->text().trimmed();
            const bool isAsked =
                made || qobject_cast<const QListWidget*>(widget) || name.startsWith(QLatin1String("Filter"));
            if (!isAsked || name.isEmpty() || !widget->isVisible()) continue;
            const auto offer =
                std::ranges::find_if(offers, [&](const auto& known) { return name.startsWith(known.first); });
            QVERIFY2(offer != offers.end(), qPrintable(name + QStringLiteral(" has no command")));
            reached.insert(QString::fromLatin1(offer->second));
            QVERIFY2(bench.command(offer->second)->isEnabled(), offer->second);
        }
        for (const auto& [name, id] : offers)
            QVERIFY2(reached.contains(QString::fromLatin1(id)), id);  // they are there
        QVERIFY(bench.run(QStringLiteral("cancel isolation")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("cancel")), 1);
        QTRY_VERIFY(!bench.command(action::kIsolationCancel)->isEnabled());
    }
    void whatIsDoneToATenant_hasKeys() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("home")));
        QTRY_VERIFY(bench.command(action::kTenantRotate)->isEnabled());
        for (const char* id : {action::kNewTenant, action::kExportUsage, action::kTenantLimits, action::kTenantModels,
                               action::kTenantKey, action::kTenantRotate, action::kTenantRevoke, action::kTenantExport,
                               action::kIsolationCheck, action::kFilter})
            QVERIFY2(!bench.command(id)->shortcut().isEmpty(), id);
        const auto keysOf = [&] { return bench.registry().find("ada")->keys; };
        QTest::keyClick(&bench.window, Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("New key")));
        QVERIFY(bench.click(QStringLiteral("Done")));
        QCOMPARE(keysOf().size(), std::size_t{2});
        QVERIFY(keysOf().at(0).revokedAt);
        QTRY_VERIFY(!QApplication::activeModalWidget());
        QTRY_VERIFY(bench.find<QAbstractButton>(
            QStringLiteral("Rotate %1…").arg(QString::fromStdString(keysOf().at(1).prefix))));
        QVERIFY(bench.run(QStringLiteral("revoke key")));
        QTRY_VERIFY(keysOf().at(1).revokedAt);
        QTRY_VERIFY(!bench.command(action::kTenantRevokeKey)->isEnabled());
        QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(!keysOf().at(1).revokedAt);
        QTest::keyClick(&bench.window, Qt::Key_X, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(bench.registry().find("ada")->revokedAt);
        QTRY_COMPARE(bench.window.findChild<TenantsPage*>()->chosen()->revokedAt.has_value(), true);
        QTest::keyClick(&bench.window, Qt::Key_X, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(!bench.registry().find("ada")->revokedAt);
        QTest::keyClick(&bench.window, Qt::Key_M, Qt::ControlModifier | Qt::ShiftModifier);
        auto* allowed = bench.find<QListWidget>(QStringLiteral("Models and adapters allowed"));
        QVERIFY(allowed && allowed->hasFocus());
        QTest::keyClick(&bench.window, Qt::Key_E, Qt::ControlModifier | Qt::AltModifier);
        QTRY_VERIFY(bench.window.findChild<QFileDialog*>());
    }
    void usageByTheHour_isReachedByThePalette() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("tenants")));
        QTRY_VERIFY(bench.choose(QStringLiteral("Tenants"), 0));
        QVERIFY(bench.run(QStringLiteral("usage hour")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("usage"), "by"), QStringLiteral("hour"));
        QTRY_VERIFY(bench.find<QAbstractButton>(QStringLiteral("Usage shown: 48 hours"))->isChecked());
        QVERIFY(bench.run(QStringLiteral("usage hour")));
        QTRY_VERIFY(bench.find<QAbstractButton>(QStringLiteral("Usage shown: 30 days"))->isChecked());
    }
    void theFilterOfAPage_isReachedByKeys() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("home")));
        QVERIFY(!bench.command(action::kFilter)->isEnabled());  // no list of this page is filtered
        for (const auto& [page, name] : {std::pair{"tenants", "Filter tenants"}, std::pair{"models", "Filter models"},
                                         std::pair{"commands", "Filter commands"}}) {
            QVERIFY(bench.window.goTo(QString::fromLatin1(page)));
            QTest::keyClick(&bench.window, Qt::Key_F, Qt::ControlModifier);
            auto* field = bench.find<QLineEdit>(QString::fromLatin1(name));
            QVERIFY2(field && field->hasFocus(), name);
        }
    }
    void anAdapterThatIsChosen_isReloadedAndRemoved() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(!bench.command(action::kReloadAdapter)->isEnabled());
        auto* tabs = bench.find<QTabBar>(QStringLiteral("Parts of the model"));
        for (int i = 0; i < tabs->count(); ++i)
            if (tabs->tabText(i) == QLatin1String("Adapters"))
                QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
        QTRY_VERIFY(bench.choose(QStringLiteral("Adapters"), 0));
        QTRY_VERIFY(bench.command(action::kReloadAdapter)->isEnabled());
        QTest::keyClick(&bench.window, Qt::Key_R, Qt::ControlModifier);
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapter-reload")), 1);
        QTRY_VERIFY(bench.choose(QStringLiteral("Adapters"), 0));
        QTRY_VERIFY(bench.command(action::kRemoveAdapter)->isEnabled());
        QVERIFY(bench.run(QStringLiteral("remove adapter")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapter-remove")), 1);
        QTRY_VERIFY(!bench.command(action::kRemoveAdapter)->isEnabled());
    }
    void plots_areExportedAndReadAsTablesByKeys() {
        Tenanted bench;
        QVERIFY(bench.open(QStringLiteral("home")));
        QTest::keyClick(&bench.window, Qt::Key_T, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_COMPARE(bench.window.page(), QStringLiteral("serve"));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Device memory by owner, table")));
        QTest::keyClick(&bench.window, Qt::Key_T, Qt::ControlModifier | Qt::ShiftModifier);
        QTRY_VERIFY(!bench.find<QTableView>(QStringLiteral("Device memory by owner, table")));
        QTest::keyClick(&bench.window, Qt::Key_E, Qt::ControlModifier | Qt::ShiftModifier);
        QFileDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = bench.window.findChild<QFileDialog*>()));
        QTemporaryDir folder;
        emit dialog->fileSelected(folder.path());
        dialog->close();
        QTRY_COMPARE(QDir(folder.path()).entryList({QStringLiteral("espalier-plots-*")}).size(), 1);
    }
    void aGuestHasNoneOfThem() {
        Tenanted bench;
        bench.window.show();
        bench.engine.attach(bench.daemon.url(), bench.daemon.guestKey);
        QTRY_COMPARE(bench.engine.access(), Access::Guest);
        for (const char* id : {action::kTenantLimits, action::kTenantRevoke, action::kIsolationCheck,
                               action::kReloadAdapter, action::kExportPlots})
            QTRY_VERIFY2(!bench.command(id)->isVisible(), id);
    }
};
ESPALIER_TEST(tst_commands, TestCommands)
#include "tst_commands.moc"
