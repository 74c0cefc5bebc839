// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QTableView>
#include <QTextBlock>

#include <cmath>

#include "tests/ui/support/bench.h"
#include "ui/pages/playground_page.h"
#include "ui/widgets/answer_view.h"
#include "ui/widgets/certainty_legend.h"
#include "ui/widgets/hint_button.h"
#include "ui/widgets/panel.h"
#include "ui/widgets/probability_tip.h"

using namespace espalier;
using namespace espalier::ui;
using espalier::test::Bench;

namespace {

AnswerView* view(Bench& bench) {
    return bench.find<AnswerView>(QStringLiteral("Conversation"));
}

QPlainTextEdit* input(Bench& bench) {
    return bench.find<QPlainTextEdit>(QStringLiteral("Message"));
}

bool ask(Bench& bench, const QString& question) {
    QTest::keyClicks(input(bench), question);
    QTest::keyClick(input(bench), Qt::Key_Return, Qt::ControlModifier);
    return QTest::qWaitFor([&] { return view(bench) && view(bench)->toPlainText().contains(question); });
}

bool answered(Bench& bench, const QString& text) {
    return QTest::qWaitFor([&] {
        return view(bench) && view(bench)->toPlainText().contains(text) &&
               bench.find<QAbstractButton>(QStringLiteral("Regenerate")) &&
               bench.find<QAbstractButton>(QStringLiteral("Regenerate"))->isEnabled();
    });
}

// Clicks the link whose target begins so, where it stands in the text.
bool follow(AnswerView* view, const QString& target) {
    for (QTextBlock block = view->document()->begin(); block.isValid(); block = block.next())
        for (auto it = block.begin(); !it.atEnd(); ++it) {
            if (!it.fragment().charFormat().anchorHref().startsWith(target)) continue;
            QTextCursor cursor(view->document());
            cursor.setPosition(it.fragment().position() + 1);
            view->setTextCursor(cursor);
            view->ensureCursorVisible();
            QTest::mouseClick(view->viewport(), Qt::LeftButton, {}, view->cursorRect(cursor).center());
            return true;
        }
    return false;
}

QStringList models(const Json& body) {
    return {QString::fromStdString(body.value("model", ""))};
}

}  // namespace

class TestPlayground : public QObject {
    Q_OBJECT
private slots:
    void answersShowTheirMarkdownAndNeverTheirHtml() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.chatPieces = {QStringLiteral("# Plan\n\nA **bold**"), QStringLiteral(" <b>tag</b>\n\n```py\npri"),
                                   QStringLiteral("nt(1)\n```\n"),
                                   QStringLiteral("![p](http://127.0.0.1:1/x.png) end")};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("Hi")));
        QVERIFY(answered(bench, QStringLiteral("end")));
        const QString shown = view(bench)->toPlainText();
        QVERIFY2(shown.contains(QLatin1String("A bold <b>tag</b>")), qPrintable(shown));
        QVERIFY(shown.contains(QLatin1String("Plan")) && !shown.contains(QLatin1String("# Plan")));
        QVERIFY(follow(view(bench), QStringLiteral("espalier:copy/")));
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("print(1)"));
        QVERIFY(bench.click(QStringLiteral("Copy answer")));
        QCOMPARE(QApplication::clipboard()->text(), bench.daemon.chatPieces.join(QString()));
    }
    void growingPieceByPiece_endsLikeDrawingTheWhole() {
        const QString text = QStringLiteral(
            "Intro *it* `c`\n\n- a\n- b **x**\n\n```\nl1\nl2\n```\n\n1. one\n> q\n\n| a | b |\n\nlast _line_ here");
        Turn turn;
        turn.number = 1;
        turn.question = QStringLiteral("q");
        AnswerView grown, whole;
        grown.showTurns({turn}, QStringLiteral("m"));
        for (qsizetype end = 1; end <= text.size(); ++end) grown.grow(text.left(end), nullptr);
        turn.isAnswered = true;
        turn.answer = text;
        whole.showTurns({turn}, QStringLiteral("m"));
        QCOMPARE(grown.toPlainText(), whole.toPlainText());
        QCOMPARE(grown.document()->blockCount(), whole.document()->blockCount());
    }
    void anUnlikelyTokenIsUnderlinedTwice() {
        AnswerView shown;
        shown.resize(400, 300);
        Turn turn;
        turn.number = 1;
        turn.question = QStringLiteral("q");
        turn.isAnswered = true;
        turn.answer = QStringLiteral("iiii");
        const auto orange = [&](double probability) {
            auto tokens = std::make_shared<TokenAlignment>();
            tokens->append({{"iiii", std::log(probability), {}}});
            tokens->extend(turn.answer);
            turn.tokens = tokens;
            shown.showTurns({}, QStringLiteral("m"));
            shown.showTurns({turn}, QStringLiteral("m"));
            const QImage image = shown.viewport()->grab().toImage();
            int lines = 0;
            for (int y = 0; y < image.height(); ++y) {
                int inks = 0;
                for (int x = 0; x < image.width(); ++x) inks += image.pixel(x, y) == kLightTheme.series[1];
                lines += inks >= 8;
            }
            return lines;
        };
        QCOMPARE(orange(0.9), 0);
        QCOMPARE(orange(0.6), 1);
        QCOMPARE(orange(0.1), 2);
    }
    void aLongAnswerGrowsWithoutHoldingUpTheWindow() {
        Turn turn;
        turn.number = 1;
        turn.question = QStringLiteral("q");
        AnswerView shown;
        shown.resize(500, 600);
        shown.show();
        shown.showTurns({turn}, QStringLiteral("m"));
        auto tokens = std::make_shared<TokenAlignment>();
        QString text;
        qint64 longest = 0;
        for (int i = 0; i < 2000; ++i) {
            const QString piece = i % 25 == 24 ? QStringLiteral("\n\n") : QStringLiteral("word%1 ").arg(i);
            text += piece;
            tokens->append({{piece.toUtf8(), -0.9, {}}});
            tokens->extend(text);
            QElapsedTimer clock;
            clock.start();
            shown.grow(text, tokens);
            longest = qMax(longest, clock.nsecsElapsed());
        }
        qInfo("longest frame of 2,000: %.2f ms", double(longest) / 1e6);
        QVERIFY(shown.toPlainText().contains(QLatin1String("word1998")));
    }
    void theLikeliestTokensStandUnderThePointer() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("Hi")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        QCOMPARE(bench.daemon.last(QStringLiteral("completions"))->body["top_logprobs"].get<int>(), 5);
        AnswerView* chat = view(bench);
        QTextCursor cursor = chat->document()->find(QStringLiteral("garden"));
        QVERIFY(!cursor.isNull());
        QVERIFY(cursor.charFormat().underlineStyle() != QTextCharFormat::NoUnderline);  // p 0.38
        cursor.setPosition(cursor.selectionStart() + 2);
        const QPoint at = chat->cursorRect(cursor).center() + QPoint(3, 0);
        QTest::mouseMove(chat->viewport(), at);
        auto* tip = chat->findChild<ProbabilityTip*>();
        QTRY_VERIFY(tip->isVisible());
        QVERIFY2(tip->accessibleName().contains(QLatin1String("38 %")), qPrintable(tip->accessibleName()));
        QVERIFY(tip->accessibleName().contains(QStringLiteral("·orchard 24 %")));
        QVERIFY(tip->accessibleName().endsWith(QStringLiteral("other 38 %")));
        QVERIFY(tip->accessibleName().startsWith(QLatin1String("Token 3")));
        // The caret shows it too.
        chat->setFocus();
        chat->setTextCursor(cursor);
        QTest::keyClick(chat, Qt::Key_Right);
        QTRY_VERIFY(tip->isVisible());
        QVERIFY(bench.click(QStringLiteral("More sampling settings")));
        QVERIFY(bench.click(QStringLiteral("Probabilities")));
        QVERIFY(!tip->isVisible());
        QVERIFY(bench.click(QStringLiteral("Regenerate")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QVERIFY(!bench.daemon.last(QStringLiteral("completions"))->body.contains("logprobs"));
    }
    void upToFourModelsAnswerOnePromptSideBySide() {
        Bench bench;
        for (const char* name : {"alpha", "beta", "delta", "gamma"}) bench.daemon.addModel(name);
        QVERIFY(bench.open(QStringLiteral("playground")));
        for (int i = 0; i < 3; ++i) QVERIFY(bench.click(QStringLiteral("Add model")));
        QVERIFY(!bench.clickNow(QStringLiteral("Add model")));
        QVERIFY(ask(bench, QStringLiteral("All of you")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 4);
        QStringList asked;
        for (const auto& call : bench.daemon.calls)
            if (call.path.endsWith(QLatin1String("completions"))) asked << models(call.body);
        asked.sort();
        QCOMPARE(asked, (QStringList{QStringLiteral("alpha"), QStringLiteral("beta"), QStringLiteral("delta"),
                                     QStringLiteral("gamma")}));
        const auto views = bench.window.findChildren<AnswerView*>();
        QCOMPARE(views.size(), 4);
        for (AnswerView* one : views) QTRY_VERIFY(one->toPlainText().contains(QLatin1String("the garden.")));
        QVERIFY(bench.click(QStringLiteral("Close this column")));
        QTRY_COMPARE(bench.window.findChildren<AnswerView*>().size(), 3);
    }
    void anEditedMessageDropsWhatFollowedAndUndoBringsItBack() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("First")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        QVERIFY(ask(bench, QStringLiteral("Second")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QVERIFY(answered(bench, QStringLiteral("Second")));
        QTest::keyClicks(input(bench), QStringLiteral("half a thought"));
        QVERIFY(follow(view(bench), QStringLiteral("espalier:edit/1")));
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("First"));
        QTest::keyClick(input(bench), Qt::Key_Escape);
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("half a thought"));
        QVERIFY(follow(view(bench), QStringLiteral("espalier:edit/1")));
        QTest::keyClicks(input(bench), QStringLiteral(" again"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 3);
        const Json messages = bench.daemon.last(QStringLiteral("completions"))->body["messages"];
        QCOMPARE(messages.size(), std::size_t{1});
        QCOMPARE(messages[0]["content"].get<std::string>(), std::string("First again"));
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("half a thought"));
        QTRY_VERIFY(!view(bench)->toPlainText().contains(QLatin1String("Second")));
        QVERIFY(bench.click(QStringLiteral("Undo")));
        QTRY_VERIFY(view(bench)->toPlainText().contains(QLatin1String("Second")));
        QVERIFY(!view(bench)->toPlainText().contains(QLatin1String("again")));
    }
    void settingsAndDraftsAreRemembered() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* temperature = bench.find<QDoubleSpinBox>(QStringLiteral("Temperature"));
        temperature->setFocus();
        temperature->selectAll();
        QTest::keyClicks(temperature, QStringLiteral("0.25"));
        QTest::keyClick(temperature, Qt::Key_Tab);
        QVERIFY(bench.click(QStringLiteral("More sampling settings")));
        QTest::keyClicks(bench.find<QLineEdit>(QStringLiteral("Stop strings")), QStringLiteral("END|\\n\\n"));
        QTest::keyClicks(bench.find<QPlainTextEdit>(QStringLiteral("System prompt")), QStringLiteral("Be brief."));
        QTest::keyClicks(input(bench), QStringLiteral("unsent"));
        QTest::keyClick(bench.find<QComboBox>(QStringLiteral("Model")), Qt::Key_Down);
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 1);
        const Json body = bench.daemon.last(QStringLiteral("completions"))->body;
        QCOMPARE(body["temperature"].get<double>(), 0.25);
        QCOMPARE(body["stop"].dump(), std::string("[\"END\",\"\\n\\n\"]"));
        QCOMPARE(body["model"].get<std::string>(), std::string("beta"));
        QCOMPARE(body["messages"][0]["content"].get<std::string>(), std::string("Be brief."));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        QTest::keyClicks(input(bench), QStringLiteral("later"));
        bench.window.close();
        MainWindow second(bench.workspace, test::theme(), bench.preferences, bench.servers);
        second.goTo(QStringLiteral("playground"));
        second.resize(1440, 900);
        second.show();
        QCOMPARE(second.findChild<PlaygroundPage*>()->findChildren<QPlainTextEdit*>().size(), 2);
        const auto field = [&](const QString& name) -> QString {
            for (auto* edit : second.findChildren<QPlainTextEdit*>())
                if (edit->accessibleName() == name) return edit->toPlainText();
            return {};
        };
        QCOMPARE(field(QStringLiteral("Message")), QStringLiteral("later"));
        QCOMPARE(field(QStringLiteral("System prompt")), QStringLiteral("Be brief."));
    }
    void whatIsTypedStaysWhenTheServerGoesAway() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.holdChat = true;
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("Question")));
        QTRY_VERIFY(view(bench)->toPlainText().contains(QLatin1String("Hello")));
        QTest::keyClicks(input(bench), QStringLiteral("next one"));
        bench.daemon.goAway();
        QTRY_VERIFY(!bench.engine.isAttached());
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(view(bench)->toPlainText().contains(QLatin1String("Hello")));  // what came of the answer is kept
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("next one"));
        QVERIFY(!bench.clickNow(QStringLiteral("Send")));
    }
    void casesAreSavedRunAgainAndCompared() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTest::keyClicks(input(bench), QStringLiteral("Write a letter"));
        QVERIFY(bench.click(QStringLiteral("Save as case")));
        QTRY_COMPARE(bench.daemon.cases.size(), std::size_t{1});
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Saved cases")));
        auto* table = bench.find<QTableView>(QStringLiteral("Saved cases"));
        QTRY_COMPARE(table->model()->rowCount(), 1);
        QCOMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("not run"));
        auto* expected = bench.find<QLineEdit>(QStringLiteral("Text an answer must contain"));
        QTest::keyClicks(expected, QStringLiteral("Garden"));
        QTest::keyClick(expected, Qt::Key_Return);
        QTRY_COMPARE(bench.daemon.cases[0]["expected"].get<std::string>(), std::string("Garden"));
        const auto says = [&](const QString& words) {
            return QTest::qWaitFor([&] {
                for (const TextLabel* label : bench.window.findChildren<TextLabel*>())
                    if (label->isVisible() && label->text().contains(words)) return true;
                return false;
            });
        };
        QVERIFY(bench.click(QStringLiteral("Run")));
        QVERIFY(says(QStringLiteral("Holds what was expected · First run")));
        QTRY_COMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("1 of 1 passed"));
        QVERIFY(bench.click(QStringLiteral("Run")));
        QVERIFY(says(QStringLiteral("As last time")));
        bench.daemon.chatPieces = {QStringLiteral("Hello"), QStringLiteral(" from"), QStringLiteral(" the harbour.")};
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QVERIFY(says(QStringLiteral("Lacks \"Garden\" · Differs from last time")));
        QTRY_COMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("0 of 1 passed"));
        QVERIFY(bench.click(QStringLiteral("Compare")));
        QTRY_VERIFY(view(bench)->toPlainText().contains(QLatin1String("garden.the harbour")) ||
                    view(bench)->toPlainText().contains(QLatin1String("garden.harbour")));
        QTRY_COMPARE(bench.daemon.cases[0]["results"]["tiny"]["answer"].get<std::string>(),
                     std::string("Hello from the harbour."));
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("Write a letter"));
        QVERIFY(bench.click(QStringLiteral("Remove the case")));
        QTRY_COMPARE(bench.daemon.cases.size(), std::size_t{0});
        QVERIFY(bench.click(QStringLiteral("Bring back")));
        QTRY_COMPARE(bench.daemon.cases.size(), std::size_t{1});
        QCOMPARE(bench.daemon.cases[0]["expected"].get<std::string>(), std::string("Garden"));
    }
    void lanesOfOneModelAreHeldAgainstTheRunBefore_notAgainstEachOther() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.cases = {{{"id", 1}, {"name", "Letter"}, {"prompt", "Write a letter"}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(bench.click(QStringLiteral("Add model")));  // there is no other one: the same model twice
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Saved cases")));
        auto* table = bench.find<QTableView>(QStringLiteral("Saved cases"));
        const auto verdicts = [&](const QString& words) {
            int count = 0;
            for (const TextLabel* label : bench.window.findChildren<TextLabel*>())
                count += label->isVisible() && label->text() == words;
            return count;
        };
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_COMPARE(verdicts(QStringLiteral("First run")), 2);
        QTRY_COMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("first run"));
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_COMPARE(verdicts(QStringLiteral("As last time")), 2);
        QTRY_COMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("as before"));
        bench.daemon.chatPieces = {QStringLiteral("Something else")};
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_COMPARE(verdicts(QStringLiteral("Differs from last time")), 2);
        QTRY_COMPARE(table->model()->index(0, 1).data().toString(), QStringLiteral("1 of 1 differs"));
    }
    void aCaseIsRenamedInPlace_andEscKeepsItsName() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.cases = {{{"id", 1}, {"name", "Letter"}, {"prompt", "Write a letter"}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Saved cases")));
        bench.find<QTableView>(QStringLiteral("Saved cases"))->selectRow(0);
        const QString field = QStringLiteral("Name of the case");
        QVERIFY(!bench.find<QLineEdit>(field));
        QVERIFY(bench.click(QStringLiteral("Rename the case")));
        QTRY_VERIFY(bench.find<QLineEdit>(field));
        QTest::keyClicks(bench.find<QLineEdit>(field), QStringLiteral("Other"));
        QTest::keyClick(bench.find<QLineEdit>(field), Qt::Key_Escape);
        QVERIFY(!bench.find<QLineEdit>(field));
        QCOMPARE(bench.daemon.count(QStringLiteral("case-save")), 0);
        QVERIFY(bench.click(QStringLiteral("Rename the case")));
        QTest::keyClicks(bench.find<QLineEdit>(field), QStringLiteral("Other"));
        QTest::keyClick(bench.find<QLineEdit>(field), Qt::Key_Return);
        QTRY_COMPARE(bench.daemon.cases[0]["name"].get<std::string>(), std::string("Other"));
        QVERIFY(!bench.find<QLineEdit>(field));
    }
    void whereThereIsLittleRoom_theTitleStaysAndTwoSettingsFold() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground"), {1024, 768}));
        auto* page = bench.window.findChild<PlaygroundPage*>();
        const auto isThere = [&](const QString& text) {
            for (const TextLabel* label : page->findChildren<TextLabel*>())
                if (label->text() == text && label->isVisible()) return true;
            return false;
        };
        QVERIFY(isThere(QStringLiteral("Playground")));
        QVERIFY(bench.find<QDoubleSpinBox>(QStringLiteral("Temperature")));
        QVERIFY(!bench.find<QDoubleSpinBox>(QStringLiteral("Top p")));
        QVERIFY(bench.click(QStringLiteral("More sampling settings")));
        QTRY_VERIFY(bench.find<QDoubleSpinBox>(QStringLiteral("Top p")));
        QVERIFY(isThere(QStringLiteral("Max tokens")));
        QVERIFY(bench.find<HintButton>(QStringLiteral("Send"))->hint().isEmpty());
        QVERIFY(bench.find<CertaintyLegend>(bench.window.findChild<CertaintyLegend*>()->accessibleName()));
        QVERIFY(bench.click(QStringLiteral("More sampling settings")));
        bench.window.resize(1440, 900);
        QTRY_VERIFY(bench.find<QDoubleSpinBox>(QStringLiteral("Top p")));
        QCOMPARE(bench.find<HintButton>(QStringLiteral("Send"))->hint(), QStringLiteral("Ctrl+Return"));
    }
    void theModelOfAColumnIsReadAlsoWhileThereIsNoList() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        auto* model = bench.find<QComboBox>(QStringLiteral("Model"));
        QTRY_COMPARE(model->currentText(), QStringLiteral("tiny"));
        bench.engine.attach(QUrl(QStringLiteral("http://127.0.0.1:9")), bench.daemon.key);
        QTRY_COMPARE(model->count(), 0);
        QCOMPARE(model->placeholderText(), QStringLiteral("tiny"));
    }
    void aCaseGoesIntoTheFieldsWhenItIsUsed_andTheFieldsOwnUndoBringsBackWhatStoodThere() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.cases = {{{"id", 1}, {"name", "Letter"}, {"prompt", "Write a letter"}, {"system", "Be brief."}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTRY_VERIFY(bench.find<QTableView>(QStringLiteral("Saved cases")));
        auto* table = bench.find<QTableView>(QStringLiteral("Saved cases"));
        QTest::keyClicks(input(bench), QStringLiteral("half a thought"));
        const QPoint row = table->visualRect(table->model()->index(0, 0)).center();
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, row);
        QTest::qWait(20);
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("half a thought"));  // a click only chooses
        QVERIFY(bench.click(QStringLiteral("Put the case into the fields")));
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("Write a letter"));
        auto* system = bench.find<QPlainTextEdit>(QStringLiteral("System prompt"));
        QCOMPARE(system->toPlainText(), QStringLiteral("Be brief."));
        input(bench)->setFocus();
        QTest::keyClick(input(bench), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("half a thought"));
        QTest::mouseDClick(table->viewport(), Qt::LeftButton, {}, row);
        QTRY_COMPARE(input(bench)->toPlainText(), QStringLiteral("Write a letter"));
    }
    void aRunAndANewChatCanBeTakenBack() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.cases = {{{"id", 1}, {"name", "Letter"}, {"prompt", "Write a letter"}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("First")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_VERIFY(!view(bench)->toPlainText().contains(QLatin1String("First")));
        QVERIFY(answered(bench, QStringLiteral("Write a letter")));
        QVERIFY(bench.click(QStringLiteral("Undo")));
        QTRY_VERIFY(view(bench)->toPlainText().contains(QLatin1String("First")));
        QVERIFY(bench.click(QStringLiteral("New chat")));
        QTRY_VERIFY(!view(bench) || !view(bench)->toPlainText().contains(QLatin1String("First")));
        QVERIFY(bench.click(QStringLiteral("Undo")));
        QTRY_VERIFY(view(bench) && view(bench)->toPlainText().contains(QLatin1String("First")));
    }
    void aModelThatFailedIsNotAskedTwoQuestionsInARow() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(bench.click(QStringLiteral("Add model")));
        bench.daemon.chatsBroken = 1;
        QVERIFY(ask(bench, QStringLiteral("First")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QTRY_VERIFY(!bench.find<QAbstractButton>(QStringLiteral("Stop")));
        QTest::keyClicks(input(bench), QStringLiteral("Second"));
        QVERIFY(bench.click(QStringLiteral("Send")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 4);
        std::vector<std::size_t> lengths;
        for (const auto& call : bench.daemon.calls) {
            if (!call.path.endsWith(QLatin1String("completions"))) continue;
            const Json& messages = call.body["messages"];
            for (std::size_t i = 0; i < messages.size(); ++i)
                QCOMPARE(messages[i]["role"].get<std::string>(), std::string(i % 2 ? "assistant" : "user"));
            lengths.push_back(messages.size());
        }
        std::sort(lengths.begin(), lengths.end());
        QCOMPARE(lengths, (std::vector<std::size_t>{1, 1, 1, 3}));
    }
    void aRegenerationThatFailsOrIsStoppedLeavesTheOldAnswer() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("First")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        bench.daemon.chatsBroken = 1;
        QVERIFY(bench.click(QStringLiteral("Regenerate")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        bench.daemon.holdChat = true;
        bench.daemon.chatPieces = {QString(), QStringLiteral("never")};  // nothing before it is stopped
        QVERIFY(bench.click(QStringLiteral("Regenerate")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 3);
        QVERIFY(bench.click(QStringLiteral("Stop")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
    }
    void aClosedColumnIsNotJudgedAndTheRunGoesOnInTheOthers() {
        Bench bench;
        bench.daemon.addModel("alpha");
        bench.daemon.addModel("beta");
        bench.daemon.cases = {{{"id", 1}, {"name", "One"}, {"prompt", "one"}},
                              {{"id", 2}, {"name", "Two"}, {"prompt", "two"}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(bench.click(QStringLiteral("Add model")));
        bench.daemon.holdChat = true;
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QVERIFY(bench.click(QStringLiteral("Close this column")));
        QTest::qWait(50);
        QCOMPARE(bench.daemon.count(QStringLiteral("completions")), 2);  // the other lane still answers the first
        QCOMPARE(bench.daemon.count(QStringLiteral("case-save")), 0);
        bench.daemon.finishChat();
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 3);
        bench.daemon.finishChat();
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("case-save")), 2);
    }
    void aSlowAnswerOfTheDaemonBringsNoOlderResultsBack() {
        Bench bench;
        for (const char* name : {"alpha", "beta", "delta"}) bench.daemon.addModel(name);
        bench.daemon.cases = {{{"id", 1}, {"name", "One"}, {"prompt", "one"}}};
        QVERIFY(bench.open(QStringLiteral("playground")));
        for (int i = 0; i < 2; ++i) QVERIFY(bench.click(QStringLiteral("Add model")));
        bench.daemon.held.insert(QStringLiteral("case-save"));
        QVERIFY(bench.click(QStringLiteral("Run all")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 3);
        QTRY_VERIFY(!bench.find<QAbstractButton>(QStringLiteral("Stop")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("case-save")), 1);  // one at a time
        bench.daemon.release(QStringLiteral("case-save"));
        QTRY_COMPARE(bench.daemon.cases[0]["results"].size(), std::size_t{3});
        QCOMPARE(bench.daemon.count(QStringLiteral("case-save")), 2);
    }
    void aCaseThatIsNotKeptSaysWhy() {
        Bench bench;
        bench.daemon.addModel("tiny");
        bench.daemon.failures.insert(QStringLiteral("case-save"), fail(ErrorCode::DiskFull, "no room for cases.json"));
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTest::keyClicks(input(bench), QStringLiteral("Keep"));
        QVERIFY(bench.click(QStringLiteral("Save as case")));
        QTRY_VERIFY(bench.find<ErrorStrip>(QStringLiteral("Error")));
        QVERIFY(bench.find<ErrorStrip>(QStringLiteral("Error"))->text().contains(QLatin1String("No room")));
        QCOMPARE(input(bench)->toPlainText(), QStringLiteral("Keep"));
    }
    void copiesHoldWhatWouldBeSentAndNoKey() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QTest::keyClicks(input(bench), QStringLiteral("Hi there"));
        QVERIFY(bench.click(QStringLiteral("Copy as Python")));
        const QString code = QApplication::clipboard()->text();
        QVERIFY(code.contains(QLatin1String("\"content\": \"Hi there\"")));
        QVERIFY(code.contains(bench.daemon.url().toString() + QStringLiteral("/v1")));
        QVERIFY(!code.contains(bench.daemon.key));
    }
    void copiesWhileAMessageIsEditedHoldWhatSendWouldSend() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground")));
        QVERIFY(ask(bench, QStringLiteral("First")));
        QVERIFY(answered(bench, QStringLiteral("the garden.")));
        QVERIFY(ask(bench, QStringLiteral("Second")));
        QTRY_COMPARE(bench.daemon.count(QStringLiteral("completions")), 2);
        QVERIFY(answered(bench, QStringLiteral("Second")));
        QVERIFY(follow(view(bench), QStringLiteral("espalier:edit/1")));
        QTest::keyClicks(input(bench), QStringLiteral(" anew"));
        QVERIFY(bench.click(QStringLiteral("Copy as Python")));
        const QString code = QApplication::clipboard()->text();
        QVERIFY(code.contains(QLatin1String("First anew")));
        QVERIFY2(!code.contains(QLatin1String("Second")) && !code.contains(QLatin1String("garden")), qPrintable(code));
    }
    void everythingFitsIntoASmallWindow() {
        Bench bench;
        bench.daemon.addModel("tiny");
        QVERIFY(bench.open(QStringLiteral("playground"), {1024, 768}));
        QVERIFY(bench.click(QStringLiteral("More sampling settings")));
        QCOMPARE(bench.window.width(), 1024);
        for (const QWidget* widget : bench.window.findChild<PlaygroundPage*>()->findChildren<QWidget*>()) {
            const bool matters = qobject_cast<const QAbstractButton*>(widget) || qobject_cast<const QLineEdit*>(widget);
            if (!matters || !widget->isVisible()) continue;
            const QRect place(widget->mapTo(&bench.window, QPoint()), widget->size());
            QVERIFY2(bench.window.rect().contains(place), qPrintable(widget->accessibleName()));
        }
    }
};
ESPALIER_TEST(tst_playground, TestPlayground)
#include "tst_playground.moc"
