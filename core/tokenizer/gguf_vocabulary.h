// SPDX-License-Identifier: GPL-3.0-or-later
// GgufVocabulary: the tokenizer of a GGUF file as its `tokenizer.*` keys give it, and the text side made of it. Plain
// values: whoever reads the file fills them in; a key that the file lacks stays empty.
// Thread: any. Source: the GGUF specification (ggml, docs/gguf.md) and what llama.cpp does where that is silent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/tokenizer/text_model.h"

namespace espalier {

struct GgufVocabulary {
    std::string model;                // tokenizer.ggml.model: "llama", "gpt2", "bert", "t5"
    std::string pre;                  // tokenizer.ggml.pre: which split pattern, for "gpt2"
    std::vector<std::string> tokens;  // tokenizer.ggml.tokens; the place is the id
    std::vector<float> scores;        // as many as tokens, or none
    std::vector<std::int32_t> types;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte; or none
    std::vector<std::string> merges;  // "left right", best first

    std::optional<std::int64_t> bosId, eosId, unknownId, paddingId;  // tokenizer.ggml.*_token_id
    std::optional<std::int64_t> separatorId, classId;                // seperator_token_id (sic), cls_token_id

    std::optional<bool> addBos, addEos, addSpacePrefix, removeExtraWhitespaces;  // add_bos_token, ...
    std::optional<bool> lowercase, stripAccents;                                 // tokenizer.ggml.normalizer.*
    std::string precompiledCharsmap;  // the bytes of tokenizer.ggml.precompiled_charsmap
    std::string chatTemplate;         // tokenizer.chat_template
};

// Special ids (bosToken, ...) become names; control tokens are special, user-defined ones added tokens.
// Errors name `where` and the key: corrupt_file (counts that differ, ids out of range, equal tokens), unsupported (the
// model or the pre-tokenizer, with those that are understood), too_large.
Result<TextModel> textModelOf(GgufVocabulary vocabulary, const std::string& where);

}  // namespace espalier
