// SPDX-License-Identifier: GPL-3.0-or-later
// Tokenizer: text to token ids and back, as tokenizer.json describes it. Ids equal those of Hugging Face `tokenizers`.
// A pipeline of small units (added tokens, normaliser, pre-tokeniser, model, post-processor, decoder), each chosen by
// its "type" in the file; an unknown type is refused by name. "truncation" and "padding" of the file are not read.
//
// Owner: whoever loaded the model, shared. Thread: any; encode and decode are const and keep no hidden state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tokenizer/marked_text.h"

namespace espalier {

using TokenId = std::int32_t;

struct EncodeOptions {
    bool addSpecial = false;  // run the post-processor (BOS and the like)
    // Sorted, disjoint. A special token that meets one of them is plain text there; added tokens that are not special
    // are vocabulary and stay tokens.
    std::span<const TextRange> verbatim;
};

class Tokenizer {
public:
    virtual ~Tokenizer() = default;

    // Invalid UTF-8 is read as U+FFFD; a character the vocabulary cannot spell becomes the unknown token, or nothing
    // when the file names none. Errors: unsupported when a split pattern gives up on the text; too_large over 256 MiB.
    virtual Result<std::vector<TokenId>> encode(std::string_view text, const EncodeOptions& options = {}) const = 0;

    // Bytes that never make a character become U+FFFD. Ids outside the vocabulary: error invalid_argument naming the
    // id.
    virtual Result<std::string> decode(std::span<const TokenId> ids, bool skipSpecial) const = 0;

    // The raw bytes one token adds when it follows others; pieces of characters stay pieces. Empty for special tokens
    // when skipSpecial. isFirst: no token that was not skipped came before it. Used by StreamDecoder.
    virtual Result<std::string> decodePiece(TokenId id, bool skipSpecial, bool isFirst) const = 0;

    virtual std::int64_t vocabularySize() const = 0;  // largest id + 1
    virtual std::optional<TokenId> idOf(std::string_view token) const = 0;
    virtual std::optional<std::string> tokenOf(TokenId id) const = 0;  // as spelled in the file ("Ġthe")
    virtual bool isSpecial(TokenId id) const = 0;
    virtual bool dropsFinalSpace() const { return false; }    // decode() leaves out a space that nothing follows
    virtual std::string kind() const { return "tokenizer"; }  // for people: "byte-level BPE"
};

// Requires: text is the content of a tokenizer.json. Errors: corrupt_file, unsupported, too_large.
Result<std::shared_ptr<const Tokenizer>> parseTokenizer(std::string_view json, std::string_view where);

// Turns tokens into text as they come, never emitting part of a character: an incomplete UTF-8 sequence waits for its
// next token. finish() gives what is left, U+FFFD for what never became a character. All that it gives, joined, equals
// decode() of the ids. Thread: one at a time.
class StreamDecoder {
public:
    StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer, bool skipSpecial);
    Result<std::string> push(TokenId id);
    std::string finish();

private:
    std::shared_ptr<const Tokenizer> m_tokenizer;
    bool m_skipSpecial;
    bool m_first = true;
    std::string m_pending;
};

}  // namespace espalier
