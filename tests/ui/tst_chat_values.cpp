// SPDX-License-Identifier: GPL-3.0-or-later
// The values behind the Playground: Markdown blocks, token places, differences, conversations, copies, cases.
#include <QAbstractItemModelTester>
#include <QRandomGenerator>
#include <QTest>

#include "tests/ui/support/ui_test_main.h"
#include "ui/models/chat_export.h"
#include "ui/models/conversation.h"
#include "ui/models/layer_table.h"
#include "ui/models/markdown.h"
#include "ui/models/probe_table.h"
#include "ui/models/saved_case.h"
#include "ui/models/text_diff.h"
#include "ui/pages/sampling_bar.h"

using namespace espalier;
using namespace espalier::ui;

namespace {

// Blocks as a line each: kind, mark, and the spans with their styles.
QStringList described(const QString& source) {
    static const QStringList kinds{QStringLiteral("p"),    QStringLiteral("h"),     QStringLiteral("code"),
                                   QStringLiteral("item"), QStringLiteral("quote"), QStringLiteral("table"),
                                   QStringLiteral("rule")};
    QStringList lines;
    for (const MarkdownBlock& block : parseMarkdown(source)) {
        QString line = kinds[block.kind];
        if (block.level > 0) line += QString::number(block.level);
        if (!block.mark.isEmpty()) line += QLatin1Char('<') + block.mark + QLatin1Char('>');
        for (const MarkdownSpan& span : block.spans) {
            line += QLatin1Char('[');
            if (span.bold) line += QLatin1String("b:");
            if (span.italic) line += QLatin1String("i:");
            if (span.code) line += QLatin1String("c:");
            if (!span.link.isEmpty()) line += QLatin1String("a=") + span.link + QLatin1Char(':');
            line += source.mid(span.begin, span.end - span.begin) + QLatin1Char(']');
        }
        lines << line;
    }
    return lines;
}

ChatToken token(const QByteArray& bytes, double logprob = -0.5) {
    return {bytes, logprob, {}};
}

ChatRequest wholeRequest() {
    ChatRequest request;
    request.model = QStringLiteral("tiny");
    request.messages = {{QStringLiteral("user"), QStringLiteral("It's $HOME `x`\n\"né\"")}};
    request.sampling.topK = 40;
    request.sampling.minP = 0.05;
    request.sampling.seed = 7;
    request.sampling.stop = {QStringLiteral("\n\n")};
    return request;
}

DaemonAddress address() {
    DaemonAddress made;
    made.url = QUrl(QStringLiteral("http://127.0.0.1:8420"));
    made.key = QStringLiteral("esp_secret");
    made.keyFile = QStringLiteral("/w/admin.key");
    return made;
}

}  // namespace

class TestChatValues : public QObject {
    Q_OBJECT
private slots:
    void markdown_data() {
        QTest::addColumn<QString>("source");
        QTest::addColumn<QStringList>("blocks");
        const auto add = [](const char* name, const char* source, const QStringList& blocks) {
            QTest::newRow(name) << QString::fromUtf8(source) << blocks;
        };
        add("paragraphs", "one\ntwo\n\nthree", {"p[one\ntwo]", "p[three]"});
        add("bold and italic", "a **b** *c* _d_ e", {"p[a ][b:b][ ][i:c][ ][i:d][ e]"});
        add("bold in italic", "*a **b** c*", {"p[i:a ][b:i:b][i: c]"});
        add("names are not emphasis", "snake_case_name and 2 * 3 * 4", {"p[snake_case_name and 2 * 3 * 4]"});
        add("not closed yet", "a **b", {"p[a **b]"});
        add("code", "use `a*b*` now", {"p[use ][c:a*b*][ now]"});
        add("fence", "```cpp\nint a;\n\n// *b*\n```\nafter", {"code<cpp>[c:int a;\n\n// *b*]", "p[after]"});
        add("fence that is not closed", "```\nx", {"code[c:x]"});
        add("headings", "# A\n### B *c*\n#no", {"h1[A]", "h3[B ][i:c]", "p[#no]"});
        add("lists", "- a\n  - b\n10. c",
            {QString::fromUtf8("item<•>[a]"), QString::fromUtf8("item1<•>[b]"), "item<10.>[c]"});
        add("an item goes on", "- a\n  b\n   c\n- d\ne\n\nf",
            {QString::fromUtf8("item<•>[a\n][b\n][c]"), QString::fromUtf8("item<•>[d\ne]"), "p[f]"});
        add("an item that goes on in bold", "- a **b\n  c** d", {QString::fromUtf8("item<•>[a ][b:b\n][b:c][ d]")});
        add("what indents a line is left out", "a\n    b\r\nc", {"p[a\n][b][\nc]"});
        add("quote, rule, table", "> q\n---\n| a | b |", {"quote[q]", "rule", "table[c:| a | b |]"});
        add("link and picture", "[a](http://x.y) ![b](p.png)", {"p[a=http://x.y:a][ ][a=p.png:b]"});
        add("html is text", "<b>x</b> <img src=y>", {"p[<b>x</b> <img src=y>]"});
        add("escapes", "\\*a\\*", {"p[*][a][*]"});
        add("windows lines", "a\r\n\r\nb", {"p[a]", "p[b]"});
    }
    void markdown() {
        QFETCH(QString, source);
        QFETCH(QStringList, blocks);
        QCOMPARE(described(source), blocks);
    }
    void markdown_spansAreInsideTheirBlocksAndAscend_whateverTheText() {
        const QString alphabet = QStringLiteral("*_`[]()!#->| \n\\ab1.~\r");
        const quint32 seed = QRandomGenerator::global()->generate();
        QRandomGenerator random(seed);
        for (int round = 0; round < 4000; ++round) {
            QString source;
            for (int i = random.bounded(60); i > 0; --i) source += alphabet[random.bounded(int(alphabet.size()))];
            qsizetype at = 0;
            for (const MarkdownBlock& block : parseMarkdown(source)) {
                const QByteArray where = QByteArray::number(seed) + ": " + source.toUtf8();
                QVERIFY2(block.begin >= 0 && block.end <= source.size() && block.begin <= block.end, where);
                for (const MarkdownSpan& span : block.spans) {
                    QVERIFY2(span.begin >= at && span.begin < span.end && span.end <= block.end, where);
                    at = span.end;
                }
            }
        }
    }
    void markdown_ofHostileTextIsQuick() {
        // Openings without an end: each looks for its close, none may do so for every other one.
        const QStringList texts{QString(20'000, QLatin1Char('*')), QString(20'000, QLatin1Char('[')),
                                QStringLiteral("a **").repeated(5000), QStringLiteral("`").repeated(19'999),
                                QStringLiteral("[a](").repeated(5000)};
        for (const QString& text : texts) {
            QElapsedTimer clock;
            clock.start();
            QVERIFY(!parseMarkdown(text).empty());
            qInfo("%lld ms", clock.elapsed());
        }
    }
    void tokens_areTracedToTheTextTheyAre() {
        TokenAlignment tokens;
        tokens.append({token(" Dear"), token(" Dr"), token("\xC3"), token("\xA9"), token("\xF0\x9F\x8C\xB1")});
        QVERIFY(tokens.places().empty());
        tokens.extend(QStringLiteral("Dear Dr"));
        QCOMPARE(tokens.places().size(), std::size_t{2});  // the rest of the text is not there yet
        tokens.extend(QString::fromUtf8("Dear Dr\u00E9\U0001F331"));
        QCOMPARE(tokens.places().size(), std::size_t{5});
        QCOMPARE(tokens.tokenAt(0), 0);
        QCOMPARE(tokens.tokenAt(3), 0);
        QCOMPARE(tokens.tokenAt(4), 1);
        QCOMPARE(tokens.tokenAt(7), 2);  // the character belongs to its first byte
        QCOMPARE(tokens.tokenAt(8), 4);
        QCOMPARE(tokens.tokenAt(9), 4);  // two units
        QCOMPARE(tokens.tokenAt(10), -1);
        QCOMPARE(tokens.meanLogprob(), -0.5);
    }
    void tokens_thatNeverBecameACharacterAreReplacementsAndTheNextOnesStayInPlace() {
        TokenAlignment tokens;
        tokens.append({token("a"), token("\x8F"), token("\xC3"), token("b"), token("c")});
        tokens.extend(QString::fromUtf8("a\uFFFD\uFFFDbc"));
        QCOMPARE(tokens.tokenAt(1), 1);
        QCOMPARE(tokens.tokenAt(3), 3);
        QCOMPARE(tokens.tokenAt(4), 4);
        TokenAlignment fewer;  // two tokens of one broken character are one replacement
        fewer.append({token("\xF0\x9F"), token("\x8C"), token("x")});
        fewer.extend(QString::fromUtf8("\uFFFDx"));
        QCOMPARE(fewer.tokenAt(1), 2);
    }
    void tokens_thatTheTextLeavesOutShowNothing() {
        TokenAlignment tokens;
        tokens.append({token("Yes"), token("<|end|>"), token("!")});
        tokens.extend(QStringLiteral("Yes!"));
        QCOMPARE(tokens.places().size(), std::size_t{3});
        QCOMPARE(tokens.tokenAt(3), 2);
    }
    void difference_joinsToBothTexts() {
        using P = DiffPiece;
        QCOMPARE(diffWords(QStringLiteral("a b c"), QStringLiteral("a x c")),
                 (std::vector<P>{{P::Same, QStringLiteral("a ")},
                                 {P::Removed, QStringLiteral("b ")},
                                 {P::Added, QStringLiteral("x ")},
                                 {P::Same, QStringLiteral("c")}}));
        QVERIFY(diffWords({}, {}).empty());
        const quint32 seed = QRandomGenerator::global()->generate();
        QRandomGenerator random(seed);
        const QStringList words{QStringLiteral("a "), QStringLiteral("b\n"), QStringLiteral("c "), QStringLiteral("d")};
        for (int round = 0; round < 500; ++round) {
            QString before, after, left, right;
            for (int i = random.bounded(12); i > 0; --i) before += words[random.bounded(4)];
            for (int i = random.bounded(12); i > 0; --i) after += words[random.bounded(4)];
            for (const P& piece : diffWords(before, after)) {
                if (piece.kind != P::Added) left += piece.text;
                if (piece.kind != P::Removed) right += piece.text;
            }
            QVERIFY2(left == before && right == after, QByteArray::number(seed));
        }
    }
    void conversation_asksAgainWithoutTheLastAnswerAndCutsAtATurn() {
        Conversation chat;
        chat.ask(1, QStringLiteral("Hi"));
        chat.answer(QStringLiteral("Hello"), nullptr, {});
        chat.ask(2, QStringLiteral("More"));
        chat.answer(QStringLiteral("No"), nullptr, {});
        QVERIFY(chat.dropAnswer());
        QVERIFY(!chat.dropAnswer());
        const auto messages = chat.messages(QStringLiteral("Be brief."));
        QCOMPARE(messages.size(), std::size_t{4});
        QCOMPARE(messages[0].role, QStringLiteral("system"));
        QCOMPARE(messages[3].content, QStringLiteral("More"));
        QCOMPARE(chat.messages(QStringLiteral("  ")).size(), std::size_t{3});
        chat.dropUnanswered();
        QCOMPARE(chat.turns().size(), std::size_t{1});
        chat.cutFrom(1);
        QVERIFY(chat.isEmpty());
    }
    void requests_leaveNeutralValuesOut() {
        ChatRequest request;
        request.messages = {{QStringLiteral("user"), QStringLiteral("x")}};
        Json body = request.toJson(false);
        for (const char* key : {"min_p", "top_k", "seed", "stop", "repetition_penalty", "logprobs", "stream_options"})
            QVERIFY2(!body.contains(key), key);
        request.sampling.repetitionPenalty = 1.1;
        request.topLogprobs = 5;
        body = request.toJson(true);
        QCOMPARE(body["repetition_penalty"].get<double>(), 1.1);
        QCOMPARE(body["top_logprobs"].get<int>(), 5);
        QVERIFY(!body.contains("top_k"));
    }
    void sampling_survivesItsJson() {
        const Sampling sampling = wholeRequest().sampling;
        QVERIFY(samplingFromJson(toJson(sampling)) == sampling);
        QVERIFY(samplingFromJson(Json("x")) == Sampling());
        QVERIFY(samplingFromJson({{"top_k", -3}, {"seed", "y"}, {"stop", {1, 2}}}) == Sampling());
    }
    void stops_surviveTheirLine() {
        const QStringList stops{QStringLiteral("\n\n"), QStringLiteral("a|b"), QStringLiteral("c\\d"),
                                QStringLiteral("###")};
        QCOMPARE(stopsFromText(stopsToText(stops)), stops);
        QCOMPARE(stopsFromText(QStringLiteral("|x||")), QStringList{QStringLiteral("x")});
        QVERIFY(stopsFromText({}).isEmpty());
    }
    void curl_quotesForTheShellAndHoldsNoKey() {
        const QString command = asCurl(wholeRequest(), address());
        QVERIFY(!command.contains(QLatin1String("esp_secret")));
        QVERIFY(command.contains(QLatin1String("It'\\''s $HOME `x`")));
        QVERIFY(command.contains(QLatin1String("${ESPALIER_KEY:=$(cat '/w/admin.key')}")));
        QVERIFY(command.contains(QLatin1String("Bearer $ESPALIER_KEY\"")));
        QVERIFY(!command.contains(QLatin1String("cacert")));
        DaemonAddress tls = address();
        tls.certificateFile = QStringLiteral("/w/the cert.pem");
        QVERIFY(asCurl(wholeRequest(), tls).contains(QLatin1String("curl -N --cacert '/w/the cert.pem' ")));
        QVERIFY(asPython(wholeRequest(), tls).contains(QLatin1String("SSL_CERT_FILE='/w/the cert.pem'")));
    }
    void python_holdsNoKeyAndKeepsTheRestOfTheSamplingApart() {
        const QString code = asPython(wholeRequest(), address());
        QVERIFY(!code.contains(QLatin1String("esp_secret")));
        QVERIFY(code.contains(QLatin1String("api_key=os.environ[\"ESPALIER_KEY\"]")));
        QVERIFY(code.contains(QLatin1String("extra_body={\"min_p\": 0.05, \"top_k\": 40}")));
        QVERIFY(code.contains(QLatin1String("    seed=7,\n")));
        QVERIFY(code.contains(QLatin1String("    stream=True,\n")));
        QVERIFY(code.contains(QString::fromUtf8("It's $HOME `x`\\n\\\"né\\\"")));
    }
    void cases_surviveTheirJsonAndStandAsTheirResultsDo() {
        SavedCase saved;
        saved.id = 3;
        saved.name = QStringLiteral("Letter");
        saved.prompt = QStringLiteral("Write");
        saved.expected = QStringLiteral("dear");
        saved.sampling = wholeRequest().sampling;
        saved.results[QStringLiteral("tiny")] = {QStringLiteral("Dear you"), 12, true};
        const auto back = savedCaseFromJson(toJson(saved));
        QVERIFY(back.has_value());
        QVERIFY(*back == saved);
        QVERIFY(!savedCaseFromJson({{"name", "x"}}));
        CaseTable table;
        QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::QtTest);
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("1 of 1 passed"));
        saved.results[QStringLiteral("other")] = {QStringLiteral("No"), 13, true};
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("1 of 2 passed"));
        saved.expected.clear();
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("as before"));
        saved.results[QStringLiteral("other")] = {QStringLiteral("No"), 14, false};
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("1 of 2 differs"));
        saved.results[QStringLiteral("tiny")].same = false;
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("2 of 2 differ"));
        for (auto& [model, result] : saved.results) result.isFirst = true;
        table.update(saved);
        QCOMPARE(table.index(0, CaseTable::Outcome).data().toString(), QStringLiteral("first run"));
        QVERIFY(*savedCaseFromJson(toJson(saved)) == saved);
        table.remove(3);
        QCOMPARE(table.rowCount(), 0);
    }
    void tables_keepTheRulesOfModels() {
        ProbeTable probe;
        QAbstractItemModelTester probeTester(&probe, QAbstractItemModelTester::FailureReportingMode::QtTest);
        probe.setTensors({{"b", "weights", {2, 3}, "f32", 24}, {"a", "not used", {1}, "f32", 4}});
        QCOMPARE(probe.unusedCount(), 1);
        QCOMPARE(probe.index(0, ProbeTable::Name).data().toString(), QStringLiteral("a"));
        LayerTable layers;
        QAbstractItemModelTester layerTester(&layers, QAbstractItemModelTester::FailureReportingMode::QtTest);
        ModelInspection inspection;
        inspection.record.spec.layers.assign(2, {.heads = 4, .kvHeads = 2, .neurons = 768});
        inspection.tensors = {{QStringLiteral("model.layers.1.a"), {2}, QStringLiteral("f32"), 8, {}},
                              {QStringLiteral("h.0.b"), {2}, QStringLiteral("f32"), 8, {}},
                              {QStringLiteral("model.layers.9.a"), {2}, QStringLiteral("f32"), 8, {}}};
        layers.setInspection(inspection);
        QCOMPARE(layers.index(0, LayerTable::Tensors).data().toString(), QStringLiteral("1"));
        QCOMPARE(layers.index(1, LayerTable::Size).data().toString(), QStringLiteral("8 B"));
    }
};
ESPALIER_TEST(tst_chat_values, TestChatValues)
#include "tst_chat_values.moc"
