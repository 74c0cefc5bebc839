// SPDX-License-Identifier: GPL-3.0-or-later
// Sampler: from one row of logits to one token, in the order SamplingParams states. Host code, equal on every backend;
// its exponential is its own, so the same logits give the same token and log probabilities on every machine.
//
// Owner: ServingLoop (one for all sequences; it only keeps scratch memory). Thread: engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/base/result.h"
#include "core/serving/request.h"

namespace espalier {

// Which tokens a sequence has seen, for the penalties. Kept only when a penalty is set.
class TokenHistory {
public:
    void addPrompt(std::span<const TokenId> prompt);
    void addOutput(TokenId id) { ++m_output[id]; }

private:
    friend class Sampler;
    std::unordered_map<TokenId, std::int32_t> m_output;  // count in the output; 0: prompt only
};

class Sampler {
public:
    // The token at `index` of the output (0: the first). logits: [V]. history may be null when no penalty is set.
    // Draws u in [0, 1) = philox4x32(counter {index, choice, 0, 0}, key seed) / 2^53 and takes the first candidate, in
    // ascending id order, or best first when top-k or top-p cut the list, whose cumulated weight exceeds u x total.
    // Error non_finite: a logit is NaN or +infinity, or all are -infinity.
    Result<TokenId> sample(std::span<const float> logits, const SamplingParams& params, const TokenHistory* history,
                           std::uint64_t index);

    // Log probability of `id` and the `top` likeliest, under softmax(logits). Ties rank by lower id. Error non_finite.
    Result<TokenLogprob> logprob(std::span<const float> logits, TokenId id, std::int32_t top);

private:
    struct Candidate {
        float weight;  // exp((logit - max) / temperature); for top lists the logit itself
        TokenId id;
    };
    static bool isBetter(const Candidate& a, const Candidate& b) {
        return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
    }
    void applyBiasAndPenalties(const SamplingParams& params, const TokenHistory* history);
    void cutCandidates(const SamplingParams& params);                 // m_weights -> m_candidates, cut, -> m_weights
    void takeBest(std::span<const float> values, std::size_t count);  // -> m_candidates, best first
    void takeAbove(float threshold);                                  // of m_weights, -> m_candidates in id order
    void cutToMass(double mass);

    std::vector<float> m_logits;
    std::vector<float> m_weights;
    std::vector<float> m_maxima;
    std::vector<Candidate> m_candidates;
};

// exp(x) for x <= 0 within 2 ulp, without libm; 0 where the result would be denormal. Exposed for its test.
float expNegative(float x);

}  // namespace espalier
