// SPDX-License-Identifier: GPL-3.0-or-later
// The published shapes of answers: chat completions and completions, whole and streamed. Pure: values in, JSON out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/serving/request.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

enum class AnswerForm { Chat, Completion };

// What all pieces of one answer share.
struct AnswerHead {
    AnswerForm form = AnswerForm::Chat;
    std::string id;            // "chatcmpl-..."
    std::string model;         // as the caller named it
    std::int64_t created = 0;  // Unix seconds
};

// One of the answers of a call, as far as it has come.
struct Choice {
    std::string text;
    std::vector<TokenId> ids;
    std::vector<TokenLogprob> logprobs;
    std::optional<FinishReason> finish;
    Usage usage;
    RequestTiming timing;
    std::vector<float> embedding;
    std::optional<Error> error;

    void take(const Chunk& chunk);
};

// How the bytes of a token are shown; without a tokenizer "token_id:N".
std::string tokenText(const Tokenizer* tokenizer, TokenId id);
// `textOffset`: where the first of these tokens begins in the answer's text (completions report offsets); moved on.
Json logprobsJson(AnswerForm form, const Tokenizer* tokenizer, const std::vector<TokenLogprob>& logprobs,
                  std::size_t& textOffset);
Json usageJson(const Usage& usage);

// choices in order; `perPrompt` of them share a prompt, whose tokens count once. logprobs: whether they were asked for.
Json wholeAnswer(const AnswerHead& head, const Tokenizer* tokenizer, const std::vector<Choice>& choices,
                 std::size_t perPrompt, bool logprobs);
Usage sumUsage(const std::vector<Choice>& choices, std::size_t perPrompt);

// Streamed pieces, without the "data: " around them.
Json openingPiece(const AnswerHead& head, std::size_t index);  // chat only: the role
Json textPiece(const AnswerHead& head, std::size_t index, std::string_view text, Json logprobs);
Json closingPiece(const AnswerHead& head, std::size_t index, FinishReason reason);
Json usagePiece(const AnswerHead& head, const Usage& usage);

}  // namespace espalier
