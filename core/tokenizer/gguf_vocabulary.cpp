// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/gguf_vocabulary.h"

#include <utility>

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/pipeline.h"
#include "core/tokenizer/scored_bpe.h"
#include "core/tokenizer/sentencepiece_model.h"
#include "core/tokenizer/split_rules.h"
#include "core/tokenizer/token_limits.h"
#include "core/tokenizer/utf8.h"
#include "core/tokenizer/word_piece.h"

namespace espalier {
namespace {

constexpr std::int64_t kUnsetId = 0xFFFFFFFF;  // how files say that there is no such token

struct SpecialIds {
    std::optional<TokenId> bos, eos, unknown, padding, separator, classification;
};

Error wrongKey(const std::string& where, std::string_view key, const std::string& sentence) {
    return fail(ErrorCode::CorruptFile, where + ": tokenizer.ggml." + std::string(key) + " " + sentence, where);
}

Result<std::optional<TokenId>> checkedId(std::optional<std::int64_t> id, std::string_view key,
                                         const GgufVocabulary& vocabulary, const std::string& where) {
    if (!id || *id == -1 || *id == kUnsetId) return std::optional<TokenId>();
    if (*id < 0 || *id >= static_cast<std::int64_t>(vocabulary.tokens.size()))
        return wrongKey(where, key,
                        "is " + std::to_string(*id) + ", expected an id of the " +
                            std::to_string(vocabulary.tokens.size()) + " tokens");
    return std::optional(static_cast<TokenId>(*id));
}

Result<SpecialIds> checkedIds(const GgufVocabulary& vocabulary, const std::string& where) {
    SpecialIds ids;
    TRY_ASSIGN(ids.bos, checkedId(vocabulary.bosId, "bos_token_id", vocabulary, where));
    TRY_ASSIGN(ids.eos, checkedId(vocabulary.eosId, "eos_token_id", vocabulary, where));
    TRY_ASSIGN(ids.unknown, checkedId(vocabulary.unknownId, "unknown_token_id", vocabulary, where));
    TRY_ASSIGN(ids.separator, checkedId(vocabulary.separatorId, "seperator_token_id", vocabulary, where));
    TRY_ASSIGN(ids.classification, checkedId(vocabulary.classId, "cls_token_id", vocabulary, where));
    // Fine-tunes name a padding token that they added to the embedding only; nothing here needs it.
    if (auto padding = checkedId(vocabulary.paddingId, "padding_token_id", vocabulary, where)) ids.padding = *padding;
    return ids;
}

// The list as pieces: lengths checked, kinds known, no empty text.
Result<ScoredPieces> piecesOf(GgufVocabulary& vocabulary, const std::string& where) {
    const std::size_t count = vocabulary.tokens.size();
    if (count == 0) return wrongKey(where, "tokens", "is missing or empty");
    if (count > kMaxTokens) return tooMany(where + ": tokenizer.ggml.tokens", "tokens", count, kMaxTokens);
    if (!vocabulary.scores.empty() && vocabulary.scores.size() != count)
        return wrongKey(where, "scores",
                        "has " + std::to_string(vocabulary.scores.size()) + " entries, expected " +
                            std::to_string(count) + " as in tokenizer.ggml.tokens");
    if (!vocabulary.types.empty() && vocabulary.types.size() != count)
        return wrongKey(where, "token_type",
                        "has " + std::to_string(vocabulary.types.size()) + " entries, expected " +
                            std::to_string(count) + " as in tokenizer.ggml.tokens");
    ScoredPieces pieces;
    pieces.list.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t type = vocabulary.types.empty() ? 1 : vocabulary.types[i];
        if (type < 0 || type > 6)
            return wrongKey(where, "token_type",
                            "[" + std::to_string(i) + "] is " + std::to_string(type) + ", expected 1 to 6");
        ScoredPiece piece;
        piece.text = std::move(vocabulary.tokens[i]);
        piece.score = vocabulary.scores.empty() ? 0.0f : vocabulary.scores[i];
        piece.kind = type == 0 ? PieceKind::Normal : static_cast<PieceKind>(type);
        if (piece.text.empty()) {  // an id that stands for nothing
            piece.text = "[EMPTY_" + std::to_string(i) + "]";
            piece.kind = PieceKind::Unused;
        }
        pieces.list.push_back(std::move(piece));
    }
    return pieces;
}

// Control tokens and those that the file names are special; user-defined ones are words.
std::vector<AddedToken> addedTokensOf(const ScoredPieces& pieces, const SpecialIds& ids) {
    std::vector<AddedToken> tokens;
    for (std::size_t i = 0; i < pieces.list.size(); ++i) {
        const ScoredPiece& piece = pieces.list[i];
        const auto id = static_cast<TokenId>(i);
        const bool isNamed = id == ids.bos || id == ids.eos || id == ids.unknown || id == ids.padding ||
                             id == ids.separator || id == ids.classification;
        const bool isSpecial = isNamed || piece.kind == PieceKind::Control || piece.kind == PieceKind::Unknown;
        if (isSpecial || piece.kind == PieceKind::UserDefined)
            tokens.push_back({.id = id, .content = piece.text, .isSpecial = isSpecial});
    }
    return tokens;
}

Json byteLevelStages(const SplitRule& rule) {
    Json stages = Json::array();
    for (const std::string_view pattern : rule.patterns)
        if (!pattern.empty())
            stages.push_back({{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}});
    stages.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}});
    return {{"type", "Sequence"}, {"pretokenizers", std::move(stages)}};
}

Error sameToken(const std::string& where, std::size_t index, const std::string& text, const Vocabulary& words) {
    return wrongKey(where, "tokens",
                    "[" + std::to_string(index) + "]: " + inQuotes(text) + " is there already as " +
                        std::to_string(words.idOf(text).value_or(-1)));
}

// Byte-level BPE by merges.
Result<PipelineParts> byteLevelParts(GgufVocabulary& vocabulary, const ScoredPieces& pieces, const std::string& where) {
    const SplitRule* rule = findSplitRule(vocabulary.pre.empty() ? "default" : vocabulary.pre);
    if (!rule)
        return fail(ErrorCode::Unsupported,
                    where + ": the pre-tokenizer " + inQuotes(vocabulary.pre) +
                        " (tokenizer.ggml.pre) is not supported; known are " + splitRuleNames(),
                    where);
    const std::string place = where + ": tokenizer.ggml";
    Vocabulary words;
    for (std::size_t i = 0; i < pieces.list.size(); ++i) {
        const ScoredPiece& piece = pieces.list[i];
        if (piece.text.size() > kMaxTokenBytes)
            return tooMany(place + ".tokens", "bytes in a token", piece.text.size(), kMaxTokenBytes);
        // Special and added tokens are found in the text; no merge may make one.
        if (!piece.isSpelling() || piece.kind == PieceKind::UserDefined) continue;
        if (!words.insert(piece.text, static_cast<TokenId>(i))) return sameToken(where, i, piece.text, words);
    }
    std::vector<MergeText> merges;
    merges.reserve(vocabulary.merges.size());
    for (std::size_t i = 0; i < vocabulary.merges.size(); ++i) {
        const auto merge = splitMerge(vocabulary.merges[i]);
        if (!merge)
            return wrongKey(
                where, "merges",
                "[" + std::to_string(i) + "]: expected two tokens, found " + inQuotes(vocabulary.merges[i]));
        merges.push_back(*merge);
    }
    PipelineParts parts;
    TRY_ASSIGN(parts.model, Bpe::make(std::move(words), merges, {.ignoreMerges = rule->ignoresMerges}, place));
    TRY_ASSIGN(parts.preTokenizer, parsePreTokenizer(byteLevelStages(*rule), place));
    TRY_ASSIGN(parts.decoder, parseTokenDecoder({{"type", "ByteLevel"}}, place));
    if (rule->isComposed) {
        TRY_ASSIGN(parts.normalizer, parseNormalizer({{"type", "NFC"}}, place));
    }
    vocabulary.addBos = vocabulary.addBos.value_or(rule->addsBos);
    return parts;
}

// SentencePiece BPE by scores, in the form that Llama 2 was published in.
Result<PipelineParts> scoredParts(GgufVocabulary& vocabulary, ScoredPieces pieces, const SpecialIds& ids,
                                  const std::string& where) {
    const std::string place = where + ": tokenizer.ggml.tokens";
    if (vocabulary.scores.empty())
        return wrongKey(where, "scores", "is missing; a \"llama\" vocabulary is merged by scores");
    pieces.unknown = ids.unknown;
    pieces.byteFallback = true;
    PipelineParts parts;
    TRY_ASSIGN(parts.model, ScoredBpe::make(std::move(pieces), place));
    const bool addsSpace = vocabulary.addSpacePrefix.value_or(true);
    Json stages = Json::array();
    if (addsSpace) stages.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
    stages.push_back({{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kSpaceMark}});
    TRY_ASSIGN(parts.normalizer, parseNormalizer({{"type", "Sequence"}, {"normalizers", std::move(stages)}}, place));
    Json decoders = Json::array({{{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}},
                                 {{"type", "ByteFallback"}},
                                 {{"type", "Fuse"}}});
    if (addsSpace) decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    TRY_ASSIGN(parts.decoder, parseTokenDecoder({{"type", "Sequence"}, {"decoders", std::move(decoders)}}, place));
    vocabulary.addBos = vocabulary.addBos.value_or(true);
    return parts;
}

// WordPiece. GGUF marks the starts of words with U+2581 where BERT marks what continues them with "##".
Result<PipelineParts> wordPieceParts(const GgufVocabulary& vocabulary, const ScoredPieces& pieces, SpecialIds& ids,
                                     const std::string& where) {
    const std::string place = where + ": tokenizer.ggml";
    Vocabulary words;
    for (std::size_t i = 0; i < pieces.list.size(); ++i) {
        std::string text = pieces.list[i].text;
        if (text.size() > kMaxTokenBytes)
            return tooMany(place + ".tokens", "bytes in a token", text.size(), kMaxTokenBytes);
        if (text.starts_with(kSpaceMark))
            text.erase(0, kSpaceMark.size());
        else if (pieces.list[i].kind == PieceKind::Normal && !(text.starts_with('[') && text.ends_with(']')))
            text.insert(0, "##");
        if (!words.insert(text, static_cast<TokenId>(i))) return sameToken(where, i, text, words);
    }
    if (!ids.classification) ids.classification = ids.bos ? ids.bos : words.idOf("[CLS]");
    if (!ids.separator) ids.separator = ids.eos ? ids.eos : words.idOf("[SEP]");
    if (!ids.unknown) ids.unknown = words.idOf("[UNK]");
    if (!ids.unknown) return wrongKey(where, "unknown_token_id", "is missing, and no token is called \"[UNK]\"");
    const bool lowercase = vocabulary.lowercase.value_or(true);
    const std::string unknown = *words.tokenOf(*ids.unknown);
    PipelineParts parts;
    TRY_ASSIGN(parts.model, WordPiece::make(std::move(words), {.unknown = unknown}, place));
    TRY_ASSIGN(parts.normalizer, parseNormalizer({{"type", "BertNormalizer"},
                                                  {"lowercase", lowercase},
                                                  {"strip_accents", vocabulary.stripAccents.value_or(lowercase)}},
                                                 place));
    TRY_ASSIGN(parts.preTokenizer, parsePreTokenizer({{"type", "BertPreTokenizer"}}, place));
    TRY_ASSIGN(parts.decoder, parseTokenDecoder({{"type", "WordPiece"}}, place));
    if (vocabulary.addBos.value_or(true) && ids.classification)
        parts.postProcessor.before.push_back(*ids.classification);
    if (vocabulary.addBos.value_or(true) && ids.separator) parts.postProcessor.after.push_back(*ids.separator);
    return parts;
}

// Unigram, with the rules and spaces of its SentencePiece model.
Result<std::shared_ptr<const Tokenizer>> unigramTokenizer(GgufVocabulary& vocabulary, ScoredPieces pieces,
                                                          const SpecialIds& ids, std::vector<AddedToken> added,
                                                          const std::string& where) {
    if (vocabulary.scores.empty()) return wrongKey(where, "scores", "is missing; a \"t5\" vocabulary is cut by scores");
    SentencePieceModel model;
    model.pieces = std::move(pieces);
    model.pieces.unknown = ids.unknown;
    model.bos = ids.bos;
    model.eos = ids.eos;
    model.charsmap = std::move(vocabulary.precompiledCharsmap);
    model.spaces.addsPrefix = vocabulary.addSpacePrefix.value_or(true);
    model.spaces.removesExtra = vocabulary.removeExtraWhitespaces.value_or(true);
    return makeSentencePieceTokenizer(
        std::move(model), {std::move(added), vocabulary.addBos.value_or(false), vocabulary.addEos.value_or(true)},
        where + ": tokenizer.ggml");
}

Result<std::shared_ptr<const Tokenizer>> tokenizerOf(GgufVocabulary& vocabulary, ScoredPieces pieces, SpecialIds ids,
                                                     const std::string& where) {
    std::vector<AddedToken> added = addedTokensOf(pieces, ids);
    if (vocabulary.model == "t5") return unigramTokenizer(vocabulary, std::move(pieces), ids, std::move(added), where);
    PipelineParts parts;
    if (vocabulary.model == "gpt2") {
        TRY_ASSIGN(parts, byteLevelParts(vocabulary, pieces, where));
    } else if (vocabulary.model == "llama") {
        TRY_ASSIGN(parts, scoredParts(vocabulary, std::move(pieces), ids, where));
    } else if (vocabulary.model == "bert") {
        TRY_ASSIGN(parts, wordPieceParts(vocabulary, pieces, ids, where));
    } else {
        return fail(ErrorCode::Unsupported,
                    where + ": the tokenizer " + inQuotes(vocabulary.model) +
                        " (tokenizer.ggml.model) is not supported; known are bert, gpt2, llama, t5",
                    where);
    }
    parts.addedTokens = std::move(added);
    if (vocabulary.model != "bert") {  // whose CLS and SEP are in place
        if (vocabulary.addBos.value_or(false) && ids.bos) parts.postProcessor.before.push_back(*ids.bos);
        if (vocabulary.addEos.value_or(false) && ids.eos) parts.postProcessor.after.push_back(*ids.eos);
    }
    return makePipeline(std::move(parts), where + ": tokenizer.ggml.tokens");
}

}  // namespace

Result<TextModel> textModelOf(GgufVocabulary vocabulary, const std::string& where) {
    TRY_ASSIGN(SpecialIds ids, checkedIds(vocabulary, where));
    TRY_ASSIGN(ScoredPieces pieces, piecesOf(vocabulary, where));
    if (!ids.unknown)
        for (std::size_t i = 0; i < pieces.list.size() && !ids.unknown; ++i)
            if (pieces.list[i].kind == PieceKind::Unknown) ids.unknown = static_cast<TokenId>(i);
    const auto nameOf = [&](std::optional<TokenId> id) {
        return id ? pieces.list[static_cast<std::size_t>(*id)].text : std::string();
    };
    TextModel model;
    model.bosToken = nameOf(ids.bos);
    model.eosToken = nameOf(ids.eos);
    model.unkToken = nameOf(ids.unknown);
    model.padToken = nameOf(ids.padding);
    TRY_ASSIGN(model.tokenizer, tokenizerOf(vocabulary, std::move(pieces), ids, where));
    model.kind = kindOf(*model.tokenizer);
    model.chatTemplateSource = std::move(vocabulary.chatTemplate);
    if (!model.chatTemplateSource.empty()) {
        TRY_ASSIGN(model.chatTemplate,
                   ChatTemplate::parse(model.chatTemplateSource, where + ": tokenizer.chat_template"));
    }
    return model;
}

}  // namespace espalier
