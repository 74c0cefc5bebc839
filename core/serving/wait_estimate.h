// SPDX-License-Identifier: GPL-3.0-or-later
// WaitEstimate: when the first token of a request that comes now may be expected, from how fast prompts were computed
// lately and what waits before it in fair order. For tenants who would rather be refused at once than wait.
//
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/base/clock.h"

namespace espalier {

class WaitEstimate {
public:
    // One step: prompt tokens computed in it and what it took. Steps without any say nothing.
    void measured(std::int32_t promptTokens, Duration took);

    struct Prompt {          // of a request that is here already
        bool isOwn = false;  // of the same tenant as the new one
        double weight = 1.0;
        std::int32_t tenant = 0;
        std::int32_t tokensLeft = 0;  // to be computed
    };
    // None until something was measured. What is before it: all of its own tenant's prompts and, while those and its
    // own are served, of each other tenant as much as its weight gives it.
    std::optional<Duration> untilFirstToken(std::span<const Prompt> queue, double weight, std::int32_t tokens) const;

private:
    double m_tokens = 0, m_seconds = 0;  // of the recent past: both fade alike
};

}  // namespace espalier
