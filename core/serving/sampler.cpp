// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "core/serving/philox.h"

namespace espalier {

void TokenHistory::addPrompt(std::span<const TokenId> prompt) {
    for (const TokenId id : prompt) m_output.try_emplace(id, 0);
}

// Cody-Waite reduction x = n ln 2 + r, |r| <= ln 2 / 2, and the degree-6 polynomial of Cephes' expf.
float expNegative(float x) {
    x = std::max(x, -88.0f);
    // Adding and subtracting 1.5 x 2^23 rounds to the nearest integer and vectorises.
    const float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const float fraction = p * (r * r) + r + 1.0f;
    const float scale = std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
    return x < -87.0f ? 0.0f : fraction * scale;
}

namespace {

// The largest logit; none when one is NaN or +infinity, or all are -infinity.
std::optional<float> finiteMaximum(std::span<const float> logits) {
    float largest = -std::numeric_limits<float>::infinity();
    bool ordered = true;
    for (const float logit : logits) {
        ordered &= logit <= std::numeric_limits<float>::max();  // false for NaN and +infinity
        largest = std::max(largest, logit);
    }
    if (!ordered || largest == -std::numeric_limits<float>::infinity()) return std::nullopt;
    return largest;
}

Error notFinite() { return fail(ErrorCode::NonFinite, "the model's logits are not finite: its weights or input overflow"); }

// Eight partial sums, element i in sum i % 8, added up in order: one order whatever the compiler vectorises.
double orderedSum(std::span<const float> values) {
    std::array<double, 8> lanes{};
    std::size_t i = 0;
    for (; i + 8 <= values.size(); i += 8)
        for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
    for (std::size_t lane = 0; i < values.size(); ++i, ++lane) lanes[lane] += static_cast<double>(values[i]);
    double sum = 0.0;
    for (const double lane : lanes) sum += lane;
    return sum;
}

TokenId firstLargest(std::span<const float> logits) {
    return static_cast<TokenId>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double uniformDraw(const SamplingParams& params, std::uint64_t index) {
    const auto words = philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                                   params.choice, 0},
                                  {static_cast<std::uint32_t>(params.seed), static_cast<std::uint32_t>(params.seed >> 32)});
    const std::uint64_t bits = (static_cast<std::uint64_t>(words[1]) << 32 | words[0]) >> 11;
    return static_cast<double>(bits) * 0x1p-53;
}

}  // namespace

void Sampler::applyBiasAndPenalties(const SamplingParams& params, const TokenHistory* history) {
    for (const auto& [id, bias] : params.logitBias) m_logits[static_cast<std::size_t>(id)] += bias;
    if (!history) return;
    const auto repetition = static_cast<float>(params.repetitionPenalty);
    for (const auto& [id, count] : history->m_output) {
        float& logit = m_logits[static_cast<std::size_t>(id)];
        logit = logit > 0.0f ? logit / repetition : logit * repetition;
        if (count > 0)
            logit -= static_cast<float>(params.presencePenalty + params.frequencyPenalty * static_cast<double>(count));
    }
}

void Sampler::sortBest(std::size_t count) {
    if (count < m_candidates.size())
        std::nth_element(m_candidates.begin(), m_candidates.begin() + static_cast<std::ptrdiff_t>(count),
                         m_candidates.end(), isBetter);
    std::sort(m_candidates.begin(), m_candidates.begin() + static_cast<std::ptrdiff_t>(std::min(count, m_candidates.size())),
              isBetter);
}

void Sampler::cutToTopK(std::int32_t k) {
    const auto kept = std::min(static_cast<std::size_t>(k), m_candidates.size());
    sortBest(kept);
    m_candidates.resize(kept);
}

void Sampler::cutToTopP(double p) {
    m_weights.clear();
    for (const Candidate& candidate : m_candidates) m_weights.push_back(candidate.weight);
    const double wanted = p * orderedSum(m_weights);
    // The nucleus is usually small: sort as many as it takes.
    for (std::size_t sorted = 256;; sorted *= 4) {
        sortBest(sorted);
        double mass = 0.0;
        for (std::size_t i = 0; i < std::min(sorted, m_candidates.size()); ++i) {
            mass += static_cast<double>(m_candidates[i].weight);
            if (mass >= wanted) {
                m_candidates.resize(i + 1);
                return;
            }
        }
        if (sorted >= m_candidates.size()) return;
    }
}

void Sampler::cutCandidates(const SamplingParams& params) {
    m_candidates.clear();
    for (std::size_t i = 0; i < m_weights.size(); ++i)
        m_candidates.push_back({m_weights[i], static_cast<TokenId>(i)});
    if (params.topK > 0) cutToTopK(params.topK);
    if (params.topP < 1.0) cutToTopP(params.topP);
    if (params.minP > 0.0)  // the likeliest has weight 1
        std::erase_if(m_candidates, [&](const Candidate& c) { return static_cast<double>(c.weight) < params.minP; });
    m_weights.clear();
    for (const Candidate& candidate : m_candidates) m_weights.push_back(candidate.weight);
}

Result<TokenId> Sampler::sample(std::span<const float> logits, const SamplingParams& params,
                                const TokenHistory* history, std::uint64_t index) {
    if (!params.logitBias.empty() || history) {
        m_logits.assign(logits.begin(), logits.end());
        applyBiasAndPenalties(params, history);
        logits = m_logits;
    }
    const auto largest = finiteMaximum(logits);
    if (!largest) return notFinite();
    if (params.temperature <= 0.0) return firstLargest(logits);

    m_weights.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i)
        m_weights[i] = expNegative(static_cast<float>(static_cast<double>(logits[i] - *largest) / params.temperature));
    const bool cut = params.topK > 0 || params.topP < 1.0 || params.minP > 0.0;
    if (cut) cutCandidates(params);

    const double target = uniformDraw(params, index) * orderedSum(m_weights);
    double mass = 0.0;
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < m_weights.size(); ++i) {
        if (m_weights[i] <= 0.0f) continue;
        chosen = i;  // the last one with weight takes what rounding leaves
        mass += static_cast<double>(m_weights[i]);
        if (mass > target) break;
    }
    return cut ? m_candidates[chosen].id : static_cast<TokenId>(chosen);
}

Result<TokenLogprob> Sampler::logprob(std::span<const float> logits, TokenId id, std::int32_t top) {
    const auto largest = finiteMaximum(logits);
    if (!largest) return notFinite();
    m_weights.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) m_weights[i] = expNegative(logits[i] - *largest);
    const double logSum = std::log(orderedSum(m_weights));
    const auto logprobOf = [&](float logit) {
        return static_cast<float>(static_cast<double>(logit) - static_cast<double>(*largest) - logSum);
    };
    TokenLogprob result{id, logprobOf(logits[static_cast<std::size_t>(id)]), {}};
    if (top <= 0) return result;
    m_candidates.clear();
    for (std::size_t i = 0; i < logits.size(); ++i) m_candidates.push_back({logits[i], static_cast<TokenId>(i)});
    cutToTopK(top);
    for (const Candidate& candidate : m_candidates) result.top.emplace_back(candidate.id, logprobOf(candidate.weight));
    return result;
}

}  // namespace espalier
