// SPDX-License-Identifier: GPL-3.0-or-later
// SentencePieceNormalizer: what a SentencePiece model does to a text before cutting it (Kudo & Richardson 2018): the
// longest rule at each place, spaces folded and marked, one put in front.
// Owner: the tokenizer. Thread: any; apply is const.
#pragma once

#include <optional>

#include "core/tokenizer/charsmap.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/piece_trie.h"

namespace espalier {

struct SpaceSettings {
    bool addsPrefix = true;      // add_dummy_prefix: a space before the text ...
    bool prefixesFirst = false;  // ... only where the whole text begins, not behind each special token
    bool isSuffix = false;       // treat_whitespace_as_suffix: that space stands behind it instead
    bool removesExtra = true;    // remove_extra_whitespaces: none at the ends, one at a time between
    bool marksSpaces = true;     // escape_whitespaces: spaces become U+2581
};

class SentencePieceNormalizer final : public Normalizer {
public:
    // kept: texts that no rule touches (user-defined pieces).
    SentencePieceNormalizer(SpaceSettings spaces, std::optional<Charsmap> rules, PieceTrie kept)
        : m_spaces(spaces), m_rules(std::move(rules)), m_kept(std::move(kept)) {}

private:
    Result<MarkedText> rewrite(MarkedText text, std::size_t most) const override;
    struct Step {
        std::size_t bytes;
        std::string_view becomes;
    };
    Step stepAt(std::string_view text) const;

    SpaceSettings m_spaces;
    std::optional<Charsmap> m_rules;
    PieceTrie m_kept;
};

}  // namespace espalier
