// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/wait_estimate.h"

#include <algorithm>
#include <map>

namespace espalier {
namespace {

constexpr double kKept = 0.95;  // of the past, per step with a prompt

}  // namespace

void WaitEstimate::measured(std::int32_t promptTokens, Duration took) {
    if (promptTokens <= 0) return;
    m_tokens = kKept * m_tokens + promptTokens;
    m_seconds = kKept * m_seconds + seconds(took);
}

std::optional<Duration> WaitEstimate::untilFirstToken(std::span<const Prompt> queue, double weight,
                                                      std::int32_t tokens) const {
    if (m_tokens <= 0 || m_seconds <= 0) return std::nullopt;
    double own = tokens;
    struct Other {
        double weight = 1.0, tokens = 0;
    };
    std::map<std::int32_t, Other> others;
    for (const Prompt& prompt : queue) {
        if (prompt.isOwn) {
            own += prompt.tokensLeft;
        } else {
            Other& other = others[prompt.tenant];
            other.weight = prompt.weight;
            other.tokens += prompt.tokensLeft;
        }
    }
    double before = own;
    for (const auto& [tenant, other] : others) before += std::min(other.tokens, own * other.weight / weight);
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(before / m_tokens * m_seconds));
}

}  // namespace espalier
