// SPDX-License-Identifier: GPL-3.0-or-later
// The text side of a model folder: what is read from which file, what wins, what may be absent.
#include <QTemporaryDir>
#include <QTest>
#include <fstream>

#include "core/tokenizer/text_model.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

constexpr const char* kXlmRobertaFile = "sentencepiece.bpe.model";

class Folder {
public:
    void write(const char* name, const std::string& text) { std::ofstream(path() / name, std::ios::binary) << text; }
    Path path() const { return m_directory.path().toStdString(); }
    Result<TextModel> load() { return loadTextModel(*m_files, path()); }

private:
    QTemporaryDir m_directory;
    std::unique_ptr<FileSystem> m_files = makeFileSystem();
};

std::string said(const TextModel& model) {
    ChatInput input;
    input.messages = OrderedJson::array({{{"role", "user"}, {"content", "hi"}}});
    return model.chatTemplate->render(input).value().text;
}

}  // namespace

class TestTextModel : public QObject {
    Q_OBJECT
private slots:
    void folder_withoutTokenizer_isIdsInIdsOut() {
        Folder folder;
        const TextModel model = folder.load().value();
        QVERIFY(!model.tokenizer && !model.chatTemplate);
    }
    void tokens_areStringsOrObjects() {
        Folder folder;
        folder.write("tokenizer.json", readData("llama3.json"));
        folder.write(
            "tokenizer_config.json",
            R"({"bos_token":{"content":"<|begin_of_text|>","special":true},"eos_token":"<|eot_id|>","unk_token":null})");
        const TextModel model = folder.load().value();
        QCOMPARE(model.bosToken, std::string("<|begin_of_text|>"));
        QCOMPARE(model.eosToken, std::string("<|eot_id|>"));
        QVERIFY(model.unkToken.empty() && model.padToken.empty());
        QVERIFY(model.tokenizer->idOf(model.eosToken).has_value());
        QCOMPARE(model.kind, std::string("byte-level BPE, 1,208 entries"));
    }
    void tokenizerModel_isReadWhereThereIsNoTokenizerJson() {
        Folder folder;
        folder.write("tokenizer.model", readData("spm_llama.model"));
        folder.write("added_tokens.json", R"({"<pad>":1200,"<extra>":1201})");
        folder.write("tokenizer_config.json", R"({"pad_token":"<pad>","add_eos_token":true,
            "added_tokens_decoder":{"2":{"content":"</s>","special":true},"1202":{"content":"<|x|>","special":true}}})");
        const TextModel model = folder.load().value();
        QCOMPARE(model.kind, std::string("SentencePiece BPE, 1,203 entries"));
        QCOMPARE(model.bosToken, std::string("<s>"));
        QCOMPARE(model.unkToken, std::string("<unk>"));
        QVERIFY(model.tokenizer->isSpecial(1200) && !model.tokenizer->isSpecial(1201) &&
                model.tokenizer->isSpecial(1202));
        QCOMPARE(idText(model.tokenizer->encode("<extra><|x|>", {.addSpecial = true, .verbatim = {}}).value()),
                 std::string("1 1201 1202 2 "));
        folder.write("tokenizer.json", readData("llama3.json"));
        QCOMPARE(folder.load().value().kind, std::string("byte-level BPE, 1,208 entries"));
    }
    void spieceModel_isTheSameUnderAnotherName() {
        Folder folder;
        folder.write("spiece.model", readData("spm_llama.model"));
        QCOMPARE(folder.load().value().kind, std::string("SentencePiece BPE, 1,200 entries"));
        folder.write("spiece.model", "no model");
        QVERIFY(folder.load().error().message.starts_with("spiece.model: "));
        folder.write("tokenizer.model", readData("spm_llama.model"));
        QVERIFY(folder.load().has_value());
    }
    // transformers gives XLM-RoBERTa's pieces the model's ids plus one, its unknown piece 3.
    void sentencepieceBpeModel_hasTheIdsOfXlmRoberta() {
        Folder folder;
        folder.write(kXlmRobertaFile, readData("spm_llama.model"));
        folder.write("tokenizer_config.json", R"({"tokenizer_class":"XLMRobertaTokenizer"})");
        const TextModel model = folder.load().value();
        QCOMPARE(model.kind, std::string("SentencePiece BPE, 1,202 entries"));
        QCOMPARE(model.tokenizer->idOf("<mask>"), std::optional<TokenId>(1201));
        QCOMPARE(model.tokenizer->idOf("<pad>"), std::optional<TokenId>(1));
        QVERIFY(model.tokenizer->isSpecial(1201) && model.tokenizer->isSpecial(3) && !model.tokenizer->isSpecial(4));
        const auto texts = readDataLines("texts.jsonl"), golden = readDataLines("spm_llama.ids");
        int compared = 0;
        for (std::size_t i = 0; i < texts.size(); i += 20) {
            const auto text = Json::parse(texts[i]).get<std::string>();
            // Names of special tokens are tokens here and text to sentencepiece.
            if (text.find('<') != std::string::npos) continue;
            std::vector<TokenId> expected{0};
            for (const TokenId id : idsFromBase36(golden[i])) expected.push_back(id == 0 ? 3 : id + 1);
            expected.push_back(2);
            QCOMPARE(idText(model.tokenizer->encode(text, {.addSpecial = true, .verbatim = {}}).value()),
                     idText(expected));
            ++compared;
        }
        QVERIFY(compared > 50);
        QCOMPARE(idText(model.tokenizer->encode("a <mask>").value()),
                 idText(model.tokenizer->encode("a").value()) + "1201 ");
    }
    void sentencepieceBpeModel_ofAnotherKindIsRefused() {
        Folder folder;
        folder.write(kXlmRobertaFile, readData("spm_llama.model"));
        folder.write("tokenizer_config.json", R"({"tokenizer_class":"CamembertTokenizer"})");
        QVERIFY(folder.load().error().message.find("\"CamembertTokenizer\"") != std::string::npos);
        folder.write(kXlmRobertaFile, readData("spm_t5.model"));
        folder.write("tokenizer_config.json", "{}");
        QCOMPARE(folder.load().error().message,
                 std::string("sentencepiece.bpe.model: expected <unk>, <s> and </s> as the first three pieces"));
    }
    void modelMaxLength_isReadWhereItIsANumberOfTokens() {
        Folder folder;
        for (const auto& [said, expected] :
             {std::pair("512", std::optional<std::int32_t>(512)),
              std::pair("1000000000000000019884624838656", std::optional<std::int32_t>()),
              std::pair("null", std::optional<std::int32_t>()), std::pair("0", std::optional<std::int32_t>()),
              std::pair("\"x\"", std::optional<std::int32_t>())}) {
            folder.write("tokenizer_config.json", std::string("{\"model_max_length\":") + said + "}");
            QCOMPARE(folder.load().value().maxTokens, expected);
        }
    }
    void tokenizerModel_errorsNameTheFile() {
        Folder folder;
        folder.write("tokenizer.model", "IyBubyBtb2RlbA== 0\n");
        QVERIFY(folder.load().error().message.starts_with("tokenizer.model: expected a SentencePiece model"));
        folder.write("tokenizer.model", readData("spm_llama.model"));
        folder.write("added_tokens.json", R"({"<s>":7})");
        QVERIFY(folder.load().error().message.find("elsewhere in the file it has 1") != std::string::npos);
        folder.write("added_tokens.json", R"({"<pad>":-1})");
        QVERIFY(folder.load().error().message.starts_with("added_tokens.json: "));
        folder.write("added_tokens.json", "{}");
        folder.write("tokenizer_config.json", R"({"added_tokens_decoder":{"x":{"content":"a"}}})");
        QVERIFY(folder.load().error().message.find("\"x\" is no token id") != std::string::npos);
    }
    void template_ofTheJinjaFileWins() {
        Folder folder;
        folder.write("tokenizer_config.json", R"({"chat_template":"config"})");
        QCOMPARE(said(folder.load().value()), std::string("config"));
        folder.write("tokenizer_config.json",
                     R"({"chat_template":[{"name":"rag","template":"r"},{"name":"default","template":"d"}]})");
        QCOMPARE(said(folder.load().value()), std::string("d"));
        folder.write("chat_template.jinja", "file {{ messages[0].content }}\n");
        QCOMPARE(said(folder.load().value()), std::string("file hi"));
    }
    void errors_nameTheFile() {
        Folder folder;
        folder.write("tokenizer_config.json", "[]");
        QVERIFY(folder.load().error().message.find("tokenizer_config.json") != std::string::npos);
        folder.write("tokenizer_config.json", "{}");
        folder.write("chat_template.jinja", "{% if %}");
        QVERIFY(folder.load().error().message.starts_with("chat_template.jinja: chat template line 1: "));
        folder.write("chat_template.jinja", "");
        folder.write("tokenizer.json", "{");
        QVERIFY(folder.load().error().message.starts_with("tokenizer.json: "));
    }
};
ESPALIER_TEST(tst_text_model, TestTextModel)
#include "tst_text_model.moc"
