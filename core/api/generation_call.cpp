// SPDX-License-Identifier: GPL-3.0-or-later
// JSON bodies -> GenerationCall.
#include <algorithm>
#include <array>
#include <charconv>

#include "core/api/generation.h"
#include "core/api/json_fields.h"

namespace espalier {
namespace {

// Fields of the published APIs that would change the answer and that this server does not have. Values that ask for
// nothing (false, empty, "none", the default) pass.
constexpr std::array kRefusedAlways{"functions",
                                    "function_call",
                                    "audio",
                                    "prediction",
                                    "web_search_options",
                                    "suffix",
                                    "echo",
                                    "best_of",
                                    "guided_json",
                                    "guided_regex",
                                    "guided_choice",
                                    "guided_grammar",
                                    "structured_outputs",
                                    "use_beam_search",
                                    "prompt_logprobs",
                                    "lora",
                                    "truncate_prompt_tokens",
                                    "thinking",
                                    "allowed_token_ids",
                                    "bad_words"};

bool asksForNothing(const Json& value) {
    if (value.is_boolean()) return !value.get<bool>();
    if (value.is_string()) return value.get_ref<const std::string&>().empty() || value == "none" || value == "auto";
    if (value.is_array() || value.is_object()) return value.empty();
    return value.is_null();
}

Error refusedField(const std::string& field, const std::string& why) {
    return fail(ErrorCode::Unsupported, "\"" + field + "\" " + why, field);
}

Result<void> refuseUnsupported(const Json& body) {
    const JsonFields fields(body);
    for (const char* name : kRefusedAlways) {
        const Json* value = fields.find(name);
        const bool isDefault = value && std::string_view(name) == "best_of" && *value == 1;
        if (value && !isDefault && !asksForNothing(*value))
            return refusedField(name, "is not supported by this server");
    }
    if (const Json* format = fields.find("response_format")) {
        const Json type = format->is_object() ? format->value("type", Json()) : Json();
        if (type != "text") return refusedField("response_format", "other than {\"type\": \"text\"} is not supported");
    }
    if (const Json* choice = fields.find("tool_choice"); choice && !asksForNothing(*choice))
        return refusedField(
            "tool_choice",
            "other than \"auto\" and \"none\" is not supported: the model may call a tool, in the text of "
            "its answer, and cannot be made to");
    if (const Json* modalities = fields.find("modalities"); modalities && *modalities != Json::array({"text"}))
        return refusedField("modalities", "other than [\"text\"] is not supported");
    return {};
}

Result<void> readLogitBias(const JsonFields& fields, SamplingParams& sampling) {
    const Json* bias = fields.find("logit_bias");
    if (!bias) return {};
    if (!bias->is_object() || bias->size() > 1024)
        return fields.wrong("logit_bias", "an object of at most 1024 token ids with values from -100 to 100");
    for (const auto& [key, value] : bias->items()) {
        TokenId id = 0;
        const auto [end, cause] = std::from_chars(key.data(), key.data() + key.size(), id);
        const double amount = value.is_number() ? value.get<double>() : 1000.0;
        if (cause != std::errc() || end != key.data() + key.size() || id < 0 || !(amount >= -100 && amount <= 100))
            return fields.wrong("logit_bias", "an object of token ids with values from -100 to 100");
        sampling.logitBias.emplace_back(id, static_cast<float>(amount));
    }
    std::sort(sampling.logitBias.begin(), sampling.logitBias.end());
    return {};
}

// What all three forms spell alike.
Result<void> readCommon(const Json& body, GenerationCall& call) {
    if (!body.is_object()) return fail(ErrorCode::InvalidArgument, "the body must be a JSON object");
    const JsonFields fields(body);
    TRY(refuseUnsupported(body));
    TRY_ASSIGN(call.model, fields.requiredString("model"));
    TRY_ASSIGN(call.temperature, fields.number("temperature", 0.0, 100.0));
    TRY_ASSIGN(call.topP, fields.number("top_p", 0.0, 1.0));
    TRY_ASSIGN(const auto topK, fields.integer("top_k", -1, INT32_MAX));
    if (topK) call.topK = static_cast<std::int32_t>(std::max<std::int64_t>(*topK, 0));
    TRY_ASSIGN(const auto minP, fields.number("min_p", 0.0, 1.0));
    TRY_ASSIGN(const auto presence, fields.number("presence_penalty", -2.0, 2.0));
    TRY_ASSIGN(const auto frequency, fields.number("frequency_penalty", -2.0, 2.0));
    TRY_ASSIGN(const auto repetition, fields.number("repetition_penalty", 0.01, 100.0));
    call.sampling.minP = minP.value_or(0.0);
    call.sampling.presencePenalty = presence.value_or(0.0);
    call.sampling.frequencyPenalty = frequency.value_or(0.0);
    call.sampling.repetitionPenalty = repetition.value_or(1.0);
    TRY(readLogitBias(fields, call.sampling));
    TRY_ASSIGN(const auto seed, fields.integer("seed", INT64_MIN, INT64_MAX));
    if (seed) call.seed = static_cast<std::uint64_t>(*seed);
    TRY_ASSIGN(const auto choices, fields.integer("n", 1, kMaxChoices));
    call.choices = static_cast<std::int32_t>(choices.value_or(1));
    TRY_ASSIGN(call.stop, fields.strings("stop", kMaxStops));
    for (const std::string& text : call.stop)
        if (text.empty()) return fields.wrong("stop", "made of strings that are not empty");
    TRY_ASSIGN(call.ignoreEos, fields.boolean("ignore_eos", false));
    TRY_ASSIGN(call.stream, fields.boolean("stream", false));
    if (const Json* options = fields.find("stream_options")) {
        if (!options->is_object()) return fields.wrong("stream_options", "an object");
        if (!call.stream) return refusedField("stream_options", "needs \"stream\": true");
        TRY_ASSIGN(call.includeUsage, JsonFields(*options).boolean("include_usage", false));
    }
    return {};
}

Result<void> readMaxTokens(const JsonFields& fields, std::string_view key, GenerationCall& call) {
    TRY_ASSIGN(const auto tokens, fields.integer(key, 1, INT32_MAX));
    if (tokens) call.maxTokens = static_cast<std::int32_t>(*tokens);
    return {};
}

Result<void> readLogprobCount(const JsonFields& fields, std::int32_t most, GenerationCall& call) {
    TRY_ASSIGN(const auto count, fields.integer("logprobs", 0, most));
    if (count) call.logprobs = static_cast<std::int32_t>(*count);
    return {};
}

Result<void> checkMessage(const Json& message, std::size_t index) {
    const std::string place = "messages[" + std::to_string(index) + "]";
    const auto wrong = [&](const std::string& sentence) {
        return fail(ErrorCode::InvalidArgument, place + sentence, "messages");
    };
    if (!message.is_object()) return wrong(" must be an object");
    if (!message.contains("role") || !message["role"].is_string()) return wrong(" must have a \"role\"");
    const auto content = message.find("content");
    if (content == message.end() || content->is_null() || content->is_string()) return {};
    if (!content->is_array()) return wrong(": \"content\" must be a string or an array of parts");
    for (const Json& part : *content) {
        if (!part.is_object() || !part.contains("type") || !part["type"].is_string())
            return wrong(": a content part must have a \"type\"");
        if (part["type"] != "text")
            return fail(ErrorCode::Unsupported,
                        place + ": content of type " + dumpJson(part["type"]) + " is not supported; text is",
                        "messages");
        if (!part.contains("text") || !part["text"].is_string()) return wrong(": a text part must have a \"text\"");
    }
    return {};
}

bool isIdArray(const Json& value) {
    return value.is_array() && !value.empty() && value.front().is_number();
}

Result<ChatPrompt> conversationFromText(std::string_view text) {
    TRY_ASSIGN(OrderedJson document, parseOrderedJson(text, "the conversation"));
    ChatPrompt chat;
    if (document.is_array()) {
        chat.messages = std::move(document);
    } else if (document.is_object() && document.contains("messages")) {
        for (const auto& [key, value] : document.items()) {
            if (key == "messages")
                chat.messages = value;
            else if (key == "tools")
                chat.tools = value;
            else
                chat.variables[key] = value;
        }
    } else {
        return fail(ErrorCode::InvalidArgument,
                    "the conversation must be an array of messages, or an object with \"messages\"", "conversation");
    }
    TRY_ASSIGN(chat.messages, normaliseMessages(OrderedJson(chat.messages)));
    return chat;
}

// Tools go into the prompt, where the template has a place for them; calls stay in the text of the answer. With
// tool_choice "none" the model does not hear of them.
Result<void> readTools(const Json& body, ChatPrompt& chat) {
    const JsonFields fields(body);
    const Json* tools = fields.find("tools");
    if (!tools) return {};
    if (!tools->is_array() || !std::ranges::all_of(*tools, [](const Json& tool) { return tool.is_object(); }))
        return fields.wrong("tools", "an array of objects");
    if (const Json* choice = fields.find("tool_choice"); choice && *choice == "none") chat.tools = nullptr;
    return {};
}

// A member of the body with its keys in the order of the text, when there is one.
Result<OrderedJson> orderedMember(const Json& body, std::string_view text, const char* key) {
    const auto found = body.find(key);
    if (found == body.end()) return OrderedJson();
    if (text.empty()) return OrderedJson(*found);
    auto ordered = parseOrderedJson(memberText(text, key), key);
    if (!ordered) return fail(ErrorCode::InvalidArgument, ordered.error().message, key);
    return ordered;
}

}  // namespace

Result<ChatPrompt> chatPromptFromJson(const Json& body, std::string_view text) {
    const JsonFields fields(body);
    if (fields.find("conversation")) {
        TRY_ASSIGN(const std::string text, fields.requiredString("conversation"));
        TRY_ASSIGN(ChatPrompt chat, conversationFromText(text));
        TRY_ASSIGN(chat.addGenerationPrompt, fields.boolean("add_generation_prompt", true));
        return chat;
    }
    const Json* messages = fields.find("messages");
    if (!messages || !messages->is_array() || messages->empty())
        return fields.wrong("messages", "an array of at least one message");
    for (std::size_t i = 0; i < messages->size(); ++i) TRY(checkMessage((*messages)[i], i));
    ChatPrompt chat;
    TRY_ASSIGN(chat.messages, orderedMember(body, text, "messages"));
    if (fields.find("tools") && !body["tools"].empty()) {
        TRY_ASSIGN(chat.tools, orderedMember(body, text, "tools"));
    }
    TRY_ASSIGN(chat.addGenerationPrompt, fields.boolean("add_generation_prompt", true));
    if (const Json* variables = fields.find("chat_template_kwargs")) {
        if (!variables->is_object()) return fields.wrong("chat_template_kwargs", "an object");
        TRY_ASSIGN(chat.variables, orderedMember(body, text, "chat_template_kwargs"));
    }
    return chat;
}

Result<std::vector<Prompt>> promptsFromJson(const Json& body, std::string_view field, std::size_t most) {
    const JsonFields fields(body);
    const Json* value = fields.find(field);
    const std::string expected =
        "a string, an array of token ids, or an array of at most " + std::to_string(most) + " of these";
    if (!value) return fields.wrong(field, expected);
    const auto one = [&](const Json& prompt) -> Result<Prompt> {
        if (prompt.is_string()) return Prompt(prompt.get<std::string>());
        if (!isIdArray(prompt)) return fields.wrong(field, expected);
        TRY_ASSIGN(auto ids, tokenIdsFromJson(prompt, field));
        return Prompt(std::move(ids));
    };
    std::vector<Prompt> prompts;
    if (value->is_string() || isIdArray(*value)) {
        TRY_ASSIGN(auto prompt, one(*value));
        prompts.push_back(std::move(prompt));
        return prompts;
    }
    if (!value->is_array() || value->empty() || value->size() > most) return fields.wrong(field, expected);
    for (const Json& item : *value) {
        TRY_ASSIGN(auto prompt, one(item));
        prompts.push_back(std::move(prompt));
    }
    return prompts;
}

Result<GenerationCall> chatCallFromJson(const Json& body, std::string_view text) {
    GenerationCall call;
    TRY(readCommon(body, call));
    const JsonFields fields(body);
    TRY_ASSIGN(auto chat, chatPromptFromJson(body, text));
    TRY(readTools(body, chat));
    call.prompts.emplace_back(std::move(chat));
    TRY(readMaxTokens(fields, "max_tokens", call));
    TRY(readMaxTokens(fields, "max_completion_tokens", call));
    TRY_ASSIGN(const bool logprobs, fields.boolean("logprobs", false));
    TRY_ASSIGN(const auto top, fields.integer("top_logprobs", 0, kMaxTopLogprobs));
    if (top && !logprobs) return refusedField("top_logprobs", "needs \"logprobs\": true");
    if (logprobs) call.logprobs = static_cast<std::int32_t>(top.value_or(0));
    return call;
}

Result<GenerationCall> completionCallFromJson(const Json& body) {
    GenerationCall call;
    TRY(readCommon(body, call));
    TRY_ASSIGN(call.prompts, promptsFromJson(body, "prompt"));
    TRY(readMaxTokens(JsonFields(body), "max_tokens", call));
    TRY(readLogprobCount(JsonFields(body), kMaxTopLogprobs, call));
    return call;
}

Result<GenerationCall> generateCallFromJson(const Json& body) {
    GenerationCall call;
    TRY(readCommon(body, call));
    const JsonFields fields(body);
    const bool isChat = fields.find("messages") || fields.find("conversation");
    const int given = (fields.find("prompt") != nullptr) + (fields.find("prompt_ids") != nullptr) + isChat;
    if (given != 1)
        return fail(ErrorCode::InvalidArgument, "give one of \"prompt\", \"prompt_ids\" and \"messages\"", "prompt");
    if (isChat) {
        TRY_ASSIGN(auto chat, chatPromptFromJson(body));
        call.prompts.emplace_back(std::move(chat));
    } else if (const Json* ids = fields.find("prompt_ids")) {
        TRY_ASSIGN(auto prompt, tokenIdsFromJson(*ids, "prompt_ids"));
        call.prompts.emplace_back(std::move(prompt));
    } else {
        TRY_ASSIGN(auto text, fields.requiredString("prompt"));
        call.prompts.emplace_back(std::move(text));
    }
    TRY(readMaxTokens(fields, "max_tokens", call));
    TRY(readLogprobCount(fields, kMaxLogprobs, call));
    return call;
}

}  // namespace espalier
