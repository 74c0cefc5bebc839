// SPDX-License-Identifier: GPL-3.0-or-later
// AddedTokens: the tokens that are found in the text before any model sees it: special ones (<|eot_id|>) and added
// words. Those with "normalized" are looked for in the normalised text, the others in the text as given. The leftmost
// match wins, the longest among those that start together.
//
// Owner: the tokenizer. Thread: any once built.
#pragma once

#include <array>
#include <bitset>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct AddedToken {
    TokenId id = 0;
    std::string content;
    bool isSpecial = false;
    bool singleWord = false;   // only where no word character touches it
    bool stripsLeft = false;   // takes the white space before it
    bool stripsRight = false;  // and after it
    bool isNormalized = false;
};

// {"content": "<s>", "special": true, ...} of a tokenizer file. Errors: corrupt_file, too_large.
Result<AddedToken> readAddedToken(const Json& entry, const std::string& where, TokenId id);

class AddedTokenFinder {
public:
    // A part of the text: plain when there is no token.
    struct Segment {
        TextRange range;
        std::optional<TokenId> id;
    };

    void add(std::string_view pattern, const AddedToken& token);  // an empty pattern is never found
    bool isEmpty() const { return m_tokens.empty(); }

    // Cuts text into segments. A special token whose bytes meet a verbatim range is not one.
    std::vector<Segment> cut(std::string_view text, std::span<const TextRange> verbatim) const;

private:
    struct Match {
        std::size_t end;
        const AddedToken* token;
    };
    std::optional<Match> matchAt(std::string_view text, std::size_t at, std::span<const TextRange> verbatim) const;

    std::vector<std::unique_ptr<const AddedToken>> m_tokens;
    std::unordered_map<std::uint64_t, std::uint32_t> m_edges;  // a byte trie: node << 8 | byte -> node
    std::vector<const AddedToken*> m_endsAt{nullptr};          // by node
    std::bitset<256> m_firstBytes;
};

}  // namespace espalier
