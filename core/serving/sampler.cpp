// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "core/serving/philox.h"

namespace espalier {

void TokenHistory::addPrompt(std::span<const TokenId> prompt) {
    for (const TokenId id : prompt) m_output.try_emplace(id, 0);
}

// Cody-Waite reduction x = n ln 2 + r, |r| <= ln 2 / 2, and the degree-6 polynomial of Cephes' expf.
float expNegative(float x) {
    x = x < -88.0f ? -88.0f : x;
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
    return fraction * std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);  // n = -127 gives 0
}

namespace {

constexpr std::size_t kLanes = 16;  // independent running values, so that the compiler may vectorise

// The largest logit; none when one is NaN or +infinity, or all are -infinity.
std::optional<float> finiteMaximum(std::span<const float> logits) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    std::array<float, kLanes> largest;
    std::array<std::int32_t, kLanes> broken{};
    largest.fill(-kInfinity);
    const auto take = [&](std::size_t lane, float logit) {
        largest[lane] = largest[lane] < logit ? logit : largest[lane];
        broken[lane] |= !(logit < kInfinity);  // true for NaN
    };
    std::size_t i = 0;
    for (; i + kLanes <= logits.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) take(lane, logits[i + lane]);
    for (; i < logits.size(); ++i) take(0, logits[i]);
    const float result = *std::max_element(largest.begin(), largest.end());
    const bool isBroken = std::any_of(broken.begin(), broken.end(), [](std::int32_t b) { return b != 0; });
    if (isBroken || result == -kInfinity) return std::nullopt;
    return result;
}

Error notFinite() {
    return fail(ErrorCode::NonFinite, "the model's logits are not finite: its weights or input overflow");
}

// Sums the values that reach `threshold`: element i in partial sum i % kLanes, those added up in order. One order
// whatever the compiler vectorises.
double orderedSum(std::span<const float> values, float threshold = 0.0f) {
    std::array<double, kLanes> lanes{};
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            lanes[lane] += static_cast<double>(values[i + lane] < threshold ? 0.0f : values[i + lane]);
    for (std::size_t lane = 0; i < values.size(); ++i, ++lane)
        lanes[lane] += static_cast<double>(values[i] < threshold ? 0.0f : values[i]);
    double sum = 0.0;
    for (const double lane : lanes) sum += lane;
    return sum;
}

double uniformDraw(const SamplingParams& params, std::uint64_t index) {
    const auto words =
        philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), params.choice, 0},
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

// Of every kBlock values only the largest is looked at first: at least `count` values reach the count-th of these
// maxima, so all of the best do, and few others.
void Sampler::takeBest(std::span<const float> values, std::size_t count) {
    constexpr std::size_t kBlock = 64;
    float threshold = -std::numeric_limits<float>::infinity();
    m_maxima.clear();
    for (std::size_t i = 0; i < values.size(); i += kBlock) {
        float largest = values[i];
        for (std::size_t k = i; k < std::min(i + kBlock, values.size()); ++k) largest = std::max(largest, values[k]);
        m_maxima.push_back(largest);
    }
    if (count <= m_maxima.size()) {
        const auto at = m_maxima.begin() + static_cast<std::ptrdiff_t>(count) - 1;
        std::nth_element(m_maxima.begin(), at, m_maxima.end(), std::greater<>());
        threshold = *at;
    }
    m_candidates.clear();
    for (std::size_t i = 0; i < values.size(); ++i)
        if (values[i] >= threshold) m_candidates.push_back({values[i], static_cast<TokenId>(i)});
    const auto end = m_candidates.begin() + static_cast<std::ptrdiff_t>(std::min(count, m_candidates.size()));
    if (end != m_candidates.end()) std::nth_element(m_candidates.begin(), end, m_candidates.end(), isBetter);
    std::sort(m_candidates.begin(), end, isBetter);
    m_candidates.erase(end, m_candidates.end());
}

// Keeps the shortest beginning of the sorted candidates that holds `mass`, all when together they hold less.
void Sampler::cutToMass(double mass) {
    double sum = 0.0;
    for (std::size_t i = 0; i < m_candidates.size(); ++i) {
        sum += static_cast<double>(m_candidates[i].weight);
        if (sum >= mass) return m_candidates.resize(i + 1);
    }
}

void Sampler::takeAbove(float threshold) {
    m_candidates.clear();
    for (std::size_t i = 0; i < m_weights.size(); ++i)
        if (m_weights[i] >= threshold) m_candidates.push_back({m_weights[i], static_cast<TokenId>(i)});
}

void Sampler::cutCandidates(const SamplingParams& params) {
    if (params.topK > 0) {
        takeBest(m_weights, static_cast<std::size_t>(params.topK));
        if (params.topP < 1.0) {
            double kept = 0.0;
            for (const Candidate& candidate : m_candidates) kept += static_cast<double>(candidate.weight);
            cutToMass(params.topP * kept);
        }
    } else if (params.topP < 1.0) {
        const double wanted = params.topP * orderedSum(m_weights);
        float threshold = 1.0f;  // the largest weight; lowered until the nucleus is above it
        while (threshold > 0.0f && orderedSum(m_weights, threshold) < wanted) threshold *= 0.25f;
        takeAbove(threshold);
        std::sort(m_candidates.begin(), m_candidates.end(), isBetter);
        cutToMass(wanted);
    } else {
        takeAbove(static_cast<float>(params.minP));
    }
    // The likeliest has weight 1.
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
    if (params.temperature <= 0.0)
        return static_cast<TokenId>(std::find(logits.begin(), logits.end(), *largest) - logits.begin());

    m_weights.resize(logits.size());
    const auto inverse = static_cast<float>(std::min(1.0 / params.temperature, 1e30));  // finite: 0 x it is 0
    for (std::size_t i = 0; i < logits.size(); ++i) m_weights[i] = expNegative((logits[i] - *largest) * inverse);
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
    takeBest(logits, static_cast<std::size_t>(top));
    for (const Candidate& candidate : m_candidates) result.top.emplace_back(candidate.id, logprobOf(candidate.weight));
    return result;
}

}  // namespace espalier
