// SPDX-License-Identifier: GPL-3.0-or-later
// TextModel: everything about a model that turns text into ids and back, read from its folder. Needs no weights.
// Owner: shared. Thread: any, const.
#pragma once

#include <memory>
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
};

// tokenizer.json (or else tokenizer.model, with the tokens that added_tokens.json and tokenizer_config.json add),
// tokenizer_config.json, chat_template.jinja of a folder, each optional; of a GGUF file, and of a folder with one and no
// tokenizer of its own, the vocabulary in the file. Errors name the file.
Result<TextModel> loadTextModel(FileSystem& files, const Path& folder);

std::string kindOf(const Tokenizer& tokenizer);  // "byte-level BPE, 4,096 entries"

}  // namespace espalier
