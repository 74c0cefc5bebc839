// SPDX-License-Identifier: GPL-3.0-or-later
// ChatTemplate: renders messages to the text a model was tuned on. Interprets the Jinja subset published templates use,
// with trim_blocks and lstrip_blocks on, a step cap and an output cap: a template is data from outside.
//
// The result knows which bytes came from message contents, so that the tokenizer keeps special-token names typed by a
// user as plain text while merges still cross message borders.
//
// Thread: any; render is const.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct RenderedChat {
    std::string text;
    std::vector<TextRange> verbatim;  // sorted, disjoint: bytes that came from message or tool contents
};

struct ChatInput {
    Json messages;                      // array of {role, content, ...}
    Json tools;                         // null when absent
    bool addGenerationPrompt = true;
    Json variables = Json::object();    // bos_token, eos_token, ... and further template arguments
};

class ChatTemplate {
public:
    // Errors: unsupported (names the construct and its line), corrupt_file (syntax, with line).
    static Result<std::shared_ptr<const ChatTemplate>> parse(std::string_view source, std::string_view where);
    virtual ~ChatTemplate() = default;

    // Errors: invalid_argument with the text of raise_exception or of a type error; too_large over the caps.
    virtual Result<RenderedChat> render(const ChatInput& input) const = 0;
};

// Messages as templates expect them: null content is an empty string, a list of text parts is their texts joined. Errors
// invalid_argument name the message and what is wrong with it. render() does this itself.
Result<Json> normaliseMessages(const Json& messages);

// The ids of a rendered chat: special tokens of the template become tokens, those inside contents stay text.
Result<std::vector<TokenId>> encodeChat(const Tokenizer& tokenizer, const RenderedChat& chat);

}  // namespace espalier
