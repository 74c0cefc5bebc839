// SPDX-License-Identifier: GPL-3.0-or-later
// Ids and texts as Hugging Face `tokenizers` gives them, over the tokenizers and texts of make_golden.py.
#include <QTest>

#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

const char* const kNames[] = {"albert",
                              "bert_accents",
                              "bert_cased",
                              "bert_plain",
                              "bert_uncased",
                              "gpt1",
                              "gpt2",
                              "gpt2_prefix",
                              "llama3",
                              "llama3_ignore_merges",
                              "metaspace_always",
                              "metaspace_first",
                              "metaspace_never",
                              "o200k",
                              "prefixed",
                              "qwen2",
                              "sentencepiece",
                              "t5",
                              "xlm_roberta"};

// Bytes that make no character become U+FFFD one by one there, here one per maximal subpart (Unicode, section 3.9).
const QStringList kByteFallback = {"albert", "metaspace_always", "metaspace_first", "metaspace_never", "sentencepiece"};

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
    void ids_equalOnEveryText_data() { addRows(); }
    void ids_equalOnEveryText() {
        const std::string name = nameOfRow();
        const auto tokenizer = readTokenizer(name);
        const auto texts = readDataLines("texts.jsonl");
        const auto golden = readDataLines(name + ".ids");
        QCOMPARE(texts.size(), std::size_t{2100});
        const Json decoded = readDataJson("extra.json")[name]["decoded"];
        QCOMPARE(decoded.size(), texts.size());
        QCOMPARE(golden.size(), texts.size());
        std::size_t tokens = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
            const auto ids = tokenizer->encode(text).value();
            const auto expected = idsFromBase36(golden[i]);
            QVERIFY2(ids == expected,
                     (texts[i] + "\nexpected " + idText(expected) + "\nfound    " + idText(ids)).c_str());
            const std::string back = tokenizer->decode(ids, false).value();
            QVERIFY2(shortHash(back) == decoded[i].get<std::string>(), (texts[i] + "\ndecoded " + back).c_str());
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
            const bool exact = !kByteFallback.contains(QString::fromStdString(name));
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
