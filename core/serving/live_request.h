// SPDX-License-Identifier: GPL-3.0-or-later
// LiveRequest: a request that has not ended, as people watch it. Plain values; what it is made from stays where it is.
#pragma once

#include <cstdint>
#include <string>

#include "core/serving/request.h"

namespace espalier {

struct Sequence;

struct LiveRequest {
    RequestId id;
    std::string tenant;
    std::string adapter;  // its name; empty: none
    RequestKind kind = RequestKind::Generate;
    bool isRunning = false;
    std::int32_t promptTokens = 0;
    std::int32_t cachedTokens = 0;    // of the prompt, found in the prefix cache
    std::int32_t computedTokens = 0;  // whose KV is there
    std::int32_t producedTokens = 0;
    std::int32_t maxTokens = 0;
    std::int32_t pages = 0;
    double tokensPerS = 0;  // tokens after the first over the time after the first
    double ageS = 0;        // since it was submitted
};

LiveRequest liveRequestOf(const Sequence& sequence, TimePoint now);

}  // namespace espalier
