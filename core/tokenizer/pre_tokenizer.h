// SPDX-License-Identifier: GPL-3.0-or-later
// PreTokenizer: cuts text into the pieces that a model never merges across. One small unit per "type" of the file; a
// stage may refine the pieces (Split, Digits) or respell them (ByteLevel, Metaspace).
// Owner: the tokenizer. Thread: any; split is const.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"
#include "core/tokenizer/utf8.h"

namespace espalier {

// Text and its pieces, in order; what lies between pieces was removed.
struct PieceList {
    std::string text;
    std::vector<TextRange> pieces;
    bool startsText;  // the first byte of `text` is (or was made of) the one that the whole text begins with

    PieceList(std::string_view whole, bool isStart) : text(whole), pieces{{0, whole.size()}}, startsText(isStart) {}
    bool startsWithText() const { return startsText && !pieces.empty() && pieces.front().begin == 0; }
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

enum class PrependScheme { Always, First, Never };

// What the Metaspace pre-tokenizer and decoder share.
struct MetaspaceSettings {
    std::string mark{kSpaceMark};
    PrependScheme scheme = PrependScheme::Always;
};
Result<MetaspaceSettings> parseMetaspaceSettings(const JsonReader& reader);

}  // namespace espalier
