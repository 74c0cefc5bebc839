// SPDX-License-Identifier: GPL-3.0-or-later
// tokenizer.model against the ids and texts of `sentencepiece` (make_sentencepiece.py), and files that lie.
#include <QTest>

#include "core/tokenizer/sentencepiece_model.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/core/tokenizer/model_proto.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

SentencePieceModel readModel(const std::string& name) {
    auto model = parseSentencePieceModel(readData(name + ".model"), name + ".model");
    if (!model) qFatal("%s", model.error().message.c_str());
    const auto rules = readDataJson("spm_extra.json")[name]["charsmap"].get<std::string>();
    if (!rules.empty()) model->charsmap = readData(rules + ".charsmap");
    return std::move(model).value();
}

std::shared_ptr<const Tokenizer> tokenizerOf(SentencePieceModel model) {
    auto tokenizer = makeSentencePieceTokenizer(std::move(model), {}, "tokenizer.model");
    if (!tokenizer) qFatal("%s", tokenizer.error().message.c_str());
    return std::move(tokenizer).value();
}

}  // namespace

class TestSentencePieceModel : public QObject {
    Q_OBJECT
private slots:
    void ids_equalOnEveryText_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"spm_albert", "spm_bpe", "spm_gemma", "spm_llama", "spm_suffix", "spm_t5"})
            QTest::newRow(name) << QString(name);
    }
    void ids_equalOnEveryText() {
        QFETCH(QString, name);
        const SentencePieceModel model = readModel(name.toStdString());
        const TokenId unknown = model.pieces.unknown.value();
        const auto tokenizer = tokenizerOf(model);
        const auto texts = readDataLines("texts.jsonl");
        const auto golden = readDataLines(name.toStdString() + ".ids");
        const Json decoded = readDataJson("spm_extra.json")[name.toStdString()]["decoded"];
        QCOMPARE(golden.size(), texts.size());
        std::size_t compared = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
            const auto ids = tokenizer->encode(text).value();
            const auto expected = idsFromBase36(golden[i]);
            QVERIFY2(ids == expected,
                     (texts[i] + "\nexpected " + idText(expected) + "\nfound    " + idText(ids)).c_str());
            if (std::count(ids.begin(), ids.end(), unknown) > 0) continue;  // its name here, " \u2047 " there
            const std::string back = tokenizer->decode(ids, false).value();
            QVERIFY2(shortHash(back) == decoded[i].get<std::string>(), (texts[i] + "\ndecoded " + back).c_str());
            StreamDecoder stream(tokenizer, false);
            std::string streamed;
            for (const TokenId id : ids) streamed += stream.push(id).value();
            QCOMPARE(streamed + stream.finish(), back);
            ++compared;
        }
        QVERIFY(compared > 400);
    }

    void controlPieces_areSpecialTokens() {
        const auto tokenizer = tokenizerOf(readModel("spm_llama"));
        QVERIFY(tokenizer->isSpecial(1) && tokenizer->isSpecial(2) && !tokenizer->isSpecial(300));
        const auto ids = tokenizer->encode("a</s>b").value();
        QCOMPARE(std::count(ids.begin(), ids.end(), 2), 1);
    }

    void aPrefix_standsWhereTheTextBegins() {
        SentencePieceModel model = readModel("spm_llama");
        const auto everywhere = tokenizerOf(model)->encode("x</s>x").value();
        model.spaces.prefixesFirst = true;
        const auto first = tokenizerOf(model)->encode("x</s>x").value();
        QCOMPARE(everywhere.front(), everywhere.back());
        QCOMPARE(first.front(), everywhere.front());
        QVERIFY(first.back() != everywhere.back());
    }

    void longTexts_takeNoTimeAtAll() {
        for (const char* name : {"spm_llama", "spm_t5", "spm_albert"}) {
            const auto tokenizer = tokenizerOf(readModel(name));
            for (const char* run : {"a", " ", "the ", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80"}) {
                std::string text;
                while (text.size() < 300000) text += run;
                QVERIFY(tokenizer->encode(text).value().size() < text.size());
            }
        }
    }

    void file_isRefusedWithASentence_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("sentence");
        const auto row = [](const char* name, const std::string& content, const char* sentence) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << QString(sentence);
        };
        const std::string unknown = piece("<unk>", 0, 2);
        row("empty", "", "there are no pieces");
        row("text", "IyBlbmRpYW4gYmFzZTY0IDA=\n", "expected a SentencePiece model, found");
        row("field beyond the end", "\x0A\xFF\xFF\xFF\xFF\x0F", "field 1 of 4294967295 bytes where 0 are left");
        row("number without end", std::string(11, '\xFF'), "a number of more than ten bytes");
        row("number cut off", "\x0A\x80", "a number that the end cuts off");
        row("group", "\x0B", "field 1 of the wire type 3");
        row("field zero", std::string("\x02\x00", 2), "a field with the number 0");
        row("piece no message", "\x08\x01", "field 1 of the wire type 0");
        row("empty piece", bytes(1, "\x15" + std::string(4, '\0')), "piece 0: the piece is empty");
        row("score no float", bytes(1, bytes(1, "a") + "\x10\x01"), "piece 0: expected a SentencePiece model");
        row("piece type", unknown + piece("a", 0, 9),
            "piece 1: expected a SentencePiece model, found a piece of the type 9");
        row("piece twice", unknown + piece("a", 0, 1) + piece("a", 0, 1), "piece 2: \"a\" is there already as piece 1");
        row("long piece", unknown + piece(std::string(5000, 'a'), 0, 1), "piece 1: 5000 bytes");
        row("not a number", unknown + piece("a", NAN, 1), "piece 1: the score is not a number");
        row("no unknown", piece("a", 0, 1), "no piece stands for what is unknown");
        row("two unknown", unknown + piece("b", 0, 2), "the pieces 0 and 1 both stand for what is unknown");
        row("no byte", unknown + piece("<0xZZ>", 0, 6), "piece 1: \"<0xZZ>\" is no byte");
        row("bytes missing", unknown + piece("<0x41>", 0, 6) + bytes(2, "\x98\x02\x01"), "not every byte has a piece");
        row("words", unknown + bytes(2, "\x18\x03"), "the SentencePiece model type \"WORD\" is not supported");
        row("odd type", unknown + bytes(2, "\x18\x7F"), "the SentencePiece model type \"127\" is not supported");
        row("trainer", unknown + bytes(2, "\x1A\x01x"), "trainer_spec: expected a SentencePiece model");
        row("normalizer", unknown + bytes(3, "\x12\x7F"), "normalizer_spec: expected a SentencePiece model");
        row("rules", unknown + bytes(3, bytes(2, "abc")), "\"precompiled_charsmap\" has 3 bytes");
    }
    void file_isRefusedWithASentence() {
        QFETCH(QByteArray, content);
        QFETCH(QString, sentence);
        auto model = parseSentencePieceModel(content.toStdString(), "tokenizer.model");
        const Error error = !model ? model.error() : [&] {
            const auto tokenizer = makeSentencePieceTokenizer(std::move(model).value(), {}, "tokenizer.model");
            return tokenizer ? Error{ErrorCode::Internal, "was accepted", ""} : tokenizer.error();
        }();
        QVERIFY2(error.message.starts_with("tokenizer.model: "), error.message.c_str());
        QVERIFY2(error.message.find(sentence.toStdString()) != std::string::npos, error.message.c_str());
    }

    void file_cutAnywhere_isRefusedOrWhole() {
        const std::string whole = readData("spm_llama.model");
        std::size_t refused = 0;
        for (std::size_t size = 0; size < whole.size(); size += 61)
            if (!parseSentencePieceModel(std::string_view(whole).substr(0, size), "t")) ++refused;
        QVERIFY(refused > whole.size() / 61 / 2);
    }
};
ESPALIER_TEST(tst_sentencepiece_model, TestSentencePieceModel)
#include "tst_sentencepiece_model.moc"
