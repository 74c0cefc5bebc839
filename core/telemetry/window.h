// SPDX-License-Identifier: GPL-3.0-or-later
// What plots show of the recent past: percentiles over the last minute, rates over the last second. Bounded memory,
// time is passed in.
//
// Owner: whoever measures. Thread: the owner's.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace espalier {

struct Percentiles {
    double p50 = 0, p95 = 0, p99 = 0;
    std::int64_t samples = 0;  // 0: nothing measured in the window
};

// Nearest-rank percentiles of `values`: the smallest value with at least p percent of all at or below it.
Percentiles percentilesOf(std::vector<double> values);

// The newest samples of the last `span`, at most `capacity` of them.
class LatencyWindow {
public:
    explicit LatencyWindow(Duration span = std::chrono::minutes(1), std::size_t capacity = 4096);

    void add(TimePoint at, double value);
    Percentiles percentiles(TimePoint now) const;
    std::vector<double> values(TimePoint now) const;  // to merge several windows

private:
    struct Sample {
        TimePoint at;
        double value;
    };
    Duration m_span;
    std::size_t m_capacity;
    std::size_t m_next = 0;  // where the ring is written when full
    std::vector<Sample> m_samples;
};

// Events per second over the second before now, counted in slots of 50 ms.
class RateWindow {
public:
    void add(TimePoint at, double count);
    double perSecond(TimePoint now) const;

private:
    static constexpr std::int64_t kSlots = 20;
    struct Slot {
        std::int64_t number = -1;  // 50 ms periods since the clock's epoch
        double count = 0.0;
    };
    std::array<Slot, kSlots> m_slots;
};

}  // namespace espalier
