// SPDX-License-Identifier: GPL-3.0-or-later
// The tokenizer's own promises: hostile files end in a sentence, long words end soon, streams never cut a character,
// verbatim text holds no special token.
#include <QTest>
#include <functional>
#include <random>

#include "core/tokenizer/regex.h"
#include "core/tokenizer/utf8.h"
#include "tests/core/tokenizer/golden_files.h"
#include "tests/support/test_main.h"

using namespace espalier;
using namespace espalier::test;

namespace {

// a, b, ab, c and a special token behind them.
Json smallFile() {
    return Json::parse(R"({
        "added_tokens": [{"id": 9, "content": "<end>", "special": true, "single_word": false, "lstrip": false,
                          "rstrip": false, "normalized": false}],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
                  "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3, "aa": 4, "aaaa": 5},
                  "merges": ["a b", ["a", "a"], ["aa", "aa"]]}})");
}

Error refusal(const std::function<void(Json&)>& change) {
    Json file = smallFile();
    change(file);
    const auto tokenizer = parseTokenizer(file.dump(), "tokenizer.json");
    if (tokenizer) return Error{ErrorCode::Internal, "was accepted", ""};
    return tokenizer.error();
}

std::shared_ptr<const Tokenizer> changed(const std::function<void(Json&)>& change) {
    Json file = smallFile();
    change(file);
    return parseTokenizer(file.dump(), "tokenizer.json").value();
}

std::string matchesOf(std::string_view pattern, std::string_view text) {
    const auto regex = Regex::compile(pattern, "p");
    if (!regex) return regex.error().message;
    std::vector<TextRange> ranges;
    if (const auto found = regex->findAll(text, ranges); !found) return found.error().message;
    std::string out;
    for (const TextRange& range : ranges) out += std::string(text.substr(range.begin, range.end - range.begin)) + "|";
    return out;
}

}  // namespace

class TestTokenizer : public QObject {
    Q_OBJECT
private slots:
    void file_isRefusedWithASentence_data() {
        QTest::addColumn<QString>("path");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("sentence");
        const auto row = [](const char* name, const char* path, const char* value, const char* code, const char* part) {
            QTest::newRow(name) << path << value << code << part;
        };
        row("negative id", "/model/vocab/a", "-1", "corrupt_file", "\"a\" must be an integer from 0 to 2147483647");
        row("id of 2^31", "/model/vocab/a", "2147483648", "corrupt_file", "\"a\" must be an integer from 0");
        row("huge id", "/model/vocab/a", "18446744073709551615", "corrupt_file", "\"a\" must be an integer");
        row("fractional id", "/model/vocab/a", "1.5", "corrupt_file", "\"a\" must be an integer");
        row("duplicate id", "/model/vocab/a", "1", "corrupt_file", "have the same id 1");
        row("merge of nothing", "/model/merges/0", "\"a x\"", "corrupt_file",
            "merges[0]: the vocabulary has no token \"x\"");
        row("merge to nothing", "/model/merges/0", "\"b a\"", "corrupt_file", "the vocabulary has no token \"ba\"");
        row("merge of three", "/model/merges/1", "[\"a\",\"a\",\"a\"]", "corrupt_file",
            "merges[1]: expected two tokens");
        row("merge of one", "/model/merges/1", "\"aa\"", "corrupt_file", "merges[1]: expected two tokens");
        row("merges no array", "/model/merges", "{}", "corrupt_file", "\"merges\" must be an array");
        row("vocab no object", "/model/vocab", "[]", "corrupt_file", "\"vocab\" must be an object");
        row("no model", "/model", "null", "corrupt_file", "model: expected an object");
        row("model type", "/model/type", "\"Odd\"", "unsupported",
            "the model type \"Odd\" is not supported; understood are BPE, Unigram, WordPiece");
        row("unknown token", "/model/unk_token", "\"<unk>\"", "corrupt_file", "\"unk_token\" must be a token");
        row("normalizer", "/normalizer", R"({"type":"Odd"})", "unsupported",
            "the normalizer \"Odd\" is not supported; understood are BertNormalizer, ByteLevel");
        row("nested normalizer", "/normalizer", R"({"type":"Sequence","normalizers":[{"type":"Odd"}]})", "unsupported",
            "the normalizer \"Odd\"");
        row("normalizers no array", "/normalizer", R"({"type":"Sequence","normalizers":{}})", "corrupt_file",
            "\"normalizers\" must be an array");
        row("strip accents", "/normalizer", R"({"type":"BertNormalizer","strip_accents":1})", "corrupt_file",
            "\"strip_accents\" must be");
        row("rules no base64", "/normalizer", R"({"type":"Precompiled","precompiled_charsmap":"####"})", "corrupt_file",
            "\"precompiled_charsmap\" is not base64");
        row("rules cut off", "/normalizer", R"({"type":"Precompiled","precompiled_charsmap":"AAAA"})", "corrupt_file",
            "\"precompiled_charsmap\" has 3 bytes");
        row("rules that lie", "/normalizer", R"({"type":"Precompiled","precompiled_charsmap":"////fwAAAAAAAA=="})",
            "corrupt_file", "says that its trie has 2147483647 bytes");
        row("pre-tokenizer", "/pre_tokenizer", R"({"type":"UnicodeScripts"})", "unsupported",
            "the pre-tokenizer \"UnicodeScripts\" is not supported; understood are BertPreTokenizer");
        row("two marks", "/pre_tokenizer", R"({"type":"Metaspace","replacement":"__"})", "corrupt_file",
            "\"replacement\" must be one character");
        row("prepend scheme", "/pre_tokenizer", R"({"type":"Metaspace","prepend_scheme":"last"})", "corrupt_file",
            "\"prepend_scheme\" must be one of always, first, never");
        row("delimiter", "/pre_tokenizer", R"({"type":"CharDelimiterSplit","delimiter":""})", "corrupt_file",
            "\"delimiter\" must be one character");
        row("nested parentheses", "/pre_tokenizer",
            ("{\"type\":\"Split\",\"behavior\":\"Isolated\",\"pattern\":{\"Regex\":\"" + std::string(200, '(') +
             std::string(200, ')') + "\"}}")
                .c_str(),
            "unsupported", "the pattern cannot be used");
        row("words without unknown", "/model", R"({"type":"WordPiece","vocab":{"a":0}})", "corrupt_file",
            "\"unk_token\" must be a token of the vocabulary, found \"[UNK]\"");
        row("words no object", "/model", R"({"type":"WordPiece","vocab":[]})", "corrupt_file",
            "\"vocab\" must be an object");
        row("word length", "/model", R"({"type":"WordPiece","vocab":{"[UNK]":0},"max_input_chars_per_word":-1})",
            "corrupt_file", "\"max_input_chars_per_word\" must be");
        row("scores no array", "/model", R"({"type":"Unigram","vocab":{}})", "corrupt_file",
            "\"vocab\" must be an array");
        row("score no number", "/model", R"({"type":"Unigram","vocab":[["a","b"]]})", "corrupt_file",
            "vocab[0]: expected a token and its score");
        row("token twice", "/model", R"({"type":"Unigram","vocab":[["a",0],["a",1]]})", "corrupt_file",
            "vocab[1]: \"a\" is there already as token 0");
        row("unknown beyond", "/model", R"({"type":"Unigram","vocab":[["a",0]],"unk_id":1})", "corrupt_file",
            "\"unk_id\" must be an integer from 0 to 0");
        row("behaviour", "/pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"a"},"behavior":"Odd"})",
            "corrupt_file", "\"behavior\" must be one of");
        row("bad pattern", "/pre_tokenizer", R"({"type":"Split","pattern":{"Regex":"*a"},"behavior":"Isolated"})",
            "unsupported", "the pattern cannot be used: quantifier does not follow");
        row("post-processor", "/post_processor", R"({"type":"Odd"})", "unsupported", "the post-processor \"Odd\"");
        row("template token", "/post_processor",
            R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}]})",
            "corrupt_file", "\"<s>\" must be an object");
        row("decoder", "/decoder", R"({"type":"CTC"})", "unsupported",
            "the decoder \"CTC\" is not supported; understood are BPEDecoder");
        row("added id taken", "/added_tokens/0/id", "2", "corrupt_file", "which belongs to \"ab\"");
        row("added id moved", "/added_tokens/0/content", "\"ab\"", "corrupt_file", "elsewhere in the file it has 2");
        row("added negative", "/added_tokens/0/id", "-5", "corrupt_file", "\"id\" must be an integer");
        row("added no object", "/added_tokens/0", "7", "corrupt_file", "\"id\" must be");
    }
    void file_isRefusedWithASentence() {
        QFETCH(QString, path);
        QFETCH(QString, value);
        QFETCH(QString, code);
        QFETCH(QString, sentence);
        const Error error = refusal(
            [&](Json& file) { file[Json::json_pointer(path.toStdString())] = Json::parse(value.toStdString()); });
        QCOMPARE(QString::fromStdString(std::string(codeName(error.code))), code);
        QVERIFY2(error.message.find(sentence.toStdString()) != std::string::npos, error.message.c_str());
        QVERIFY(error.message.starts_with("tokenizer.json: "));
    }

    void file_cutAnywhere_isRefused() {
        const std::string whole = readData("gpt2.json");
        for (std::size_t size = 0; size + 2 < whole.size(); size += 997)
            QCOMPARE(parseTokenizer(std::string_view(whole).substr(0, size), "t").error().code, ErrorCode::CorruptFile);
    }

    void file_nestedDeep_isRefused() {
        std::string stage = "null";
        for (int i = 0; i < 100; ++i) stage = R"({"type":"Sequence","normalizers":[)" + stage + "]}";
        std::string text = smallFile().dump();
        text.replace(text.find("\"normalizer\":null"), 17, "\"normalizer\":" + stage);
        QCOMPARE(parseTokenizer(text, "t").error().code, ErrorCode::CorruptFile);
    }

    void pattern_thatBlowsUp_endsInASentence() {
        const auto tokenizer = changed([](Json& file) {
            file["pre_tokenizer"] = {
                {"type", "Split"}, {"behavior", "Isolated"}, {"pattern", {{"Regex", "(?:(?:a|a)+)+$"}}}};
        });
        const auto ids = tokenizer->encode(std::string(200, 'a') + "b");
        QCOMPARE(ids.error().code, ErrorCode::Unsupported);
        QVERIFY(ids.error().message.find("the pattern gave up on this text") != std::string::npos);
    }

    void file_overTheCaps_isTooLarge() {
        const auto code = [](const std::function<void(Json&)>& change) { return refusal(change).code; };
        QCOMPARE(code([](Json& file) { file["model"]["vocab"][std::string(5000, 'x')] = 100; }), ErrorCode::TooLarge);
        QCOMPARE(code([](Json& file) { file["added_tokens"][0]["content"] = std::string(1025, 'x'); }),
                 ErrorCode::TooLarge);
        QCOMPARE(code([](Json& file) {
                     file["pre_tokenizer"] = {{"type", "Split"},
                                              {"behavior", "Isolated"},
                                              {"pattern", {{"Regex", std::string(20000, 'x')}}}};
                 }),
                 ErrorCode::TooLarge);
    }

    // 40 stages that each double the text: an added token's at the file, a client's at the text.
    void normalizer_thatDoublesTheText_isTooLarge() {
        const Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
        const auto doubled = [&](Json& file) {
            file["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::vector<Json>(40, doubling)}};
        };
        const Error error = refusal([&](Json& file) {
            doubled(file);
            file["added_tokens"].push_back({{"id", 0}, {"content", "a"}, {"normalized", true}});
        });
        QCOMPARE(error.code, ErrorCode::TooLarge);
        QVERIFY2(error.message.starts_with("tokenizer.json: added_tokens[1]: the normalizer makes the text longer"),
                 error.message.c_str());
        QCOMPARE(changed(doubled)->encode("ab").error().code, ErrorCode::TooLarge);
        const auto once = changed([](Json& file) {
            file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
        });
        QCOMPARE(idText(once->encode(std::string(1000, 'a')).value()).size(), std::size_t{1000});
        const auto long_ = changed([](Json& file) {
            const std::string content(1 << 20, 'a');
            file["normalizer"] = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", content}};
        });
        QCOMPARE(long_->encode(std::string(100'000, 'a')).error().code, ErrorCode::TooLarge);
    }

    void largestId_needsNoTableOfThatSize() {
        const auto tokenizer = changed([](Json& file) { file["model"]["vocab"]["z"] = 2147483647; });
        QCOMPARE(tokenizer->vocabularySize(), std::int64_t{2147483648});
        QCOMPARE(idText(tokenizer->encode("zab").value()), std::string("2147483647 2 "));
    }

    void decode_namesAnUnknownId() {
        const auto tokenizer = changed([](Json&) {});
        const TokenId ids[] = {0, 77};
        const auto text = tokenizer->decode(ids, false);
        QCOMPARE(text.error().code, ErrorCode::InvalidArgument);
        QVERIFY(text.error().message.find("77") != std::string::npos);
        QVERIFY(!tokenizer->decodePiece(-1, false, true));
    }

    void decoder_thatDoublesATokenFortyTimes_endsEarly() {
        const Json doubling = {{"type", "Replace"}, {"pattern", {{"String", "a"}}}, {"content", "aa"}};
        const auto tokenizer = changed([&](Json& file) {
            file["decoder"] = {{"type", "Sequence"}, {"decoders", std::vector<Json>(40, doubling)}};
        });
        const auto text = tokenizer->decode(tokenizer->encode("ab").value(), false).value();
        QVERIFY2(text.starts_with("aaaa") && text.size() <= 1 << 20, std::to_string(text.size()).c_str());
    }

    void encode_aMegabyteOfOneLetter() {
        const auto tokenizer = changed([](Json&) {});
        const auto ids = tokenizer->encode(std::string(1 << 20, 'a')).value();
        QCOMPARE(ids.size(), std::size_t{1 << 18});
        QVERIFY(std::all_of(ids.begin(), ids.end(), [](TokenId id) { return id == 5; }));
        const auto gpt2 = readTokenizer("gpt2");
        for (const char* run : {"a", " ", "\n", "9", "-", "\xE4\xB8\xAD"}) {
            std::string text;
            while (text.size() < 300000) text += run;
            QCOMPARE(gpt2->decode(gpt2->encode(text).value(), false).value(), text);
            for (const char* name : {"albert", "bert_uncased", "gpt1", "metaspace_first", "prefixed", "t5"})
                QVERIFY(readTokenizer(name)->encode(text).value().size() <= 2 * text.size());
        }
    }

    void encode_readsInvalidUtf8AsReplacementCharacters() {
        const auto tokenizer = readTokenizer("llama3");
        const std::string_view broken("a\xFF\xE4\xB8 \xF0\x9F\x98\x80 \xED\xA0\x80 \xC0\xAF");
        QCOMPARE(idText(tokenizer->encode(broken).value()), idText(tokenizer->encode(repairUtf8(broken)).value()));
        QCOMPARE(repairUtf8("\xE4\xB8z\xFF"), std::string("\xEF\xBF\xBDz\xEF\xBF\xBD"));
    }

    void encode_verbatimRangesHoldNoSpecialToken() {
        const auto tokenizer = readTokenizer("llama3");
        const std::string text = "<|eot_id|> <|eot_id|><|eot_id|>";
        const TokenId eot = *tokenizer->idOf("<|eot_id|>");
        const auto count = [&](std::vector<TextRange> verbatim) {
            const auto ids = tokenizer->encode(text, {.addSpecial = false, .verbatim = verbatim}).value();
            if (tokenizer->decode(ids, false).value() != text) return std::ptrdiff_t{-1};
            return std::count(ids.begin(), ids.end(), eot);
        };
        QCOMPARE(count({}), 3);
        QCOMPARE(count({{0, 10}}), 2);
        QCOMPARE(count({{9, 12}}), 1);   // one byte of a name is enough
        QCOMPARE(count({{10, 11}}), 3);  // the space between
        QCOMPARE(count({{21, 31}}), 2);  // a neighbour is not touched
        QCOMPARE(count({{0, text.size()}}), 0);
    }

    void encode_verbatimMarksSurviveNormalisation() {
        const auto tokenizer = changed([](Json& file) {
            file["normalizer"] = {{"type", "NFC"}};
            file["added_tokens"][0]["normalized"] = true;
        });
        const std::string text = "e\u0301e\u0301<end>a<end>";  // two bytes shorter in NFC, before the first name
        const TextRange second[] = {{text.size() - 5, text.size()}};
        QCOMPARE(idText(tokenizer->encode(text, {.addSpecial = false, .verbatim = second}).value()),
                 std::string("9 0 "));
        const TextRange first[] = {{6, 11}};
        QCOMPARE(idText(tokenizer->encode(text, {.addSpecial = false, .verbatim = first}).value()),
                 std::string("0 9 "));
    }

    void stream_equalsDecodeAndNeverCutsACharacter() {
        const auto tokenizer = readTokenizer("gpt2");
        std::mt19937 random(11);
        const std::string text = "\u00e9\u4e2d\U0001F600 ok \U0001F468\u200D\U0001F469";
        std::vector<TokenId> bytes;  // one token per byte
        const auto whole = tokenizer->encode(text).value();
        for (const TokenId id : whole) {
            const std::string piece = tokenizer->decodePiece(id, false, false).value();
            for (const char byte : piece)
                for (TokenId candidate = 0; candidate < 300; ++candidate)
                    if (tokenizer->decodePiece(candidate, true, false).value() == std::string(1, byte))
                        bytes.push_back(candidate);
        }
        for (int round = 0; round < 200; ++round) {
            StreamDecoder stream(tokenizer, false);
            std::string joined;
            for (const TokenId id : bytes) {
                const std::string part = stream.push(id).value();
                QVERIFY(isValidUtf8(part));
                joined += part;
            }
            joined += stream.finish();
            QCOMPARE(joined, tokenizer->decode(bytes, false).value());
            std::swap(bytes[random() % bytes.size()], bytes[random() % bytes.size()]);  // ever more broken
        }
    }

    // What Oniguruma gives for each; PCRE2 alone reads them otherwise.
    void pattern_thatTheTwoReadDifferently_isSpelledAnew() {
        QCOMPARE(matchesOf(R"(a{,2}b)", "aab a{,2}b"), std::string("aab|b|"));
        QCOMPARE(matchesOf(R"(\p{L}{,2})", "abc"), std::string("ab|c|"));
        QCOMPARE(matchesOf(R"([\w]+)", "a\u00B2b"), std::string("a|b|"));  // in a class without Latin-1's numbers
        QCOMPARE(matchesOf(R"([^\w]+)", "a\u00B2b"), std::string("\u00B2|"));
        QCOMPARE(matchesOf(R"(\b)", "\u00B2 a\u0301"), std::string("||||"));
        QCOMPARE(matchesOf(R"(a\Bb)", "ab a"), std::string("ab|"));
        QCOMPARE(matchesOf(R"((?i:[a-c]+))", "aBcd"), std::string("aBc|"));
        QCOMPARE(matchesOf(R"((?i)ab)", "aB"), std::string("aB|"));
        QCOMPARE(matchesOf(R"(a(?i)b)", "aB"), std::string("aB|"));
        QCOMPARE(matchesOf(R"(a{2}{,x})", "aa{,x}"), std::string("aa{,x}|"));
        QCOMPARE(matchesOf(R"((?<!a)b(?#no b)c)", "abc bc"), std::string("bc|"));
    }
    void pattern_thatCannotBeSpelled_isRefusedByName_data() {
        QTest::addColumn<QString>("pattern");
        QTest::addColumn<QString>("construct");
        const auto row = [](const char* pattern, const char* construct) {
            QTest::newRow(pattern) << QString(pattern) << QString(construct);
        };
        row("[[:alpha:]]", "a POSIX bracket");
        row("[^a[:punct:]]", "a POSIX bracket");
        row("a(?i)b|c", "an option group without \":\"");
        row("(x|a(?i)b|c)", "an option group without \":\"");
        row("(?i)ss", "\"ss\" where case is ignored");
        row("(?i:oFFer)", "\"ff\" where case is ignored");
        row("(?i:\u00DF)", "where case is ignored");
        row("(?i:a\u0308)", "where case is ignored");
        row("(?i:[\u1E9E])", "where case is ignored");
        row("(?i:[\\w])", "\"\\w\" in a class where case is ignored");
        row("(?i:[\\p{Lu}])", "\"\\p\" in a class where case is ignored");
        row("\\Qa.b\\E", "\"\\Q\"");
        row("\\G", "\"\\G\"");
        row("\\pL", "\"\\p\" without braces");
        row("\\xE9", "\"\\x\" for a byte that is no character");
        row("a{2}?", "\"}?\"");
        row("a{1,2}+", "\"}+\"");
        row("(?x) a", "\"(?x\"");
        row("(?|a|b)", "\"(?|\"");
        row("(?R)", "\"(?R\"");
        row("(*FAIL)", "\"(*\"");
    }
    void pattern_thatCannotBeSpelled_isRefusedByName() {
        QFETCH(QString, pattern);
        QFETCH(QString, construct);
        const auto regex = Regex::compile(pattern.toStdString(), "p");
        QVERIFY(!regex);
        QCOMPARE(regex.error().code, ErrorCode::Unsupported);
        QVERIFY2(regex.error().message.find(construct.toStdString()) != std::string::npos &&
                     regex.error().message.starts_with("p: the pattern uses "),
                 regex.error().message.c_str());
    }
    // Some hundred thousand steps at every letter: far from the limit of any one, together hours for a client's text.
    void pattern_thatIsSlowEverywhere_endsInASentence() {
        const auto regex = Regex::compile("(?=(?:a|a){17}b)c|a", "p").value();
        std::vector<TextRange> matches;
        const auto found = regex.findAll(std::string(100'000, 'a'), matches);
        QVERIFY(!found);
        QVERIFY2(found.error().message.starts_with("p: the pattern gave up on this text"),
                 found.error().message.c_str());
        QVERIFY(matches.size() < 100'000);
    }
    // What one place needs a text may have, the longer the more.
    void pattern_overALongRun_isGivenTheStepsOfTheText() {
        std::string text(3 << 20, ' ');
        text += "x";
        QCOMPARE(matchesOf(R"(\s+(?!\S)|\s+)", text).size(), text.size() + 1);
        QCOMPARE(matchesOf(R"((?: )+(?!\S)|\S| )", text.substr(text.size() - 100'001)).size(),
                 std::size_t{100'001 + 3});
    }

    void pattern_isReadAsOnigurumaReadsIt() {
        QCOMPARE(matchesOf(R"(\s+)", "a\u180Eb\u3000\u0085c"), std::string("\u3000\u0085|"));
        QCOMPARE(matchesOf(R"(\w+)", "a\u00B2\u2460 \u203Fx-y"), std::string("a\u00B2|\u203Fx|y|"));
        QCOMPARE(matchesOf(R"(\h+)", "xfaceg"), std::string("face|"));
        QCOMPARE(matchesOf(R"((?m:.)+)", "a\nb"), std::string("a\nb|"));
        QCOMPARE(matchesOf(R"(^a)", "a\na"), std::string("a|a|"));
        QCOMPARE(matchesOf(R"(\u4e2d)", "\u4e2d"), std::string("\u4e2d|"));
        QCOMPARE(matchesOf(R"([]a]+)", "]a["), std::string("]a|"));
        QCOMPARE(matchesOf(R"(x*)", "axb"), std::string("|x||"));
        QVERIFY(matchesOf("[a[b]]", "a").find("a class inside a class") != std::string::npos);
        QVERIFY(matchesOf("[a&&b]", "a").find("\"&&\"") != std::string::npos);
        QVERIFY(matchesOf("a{1,3}+", "a").find("interval") != std::string::npos);
        QVERIFY(matchesOf("(?:(?:a|a)+)+$", std::string(200, 'a') + "b").find("gave up") != std::string::npos);
    }
};
ESPALIER_TEST(tst_tokenizer, TestTokenizer)
#include "tst_tokenizer.moc"
