// SPDX-License-Identifier: GPL-3.0-or-later
// Unigram (Kudo 2018): of all ways to cut a text into pieces the one with the largest sum of scores, found by Viterbi's
// search from left to right; the first found stays among equals. A character without a piece costs 10 less than the
// worst piece, and a run of them is one unknown token, or bytes.
// Owner: the tokenizer. Thread: any; tokenize is const.
#pragma once

#include "core/tokenizer/piece_trie.h"
#include "core/tokenizer/scored_pieces.h"
#include "core/tokenizer/token_model.h"

namespace espalier {

class Unigram final : public TokenModel {
public:
    // The "model" of a tokenizer.json: sums in double precision, every piece spells.
    static Result<std::unique_ptr<const TokenModel>> parse(const Json& spec, const std::string& where);

    // As `sentencepiece` reads its own model: sums kept in single precision, user-defined pieces always win, unused
    // ones and those that do not spell are left out. Errors: corrupt_file, too_large.
    static Result<std::unique_ptr<const TokenModel>> make(const ScoredPieces& pieces, const std::string& where);

    void tokenize(const PieceList& list, std::vector<TokenId>& ids) const override;
    const Vocabulary& vocabulary() const override { return m_vocabulary; }
    std::string kind() const override { return "Unigram"; }

private:
    struct Step {  // the best way to a place in the text
        double score = 0;
        std::uint32_t begin = 0;  // of its last piece
        TokenId id = -1;          // kUnknown for a character without a piece, -1 when there is no way yet
    };
    struct Workspace {
        std::vector<Step> steps;
        std::vector<TokenId> reversed;
    };
    static constexpr TokenId kUnknown = -2;

    Unigram() = default;
    double scoreOf(TokenId id, std::size_t bytes) const;
    void search(std::string_view text, std::vector<Step>& steps) const;
    void emit(std::string_view text, Workspace& work, std::vector<TokenId>& ids) const;
    void pushUnknown(std::string_view text, std::vector<TokenId>& reversed) const;

    Vocabulary m_vocabulary;
    PieceTrie m_trie;
    std::vector<double> m_scores;       // by id
    std::vector<bool> m_isUserDefined;  // by id
    std::vector<TokenId> m_byteTokens;  // by byte, -1 where there is none; empty without byte fallback
    std::optional<TokenId> m_unknown;
    double m_unknownScore = 0;
    double m_maxScore = 0;
    bool m_isSingle = false;  // scores are summed in single precision
};

}  // namespace espalier
