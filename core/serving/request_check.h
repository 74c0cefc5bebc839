// SPDX-License-Identifier: GPL-3.0-or-later
// What a loaded model can be asked for. Pure; the one place that says no to a request before it costs anything.
#pragma once

#include <cstdint>

#include "core/serving/request.h"

namespace espalier {

struct RequestLimits {
    std::int32_t vocabulary = 0;
    std::int32_t modelContext = 0;
    std::int32_t poolTokens = 0;  // what all pages together hold, less those of the request's adapter
    bool hasTokenizer = false;
    bool lmHead = true;
    std::int32_t wholeTextRows = 0;  // > 0: a text is read in one step, which has this many rows
};

constexpr std::int32_t kMaxLogprobs = 256;
constexpr std::size_t kMaxStops = 16;
constexpr std::size_t kMaxStopBytes = 4096;  // of one stop string

// Errors: invalid_argument names the field; context_overflow gives the numbers, of the model's context or of a pool
// that is smaller; unsupported.
Result<void> checkRequest(const Request& request, const RequestLimits& limits);

}  // namespace espalier
