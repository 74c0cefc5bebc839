// SPDX-License-Identifier: GPL-3.0-or-later
// The pipeline around a SentencePiece model.
#include <map>

#include "core/tokenizer/pipeline.h"
#include "core/tokenizer/scored_bpe.h"
#include "core/tokenizer/sentencepiece_model.h"
#include "core/tokenizer/unigram.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

// Marks back to spaces, bytes to characters, the space that was added taken off again.
Json decoderOf(const SpaceSettings& spaces) {
    Json stages = Json::array({{{"type", "Replace"}, {"pattern", {{"String", kSpaceMark}}}, {"content", " "}},
                               {{"type", "ByteFallback"}},
                               {{"type", "Fuse"}}});
    if (spaces.addsPrefix || spaces.removesExtra)
        stages.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    return {{"type", "Sequence"}, {"decoders", std::move(stages)}};
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> makeSentencePieceTokenizer(SentencePieceModel model, SentencePieceUse use,
                                                                    const std::string& where) {
    PipelineParts parts;
    std::optional<Charsmap> rules;
    if (!model.charsmap.empty()) {
        TRY_ASSIGN(rules, Charsmap::parse(model.charsmap, where + ": \"precompiled_charsmap\""));
    }
    TRY_ASSIGN(PieceTrie kept, userDefinedOf(model.pieces, where));
    parts.normalizer = std::make_unique<SentencePieceNormalizer>(model.spaces, std::move(rules), std::move(kept));
    // A control piece that is named again is as it is named there: with the white space it takes.
    std::map<TokenId, AddedToken*> named;
    for (AddedToken& token : use.addedTokens) named.emplace(token.id, &token);
    for (std::size_t i = 0; i < model.pieces.list.size(); ++i) {
        const ScoredPiece& piece = model.pieces.list[i];
        if (piece.kind != PieceKind::Control && piece.kind != PieceKind::Unknown) continue;
        const auto again = named.find(static_cast<TokenId>(i));
        if (again != named.end() && again->second->content == piece.text)
            again->second->isSpecial = true;
        else
            parts.addedTokens.push_back({.id = static_cast<TokenId>(i), .content = piece.text, .isSpecial = true});
    }
    parts.addedTokens.insert(parts.addedTokens.end(), use.addedTokens.begin(), use.addedTokens.end());
    if (use.addBos && model.bos) parts.postProcessor.before.push_back(*model.bos);
    if (use.addEos && model.eos) parts.postProcessor.after.push_back(*model.eos);
    TRY_ASSIGN(parts.decoder, parseTokenDecoder(decoderOf(model.spaces), where));
    if (model.isUnigram) {
        TRY_ASSIGN(parts.model, Unigram::make(model.pieces, where));
    } else {
        TRY_ASSIGN(parts.model, ScoredBpe::make(std::move(model.pieces), where));
    }
    return makePipeline(std::move(parts), where);
}

}  // namespace espalier
