// SPDX-License-Identifier: GPL-3.0-or-later
// ScoredBpe: byte-pair encoding as SentencePiece does it (Kudo & Richardson 2018): no list of merges; two neighbours
// join when what they spell is a piece, the highest score first, leftmost among equals. A piece marked unused helps on
// the way and is cut again in the end. O(n log n) in the length of the text.
// Owner: the tokenizer. Thread: any; tokenize is const.
#pragma once

#include <unordered_map>
#include <utility>

#include "core/tokenizer/piece_trie.h"
#include "core/tokenizer/scored_pieces.h"
#include "core/tokenizer/token_model.h"

namespace espalier {

class ScoredBpe final : public TokenModel {
public:
    // Errors: corrupt_file (two equal pieces, a score that is no number), too_large.
    static Result<std::unique_ptr<const TokenModel>> make(ScoredPieces pieces, const std::string& where);

    void tokenize(const PieceList& list, std::vector<TokenId>& ids) const override;
    const Vocabulary& vocabulary() const override { return m_vocabulary; }
    std::string kind() const override { return "SentencePiece BPE"; }

private:
    struct Symbol {
        std::size_t begin;
        std::size_t size;  // bytes; 0 once joined to the one before it
        std::int32_t previous;
        std::int32_t next;
        bool isFrozen;  // user-defined: never joined
    };
    struct Candidate {
        float score;
        std::int32_t left;
        std::size_t size;
    };
    struct Workspace;

    ScoredBpe() = default;
    void split(Workspace& work) const;
    void offer(Workspace& work, std::int32_t left) const;
    void merge(Workspace& work) const;
    void emit(Workspace& work, std::string_view text, std::vector<TokenId>& ids) const;
    void emitUnknown(Workspace& work, std::string_view text, std::vector<TokenId>& ids) const;

    Vocabulary m_vocabulary;
    std::vector<float> m_scores;
    std::vector<PieceKind> m_kinds;
    std::vector<TokenId> m_byteTokens;  // by byte, -1 where there is none; empty without byte fallback
    std::optional<TokenId> m_unknown;
    std::size_t m_longest = 0;  // bytes of the longest spelling
    PieceTrie m_userDefined;
};

// The pieces as a vocabulary, and the user-defined ones among them. Errors: corrupt_file, too_large.
Result<Vocabulary> vocabularyOf(const ScoredPieces& pieces, const std::string& where);
Result<PieceTrie> userDefinedOf(const ScoredPieces& pieces, const std::string& where);

}  // namespace espalier
