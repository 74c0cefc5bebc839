// SPDX-License-Identifier: GPL-3.0-or-later
// The Models page and the import dialog beyond their first steps: at 1024 x 768, findings, card, template, bin, jobs.
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTabBar>
#include <QTableView>
#include <QTreeView>

#include "tests/ui/support/bench.h"
#include "ui/models/format.h"
#include "ui/pages/import_dialog.h"
#include "ui/widgets/markdown_view.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/token_strip.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

ErrorStrip* strip(Bench& bench) {
    return bench.find<ErrorStrip>(QStringLiteral("Error"));
}

bool showTab(Bench& bench, const QString& name) {
    auto* tabs = bench.find<QTabBar>(QStringLiteral("Parts of the model"));
    for (int i = 0; tabs && i < tabs->count(); ++i) {
        if (tabs->tabText(i) != name) continue;
        QTest::mouseClick(tabs, Qt::LeftButton, {}, tabs->tabRect(i).center());
        return tabs->currentIndex() == i;
    }
    return false;
}

// Whether a widget is there, has the size it needs at least, and is inside the window.
bool isWhole(const Bench& bench, const QWidget* widget) {
    if (!widget || !widget->isVisible() || widget->visibleRegion().isEmpty()) return false;
    const QRect inWindow(widget->mapTo(&bench.window, QPoint()), widget->size());
    const int needed = qMin(widget->minimumSizeHint().height(), widget->maximumHeight());
    return bench.window.rect().contains(inWindow) && widget->height() >= needed;
}

}  // namespace

class TestModelsPage : public QObject {
    Q_OBJECT
private slots:
    void estimateAndTokenizerAreTabsWhereTheWindowIsNarrow() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models"), {1024, 768}));
        QTRY_VERIFY(showTab(bench, QStringLiteral("Memory")));
        auto* sequences = bench.find<QSpinBox>(QStringLiteral("Sequences at once"));
        QTRY_VERIFY(isWhole(bench, sequences));
        QTest::keyClick(sequences, Qt::Key_Up);
        QCOMPARE(sequences->value(), 9);
        QTRY_VERIFY(showTab(bench, QStringLiteral("Tokenizer")));
        QTRY_COMPARE(bench.find<TokenStrip>(QStringLiteral("Tokens"))->tokenCount(), 3);
        QTRY_VERIFY(isWhole(bench, bench.find<QPlainTextEdit>(QStringLiteral("Text to tokenize"))));
        bench.window.resize(1440, 900);
        QTRY_VERIFY(isWhole(bench, bench.find<QSpinBox>(QStringLiteral("Sequences at once"))));
        QVERIFY(bench.find<TokenStrip>(QStringLiteral("Tokens")));
        QVERIFY(!showTab(bench, QStringLiteral("Memory")));
        QVERIFY(bench.find<QTreeView>(QStringLiteral("Tensors")));
    }
    void estimate_isMovedByTheArrowKeysOfItsPlot() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* plot = bench.find<Plot>(QStringLiteral("Memory by sequences at once, GiB"));
        auto* sequences = bench.find<QSpinBox>(QStringLiteral("Sequences at once"));
        QVERIFY(plot && sequences);
        QTest::keyClick(plot, Qt::Key_Right);
        QCOMPARE(sequences->value(), 9);
        QTest::keyClick(plot, Qt::Key_Right, Qt::ControlModifier);
        QCOMPARE(sequences->value(), 19);
        QTest::keyClick(plot, Qt::Key_Left);
        QCOMPARE(sequences->value(), 18);
    }
    void tokenizer_countsCharactersPerTokenAndAsksForSpecialTokens() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* text = bench.find<QPlainTextEdit>(QStringLiteral("Text to tokenize"));
        QVERIFY(text);
        text->selectAll();
        QTest::keyClicks(text, QStringLiteral("ten chars!"));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("tokenize"), "text"), QStringLiteral("ten chars!"));
        QCOMPARE(bench.daemon.argument(QStringLiteral("tokenize"), "special"), QStringLiteral("true"));
        const auto says = [&](const QString& piece) {
            for (const TextLabel* label : bench.window.findChildren<TextLabel*>())
                if (label->isVisible() && label->text().contains(piece)) return true;
            return false;
        };
        QTRY_VERIFY(says(QStringLiteral("3 tokens for 10 characters · 5.00 characters per token · 1 special")));
    }
    void template_rendersWhatIsTypedAndShowsARefusalInPlace() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Try out: Chat template")));
        auto* rendered = bench.find<QPlainTextEdit>(QStringLiteral("Rendered text"));
        QVERIFY(rendered);
        QTRY_VERIFY(rendered->toPlainText().contains(QLatin1String("<|im_end|>")));
        QVERIFY(bench.click(QStringLiteral("Add message")));
        const auto edits = [&] {
            QList<QPlainTextEdit*> list;
            for (auto* edit : bench.window.findChildren<QPlainTextEdit*>())
                if (edit->isVisible() && edit->accessibleName() == QLatin1String("Message text")) list << edit;
            return list;
        };
        QTRY_COMPARE(edits().size(), 3);
        QTest::keyClicks(edits().last(), QStringLiteral("in spring"));
        QTRY_VERIFY(rendered->toPlainText().contains(QLatin1String("in spring")));
        bench.daemon.failures.insert(QStringLiteral("template"),
                                     fail(ErrorCode::InvalidArgument, "roles must alternate user and assistant"));
        QVERIFY(bench.click(QStringLiteral("Remove the message")));
        QTRY_VERIFY(strip(bench));
        QVERIFY(strip(bench)->text().contains(QLatin1String("must alternate")));
        QCOMPARE(edits().size(), 2);
    }
    void findingsOfAScanStandBesideTheTensors() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.scan = {{"at", 1000},
                             {"nan", 2},
                             {"infinite", 0},
                             {"tensors",
                              {{{"name", "model.embed_tokens.weight"}, {"norm", 66.411}, {"nan", 0}, {"infinite", 0}},
                               {{"name", "model.layers.0.part0.weight"}, {"norm", 1.0}, {"nan", 2}, {"infinite", 0}}}}};
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* tree = bench.find<QTreeView>(QStringLiteral("Tensors"));
        QTRY_VERIFY(tree->model()->rowCount() > 0);
        QCOMPARE(tree->model()->index(0, 4).data().toString(), QStringLiteral("66.41"));
        const QModelIndex layer = tree->model()->index(1, 0);
        QCOMPARE(tree->model()->index(0, 4, layer).data().toString(), QStringLiteral("2 not finite"));
        QVERIFY(bench.click(QStringLiteral("Scan again")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("scan")), 1);
        const int before = bench.daemon.count(QStringLiteral("inspect"));
        JobRecord done;
        done.id = 9;
        done.kind = "scan";
        done.state = JobState::Finished;
        bench.daemon.sendEvent(done);
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("inspect")), before + 1);
    }
    void aScanThatEndsChangesNothingThatAPersonSet() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* tree = bench.find<QTreeView>(QStringLiteral("Tensors"));
        QTRY_VERIFY(tree->model()->rowCount() > 1);
        tree->expand(tree->model()->index(1, 0));
        auto* context = bench.find<QSpinBox>(QStringLiteral("Context, tokens"));
        context->selectAll();
        QTest::keyClicks(context, QStringLiteral("512\t"));
        bench.daemon.verified = {{"at", 1000}, {"digest", "sha256:00"}};
        bench.daemon.scan = {{"at", 1000}, {"nan", 0}, {"infinite", 0}, {"tensors", Json::array()}};
        const int before = bench.daemon.count(QStringLiteral("inspect"));
        for (const char* kind : {"scan", "verify"}) {
            JobRecord done;
            done.id = 9;
            done.kind = kind;
            done.state = JobState::Finished;
            bench.daemon.sendEvent(done);
        }
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("inspect")), before + 2);
        QTRY_VERIFY(bench.find<Badge>(QStringLiteral("Verified")));
        QVERIFY(tree->isExpanded(tree->model()->index(1, 0)));
        QCOMPARE(context->value(), 512);
        // Models are listed again whenever one of them changes: it stays verified.
        const int lists = bench.daemon.count(QStringLiteral("models"));
        bench.workspace.refreshModels();
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("models")), lists + 2);
        QTest::qWait(50);
        QVERIFY(bench.find<Badge>(QStringLiteral("Verified")));
    }
    void import_storesWeightsInBlocksWhereThatIsChosen() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        bench.window.openImport(QStringLiteral("/data/tiny"));
        QTRY_VERIFY(bench.find<QPushButton>(QStringLiteral("Import")) &&
                    bench.find<QPushButton>(QStringLiteral("Import"))->isEnabled());
        QVERIFY(bench.click(QStringLiteral("Weights: Q4_0")));
        // A linked model is used as it is.
        QVERIFY(bench.click(QStringLiteral("Files: Link in place")));
        QVERIFY(!bench.clickNow(QStringLiteral("Weights: Q8_0")));
        QVERIFY(bench.click(QStringLiteral("Files: Copy into the workspace")));
        QVERIFY(bench.click(QStringLiteral("Weights: Q8_0")));
        QVERIFY(bench.click(QStringLiteral("Import")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("import"), "quantize"), QStringLiteral("q8_0"));
        QCOMPARE(bench.daemon.argument(QStringLiteral("import"), "link"), QStringLiteral("false"));
    }
    void card_isMarkdownThatFetchesAndRunsNothing() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.card["text"] =
            "---\nlicense: mit\n---\n# Orchard\n\n<b>bold</b> ![x](http://127.0.0.1:1/p.png)\n\n- apples\n";
        QVERIFY(bench.open(QStringLiteral("models")));
        QCOMPARE(bench.daemon.count(QStringLiteral("card")), 0);  // read when it is looked at
        QVERIFY(showTab(bench, QStringLiteral("Card")));
        auto* card = bench.find<MarkdownView>(QStringLiteral("Model card"));
        QVERIFY(card);
        QTRY_VERIFY(card->toPlainText().contains(QLatin1String("Orchard")));
        QVERIFY(!card->toPlainText().contains(QLatin1String("license")));
        QVERIFY(card->toPlainText().contains(QLatin1String("<b>bold</b>")));
        QVERIFY(card->toPlainText().contains(QLatin1String("apples")));
    }
    void card_ofTheLargestSizeDoesNotHoldUpTheWindow() {
        Bench bench;
        bench.daemon.addModel("alpha");
        std::string text;
        for (int i = 0; text.size() < (128u << 10); ++i)
            text += "## Section " + std::to_string(i) + "\n\nSome *words* about `it` with **weight**.\n\n- a\n- b\n\n" +
                    "| x | y |\n|---|---|\n| 1 | 2 |\n\n";
        bench.daemon.card["text"] = text;
        QVERIFY(bench.open(QStringLiteral("models")));
        test::watchdog().reset();
        QVERIFY(showTab(bench, QStringLiteral("Card")));
        auto* card = bench.find<MarkdownView>(QStringLiteral("Model card"));
        QVERIFY(card);
        QTRY_VERIFY(card->toPlainText().contains(QLatin1String("Section 3")));
        QTest::qWait(500);
        const auto& longest = test::watchdog().longest();
        QVERIFY2(longest.cpuMs < espalier::test::stallLimitMs(),
                 qPrintable(QStringLiteral("%1 ms in %2").arg(longest.cpuMs).arg(longest.receiver)));
    }
    void frontMatter_endsAtItsSecondFence() {
        QCOMPARE(frontMatterEnd(QStringLiteral("# A")), 0);
        QCOMPARE(frontMatterEnd(QStringLiteral("---\na: b\n---\n# A")), 13);
        QCOMPARE(frontMatterEnd(QStringLiteral("---\nnever closed")), 0);
        QCOMPARE(frontMatterEnd(QStringLiteral("---\na\n---")), 9);
    }
    void origin_isCopiedWholeHoweverMuchOfItIsSeen() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.models.back().warnings = {"not copied: optimizer.pt"};
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(showTab(bench, QStringLiteral("Origin")));
        QVERIFY(bench.click(QStringLiteral("Copy: SHA-256")));
        QCOMPARE(QApplication::clipboard()->text(), text(bench.daemon.models[0].digest).mid(7));
        QVERIFY(bench.click(QStringLiteral("Copy: Source")));
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("/data/models/alpha"));
        QVERIFY(bench.find<TextLabel>(QStringLiteral("not since the import")));
        QVERIFY(bench.find<QLabel>(QStringLiteral("Warnings at import"))->text().contains(QLatin1String("optimizer")));
    }
    void estimate_takesAdaptersThatStayAndAnotherTypeOfKv() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        for (const char* name : {"law", "tax"}) bench.daemon.addAdapter("alpha", name);
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* resident = bench.find<QSpinBox>(QStringLiteral("Adapters resident"));
        QTRY_VERIFY((resident = bench.find<QSpinBox>(QStringLiteral("Adapters resident"))));
        QCOMPARE(resident->value(), 2);  // all there are
        const auto says = [&](const QString& words) {
            for (const TextLabel* label : bench.window.findChildren<TextLabel*>())
                if (label->isVisible() && label->text() == words) return true;
            return false;
        };
        QTRY_VERIFY(says(QStringLiteral("Adapters, 80.0 MiB each")));
        QVERIFY(says(QStringLiteral("160 MiB")));
        QTest::keyClick(resident, Qt::Key_Up);
        QTRY_VERIFY(says(QStringLiteral("240 MiB")));
        bench.find<QTableView>(QStringLiteral("Models"))->selectRow(1);
        QTRY_VERIFY(!bench.find<QSpinBox>(QStringLiteral("Adapters resident")));  // it has none
    }
    void layers_areListedWithTheirParts() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(showTab(bench, QStringLiteral("Layers")));
        auto* layers = bench.find<QTableView>(QStringLiteral("Layers"));
        QVERIFY(layers);
        QTRY_COMPARE(layers->model()->rowCount(), 2);
        QCOMPARE(layers->model()->index(1, 3).data().toString(), QStringLiteral("768"));
        QCOMPARE(layers->model()->index(1, 4).data().toString(), QStringLiteral("3"));
    }
    void bin_isListedRestoredAndEmptied() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        QVERIFY(bench.open(QStringLiteral("models")));
        for (int i = 1; i <= 2; ++i) {
            QVERIFY(bench.click(QStringLiteral("Remove")));
            QTRY_COMPARE(bench.workspace.bin().rowCount(), i);
        }
        QVERIFY(bench.click(QStringLiteral("Show the bin")));
        auto* bin = bench.find<QTableView>(QStringLiteral("Models in the bin"));
        QVERIFY(bin);
        const QModelIndex second = bin->model()->index(1, 0);
        QTest::mouseClick(bin->viewport(), Qt::LeftButton, {}, bin->visualRect(second).center());
        const QString name = second.data().toString();
        QVERIFY(bench.click(QStringLiteral("Restore")));
        QTRY_COMPARE(bench.workspace.models().rowCount(), 1);
        QCOMPARE(bench.workspace.models().models().front().name, name.toStdString());
        bench.daemon.failures.insert(QStringLiteral("empty-bin"), fail(ErrorCode::IoError, "models/m-x is in use"));
        QVERIFY(bench.click(QStringLiteral("Empty")));
        QTRY_VERIFY(strip(bench));
        QVERIFY(strip(bench)->text().contains(QLatin1String("in use")));
        bench.daemon.failures.clear();
        QVERIFY(bench.click(QStringLiteral("Empty")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 0);
        QVERIFY(!bench.find<QTableView>(QStringLiteral("Models in the bin")));
        QVERIFY(!strip(bench));
    }
    void restore_refusedOnAnotherPageIsShownWhereItBelongs() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Remove")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 1);
        bench.daemon.failures.insert(QStringLiteral("restore"),
                                     fail(ErrorCode::AlreadyExists, "another model is called alpha now"));
        bench.window.goTo(QStringLiteral("home"));
        QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(strip(bench));
        QVERIFY(strip(bench)->text().contains(QLatin1String("called alpha now")));
    }
    void rename_refusedKeepsWhatWasTyped() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.failures.insert(QStringLiteral("rename"), fail(ErrorCode::InvalidArgument, "no spaces, please"));
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Rename")));
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("New name")), QStringLiteral("my model"));
        QTest::keyClick(bench.find<QLineEdit>(QStringLiteral("New name")), Qt::Key_Return);
        QTRY_VERIFY(strip(bench));
        QVERIFY(bench.find<QLineEdit>(QStringLiteral("New name")));
        QCOMPARE(bench.find<QLineEdit>(QStringLiteral("New name"))->text(), QStringLiteral("my model"));
    }
    void jobs_refusalsStandInTheirRow_data() {
        QTest::addColumn<QString>("page");
        QTest::newRow("models") << QStringLiteral("models");
        QTest::newRow("home") << QStringLiteral("home");
    }
    void jobs_refusalsStandInTheirRow() {
        QFETCH(QString, page);
        Bench bench;
        bench.daemon.addModel("alpha");
        JobRecord job;
        job.id = 5;
        job.kind = "import";
        job.title = "Import big";
        job.state = JobState::Interrupted;
        bench.daemon.jobs = {job};
        bench.daemon.failures.insert(QStringLiteral("job-resume"), fail(ErrorCode::Locked, "the source is gone"));
        bench.daemon.failures.insert(QStringLiteral("job-discard"),
                                     fail(ErrorCode::IoError, "the folder is read-only"));
        QVERIFY(bench.open(page));
        QVERIFY(bench.click(QStringLiteral("Resume")));
        QTRY_VERIFY(strip(bench));
        QVERIFY(strip(bench)->text().contains(QLatin1String("source is gone")));
        QVERIFY(bench.click(QStringLiteral("Discard")));
        QTRY_VERIFY(strip(bench) && strip(bench)->text().contains(QLatin1String("read-only")));
        QCOMPARE(bench.workspace.jobs().rowCount(), 1);
        bench.daemon.failures.clear();
        QVERIFY(bench.click(QStringLiteral("Discard")));
        QTRY_COMPARE(bench.workspace.jobs().rowCount(), 0);
        QTRY_VERIFY(!strip(bench));
    }
    void aFailedImportSaysWhyAndWhatToDo() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        JobRecord job;
        job.id = 7;
        job.kind = "import";
        job.title = "Import cut";
        job.state = JobState::Failed;
        job.error = fail(ErrorCode::CorruptFile, "model.safetensors: the header is cut");
        job.endedAt = bench.daemon.snapshot.at;
        bench.daemon.jobs = {job};  // listed as well, so that no answer takes the row away
        bench.daemon.sendEvent(job);
        const auto says = [&](const QString& piece) {
            for (const QLabel* label : bench.window.findChildren<QLabel*>())
                if (label->isVisible() && label->text().contains(piece)) return true;
            return false;
        };
        QTRY_VERIFY(says(QStringLiteral("the header is cut")));
        QVERIFY(says(QStringLiteral("fetch them again")));
        QVERIFY(bench.click(QStringLiteral("Discard")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("job-discard"), "id"), QStringLiteral("7"));
    }
    void import_listsEachTensorWithItsRoleAndFitsIntoASmallWindow() {
        Bench bench;
        bench.daemon.probe.tensors = {{"model.embed_tokens.weight", "token embedding", {4096, 256}, "bf16", 2097152},
                                      {"extra.weight", "not used", {4}, "f32", 16}};
        bench.daemon.probe.chatFormat = "ChatML";
        bench.daemon.probe.warnings = {"1 tensors are not used: extra.weight", "not copied: optimizer.pt"};
        QVERIFY(bench.open(QStringLiteral("models"), {1024, 768}));
        bench.window.openImport(QStringLiteral("/data/tiny/config.json"));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("probe"), "path"), QStringLiteral("/data/tiny"));
        QTRY_VERIFY(bench.find<TextLabel>(QStringLiteral("ChatML")));
        QVERIFY(bench.find<QLabel>(QStringLiteral("Warnings"))->text().contains(QLatin1String("optimizer.pt")));
        QVERIFY(!bench.find<QTableView>(QStringLiteral("Tensors found")));
        QVERIFY(bench.click(QStringLiteral("Tensors and their roles")));
        auto* table = bench.find<QTableView>(QStringLiteral("Tensors found"));
        QVERIFY(table);
        QCOMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("not used"));
        QCOMPARE(table->model()->index(1, 1).data().toString(), QStringLiteral("token embedding"));
        QVERIFY(bench.window.findChild<ImportDialog*>()->height() <= 720);
    }
    void import_aCopyThatDoesNotFitIsNotOffered() {
        Bench bench;
        bench.daemon.probe.freeBytes = 1000;
        QVERIFY(bench.open(QStringLiteral("models")));
        bench.window.openImport(QStringLiteral("/data/tiny"));
        QTRY_COMPARE(bench.find<QLineEdit>(QStringLiteral("Name"))->text(), QStringLiteral("tiny-llama"));
        QVERIFY(!bench.clickNow(QStringLiteral("Import")));
        QVERIFY(bench.click(QStringLiteral("Files: Link in place")));
        QVERIFY(bench.click(QStringLiteral("Import")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("import")), 1);
    }
    void import_takesAFileByTheDialogAndByDroppingItThere() {
        QCOMPARE(importPathOf(QStringLiteral("/data/tiny/model-00001-of-00002.safetensors")),
                 QStringLiteral("/data/tiny"));
        QCOMPARE(importPathOf(QStringLiteral("/data/tiny-q4.gguf")), QStringLiteral("/data/tiny-q4.gguf"));
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        bench.window.openImport({});
        QVERIFY(bench.click(QStringLiteral("File…")));
        auto* dialog = bench.window.findChild<ImportDialog*>();
        QFileDialog* chooser = nullptr;
        QTRY_VERIFY((chooser = dialog->findChild<QFileDialog*>()) && chooser->isVisible());
        QVERIFY(chooser->nameFilters().first().contains(QLatin1String("*.gguf")));
        emit chooser->fileSelected(QStringLiteral("/data/tiny-q4.gguf"));
        chooser->close();
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("probe"), "path"), QStringLiteral("/data/tiny-q4.gguf"));
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QStringLiteral("/data/other/config.json"))});
        auto* field = bench.find<QLineEdit>(QStringLiteral("Folder or file"));
        QDragEnterEvent enter({4, 4}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(field, &enter);
        QVERIFY(enter.isAccepted());
        QVERIFY(bench.find<QWidget>(QStringLiteral("Drop here")));
        QDropEvent drop({4, 4}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(field, &drop);
        QCOMPARE(field->text(), QStringLiteral("/data/other"));
        QVERIFY(!bench.find<QWidget>(QStringLiteral("Drop here")));
    }
    void import_keepsWhatWasTypedWhenTheServerGoesAway() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        bench.window.openImport({});
        bench.daemon.goAway();
        QTRY_VERIFY(!bench.engine.isAttached());
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Folder or file")), QStringLiteral("/data/late"));
        QTRY_VERIFY(strip(bench));
        QCOMPARE(bench.find<QLineEdit>(QStringLiteral("Folder or file"))->text(), QStringLiteral("/data/late"));
        bench.daemon.comeBack();
        QTRY_COMPARE_WITH_TIMEOUT(bench.daemon.argument(QStringLiteral("probe"), "path"), QStringLiteral("/data/late"),
                                  10'000);
        QTRY_VERIFY(!strip(bench));
        QVERIFY(bench.click(QStringLiteral("Import")));
    }
};
ESPALIER_TEST(tst_models_page, TestModelsPage)
#include "tst_models_page.moc"
