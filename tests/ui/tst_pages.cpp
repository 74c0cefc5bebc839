// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QDragEnterEvent>
#include <QLineEdit>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTableView>
#include <QTreeView>

#include "tests/ui/support/bench.h"
#include "ui/pages/serve_page.h"
#include "ui/shell/link_strip.h"
#include "ui/widgets/answer_view.h"
#include "ui/widgets/dashboard.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/token_strip.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

class TestPages : public QObject {
    Q_OBJECT
private slots:
    void home_showsTheServerAndWhatNeedsYou() {
        Bench bench;
        bench.daemon.addModel("tiny");
        JobRecord failed;
        failed.id = 4;
        failed.title = "Import broken";
        failed.state = JobState::Failed;
        failed.error = fail(ErrorCode::CorruptFile, "model.safetensors: the header is cut");
        bench.daemon.jobs = {failed};
        bench.daemon.snapshot.running = 46;
        bench.daemon.snapshot.decodeTokensPerS = 2914;
        QVERIFY(bench.open());
        QTRY_VERIFY(bench.find<Figure>(QStringLiteral("Running 46 ")));
        QVERIFY(bench.find<Figure>(QStringLiteral("Decode 2,914 tok/s")));
        QVERIFY(bench.click(QStringLiteral("Discard")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("job-discard")), 1);
        QTRY_COMPARE(bench.workspace.jobs().rowCount(), 0);
    }
    void home_offersThreeBeginningsWhenTheWorkspaceIsEmpty() {
        Bench bench;
        QVERIFY(bench.open());
        const auto shown = [&] {
            int buttons = 0;
            for (auto* button : bench.window.findChildren<QPushButton*>())
                buttons += button->isVisible() && button->accessibleName() == QLatin1String("Open sample");
            return buttons;
        };
        QTRY_COMPARE(shown(), 2);  // in the header and in the empty view
    }
    void home_saysWhyThereIsNoConnection() {
        Bench bench;
        QVERIFY(bench.open());
        bench.engine.attach(bench.daemon.url(), QStringLiteral("wrong"));
        auto* strip = bench.window.findChild<LinkStrip*>();
        QTRY_VERIFY(strip->isVisible());
        QVERIFY(strip->text().contains(QLatin1String("not known here")));
        bench.engine.attach(bench.daemon.url(), bench.daemon.key);
        QTRY_VERIFY(!strip->isVisible());
    }
    void serve_saysWhyTheServerDidNotStop() {
        Bench bench;
        bench.daemon.failures.insert(QStringLiteral("serve-stop"), fail(ErrorCode::Busy, "A model is being loaded"));
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("Stop server")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QLatin1String("being loaded")));
    }
    void models_selectsAModelAndInspectsIt() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        QVERIFY(bench.open(QStringLiteral("models")));
        auto* table = bench.find<QTableView>(QStringLiteral("Models"));
        QVERIFY(table);
        QTRY_COMPARE(table->model()->rowCount(), 2);
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                          table->visualRect(table->model()->index(1, 0)).center());
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("inspect"), "model"), QStringLiteral("m-beta"));
        auto* tree = bench.find<QTreeView>(QStringLiteral("Tensors"));
        QVERIFY(tree);
        QTRY_COMPARE(tree->model()->rowCount(), 4);  // embeddings and three layers
        auto* tokens = bench.find<TokenStrip>(QStringLiteral("Tokens"));
        QVERIFY(tokens);
        QTRY_COMPARE(tokens->tokenCount(), 3);
        auto* sequences = bench.find<QSpinBox>(QStringLiteral("Sequences at once"));
        QVERIFY(sequences);
        sequences->setFocus();
        QTest::keyClick(sequences, Qt::Key_Up);
        QCOMPARE(sequences->value(), 9);
    }
    void models_renamesInPlaceAndEscKeepsTheName() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Rename")));
        auto* edit = bench.find<QLineEdit>(QStringLiteral("New name"));
        QVERIFY(edit);
        QTest::keyClicks(edit, QStringLiteral("garden"));
        QTest::keyClick(edit, Qt::Key_Escape);
        QCOMPARE(bench.daemon.count(QStringLiteral("rename")), 0);
        QVERIFY(bench.click(QStringLiteral("Rename")));
        QTest::keyClicks(edit, QStringLiteral("garden"));
        QTest::keyClick(edit, Qt::Key_Return);
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("rename"), "name"), QStringLiteral("garden"));
        QTRY_COMPARE(bench.workspace.models().models().front().name, std::string("garden"));
    }
    void models_removeGoesToTheBinAndUndoBringsItBack() {
        Bench bench;
        bench.daemon.addModel("alpha");
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Remove")));
        QTRY_COMPARE(bench.workspace.bin().rowCount(), 1);
        QTRY_COMPARE(bench.workspace.models().rowCount(), 0);
        QTest::keyClick(&bench.window, Qt::Key_Z, Qt::ControlModifier);
        QTRY_COMPARE(bench.workspace.models().rowCount(), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("restore"), "id"), QStringLiteral("m-alpha"));
    }
    void models_saysWhyAnOperationFailed() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.failures.insert(QStringLiteral("remove"),
                                     fail(ErrorCode::Busy, "alpha answers 3 requests; stop or drain first"));
        QVERIFY(bench.open(QStringLiteral("models")));
        QVERIFY(bench.click(QStringLiteral("Remove")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QLatin1String("3 requests")));
    }
    void import_showsTheProbeBeforeAnythingIsCopied() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("models")));
        QTest::keyClick(&bench.window, Qt::Key_I, Qt::ControlModifier);
        QTRY_VERIFY(bench.find<QLineEdit>(QStringLiteral("Folder or file")));
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Folder or file")), QStringLiteral("/data/tiny"));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("probe")), 1);
        QCOMPARE(bench.daemon.count(QStringLiteral("import")), 0);
        QTRY_COMPARE(bench.find<QLineEdit>(QStringLiteral("Name"))->text(), QStringLiteral("tiny-llama"));
        QVERIFY(bench.click(QStringLiteral("Files: Link in place")));
        QVERIFY(bench.click(QStringLiteral("Import")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("import")), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("import"), "path"), QStringLiteral("/data/tiny"));
        QCOMPARE(bench.daemon.argument(QStringLiteral("import"), "link"), QStringLiteral("true"));
        QTRY_VERIFY(!bench.find<QLineEdit>(QStringLiteral("Folder or file")));
    }
    void import_explainsAFolderItDoesNotUnderstand() {
        Bench bench;
        bench.daemon.failures.insert(QStringLiteral("probe"),
                                     fail(ErrorCode::NotFound, "/data/x holds no config.json", "/data/x"));
        QVERIFY(bench.open(QStringLiteral("models")));
        bench.window.openImport(QStringLiteral("/data/x"));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        const QString said = bench.find<ErrorStrip>(QStringLiteral("Error"))->text();
        QVERIFY(said.contains(QLatin1String("no config.json")));
        QVERIFY(said.startsWith(QLatin1String("There is no model to read there")));
        QVERIFY(said.contains(QLatin1String("Check the path")));
        QVERIFY(!bench.clickNow(QStringLiteral("Import")));
    }
    void import_aDropOpensTheDialogWithItsPath() {
        Bench bench;
        QVERIFY(bench.open());
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QStringLiteral("/data/dropped"))});
        QDragEnterEvent enter({20, 20}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(&bench.window, &enter);
        QVERIFY(enter.isAccepted());
        QVERIFY(bench.find<QWidget>(QStringLiteral("Drop here")));
        QDropEvent drop({20, 20}, Qt::CopyAction, &data, Qt::LeftButton, {});
        QApplication::sendEvent(&bench.window, &drop);
        QVERIFY(!bench.find<QWidget>(QStringLiteral("Drop here")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("probe")), 1);
        QCOMPARE(bench.daemon.argument(QStringLiteral("probe"), "path"), QStringLiteral("/data/dropped"));
    }
    void import_progressIsShownAndCanBeCancelled() {
        Bench bench;
        JobRecord job;
        job.id = 41;
        job.title = "Import tiny";
        job.state = JobState::Running;
        job.progress = 0.44;
        bench.daemon.jobs = {job};  // listed as well, so that no answer takes the row away
        QVERIFY(bench.open(QStringLiteral("models")));
        job.etaS = 9;
        bench.daemon.sendEvent(job);
        QTRY_VERIFY(bench.find<ProgressBar>(QStringLiteral("Import tiny")));
        QCOMPARE(bench.find<ProgressBar>(QStringLiteral("Import tiny"))->share(), 0.44);
        QVERIFY(bench.click(QStringLiteral("Cancel")));
        QTRY_COMPARE(bench.daemon.argument(QStringLiteral("job-cancel"), "id"), QStringLiteral("41"));
    }
    void serve_startsStopsAndDrains() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("Stop server")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("serve-stop")), 1);
        bench.daemon.sendSnapshot();
        QVERIFY(bench.click(QStringLiteral("Start server")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("serve-start")), 1);
        bench.daemon.sendSnapshot();
        QVERIFY(bench.click(QStringLiteral("Drain")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("serve-drain")), 1);
    }
    void serve_pauseHoldsThePictureAndSamplingGoesOn() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        for (int i = 0; i < 20; ++i) bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 21);
        QVERIFY(bench.click(QStringLiteral("Pause")));
        const double held = bench.window.servePage().dashboard().to();
        for (int i = 0; i < 5; ++i) bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 26);
        QCOMPARE(bench.window.servePage().dashboard().to(), held);
        QCOMPARE(bench.window.servePage().dashboard().samplesBehind(), 6);
        QVERIFY(bench.click(QStringLiteral("Resume")));
        QVERIFY(bench.window.servePage().dashboard().to() > held);
    }
    void serve_oneCursorForAllPlotsMovedByKeys() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        for (int i = 0; i < 20; ++i) bench.daemon.sendSnapshot();
        QTRY_COMPARE(bench.workspace.history().size(), 21);
        Dashboard& dashboard = bench.window.servePage().dashboard();
        dashboard.setSpan(60);
        auto* plot = bench.find<Plot>(QStringLiteral("Queue, requests"));
        QVERIFY(plot);
        QVERIFY(!dashboard.cursor());
        plot->setFocus();
        QTest::keyClick(plot, Qt::Key_Left, Qt::ControlModifier);
        QVERIFY(dashboard.cursor());
        const double before = *dashboard.cursor();
        QTest::keyClick(plot, Qt::Key_Left);
        QVERIFY(*dashboard.cursor() < before);
        QTest::keyClick(plot, Qt::Key_Escape);
        QVERIFY(!dashboard.cursor());
        QVERIFY(
            plot->csv().startsWith(QLatin1String("time_utc,unix_seconds,Running (requests),Waiting (requests)\r\n")));
        QCOMPARE(plot->csv().count(QLatin1Char('\n')), 22);
    }
    void serve_copiesTheAddress() {
        Bench bench;
        QVERIFY(bench.open(QStringLiteral("serve")));
        QVERIFY(bench.click(QStringLiteral("Copy the address")));
        QCOMPARE(QApplication::clipboard()->text(), bench.daemon.url().toString() + QStringLiteral("/v1"));
    }
    void playground_streamsAnAnswerAndAsksAgain() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTRY_COMPARE(bench.find<QComboBox>(QStringLiteral("Model"))->currentText(), QStringLiteral("tiny"));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("Hi there"));
        QTest::keyClick(input, Qt::Key_Return, Qt::ControlModifier);
        QCOMPARE(input->toPlainText(), QString());
        auto* chat = bench.find<AnswerView>(QStringLiteral("Conversation"));
        QVERIFY(chat);
        QTRY_VERIFY(chat->toPlainText().contains(QLatin1String("Hello from the garden.")));
        QVERIFY(chat->toPlainText().contains(QLatin1String("Hi there")));
        QVERIFY(bench.click(QStringLiteral("Regenerate")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QCOMPARE(bench.daemon.last(QStringLiteral("completions"))->body["messages"].size(), 1u);
        QVERIFY(bench.click(QStringLiteral("Copy as curl")));
        QVERIFY(QApplication::clipboard()->text().contains(QLatin1String("curl -N ")));
        QVERIFY(!QApplication::clipboard()->text().contains(bench.daemon.key));
    }
    void playground_stopKeepsWhatWasSaid() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.holdChat = true;
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("Hi"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        auto* chat = bench.find<AnswerView>(QStringLiteral("Conversation"));
        QTRY_VERIFY(chat->toPlainText().contains(QLatin1String("Hello")));
        QVERIFY(bench.click(QStringLiteral("Stop")));
        QVERIFY(bench.click(QStringLiteral("Copy answer")));
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("Hello"));
    }
    void playground_aFailureKeepsTheQuestion() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.chatFailure = fail(ErrorCode::Draining, "The server is draining");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* input = bench.find<QPlainTextEdit>(QStringLiteral("Message"));
        QTest::keyClicks(input, QStringLiteral("Keep me"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QCOMPARE(input->toPlainText(), QStringLiteral("Keep me"));
    }
};
ESPALIER_TEST(tst_pages, TestPages)
#include "tst_pages.moc"
