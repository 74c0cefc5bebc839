// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/tokenizer/chat_template.h"

#include <ctime>

#include "core/tokenizer/template_interpreter.h"
#include "core/tokenizer/template_syntax.h"

namespace espalier {
namespace {

class ParsedTemplate final : public ChatTemplate {
public:
    explicit ParsedTemplate(templates::Block program) : m_program(std::move(program)) {}

    Result<RenderedChat> render(const ChatInput& input) const override {
        TRY_ASSIGN(const Json messages, normaliseMessages(input.messages));
        std::vector<std::pair<std::string, templates::Value>> variables;
        if (input.variables.is_object())
            for (const auto& [name, value] : input.variables.items())
                variables.emplace_back(name, templates::fromJson(value, false));
        variables.emplace_back("messages", templates::fromJson(messages, true));
        variables.emplace_back("tools", templates::fromJson(input.tools, true));
        variables.emplace_back("add_generation_prompt", input.addGenerationPrompt);
        TRY_ASSIGN(MarkedText text, templates::runTemplate(m_program, std::move(variables), std::time(nullptr), {}));
        return RenderedChat{std::move(text.text), std::move(text.verbatim)};
    }

private:
    const templates::Block m_program;
};

Error wrongMessage(std::size_t index, std::string_view what) {
    return fail(ErrorCode::InvalidArgument, "messages[" + std::to_string(index) + "] " + std::string(what), "messages");
}

}  // namespace

Result<Json> normaliseMessages(const Json& messages) {
    if (!messages.is_array()) return fail(ErrorCode::InvalidArgument, "messages must be an array", "messages");
    Json normal = Json::array();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const Json& message = messages[i];
        if (!message.is_object()) return wrongMessage(i, "must be an object");
        if (!message.contains("role") || !message["role"].is_string()) return wrongMessage(i, "needs a \"role\" that is a string");
        Json copy = message;
        Json& content = copy["content"];
        if (content.is_null()) {
            content = "";
        } else if (content.is_array()) {
            std::string text;
            for (const Json& part : content) {
                const bool isText = part.is_object() && part.value("type", Json()) == "text" && part.contains("text") &&
                                    part["text"].is_string();
                if (!isText) return wrongMessage(i, "has a content part that is not text; only text parts are understood");
                text += part["text"].get_ref<const std::string&>();
            }
            content = text;
        } else if (!content.is_string()) {
            return wrongMessage(i, "has a \"content\" that is neither a string, null nor a list of parts");
        }
        normal.push_back(std::move(copy));
    }
    return normal;
}

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(std::string_view source, std::string_view where) {
    TRY_ASSIGN(templates::Block program, templates::parseTemplate(source, where));
    return std::shared_ptr<const ChatTemplate>(std::make_shared<ParsedTemplate>(std::move(program)));
}

Result<std::vector<TokenId>> encodeChat(const Tokenizer& tokenizer, const RenderedChat& chat) {
    return tokenizer.encode(chat.text, {.addSpecial = false, .verbatim = chat.verbatim});
}

}  // namespace espalier
