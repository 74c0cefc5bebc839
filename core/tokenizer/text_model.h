// SPDX-License-Identifier: GPL-3.0-or-later
// TextModel: everything about a model that turns text into ids and back, read from its folder. Needs no weights.
// Owner: shared. Thread: any, const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file_system.h"
#include "core/tokenizer/chat_template.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct TextModel {
    std::shared_ptr<const Tokenizer> tokenizer;        // null: the folder has none; ids in, ids out
    std::shared_ptr<const ChatTemplate> chatTemplate;  // null: none
    std::string chatTemplateSource;
    std::string kind;                                    // for people: "byte-level BPE, 4,096 entries"
    std::string bosToken, eosToken, unkToken, padToken;  // as tokenizer_config.json names them; may be empty
    std::optional<std::int32_t> maxTokens;               // "model_max_length", where it says one: for encoders
};

// tokenizer.json (or else tokenizer.model, spiece.model or sentencepiece.bpe.model, with the tokens that
// added_tokens.json and tokenizer_config.json add), tokenizer_config.json, chat_template.jinja of a folder, each
// optional; without a tokenizer, and of a GGUF file, the vocabulary in the file. A sentencepiece.bpe.model has the ids
// that XLM-RoBERTa gives its pieces. Errors name the file.
Result<TextModel> loadTextModel(FileSystem& files, const Path& folder);

std::string kindOf(const Tokenizer& tokenizer);  // "byte-level BPE, 4,096 entries"

}  // namespace espalier
