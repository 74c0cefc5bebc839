// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/workload.h"

#include <bit>
#include <cmath>
#include <random>

namespace espalier {
namespace {

constexpr double kMostRequests = 10e6;

// Draws in the order of NumPy's RandomState.
class Draws {
public:
    double uniform() {
        const auto high = static_cast<double>(m_words() >> 5), low = static_cast<double>(m_words() >> 6);
        return (high * 0x1p26 + low) / 0x1p53;
    }
    double exponential() { return -std::log(1.0 - uniform()); }

    // Of [0, range): masked words, too large ones thrown away.
    std::int32_t below(std::uint32_t range) {
        const std::uint32_t mask = std::bit_ceil(range) - 1;
        std::uint32_t word = 0;
        do word = static_cast<std::uint32_t>(m_words()) & mask;
        while (word >= range);
        return static_cast<std::int32_t>(word);
    }

    // Gamma of scale 1; shape <= 1 (Johnk's method as NumPy has it).
    double gamma(double shape) {
        if (shape == 1.0) return exponential();
        for (;;) {
            const double u = uniform(), v = exponential();
            if (u <= 1.0 - shape) {
                const double x = std::pow(u, 1.0 / shape);
                if (x <= v) return x;
            } else {
                const double y = -std::log((1.0 - u) / shape);
                const double x = std::pow(1.0 - shape + shape * y, 1.0 / shape);
                if (x <= v + y) return x;
            }
        }
    }

private:
    std::mt19937 m_words{42};
};

Result<void> check(const WorkloadOptions& options) {
    const auto wrong = [](const char* name, const char* wanted) {
        return fail(ErrorCode::InvalidArgument, std::string(name) + " must be " + wanted, name);
    };
    if (options.adapters < 1) return wrong("adapters", "at least 1");
    if (!(options.alpha > 0.0 && options.alpha <= 100.0)) return wrong("alpha", "above 0 and at most 100");
    if (!(options.rate > 0.0) || !(options.durationS > 0.0) || options.rate * options.durationS > kMostRequests)
        return wrong("rate", "above 0, for at most ten million requests");
    if (!(options.cv >= 1.0 && options.cv <= 100.0)) return wrong("cv", "between 1 and 100");
    if (options.leastTokens < 1 || options.mostTokens <= options.leastTokens)
        return wrong("lengths", "at least 1 and below their limit");
    return {};
}

}  // namespace

Result<std::vector<WorkloadRequest>> makeWorkload(const WorkloadOptions& options) {
    TRY(check(options));
    std::vector<WorkloadRequest> requests(static_cast<std::size_t>(options.rate * options.durationS));
    Draws draws;
    for (WorkloadRequest& request : requests)
        request.adapter = static_cast<std::int32_t>(
            options.adapters * std::pow(1.0 - std::exp(-draws.exponential()), 1.0 / options.alpha));
    const auto lengths = static_cast<std::uint32_t>(options.mostTokens - options.leastTokens);
    for (WorkloadRequest& request : requests) request.promptTokens = options.leastTokens + draws.below(lengths);
    for (WorkloadRequest& request : requests) request.answerTokens = options.leastTokens + draws.below(lengths);
    const double shape = 1.0 / (options.cv * options.cv), scale = options.cv * options.cv / options.rate;
    double arrival = 0.0;
    for (WorkloadRequest& request : requests) request.arrivalS = arrival += draws.gamma(shape) * scale;
    return requests;
}

}  // namespace espalier
