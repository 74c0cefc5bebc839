// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/request_check.h"

namespace espalier {
namespace {

Error invalid(std::string message, std::string field) {
    return fail(ErrorCode::InvalidArgument, std::move(message), std::move(field));
}

Result<void> checkTokens(const Request& request, const RequestLimits& limits) {
    if (request.prompt.empty()) return invalid("the prompt has no tokens", "prompt");
    for (std::size_t i = 0; i < request.prompt.size(); ++i)
        if (request.prompt[i] < 0 || request.prompt[i] >= limits.vocabulary)
            return invalid("prompt token " + std::to_string(i) + " is " + std::to_string(request.prompt[i]) +
                               "; the model's ids are 0 to " + std::to_string(limits.vocabulary - 1),
                           "prompt");
    const auto prompt = static_cast<std::int64_t>(request.prompt.size());
    const std::int64_t needed = prompt + (request.kind == RequestKind::Generate ? 1 : 0);
    const std::string sentence = "the prompt has " + std::to_string(prompt) + " tokens" +
                                 (needed > prompt ? " and the answer needs at least one; " : "; ");
    if (needed > limits.modelContext)
        return fail(ErrorCode::ContextOverflow,
                    sentence + "the model's context is " + std::to_string(limits.modelContext), "prompt");
    if (limits.wholeTextRows > 0 && needed > limits.wholeTextRows)
        return fail(ErrorCode::ContextOverflow,
                    sentence + "this encoder reads a text in one step, which takes at most " +
                        std::to_string(limits.wholeTextRows),
                    "prompt");
    if (needed > limits.poolTokens)
        return fail(ErrorCode::ContextOverflow,  // for good: waiting frees nothing of a pool that is too small
                    sentence + "the whole KV pool holds " + std::to_string(limits.poolTokens) +
                        ": start the server with a larger pool",
                    "prompt");
    return {};
}

Result<void> checkStops(const Request& request, const RequestLimits& limits) {
    if (request.stop.size() > kMaxStops)
        return invalid("at most " + std::to_string(kMaxStops) + " stop strings are possible, " +
                           std::to_string(request.stop.size()) + " were given",
                       "stop");
    for (const std::string& stop : request.stop) {
        if (stop.empty() || stop.size() > kMaxStopBytes)
            return invalid("a stop string must have 1 to " + std::to_string(kMaxStopBytes) + " bytes", "stop");
        if ((static_cast<unsigned char>(stop[0]) & 0xC0) == 0x80)
            return invalid("a stop string begins inside a UTF-8 character", "stop");
    }
    if (!request.stop.empty() && !limits.hasTokenizer)
        return fail(ErrorCode::Unsupported,
                    "this model has no tokenizer, so stop strings cannot be found; use stop ids", "stop");
    return {};
}

}  // namespace

Result<void> checkRequest(const Request& request, const RequestLimits& limits) {
    if (!request.sink) return invalid("the request has no sink", "sink");
    TRY(checkKind(request.kind, limits.lmHead));
    TRY(checkTokens(request, limits));
    if (request.logprobs < -1 || request.logprobs > kMaxLogprobs)
        return invalid("logprobs must be between 0 and " + std::to_string(kMaxLogprobs), "logprobs");
    if (request.kind != RequestKind::Generate) return {};
    if (request.maxTokens < 1) return invalid("max_tokens must be at least 1", "max_tokens");
    TRY(request.sampling.validate());
    for (const auto& [id, bias] : request.sampling.logitBias)
        if (id >= limits.vocabulary)
            return invalid("logit_bias names token " + std::to_string(id) + "; the model's ids are 0 to " +
                               std::to_string(limits.vocabulary - 1),
                           "logit_bias");
    return checkStops(request, limits);
}

}  // namespace espalier
