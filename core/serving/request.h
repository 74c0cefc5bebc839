// SPDX-License-Identifier: GPL-3.0-or-later
// What a caller asks of a loaded model and what comes back, as plain values. Text and chat templates are turned into
// ids before they get here; ids in, ids and text out.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/adapters/adapter_source.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/serving/tenant_share.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct RequestId {
    std::uint64_t value = 0;
    auto operator<=>(const RequestId&) const = default;
};

// Applied in this order to the f32 logits of one row: logit bias, penalties over the tokens seen so far (repetition:
// CTRL, arXiv 1909.05858, prompt and output; presence and frequency: output only, as the OpenAI API defines them),
// temperature, top-k, top-p, min-p (arXiv 2407.01082), then one draw. temperature 0 takes the largest logit, the lowest
// id on a tie. The draw is a counter-based generator keyed by (seed, choice) at the token's index: it depends on
// nothing else, so the same request gives the same tokens alone or in a crowd.
struct SamplingParams {
    double temperature = 0.0;
    std::int32_t topK = 0;  // 0: off
    double topP = 1.0;
    double minP = 0.0;
    double presencePenalty = 0.0;
    double frequencyPenalty = 0.0;
    double repetitionPenalty = 1.0;
    std::vector<std::pair<TokenId, float>> logitBias;
    std::uint64_t seed = 0;    // the caller draws one when the user gave none
    std::uint32_t choice = 0;  // index among n choices of one request

    // Error invalid_argument names the field and its range.
    Result<void> validate() const;
};

enum class RequestKind : std::uint8_t {
    Generate,
    Embed,  // pooled final hidden states of the prompt; no tokens are generated
    Score,  // log probabilities of the prompt's own tokens; no tokens are generated
};

// Error unsupported when a model without an LM head is asked for more than embeddings.
Result<void> checkKind(RequestKind kind, bool lmHead);

enum class FinishReason : std::uint8_t { Stop, Length, Cancelled, Failed };
std::string_view finishReasonName(FinishReason reason);  // "stop", "length", "cancelled", "failed"

struct TokenLogprob {
    TokenId id = 0;
    float logprob = 0.0f;  // natural log, of the model's own distribution: before temperature and penalties
    std::vector<std::pair<TokenId, float>> top;  // the K likeliest, best first
};

struct Usage {
    std::int32_t promptTokens = 0;
    std::int32_t cachedTokens = 0;  // of the prompt, found in the prefix cache
    std::int32_t completionTokens = 0;
};

struct RequestTiming {
    double queueMs = 0.0;
    double ttftMs = 0.0;      // submission to first token
    double tokensPerS = 0.0;  // tokens after the first over the time after the first
    double totalMs = 0.0;
};

// A piece of an answer. Chunks of one request arrive in order; exactly one, the last, has finish set.
struct Chunk {
    RequestId id;
    std::string text;  // whole characters; may be empty while bytes or a stop string are pending
    std::vector<TokenId> ids;
    std::vector<TokenLogprob> logprobs;  // one per id when asked for (Score: one per scored token)
    std::vector<float> embedding;        // Embed, in the last chunk
    std::optional<FinishReason> finish;
    std::optional<Error> error;  // with FinishReason::Failed
    Usage usage;                 // in the last chunk
    RequestTiming timing;        // in the last chunk
};

// Called on the engine thread, one call at a time per request; must not block and must not call back into the engine.
using ChunkSink = std::function<void(const Chunk&)>;

enum class Pooling : std::uint8_t { Mean, Cls, Last, Max };

class TenantCall;

struct Request {
    RequestId id;
    RequestKind kind = RequestKind::Generate;
    std::string tenant;                        // whose request it is: fair share and prefix-cache domain
    std::shared_ptr<const TenantShare> share;  // what the tenant gets of the engine; null: weight 1, no caps
    std::shared_ptr<TenantCall> call;  // engine: what its tenant was admitted for; null: it is a call of its own
    std::shared_ptr<const AdapterSource> adapter;  // null: the base model
    std::string adapterName;                       // for people
    std::vector<TokenId> prompt;                   // not empty, each below the vocabulary
    SamplingParams sampling;
    std::int32_t maxTokens = 128;
    std::vector<std::string> stop;    // at most 16, found across token borders; not part of the text
    std::vector<TokenId> stopIds;     // end-of-sequence ids; the id ends the answer and is not part of it
    std::int32_t logprobs = -1;       // -1: none; K >= 0: the token's own and the K likeliest
    bool skipSpecial = true;          // in text
    Pooling pooling = Pooling::Mean;  // Embed
    bool normalize = false;           // Embed
    ChunkSink sink;
};

}  // namespace espalier
