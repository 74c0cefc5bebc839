// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/request.h"

#include <cmath>

namespace espalier {
namespace {

Error outOfRange(std::string_view field, std::string_view range) {
    return fail(ErrorCode::InvalidArgument, std::string(field) + " must be " + std::string(range), std::string(field));
}

bool within(double value, double low, double high) {
    return value >= low && value <= high;
}  // false for NaN

}  // namespace

Result<void> SamplingParams::validate() const {
    if (!within(temperature, 0.0, 2.0)) return outOfRange("temperature", "between 0 and 2");
    if (topK < 0) return outOfRange("top_k", "0 (off) or more");
    if (!(within(topP, 0.0, 1.0) && topP > 0.0)) return outOfRange("top_p", "above 0 and at most 1");
    if (!within(minP, 0.0, 1.0)) return outOfRange("min_p", "between 0 and 1");
    if (!within(presencePenalty, -2.0, 2.0)) return outOfRange("presence_penalty", "between -2 and 2");
    if (!within(frequencyPenalty, -2.0, 2.0)) return outOfRange("frequency_penalty", "between -2 and 2");
    if (!(within(repetitionPenalty, 0.0, 100.0) && repetitionPenalty > 0.0))
        return outOfRange("repetition_penalty", "above 0 and at most 100");
    for (const auto& [id, bias] : logitBias)
        if (id < 0 || !within(bias, -100.0, 100.0))
            return outOfRange("logit_bias", "a map of token ids to values between -100 and 100");
    return {};
}

Result<void> checkKind(RequestKind kind, bool lmHead) {
    if (lmHead || kind == RequestKind::Embed) return {};
    return fail(ErrorCode::Unsupported,
                std::string("this model gives embeddings only: it has no language-model head, so it cannot ") +
                    (kind == RequestKind::Generate ? "generate text" : "score text"),
                "model");
}

std::string_view finishReasonName(FinishReason reason) {
    switch (reason) {
        case FinishReason::Stop:
            return "stop";
        case FinishReason::Length:
            return "length";
        case FinishReason::Cancelled:
            return "cancelled";
        case FinishReason::Failed:
            return "failed";
    }
    return "failed";
}

}  // namespace espalier
