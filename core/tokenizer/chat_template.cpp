// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/chat_template.h"

#include <algorithm>

#include "core/tokenizer/jinja/interpreter.h"
#include "core/tokenizer/jinja/lexer.h"
#include "core/tokenizer/jinja/parser.h"
#include "core/tokenizer/utf8.h"

namespace espalier {
namespace {

constexpr std::size_t kMaxSourceBytes = 1u << 20;

class JinjaTemplate final : public ChatTemplate {
public:
    JinjaTemplate(jinja::Body body, bool usesTools) : m_body(std::move(body)), m_usesTools(usesTools) {}

    Result<RenderedChat> render(const ChatInput& input) const override {
        TRY_ASSIGN(const OrderedJson messages, normaliseMessages(input.messages));
        jinja::Variables variables;
        const auto define = [&](const std::string& name, const OrderedJson& json, bool isVerbatim) -> Result<void> {
            for (const auto& [known, value] : variables)
                if (known == name) return {};
            TRY_ASSIGN(jinja::Value value, jinja::fromJson(json, isVerbatim));
            variables.emplace_back(name, std::move(value));
            return {};
        };
        TRY(define("messages", messages, true));
        TRY(define("tools", input.tools, true));
        TRY(define("add_generation_prompt", input.addGenerationPrompt, false));
        if (input.specialTokens.is_object())
            for (const auto& [name, json] : input.specialTokens.items()) TRY(define(name, json, false));
        if (input.variables.is_object())
            for (const auto& [name, json] : input.variables.items()) TRY(define(name, json, true));
        TRY(define("documents", nullptr, true));
        jinja::Runtime runtime(input.unixSeconds);
        return jinja::Interpreter(m_body, runtime, std::move(variables)).run();
    }

    bool usesTools() const override { return m_usesTools; }

private:
    jinja::Body m_body;
    bool m_usesTools;
};

Error wrongMessage(std::size_t index, std::string_view sentence, ErrorCode code = ErrorCode::InvalidArgument) {
    return fail(code, "messages[" + std::to_string(index) + "] " + std::string(sentence), "messages");
}

Result<std::string> joinedParts(const OrderedJson& parts, std::size_t index) {
    std::string text;
    for (const OrderedJson& part : parts) {
        if (part.is_string()) {
            text += part.get_ref<const std::string&>();
            continue;
        }
        if (!part.is_object() || !part.contains("type") || !part["type"].is_string())
            return wrongMessage(index, "has a content part without a \"type\"");
        const auto& type = part["type"].get_ref<const std::string&>();
        if (type != "text")
            return wrongMessage(index, "has a content part of type \"" + type + "\"; only text is supported",
                                ErrorCode::Unsupported);
        if (!part.contains("text") || !part["text"].is_string())
            return wrongMessage(index, "has a text part without \"text\"");
        text += part["text"].get_ref<const std::string&>();
    }
    return text;
}

}  // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(std::string_view source, std::string_view where) {
    if (source.size() > kMaxSourceBytes)
        return fail(ErrorCode::TooLarge,
                    std::string(where) + ": a chat template of " + std::to_string(source.size()) + " bytes, at most " +
                        std::to_string(kMaxSourceBytes) + " are read",
                    std::string(where));
    const std::string text = isValidUtf8(source) ? std::string(source) : repairUtf8(source);
    auto body = jinja::parseTemplate(text);
    if (!body) return std::move(std::move(body).error()).context(where);
    TRY_ASSIGN(const auto tokens, jinja::tokenizeTemplate(text));
    const bool usesTools = std::ranges::any_of(tokens, [](const auto& token) { return token.isName("tools"); });
    return std::shared_ptr<const ChatTemplate>(std::make_shared<JinjaTemplate>(std::move(body).value(), usesTools));
}

Result<OrderedJson> normaliseMessages(const OrderedJson& messages) {
    if (!messages.is_array()) return fail(ErrorCode::InvalidArgument, "messages must be an array", "messages");
    OrderedJson out = messages;
    for (std::size_t i = 0; i < out.size(); ++i) {
        OrderedJson& message = out[i];
        if (!message.is_object()) return wrongMessage(i, "must be an object");
        if (!message.contains("role") || !message["role"].is_string()) return wrongMessage(i, "must have a \"role\"");
        if (!message.contains("content")) continue;
        OrderedJson& content = message["content"];
        if (content.is_null()) {
            content = "";
        } else if (content.is_array()) {
            TRY_ASSIGN(content, joinedParts(OrderedJson(content), i));
        } else if (!content.is_string()) {
            return wrongMessage(i, "must have a \"content\" that is a string, null or an array of parts");
        }
    }
    return out;
}

Result<std::vector<TokenId>> encodeChat(const Tokenizer& tokenizer, const RenderedChat& chat) {
    return tokenizer.encode(chat.text, {.addSpecial = false, .verbatim = chat.verbatim});
}

}  // namespace espalier
