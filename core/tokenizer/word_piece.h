// SPDX-License-Identifier: GPL-3.0-or-later
// WordPiece (Schuster & Nakajima 2012, as published with BERT): a word is cut into the longest token that it begins
// with, then the longest continuation ("##ing") of what is left; a word that cannot be cut is one unknown token.
// Owner: the tokenizer. Thread: any; tokenize is const.
#pragma once

#include "core/tokenizer/piece_trie.h"
#include "core/tokenizer/token_model.h"

namespace espalier {

struct WordPieceSettings {
    std::string unknown = "[UNK]";
    std::string continuingPrefix = "##";
    std::size_t maxWordCharacters = 100;  // a longer word is unknown
};

class WordPiece final : public TokenModel {
public:
    static Result<std::unique_ptr<const TokenModel>> parse(const Json& spec, const std::string& where);

    // Errors: corrupt_file (the unknown token is not in the vocabulary), too_large.
    static Result<std::unique_ptr<const TokenModel>> make(Vocabulary vocabulary, WordPieceSettings settings,
                                                          const std::string& where);

    void tokenize(const PieceList& list, std::vector<TokenId>& ids) const override;
    const Vocabulary& vocabulary() const override { return m_vocabulary; }
    std::string kind() const override { return "WordPiece"; }

private:
    WordPiece() = default;
    void cutWord(std::string_view word, std::vector<TokenId>& ids) const;

    Vocabulary m_vocabulary;
    PieceTrie m_starts;
    PieceTrie m_continuations;  // without their prefix
    TokenId m_unknown = 0;
    std::size_t m_maxWordCharacters = 0;
};

}  // namespace espalier
