// SPDX-License-Identifier: GPL-3.0-or-later
// TokenModel: turns the pieces of a pre-tokenised text into ids. One implementation per "type" of the file.
// Owner: the tokenizer. Thread: any; tokenize is const.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/vocabulary.h"

namespace espalier {

class TokenModel {
public:
    virtual ~TokenModel() = default;
    // Appends the ids of every piece.
    virtual void tokenize(const PieceList& list, std::vector<TokenId>& ids) const = 0;
    virtual const Vocabulary& vocabulary() const = 0;
    virtual std::string kind() const = 0;  // for people: "byte-level BPE"
};

// The "vocab" object of a model: tokens and their ids. Errors: corrupt_file, too_large.
Result<Vocabulary> readVocabulary(const JsonReader& model, const std::string& where);

// The ids of <0x00>..<0xFF>, -1 where there is none.
std::vector<TokenId> byteTokensOf(const Vocabulary& vocabulary);

// spec: the "model" member. Errors: unsupported names the type; corrupt_file; too_large.
Result<std::unique_ptr<const TokenModel>> parseTokenModel(const Json& spec, const std::string& where);

}  // namespace espalier
