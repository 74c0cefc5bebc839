// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/openai_answer.h"

namespace espalier {
namespace {

Json bytesJson(std::string_view text) {
    Json bytes = Json::array();
    for (const char c : text) bytes.push_back(static_cast<unsigned char>(c));
    return bytes;
}

Json chatLogprob(const Tokenizer* tokenizer, TokenId id, float logprob) {
    const std::string text = tokenText(tokenizer, id);
    return {{"token", text}, {"logprob", logprob}, {"bytes", bytesJson(text)}};
}

Json chatLogprobs(const Tokenizer* tokenizer, const std::vector<TokenLogprob>& logprobs) {
    Json content = Json::array();
    for (const TokenLogprob& entry : logprobs) {
        Json token = chatLogprob(tokenizer, entry.id, entry.logprob);
        token["top_logprobs"] = Json::array();
        for (const auto& [id, logprob] : entry.top)
            token["top_logprobs"].push_back(chatLogprob(tokenizer, id, logprob));
        content.push_back(std::move(token));
    }
    return {{"content", std::move(content)}};
}

Json completionLogprobs(const Tokenizer* tokenizer, const std::vector<TokenLogprob>& logprobs,
                        std::size_t& textOffset) {
    Json tokens = Json::array(), values = Json::array(), tops = Json::array(), offsets = Json::array();
    for (const TokenLogprob& entry : logprobs) {
        const std::string text = tokenText(tokenizer, entry.id);
        Json top = Json::object();
        for (const auto& [id, logprob] : entry.top) top[tokenText(tokenizer, id)] = logprob;
        tokens.push_back(text);
        values.push_back(entry.logprob);
        tops.push_back(std::move(top));
        offsets.push_back(textOffset);
        for (const char c : text)
            textOffset += (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // characters, not bytes
    }
    return {{"tokens", std::move(tokens)},
            {"token_logprobs", std::move(values)},
            {"top_logprobs", std::move(tops)},
            {"text_offset", std::move(offsets)}};
}

Json finishJson(const std::optional<FinishReason>& reason) {
    return reason ? Json(finishReasonName(*reason)) : Json();
}

Json piece(const AnswerHead& head, Json choices) {
    const bool chat = head.form == AnswerForm::Chat;
    return {{"id", head.id},
            {"object", chat ? "chat.completion.chunk" : "text_completion"},
            {"created", head.created},
            {"model", head.model},
            {"choices", std::move(choices)}};
}

Json chatChoice(std::size_t index, Json delta, Json logprobs, Json finish) {
    return Json::array({{{"index", index},
                         {"delta", std::move(delta)},
                         {"logprobs", std::move(logprobs)},
                         {"finish_reason", std::move(finish)}}});
}

Json completionChoice(std::size_t index, std::string_view text, Json logprobs, Json finish) {
    return Json::array(
        {{{"index", index}, {"text", text}, {"logprobs", std::move(logprobs)}, {"finish_reason", std::move(finish)}}});
}

}  // namespace

void Choice::take(const Chunk& chunk) {
    text += chunk.text;
    ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
    logprobs.insert(logprobs.end(), chunk.logprobs.begin(), chunk.logprobs.end());
    if (!chunk.finish) return;
    finish = chunk.finish;
    usage = chunk.usage;
    timing = chunk.timing;
    embedding = chunk.embedding;
    error = chunk.error;
    if (finish == FinishReason::Failed && !error) error = fail(ErrorCode::Internal, "the request failed");
}

std::string tokenText(const Tokenizer* tokenizer, TokenId id) {
    if (tokenizer)
        if (auto text = tokenizer->decodePiece(id, false, false)) return std::move(*text);
    return "token_id:" + std::to_string(id);
}

Json logprobsJson(AnswerForm form, const Tokenizer* tokenizer, const std::vector<TokenLogprob>& logprobs,
                  std::size_t& textOffset) {
    if (form == AnswerForm::Chat) return chatLogprobs(tokenizer, logprobs);
    return completionLogprobs(tokenizer, logprobs, textOffset);
}

Json usageJson(const Usage& usage) {
    return {{"prompt_tokens", usage.promptTokens},
            {"completion_tokens", usage.completionTokens},
            {"total_tokens", usage.promptTokens + usage.completionTokens},
            {"prompt_tokens_details", {{"cached_tokens", usage.cachedTokens}}}};
}

Usage sumUsage(const std::vector<Choice>& choices, std::size_t perPrompt) {
    Usage sum;
    for (std::size_t i = 0; i < choices.size(); ++i) {
        sum.completionTokens += choices[i].usage.completionTokens;
        if (i % perPrompt != 0) continue;
        sum.promptTokens += choices[i].usage.promptTokens;
        sum.cachedTokens += choices[i].usage.cachedTokens;
    }
    return sum;
}

Json wholeAnswer(const AnswerHead& head, const Tokenizer* tokenizer, const std::vector<Choice>& choices,
                 std::size_t perPrompt, bool logprobs) {
    const bool chat = head.form == AnswerForm::Chat;
    Json list = Json::array();
    for (std::size_t i = 0; i < choices.size(); ++i) {
        std::size_t offset = 0;
        Json entry{{"index", i}, {"finish_reason", finishJson(choices[i].finish)}, {"logprobs", nullptr}};
        if (logprobs) entry["logprobs"] = logprobsJson(head.form, tokenizer, choices[i].logprobs, offset);
        if (chat)
            entry["message"] = {{"role", "assistant"}, {"content", choices[i].text}, {"refusal", nullptr}};
        else
            entry["text"] = choices[i].text;
        list.push_back(std::move(entry));
    }
    return {{"id", head.id},
            {"object", chat ? "chat.completion" : "text_completion"},
            {"created", head.created},
            {"model", head.model},
            {"choices", std::move(list)},
            {"usage", usageJson(sumUsage(choices, perPrompt))}};
}

Json openingPiece(const AnswerHead& head, std::size_t index) {
    return piece(head, chatChoice(index, {{"role", "assistant"}, {"content", ""}}, nullptr, nullptr));
}

Json textPiece(const AnswerHead& head, std::size_t index, std::string_view text, Json logprobs) {
    if (head.form == AnswerForm::Chat)
        return piece(head, chatChoice(index, {{"content", text}}, std::move(logprobs), nullptr));
    return piece(head, completionChoice(index, text, std::move(logprobs), nullptr));
}

Json closingPiece(const AnswerHead& head, std::size_t index, FinishReason reason) {
    if (head.form == AnswerForm::Chat)
        return piece(head, chatChoice(index, Json::object(), nullptr, finishReasonName(reason)));
    return piece(head, completionChoice(index, "", nullptr, finishReasonName(reason)));
}

Json usagePiece(const AnswerHead& head, const Usage& usage) {
    Json last = piece(head, Json::array());
    last["usage"] = usageJson(usage);
    return last;
}

}  // namespace espalier
