// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters of a model in the Models page: imported by dialog and by drop, reloaded, removed, brought back.
#include <QComboBox>
#include <QDragEnterEvent>
#include <QFile>
#include <QFileDialog>
#include <QMimeData>
#include <QTabBar>
#include <QTableView>

#include "tests/ui/support/bench.h"
#include "ui/models/adapter_table.h"
#include "ui/pages/adapters_panel.h"
#include "ui/shell/drop_overlay.h"
#include "ui/widgets/panel.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

QTableView* table(Bench& bench) {
    return bench.find<QTableView>(QStringLiteral("Adapters"));
}

QString cell(Bench& bench, int row, int column) {
    const QTableView* view = table(bench);  // not there before the first record
    return view ? view->model()->index(row, column).data().toString() : QString();
}

int rowsShown(Bench& bench) {
    const QTableView* view = table(bench);
    return view ? view->model()->rowCount() : 0;
}

bool openAdapters(Bench& bench) {
    if (!bench.open(QStringLiteral("models"))) return false;
    auto* tabs = bench.find<QTabBar>(QStringLiteral("Parts of the model"));
    for (int i = 0; tabs && i < tabs->count(); ++i)
        if (tabs->tabText(i) == QLatin1String("Adapters"))
            QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
    return tabs && tabs->tabText(tabs->currentIndex()) == QLatin1String("Adapters");
}

// A PEFT folder as far as a drop looks at it.
QString adapterFolder(Bench& bench, const QString& name) {
    const QString folder = bench.folder.filePath(name);
    QDir().mkpath(folder);
    QFile config(QDir(folder).filePath(QStringLiteral("adapter_config.json")));
    return config.open(QIODevice::WriteOnly) && config.write("{}") == 2 ? folder : QString();
}

// What the window says it would do, before it does it.
QString drop(Bench& bench, const QStringList& paths) {
    QMimeData data;
    QList<QUrl> urls;
    for (const QString& path : paths) urls << QUrl::fromLocalFile(path);
    data.setUrls(urls);
    QDragEnterEvent enter({300, 300}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(&bench.window, &enter);
    const QString said = bench.window.findChild<DropOverlay*>()->accessibleDescription();
    QDropEvent event({300, 300}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(&bench.window, &event);
    return said;
}

}  // namespace

class TestAdaptersPanel : public QObject {
    Q_OBJECT
private slots:
    void thoseOfTheChosenModelAreListed() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        bench.daemon.addAdapter("alpha", "legal");
        bench.daemon.addAdapter("beta", "dental");
        bench.daemon.adapters.back().tenant = "ada";
        bench.daemon.addAdapter("beta", "billing");
        QVERIFY(openAdapters(bench));
        QTRY_COMPARE(rowsShown(bench), 1);
        QCOMPARE(cell(bench, 0, AdapterTable::Name), QStringLiteral("legal"));
        QCOMPARE(cell(bench, 0, AdapterTable::Rank), QStringLiteral("16"));
        QCOMPARE(cell(bench, 0, AdapterTable::Targets), QStringLiteral("q_proj, v_proj"));
        QCOMPARE(cell(bench, 0, AdapterTable::Tenant), QStringLiteral("–"));
        bench.find<QTableView>(QStringLiteral("Models"))->selectRow(1);
        QTRY_COMPARE(rowsShown(bench), 2);
        QCOMPARE(cell(bench, 0, AdapterTable::Name), QStringLiteral("billing"));
        QCOMPARE(cell(bench, 1, AdapterTable::Tenant), QStringLiteral("ada"));
    }
    void whereTheTableIsNarrow_theNameSaysTheVersion() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addAdapter("alpha", "legal");
        bench.daemon.adapters.back().tenant = "the-harbour-office-of-the-island";
        QVERIFY(openAdapters(bench));
        QTRY_COMPARE(rowsShown(bench), 1);
        QVERIFY(table(bench)->isColumnHidden(AdapterTable::Version));
        const auto tip = [&](int column) {
            return table(bench)->model()->index(0, column).data(Qt::ToolTipRole).toString();
        };
        QVERIFY(tip(AdapterTable::Name).startsWith(QLatin1String("legal\nVersion 1, ")));
        QVERIFY(tip(AdapterTable::Tenant).startsWith(QLatin1String("the-harbour-office-of-the-island\n")));
        QVERIFY(table(bench)->columnWidth(AdapterTable::Size) >= 68);
        bench.window.resize(1024, 768);  // the inspector has the whole width
        QTRY_VERIFY(!table(bench)->isColumnHidden(AdapterTable::Version));
    }
    void withoutAny_thePanelSaysWhatToDoAndTheDialogImports() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(openAdapters(bench));
        const QString folder = adapterFolder(bench, QStringLiteral("law"));
        QVERIFY(bench.click(QStringLiteral("Import the first adapter")));
        QFileDialog* dialog = nullptr;
        QTRY_VERIFY((dialog = bench.window.findChild<QFileDialog*>()));
        emit dialog->fileSelected(folder);
        dialog->close();
        QTRY_VERIFY(table(bench));
        QTRY_COMPARE(rowsShown(bench), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "path"), folder);
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "name"), QStringLiteral("law"));
    }
    void aFolderDroppedAnywhereIsImportedForTheChosenModel() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("home")));
        drop(bench, {adapterFolder(bench, QStringLiteral("law"))});
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapter-import")), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "model"), QStringLiteral("m-alpha"));
        QCOMPARE(bench.window.page(), QStringLiteral("models"));
        QTRY_VERIFY(table(bench));
        QVERIFY(!bench.window.findChild<QDialog*>());
    }
    void severalFoldersDroppedAreOneJob() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("home")));
        const QStringList folders{adapterFolder(bench, QStringLiteral("law")),
                                  adapterFolder(bench, QStringLiteral("tax"))};
        QCOMPARE(drop(bench, folders), QStringLiteral("Drop to import the adapters of 2 folders for alpha"));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapters-import")), 1);
        const Json& body = bench.daemon.last(QStringLiteral("adapters-import"))->body;
        QCOMPARE(body.value("model", ""), std::string("m-alpha"));
        QVERIFY(body.value("job", false));
        QCOMPARE(body["paths"].get<std::vector<std::string>>(),
                 (std::vector{folders[0].toStdString(), folders[1].toStdString()}));
        QCOMPARE(bench.daemon.count(QStringLiteral("adapter-import")), 0);
    }
    void aFolderThatHoldsAdaptersIsOneJob() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("home")));
        for (int i = 0; i < 3; ++i) QVERIFY(!adapterFolder(bench, QStringLiteral("many/v%1").arg(i)).isEmpty());
        const QString many = bench.folder.filePath(QStringLiteral("many"));
        QCOMPARE(drop(bench, {many}), QStringLiteral("Drop to import the adapters in many for alpha"));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapters-import")), 1);
        const Json& body = bench.daemon.last(QStringLiteral("adapters-import"))->body;
        QCOMPARE(body["paths"].get<std::vector<std::string>>(), std::vector{many.toStdString()});
        // A model folder with adapters beside its weights is a model.
        QFile config(QDir(many).filePath(QStringLiteral("config.json")));
        QVERIFY(config.open(QIODevice::WriteOnly));
        QVERIFY(drop(bench, {many}).startsWith(QLatin1String("Drop to import many")));
        QCOMPARE(bench.daemon.count(QStringLiteral("adapters-import")), 1);
    }
    void moreThanOneCallTakesAreSeveralJobs() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(openAdapters(bench));
        QStringList folders;
        for (int i = 0; i < 1001; ++i) folders << QStringLiteral("/nowhere/a%1").arg(i);
        bench.window.findChild<AdaptersPanel*>()->import(folders);
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapters-import")), 2);
        std::size_t paths = 0;
        for (const auto& call : bench.daemon.calls)
            if (call.path.endsWith(QLatin1String("adapters-import"))) paths += call.body["paths"].size();
        QCOMPARE(paths, std::size_t{1001});
    }
    void whatOfManyDidNotComeInIsSaid() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(openAdapters(bench));
        drop(bench, {adapterFolder(bench, QStringLiteral("law")), adapterFolder(bench, QStringLiteral("tax"))});
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapters-import")), 1);
        JobRecord job;
        job.id = 42;
        job.kind = "adapters";
        job.title = "Import adapters for alpha";
        job.state = JobState::Finished;
        job.progress = 1;
        job.result = dumpJson({{"model", "m-alpha"},
                               {"imported", 1},
                               {"failed", {{{"path", "/a/tax"}, {"message", "tax has no weights"}}}}});
        bench.daemon.sendEvent(job);
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        const QString said = bench.find<ErrorStrip>(QStringLiteral("Error"))->text();
        QVERIFY2(said.contains(QLatin1String("1 of 2 adapters were not imported")), qPrintable(said));
        QVERIFY2(said.contains(QLatin1String("tax has no weights")), qPrintable(said));
        QTRY_VERIFY(bench.workspace.jobs().find(42));
        QCOMPARE(titleOf(*bench.workspace.jobs().find(42)), QStringLiteral("Import adapters for alpha"));
        job.state = JobState::Running;
        QVERIFY(controlsOf(job).pause);
    }
    void manyChangesAtOnceAreReadOnceMoreAndNotEach() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(openAdapters(bench));
        QTRY_VERIFY(bench.daemon.count(QStringLiteral("adapters")) > 0);
        const int before = bench.daemon.count(QStringLiteral("adapters"));
        bench.daemon.held.insert(QStringLiteral("adapters"));
        for (int i = 0; i < 60; ++i) {
            const std::string name = "v" + std::to_string(i);
            bench.daemon.addAdapter("alpha", name);
            bench.daemon.sendEvent(AdapterChanged{"alpha", name, "sha256:1", "imported"});
        }
        bench.daemon.sendEvent(LogRecord{1, "info", "catalog", "60 adapters were imported into alpha"});
        QTRY_COMPARE(bench.workspace.log().rowCount(), 1);  // all events have come
        bench.daemon.release(QStringLiteral("adapters"));
        QTRY_COMPARE(bench.workspace.adapters().size(), std::size_t{60});
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapters")), before + 2);
        QTest::qWait(100);
        QCOMPARE(bench.daemon.count(QStringLiteral("adapters")), before + 2);
    }
    void thePlaygroundOffersThem() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addAdapter("alpha", "legal");
        QVERIFY(bench.open(QStringLiteral("playground")));
        const auto offered = [&] {
            QStringList names;
            for (const auto* box : bench.window.findChildren<QComboBox*>())
                for (int i = 0; box->isVisible() && i < box->count(); ++i) names << box->itemText(i);
            return names;
        };
        QTRY_VERIFY(offered().contains(QLatin1String("alpha:legal")));
        QVERIFY(offered().contains(QLatin1String("alpha")));
    }
    void aRefusalStandsInThePanel() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.failures[QStringLiteral("adapter-import")] =
            fail(ErrorCode::ShapeMismatch, "adapter_model.safetensors: q_proj.lora_A is [8, 99], expected [8, 256]");
        QVERIFY(openAdapters(bench));
        drop(bench, {adapterFolder(bench, QStringLiteral("law"))});
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QLatin1String("expected [8, 256]")));
    }
    void oneIsReloadedRemovedAndBroughtBack() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addAdapter("alpha", "legal");
        bench.daemon.adapters.back().tenant = "ada";
        QVERIFY(openAdapters(bench));
        QTRY_COMPARE(rowsShown(bench), 1);
        table(bench)->selectRow(0);
        QVERIFY(bench.click(QStringLiteral("Reload the adapter")));
        QTRY_COMPARE(cell(bench, 0, AdapterTable::Version), QStringLiteral("2"));
        QVERIFY(bench.click(QStringLiteral("Remove the adapter")));
        QTRY_VERIFY(bench.find<QPushButton>(QStringLiteral("Import the first adapter")));
        QVERIFY(bench.daemon.adapters.empty());
        QVERIFY(bench.click(QStringLiteral("Bring the adapter back")));
        QTRY_VERIFY(table(bench));
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "path"), QStringLiteral("/data/lora/legal"));
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "tenant"), QStringLiteral("ada"));
        QTRY_VERIFY(!bench.find<QPushButton>(QStringLiteral("Bring the adapter back")));
    }
};
ESPALIER_TEST(tst_adapters_panel, TestAdaptersPanel)
#include "tst_adapters_panel.moc"
