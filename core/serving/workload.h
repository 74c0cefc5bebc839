// SPDX-License-Identifier: GPL-3.0-or-later
// A workload: who asks for which adapter, when, how much. The recipe is that of the S-LoRA benchmark, draw for draw, so
// that figures can be laid beside published ones: adapters by a power law over their numbers (alpha 1: all alike; less:
// the low numbers far more often), lengths uniform, arrivals a Gamma process of rate R and coefficient of variation cv.
//
// Source: S-LoRA (arXiv 2311.03285) benchmarks/trace.py, with NumPy's legacy generator (MT19937, seed 42). Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/result.h"

namespace espalier {

struct WorkloadOptions {
    std::int32_t adapters = 200;
    double alpha = 1.0;
    double rate = 2.0;  // requests a second
    double cv = 1.0;    // >= 1
    double durationS = 300;
    std::int32_t leastTokens = 8, mostTokens = 512;  // of prompt and answer: [least, most)
};

struct WorkloadRequest {
    std::int32_t adapter = 0;
    std::int32_t promptTokens = 0, answerTokens = 0;
    double arrivalS = 0;
};

// By arrival. Error invalid_argument names the option.
Result<std::vector<WorkloadRequest>> makeWorkload(const WorkloadOptions& options);

}  // namespace espalier
