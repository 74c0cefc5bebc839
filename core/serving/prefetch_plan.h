// SPDX-License-Identifier: GPL-3.0-or-later
// Which adapters to bring nearer before the turn of their requests comes. Pure: the same view gives the same plan. Goes
// through the first waiting requests in fair order, as the scheduler would admit them, and brings an adapter when its
// request's turn is no further away than the moves it takes: one that comes earlier than that holds pages for nothing
// and may be thrown out before it was used. Pages that are wanted sooner than what is brought are not taken for it. It
// stops at the first that does not fit, so that a large one is not starved.
// Source: S-LoRA (arXiv 2311.03285) section 5.2, in fair order instead of first come, and just in time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/serving/reuse.h"
#include "core/serving/scheduler.h"

namespace espalier {

struct AdapterPlace {                                                 // of each adapter of the QueueView
    enum class At : std::uint8_t { Disk, Host, Coming, Idle, Used };  // Coming: from disk or into the pool
    At at = At::Disk;
    std::int32_t pages = 0;  // 0: not known yet
    double seconds = 0;      // to have it in the pool from where it is, as learned
};

struct AdapterWish {
    std::int32_t adapter = 0;
    std::int32_t request = 0;  // the first that waits for it, an index into the view
    std::int32_t turn = 0;     // requests that come before that one
};

// Adapters of the first `most` waiting requests, each once, in the order in which the scheduler would come to them.
std::vector<AdapterWish> wishesInFairOrder(const QueueView& queue, std::int32_t most);

struct PrefetchLimits {
    std::int32_t reach = 0;        // requests that are looked at (PrefetchReach)
    double secondsPerTurn = 0;     // between two admissions (TurnPace); 0: not known, every turn is near
    double secondsPerStep = 0;     // what is there one step before its turn is there in time
    std::int32_t stagedPages = 0;  // that may be taken now
    std::int32_t reclaimable = 0;  // free, cached or idle pages that nobody who runs is about to take
};

struct PrefetchPlan {
    std::vector<AdapterWish> toHost;  // to be read
    std::vector<AdapterWish> toPool;  // to be copied now
};

PrefetchPlan planPrefetch(std::span<const AdapterWish> wishes, std::span<const AdapterPlace> places,
                          const PrefetchLimits& limits);

// The waiting requests in the order in which the scheduler would come to them, at most `most`: the least served
// tenant's next, each charged with its prompt. Indices into the view.
std::vector<std::int32_t> waitingInFairOrder(const QueueView& queue, std::int32_t most);

// How many requests are looked at: one more for as many adapters that were used as it is wide, half for each that was
// thrown out unused, as TCP finds the width of a road.
class PrefetchReach {
public:
    void saw(std::int64_t used, std::int64_t wasted) {
        for (; wasted > 0 && m_requests > kLeast; --wasted) m_requests = std::max(kLeast, m_requests / 2);
        m_requests = std::min(kMost, m_requests + static_cast<double>(used) / m_requests);
    }
    std::int32_t requests() const { return static_cast<std::int32_t>(m_requests); }

private:
    static constexpr double kLeast = 1, kMost = 64;
    double m_requests = 8;
};

// Time between two admissions while somebody waits, and of a step, both as measured lately.
class TurnPace {
public:
    // A step is over. hadWaiting: before it; else the time says nothing about turns.
    void stepped(bool hadWaiting, std::int32_t admitted, double seconds) {
        if (hadWaiting) m_step.add(1.0, seconds);
        m_since = hadWaiting ? m_since + seconds : 0.0;
        if (admitted == 0) return;
        m_turn.add(admitted, m_since);
        m_since = 0.0;
    }
    double secondsPerTurn() const { return m_turn.secondsFor(1.0); }
    double secondsPerStep() const { return m_step.secondsFor(1.0); }

private:
    LearnedCost m_turn{1.0, 0.0}, m_step{1.0, 0.0};
    double m_since = 0.0;  // seconds since somebody was admitted
};

}  // namespace espalier
