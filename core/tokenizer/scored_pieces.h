// SPDX-License-Identifier: GPL-3.0-or-later
// ScoredPiece: one entry of a SentencePiece vocabulary, as tokenizer.model and GGUF files list them; its place in the
// list is its id.
// Thread: any (plain values).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"

namespace espalier {

// The numbers of both kinds of file.
enum class PieceKind : std::uint8_t { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };

struct ScoredPiece {
    std::string text;
    float score = 0;
    PieceKind kind = PieceKind::Normal;

    // Whether text may be cut into this piece; control, byte and unknown pieces come from elsewhere.
    bool isSpelling() const {
        return kind == PieceKind::Normal || kind == PieceKind::UserDefined || kind == PieceKind::Unused;
    }
};

struct ScoredPieces {
    std::vector<ScoredPiece> list;
    std::optional<TokenId> unknown;
    bool byteFallback = false;  // what has no piece is spelled in the Byte pieces
};

}  // namespace espalier
