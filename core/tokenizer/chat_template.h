// SPDX-License-Identifier: GPL-3.0-or-later
// ChatTemplate: renders messages to the text a model was tuned on. Interprets the Jinja subset published templates use,
// with trim_blocks and lstrip_blocks on, caps on steps, nesting and output: a template is data from outside.
//
// The result knows which bytes came from messages, so that the tokenizer keeps special-token names typed by a user as
// plain text while merges still cross message borders. Everything in messages, tools and variables counts as typed by
// someone, but for the conventional roles ("user", "assistant", ...), which templates put inside token names.
//
// Thread: any; render is const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/marked_text.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

using RenderedChat = MarkedText;  // verbatim: bytes that came from messages, tools or variables

struct ChatInput {
    OrderedJson messages;  // array of {role, content, ...}
    OrderedJson tools;     // null when absent
    bool addGenerationPrompt = true;
    OrderedJson variables = OrderedJson::object();  // further template arguments, of the caller
    OrderedJson specialTokens =
        OrderedJson::object();  // bos_token, eos_token, ..., of the model; they win over variables
    std::optional<std::int64_t> unixSeconds =
        std::nullopt;  // for strftime_now, in UTC; without it that function is undefined
};

class ChatTemplate {
public:
    // Errors: unsupported (names the construct and its line), corrupt_file (syntax, with line), too_large.
    static Result<std::shared_ptr<const ChatTemplate>> parse(std::string_view source, std::string_view where);
    virtual ~ChatTemplate() = default;

    // Messages are normalised first. Errors: invalid_argument with the text of raise_exception, or a sentence with the
    // line; unsupported; too_large over the caps.
    virtual Result<RenderedChat> render(const ChatInput& input) const = 0;

    // Does it look at `tools` at all? One that does not, drops them.
    virtual bool usesTools() const = 0;
};

// Messages as templates expect them: content null becomes "", a list of parts its text parts joined.
// Errors: invalid_argument for what is not an array of objects with a role; unsupported for parts that are not text.
Result<OrderedJson> normaliseMessages(const OrderedJson& messages);

// The ids of a rendered chat: special tokens of the template become tokens, those inside contents stay text.
Result<std::vector<TokenId>> encodeChat(const Tokenizer& tokenizer, const RenderedChat& chat);

}  // namespace espalier
