// SPDX-License-Identifier: GPL-3.0-or-later
// Ids and texts as Hugging Face `tokenizers` gives them, over the tokenizers and texts of make_golden.py.
#include <QTest>

#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const char* const kNames[] = {"gpt2", "gpt2_prefix", "llama3", "llama3_ignore_merges", "o200k", "sentencepiece"};

void addRows() {
    QTest::addColumn<QString>("name");
    for (const char* name : kNames) QTest::newRow(name) << QString(name);
}

std::string nameOfRow() {
    QFETCH(QString, name);
    return name.toStdString();
}

std::string streamed(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<TokenId>& ids, bool skip) {
    StreamDecoder stream(tokenizer, skip);
    std::string text;
    for (const TokenId id : ids) text += stream.push(id).value();
    return text + stream.finish();
}

std::vector<TokenId> specialVerbatim(const Tokenizer& tokenizer, const std::string& text) {
    const TextRange everything[] = {{0, text.size()}};
    return tokenizer.encode(text, {.addSpecial = false, .verbatim = everything}).value();
}

}  // namespace

class TestTokenizerGolden : public QObject {
    Q_OBJECT
private slots:
    void ids_equalOnTwoThousandTexts_data() { addRows(); }
    void ids_equalOnTwoThousandTexts() {
        const std::string name = nameOfRow();
        const auto tokenizer = readTokenizer(name);
        const auto texts = readDataLines("texts.jsonl");
        const auto golden = readDataLines(name + ".ids");
        QCOMPARE(texts.size(), std::size_t{2000});
        QCOMPARE(golden.size(), texts.size());
        std::size_t tokens = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
            const auto ids = tokenizer->encode(text).value();
            const auto expected = idsFromBase36(golden[i]);
            QVERIFY2(ids == expected,
                     (texts[i] + "\nexpected " + idText(expected) + "\nfound    " + idText(ids)).c_str());
            if (name != "gpt2_prefix") QCOMPARE(tokenizer->decode(ids, false).value(), text);
            tokens += ids.size();
        }
        QVERIFY(tokens > 20000);
    }

    void addedTokens_areFoundAsPublished_data() { addRows(); }
    void addedTokens_areFoundAsPublished() {
        const std::string name = nameOfRow();
        const auto tokenizer = readTokenizer(name);
        const Json extra = readDataJson("extra.json");
        std::size_t compared = 0;
        for (const Json& entry : extra[name]["cases"]) {
            const auto text = entry["text"].get<std::string>();
            const auto ids = tokenizer->encode(text).value();
            QCOMPARE(idText(ids), idText(entry["ids"].get<std::vector<TokenId>>()));
            QCOMPARE(idText(tokenizer->encode(text, {.addSpecial = true, .verbatim = {}}).value()),
                     idText(entry["special"].get<std::vector<TokenId>>()));
            QCOMPARE(idText(specialVerbatim(*tokenizer, text)), idText(entry["typed"].get<std::vector<TokenId>>()));
            QCOMPARE(tokenizer->decode(ids, false).value(), entry["decoded"].get<std::string>());
            QCOMPARE(tokenizer->decode(ids, true).value(), entry["skipped"].get<std::string>());
            ++compared;
        }
        QCOMPARE(compared, std::size_t{120});
    }

    void decode_equalsForAnyIds_data() { addRows(); }
    void decode_equalsForAnyIds() {
        const std::string name = nameOfRow();
        const auto tokenizer = readTokenizer(name);
        const Json extra = readDataJson("extra.json");
        std::size_t compared = 0;
        for (const Json& entry : extra[name]["sequences"]) {
            const auto ids = entry["ids"].get<std::vector<TokenId>>();
            const bool exact = name != "sentencepiece";  // its bytes become U+FFFD one by one, ours one per subpart
            if (exact) {
                QCOMPARE(tokenizer->decode(ids, false).value(), entry["decoded"].get<std::string>());
                QCOMPARE(tokenizer->decode(ids, true).value(), entry["skipped"].get<std::string>());
            }
            for (const bool skip : {false, true})
                QCOMPARE(streamed(tokenizer, ids, skip), tokenizer->decode(ids, skip).value());
            ++compared;
        }
        QCOMPARE(compared, std::size_t{120});
    }
};
ESPALIER_TEST(tst_tokenizer_golden, TestTokenizerGolden)
#include "tst_tokenizer_golden.moc"
