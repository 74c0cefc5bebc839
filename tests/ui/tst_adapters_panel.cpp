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

void drop(Bench& bench, const QString& path) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(path)});
    QDragEnterEvent enter({300, 300}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(&bench.window, &enter);
    QDropEvent event({300, 300}, Qt::CopyAction, &data, Qt::LeftButton, {});
    QApplication::sendEvent(&bench.window, &event);
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
        drop(bench, adapterFolder(bench, QStringLiteral("law")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("adapter-import")), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("adapter-import"), "model"), QStringLiteral("m-alpha"));
        QCOMPARE(bench.window.page(), QStringLiteral("models"));
        QTRY_VERIFY(table(bench));
        QVERIFY(!bench.window.findChild<QDialog*>());
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
        drop(bench, adapterFolder(bench, QStringLiteral("law")));
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
