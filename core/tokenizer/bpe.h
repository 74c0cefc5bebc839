// SPDX-License-Identifier: GPL-3.0-or-later
// Bpe: byte-pair encoding (Sennrich et al. 2016). A piece starts as its characters; the pair with the lowest merge
// rank, leftmost among equals, is joined until none is left. O(n log n) in the length of a piece.
// Owner: the tokenizer. Thread: any; tokenize is const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/token_model.h"

namespace espalier {

// From a pair of ids to the rank of its merge and the id it makes. Open addressing: a text of n characters looks up
// about 3n pairs, which is where the time goes.
class MergeTable {
public:
    struct Merge {
        std::uint32_t rank = 0;
        TokenId id = -1;
    };
    explicit MergeTable(std::size_t count = 0);
    void set(TokenId left, TokenId right, Merge merge);  // the last one of a pair stays
    const Merge* find(TokenId left, TokenId right) const;

private:
    static constexpr std::uint64_t kFree = ~0ull;
    struct Slot {
        std::uint64_t pair = kFree;
        Merge merge;
    };
    std::size_t slotOf(std::uint64_t pair) const;
    std::vector<Slot> m_slots;  // a power of two, at least twice the merges
};

struct MergeText {
    std::string_view left, right;
};

// "a b", two tokens around one space.
std::optional<MergeText> splitMerge(std::string_view text);

struct BpeSettings {
    std::string unknown = "";           // empty: what the vocabulary cannot spell is dropped
    std::string continuingPrefix = "";  // before every character of a piece but the first
    std::string endOfWordSuffix = "";   // behind the last one
    bool byteFallback = false;          // spell unknown characters in <0x00>..<0xFF>
    bool fuseUnknown = false;           // a run of unknown characters is one token
    bool ignoreMerges = false;          // a piece that is a token stays whole
};

class Bpe final : public TokenModel {
public:
    static Result<std::unique_ptr<const TokenModel>> parse(const Json& spec, const std::string& where);

    // merges in order of rank; errors name "where.merges[i]". Errors: corrupt_file, too_large.
    static Result<std::unique_ptr<const TokenModel>> make(Vocabulary vocabulary, std::span<const MergeText> merges,
                                                          BpeSettings settings, const std::string& where);

    void tokenize(const PieceList& list, std::vector<TokenId>& ids) const override;
    const Vocabulary& vocabulary() const override { return m_vocabulary; }
    std::string kind() const override;

private:
    struct Symbol {
        TokenId id;  // -1 once joined to the one before it
        std::int32_t previous;
        std::int32_t next;
    };
    struct Candidate {
        std::uint32_t rank;
        std::int32_t at;
        TokenId id;
    };
    struct Workspace {
        std::vector<Symbol> symbols;
        std::vector<Candidate> heap;
    };

    Bpe() = default;
    Result<void> readMerges(std::span<const MergeText> merges, const std::string& where);
    void indexCharacters();
    std::optional<TokenId> idOfCharacter(std::string_view character, char32_t code) const;
    bool spellInBytes(std::string_view character, std::vector<Symbol>& symbols) const;
    void spell(std::string_view piece, std::vector<Symbol>& symbols) const;
    void merge(Workspace& work) const;

    Vocabulary m_vocabulary;
    MergeTable m_merges;
    std::vector<TokenId> m_lowCharacters;  // ids of one-character tokens below U+0180, -1 where there is none
    std::vector<TokenId> m_byteTokens;     // ids of <0x00>..<0xFF>, empty without byte_fallback
    std::optional<TokenId> m_unknown;
    BpeSettings m_settings;
};

}  // namespace espalier
