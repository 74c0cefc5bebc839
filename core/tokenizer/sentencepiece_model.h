// SPDX-License-Identifier: GPL-3.0-or-later
// SentencePieceModel: a `tokenizer.model`, the ModelProto that SentencePiece writes: pieces, scores and kinds, how text
// is normalised, the names of special pieces. Of its protocol-buffer encoding only what ModelProto needs is read:
// fields that are not known are skipped, lengths and types are checked, nothing is recursive. Thread: any (plain
// values). Source: sentencepiece_model.proto and the protocol-buffer encoding guide.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/scored_pieces.h"
#include "core/tokenizer/sentencepiece_normalizer.h"

namespace espalier {

struct SentencePieceModel {
    ScoredPieces pieces;
    bool isUnigram = true;  // else byte-pair encoding
    SpaceSettings spaces;
    std::string charsmap;  // compiled rules; empty: none
    std::optional<TokenId> bos, eos, padding;
};

// Errors: corrupt_file (names the field and the byte), unsupported (a word or character model), too_large.
Result<SentencePieceModel> parseSentencePieceModel(std::string_view bytes, const std::string& where);

struct SentencePieceUse {
    std::vector<AddedToken> addedTokens;  // besides the model's control pieces; may name them again
    bool addBos = false;
    bool addEos = false;
};

// Ids equal those of `sentencepiece`; control pieces are special tokens, as everywhere. Errors: corrupt_file,
// too_large.
Result<std::shared_ptr<const Tokenizer>> makeSentencePieceTokenizer(SentencePieceModel model, SentencePieceUse use,
                                                                    const std::string& where);

}  // namespace espalier
