// SPDX-License-Identifier: GPL-3.0-or-later
// Scenarios of many adapters and several tenants (targets P5 to P8), each beside the same engine without one thing that
// it does: prefetch, one pool, ranks as they are, fair shares. What is compared is run in turns in one process, so that
// ratios hold on a machine whose speed does not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/cli/bench_run.h"

namespace espalier::cli {

struct TenancyBenchOptions {
    std::string scenario, shape = "160m";
    std::int32_t adapters = 0;  // 0: the scenario's
    double rate = 0, durationS = 60, load = 0.67;
    std::int32_t rounds = 3;
    bool quick = false, lines = false;
};

Result<void> runTenancyBench(Session& session, const TenancyBenchOptions& options);

// One of the things that a scenario compares.
struct Variant {
    std::string name;
    std::function<Result<Json>()> measure;
};
// All of them in each round. A row each: medians of its numbers, `against` among them, and "ratio", the median of its
// figure over that of the first in the same round.
Result<void> compareInTurns(BenchModel& model, const TenancyBenchOptions& options, Report& report,
                            const std::vector<Variant>& variants, const std::string& against);

// P8 (bench_fairness.cpp).
Result<void> benchFairness(Session& session, BenchModel& model, const TenancyBenchOptions& options, Report& report);

}  // namespace espalier::cli
