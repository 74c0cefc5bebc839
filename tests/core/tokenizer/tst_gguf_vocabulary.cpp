// SPDX-License-Identifier: GPL-3.0-or-later
// A GGUF vocabulary gives the ids of the tokenizer it was written from: the golden files of `tokenizers` and
// `sentencepiece`, their vocabularies spelled as GGUF spells them. What lies is refused in a sentence.
#include <QTest>
#include <functional>

#include "core/tokenizer/gguf_text.h"
#include "core/tokenizer/gguf_vocabulary.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// A byte-level tokenizer.json as a converter writes it down.
GgufVocabulary fromTokenizerJson(const std::string& name, const std::string& pre) {
    const Json file = readDataJson(name + ".json");
    GgufVocabulary vocabulary;
    vocabulary.model = "gpt2";
    vocabulary.pre = pre;
    const auto put = [&](const std::string& token, std::size_t id, std::int32_t type) {
        if (vocabulary.tokens.size() <= id) {
            vocabulary.tokens.resize(id + 1);
            vocabulary.types.resize(id + 1, 5);
        }
        vocabulary.tokens[id] = token;
        vocabulary.types[id] = type;
    };
    for (const auto& [token, id] : file["model"]["vocab"].items()) put(token, id.get<std::size_t>(), 1);
    for (const Json& added : file["added_tokens"])
        put(added["content"].get<std::string>(), added["id"].get<std::size_t>(), added["special"].get<bool>() ? 3 : 4);
    for (const Json& merge : file["model"]["merges"])
        vocabulary.merges.push_back(merge.is_string()
                                        ? merge.get<std::string>()
                                        : merge[0].get<std::string>() + " " + merge[1].get<std::string>());
    return vocabulary;
}

GgufVocabulary fromPieces(const std::string& name) {
    const Json entry = readDataJson("spm_extra.json")[name];
    GgufVocabulary vocabulary;
    vocabulary.model = "llama";
    vocabulary.addBos = false;
    for (const Json& piece : entry["pieces"]) {
        vocabulary.tokens.push_back(piece[0].get<std::string>());
        vocabulary.scores.push_back(piece[1].get<float>());
        vocabulary.types.push_back(piece[2].get<std::int32_t>());
    }
    return vocabulary;
}

// A WordPiece tokenizer.json as a converter writes it down.
GgufVocabulary fromWordPiece(const std::string& name) {
    const Json file = readDataJson(name + ".json");
    GgufVocabulary vocabulary;
    vocabulary.model = "bert";
    vocabulary.lowercase = file["normalizer"]["lowercase"].get<bool>();
    vocabulary.tokens.resize(file["model"]["vocab"].size());
    vocabulary.types.resize(vocabulary.tokens.size(), 1);
    for (const auto& [token, id] : file["model"]["vocab"].items())
        vocabulary.tokens[id.get<std::size_t>()] = token.starts_with("##") ? token.substr(2) : "\u2581" + token;
    for (const Json& added : file["added_tokens"]) {
        vocabulary.tokens[added["id"].get<std::size_t>()] = added["content"].get<std::string>();
        vocabulary.types[added["id"].get<std::size_t>()] = 3;
    }
    return vocabulary;
}

void compareWithGolden(const Tokenizer& tokenizer, const std::string& name, bool decodes) {
    const auto texts = readDataLines("texts.jsonl");
    const auto golden = readDataLines(name + ".ids");
    QCOMPARE(golden.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
        const auto ids = tokenizer.encode(text).value();
        QVERIFY2(ids == idsFromBase36(golden[i]),
                 (texts[i] + "\nexpected " + idText(idsFromBase36(golden[i])) + "\nfound    " + idText(ids)).c_str());
        if (decodes && text.find("\u2581") == std::string::npos) QCOMPARE(tokenizer.decode(ids, false).value(), text);
    }
}

GgufVocabulary smallVocabulary() {
    GgufVocabulary vocabulary;
    vocabulary.model = "gpt2";
    vocabulary.pre = "gpt-2";
    vocabulary.tokens = {"a", "b", "ab", "<end>"};
    vocabulary.types = {1, 1, 1, 3};
    vocabulary.merges = {"a b"};
    vocabulary.eosId = 3;
    return vocabulary;
}

}  // namespace

class TestGgufVocabulary : public QObject {
    Q_OBJECT
private slots:
    void byteLevel_idsEqualTheTokenizerItCameFrom_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("pre");
        QTest::newRow("gpt-2") << "gpt2"
                               << "gpt-2";
        QTest::newRow("llama-bpe") << "llama3_ignore_merges"
                                   << "llama-bpe";
        QTest::newRow("dbrx") << "llama3"
                              << "dbrx";
    }
    void byteLevel_idsEqualTheTokenizerItCameFrom() {
        QFETCH(QString, name);
        QFETCH(QString, pre);
        const auto model = textModelOf(fromTokenizerJson(name.toStdString(), pre.toStdString()), "m.gguf").value();
        compareWithGolden(*model.tokenizer, name.toStdString(), name != "qwen2");
        const Json extra = readDataJson("extra.json");
        QCOMPARE(extra[name.toStdString()]["cases"].size(), std::size_t{120});
        for (const Json& entry : extra[name.toStdString()]["cases"])
            QCOMPARE(idText(model.tokenizer->encode(entry["text"].get<std::string>()).value()),
                     idText(entry["ids"].get<std::vector<TokenId>>()));
    }

    // Whole files, written by the gguf package, with the ids of the tokenizers they come from.
    void files_idsEqualTheTokenizersTheyComeFrom_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("golden");
        for (const auto& [kind, golden] : {std::pair("llama", "spm_llama"), std::pair("gpt2", "gpt2"),
                                           std::pair("bert", "bert_uncased"), std::pair("t5", "spm_t5")})
            QTest::newRow(kind) << QString(kind) << QString(golden);
    }
    void files_idsEqualTheTokenizersTheyComeFrom() {
        QFETCH(QString, kind);
        QFETCH(QString, golden);
        const Path folder = Path(ESPALIER_TEST_DATA) / "gguf";
        const auto files = makeFileSystem();
        const auto model = loadGgufText(*files, folder / ("vocabulary-" + kind.toStdString() + ".gguf"));
        QVERIFY2(model.has_value(), model ? "" : model.error().message.c_str());
        Json differing = Json::object();
        if (kind == "bert") differing = Json::parse(files->readText(folder / "vocabulary-bert.json", 1 << 20).value());
        const auto texts = readDataLines("texts.jsonl"), lines = readDataLines(golden.toStdString() + ".ids");
        QCOMPARE(lines.size(), texts.size());
        QVERIFY(texts.size() >= 2000);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
            const auto other = differing.find(std::to_string(i));
            const auto expected =
                other != differing.end() ? other->get<std::vector<TokenId>>() : idsFromBase36(lines[i]);
            const auto ids = model->tokenizer->encode(text).value();
            QVERIFY2(ids == expected,
                     (texts[i] + "\nexpected " + idText(expected) + "\nfound    " + idText(ids)).c_str());
        }
    }

    void scored_idsEqualSentencePiece() {
        const auto model = textModelOf(fromPieces("spm_llama"), "m.gguf").value();
        QCOMPARE(model.unkToken, std::string("<unk>"));
        compareWithGolden(*model.tokenizer, "spm_llama", true);
    }
    void unigram_idsEqualSentencePiece() {
        GgufVocabulary vocabulary = fromPieces("spm_t5");
        vocabulary.model = "t5";
        vocabulary.eosId = 1;
        vocabulary.precompiledCharsmap = readData("nmt_nfkc.charsmap");
        const auto model = textModelOf(std::move(vocabulary), "m.gguf").value();
        compareWithGolden(*model.tokenizer, "spm_t5", false);
        QCOMPARE(model.tokenizer->encode("a", {.addSpecial = true, .verbatim = {}}).value().back(), 1);
    }
    void wordPiece_idsEqualTheTokenizerItCameFrom_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"bert_uncased", "bert_cased"}) QTest::newRow(name) << QString(name);
    }
    void wordPiece_idsEqualTheTokenizerItCameFrom() {
        QFETCH(QString, name);
        GgufVocabulary vocabulary = fromWordPiece(name.toStdString());
        // The golden tokenizers give up on words of more than 24 characters, GGUF files on those of more than 100.
        const auto model = textModelOf(std::move(vocabulary), "m.gguf").value();
        const auto original = parseTokenizer(
            [&] {
                Json file = readDataJson(name.toStdString() + ".json");
                file["model"]["max_input_chars_per_word"] = 100;
                return file.dump();
            }(),
            "tokenizer.json");
        std::size_t same = 0;
        const auto golden = readDataLines(name.toStdString() + ".ids");
        const auto texts = readDataLines("texts.jsonl");
        for (std::size_t i = 0; i < texts.size(); ++i) {
            const auto text = parseJson(texts[i], "texts.jsonl").value().get<std::string>();
            const auto ids = model.tokenizer->encode(text).value();
            QCOMPARE(idText(ids), idText(original.value()->encode(text).value()));
            same += ids == idsFromBase36(golden[i]) ? 1 : 0;
        }
        QVERIFY(same > 1900);
        QCOMPARE(idText(model.tokenizer->encode("", {.addSpecial = true, .verbatim = {}}).value()),
                 std::string("2 3 "));
        QCOMPARE(model.tokenizer->tokenOf(3).value(), std::string("[SEP]"));
    }

    void specialTokens_comeFromIdsAndTypes() {
        GgufVocabulary vocabulary = fromPieces("spm_llama");
        vocabulary.addBos.reset();
        vocabulary.bosId = 1;
        vocabulary.eosId = 2;
        vocabulary.addEos = true;
        vocabulary.chatTemplate = "{{ messages[0].content }}";
        const auto model = textModelOf(std::move(vocabulary), "m.gguf").value();
        QCOMPARE(model.bosToken, std::string("<s>"));
        QCOMPARE(model.eosToken, std::string("</s>"));
        QCOMPARE(model.kind, std::string("SentencePiece BPE, 1,200 entries"));
        QVERIFY(model.chatTemplate != nullptr);
        const auto ids = model.tokenizer->encode("a</s>", {.addSpecial = true, .verbatim = {}}).value();
        QCOMPARE(ids.front(), 1);
        QCOMPARE(ids[ids.size() - 2], 2);
        QCOMPARE(ids.back(), 2);
        const TextRange typed[] = {{0, 5}};
        const auto plain = model.tokenizer->encode("a</s>", {.addSpecial = false, .verbatim = typed}).value();
        QVERIFY(std::count(plain.begin(), plain.end(), 2) == 0);
        QCOMPARE(model.tokenizer->decode(plain, true).value(), std::string("a</s>"));
    }

    void vocabulary_isRefusedWithASentence_data() {
        QTest::addColumn<std::function<void(GgufVocabulary&)>>("change");
        QTest::addColumn<QString>("sentence");
        const auto row = [](const char* name, std::function<void(GgufVocabulary&)> change, const char* sentence) {
            QTest::newRow(name) << std::move(change) << QString(sentence);
        };
        row(
            "model", [](auto& v) { v.model = "rwkv"; },
            "the tokenizer \"rwkv\" (tokenizer.ggml.model) is not supported; known are");
        row(
            "pre", [](auto& v) { v.pre = "odd"; }, "the pre-tokenizer \"odd\" (tokenizer.ggml.pre) is not supported");
        row(
            "no tokens", [](auto& v) { v.tokens.clear(); }, "tokenizer.ggml.eos_token_id is 3");
        row(
            "nothing", [](auto& v) { v = {}; }, "tokenizer.ggml.tokens is missing or empty");
        row(
            "scores",
            [](auto& v) {
                v.scores = {1, 2};
            },
            "tokenizer.ggml.scores has 2 entries, expected 4");
        row(
            "types", [](auto& v) { v.types = {1}; }, "tokenizer.ggml.token_type has 1 entries, expected 4");
        row(
            "type", [](auto& v) { v.types[1] = 9; }, "tokenizer.ggml.token_type [1] is 9, expected 1 to 6");
        row(
            "eos", [](auto& v) { v.eosId = 4; }, "tokenizer.ggml.eos_token_id is 4, expected an id of the 4 tokens");
        row(
            "bos", [](auto& v) { v.bosId = -2; }, "tokenizer.ggml.bos_token_id is -2");
        row(
            "merge", [](auto& v) { v.merges[0] = "ab"; }, "tokenizer.ggml.merges [0]: expected two tokens");
        row(
            "merge of nothing", [](auto& v) { v.merges[0] = "a x"; }, "merges[0]: the vocabulary has no token \"x\"");
        row(
            "twice", [](auto& v) { v.tokens[1] = "a"; }, "tokenizer.ggml.tokens [1]: \"a\" is there already as 0");
        row(
            "special twice", [](auto& v) { v.tokens[3] = "ab"; }, "elsewhere in the file");
        row(
            "long", [](auto& v) { v.tokens[1] = std::string(5000, 'x'); }, "5000 bytes in a token");
        row(
            "no scores", [](auto& v) { v.model = "llama"; }, "tokenizer.ggml.scores is missing");
        row(
            "NaN",
            [](auto& v) {
                v.model = "llama";
                v.scores = {0, NAN, 0, 0};
            },
            "piece 1: the score is not a number");
        row(
            "template", [](auto& v) { v.chatTemplate = "{% if %}"; }, "tokenizer.chat_template: ");
    }
    void vocabulary_isRefusedWithASentence() {
        QFETCH(std::function<void(GgufVocabulary&)>, change);
        QFETCH(QString, sentence);
        GgufVocabulary vocabulary = smallVocabulary();
        QVERIFY(textModelOf(vocabulary, "m.gguf"));
        change(vocabulary);
        const auto model = textModelOf(vocabulary, "m.gguf");
        QVERIFY(!model);
        const std::string& message = model.error().message;
        QVERIFY2(message.find(sentence.toStdString()) != std::string::npos, message.c_str());
        QVERIFY2(message.starts_with("m.gguf: "), message.c_str());
    }

    void idsThatAreUnset_areNone() {
        GgufVocabulary vocabulary = smallVocabulary();
        vocabulary.bosId = 0xFFFFFFFF;
        vocabulary.unknownId = -1;
        const auto model = textModelOf(vocabulary, "m.gguf").value();
        QVERIFY(model.bosToken.empty() && model.unkToken.empty());
        QCOMPARE(model.eosToken, std::string("<end>"));
    }

    // A token list is bytes. One that is no text would cut a character, and what is left is not for a pattern to see.
    void tokensThatAreNoText_areFoundInNone() {
        for (const std::int32_t type : {3, 4}) {
            GgufVocabulary vocabulary = fromTokenizerJson("gpt2", "gpt-2");
            vocabulary.tokens.push_back("\x9F");
            vocabulary.types.push_back(type);
            const auto odd = static_cast<TokenId>(vocabulary.tokens.size()) - 1;
            const auto model = textModelOf(std::move(vocabulary), "m.gguf").value();
            const std::string text = "a \U0001F600 b";
            const auto ids = model.tokenizer->encode(text).value();
            QVERIFY(std::count(ids.begin(), ids.end(), odd) == 0);
            QCOMPARE(model.tokenizer->decode(ids, false).value(), text);
            QCOMPARE(model.tokenizer->isSpecial(odd), type == 3);
            QVERIFY(model.tokenizer->decodePiece(odd, false, false));
        }
    }

    void idsWithoutText_areToleratedAndNeverMade() {
        GgufVocabulary vocabulary = smallVocabulary();
        vocabulary.tokens.insert(vocabulary.tokens.end(), {"", ""});
        vocabulary.types.insert(vocabulary.types.end(), {1, 1});
        vocabulary.paddingId = 99;  // beyond the vocabulary: a padding token that only the embedding has
        const auto model = textModelOf(vocabulary, "m.gguf").value();
        QCOMPARE(model.tokenizer->vocabularySize(), std::int64_t{6});
        QCOMPARE(idText(model.tokenizer->encode("abab<end>").value()), std::string("2 2 3 "));
    }
};
ESPALIER_TEST(tst_gguf_vocabulary, TestGgufVocabulary)
#include "tst_gguf_vocabulary.moc"
