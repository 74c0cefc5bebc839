// SPDX-License-Identifier: GPL-3.0-or-later
// PreTokenizer: cuts text into the pieces that a model never merges across. One small unit per "type" of the file; a
// stage may refine the pieces (Split, Digits) or respell them (ByteLevel).
// Owner: the tokenizer. Thread: any; split is const.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"

namespace espalier {

// Text and its pieces, in order; what lies between pieces was removed.
struct PieceList {
    std::string text;
    std::vector<TextRange> pieces;

    explicit PieceList(std::string_view whole) : text(whole), pieces{{0, whole.size()}} {}
    std::string_view piece(std::size_t index) const {
        return std::string_view(text).substr(pieces[index].begin, pieces[index].end - pieces[index].begin);
    }
};

class PreTokenizer {
public:
    virtual ~PreTokenizer() = default;
    // Error unsupported when a pattern gives up.
    virtual Result<void> split(PieceList& list) const = 0;
};

// spec: the "pre_tokenizer" member; null gives null. Errors: unsupported names the type; corrupt_file; too_large.
Result<std::unique_ptr<const PreTokenizer>> parsePreTokenizer(const Json& spec, const std::string& where);

}  // namespace espalier
