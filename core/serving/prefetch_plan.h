// SPDX-License-Identifier: GPL-3.0-or-later
// Which adapters to bring nearer before the turn of their requests comes. Pure: the same view gives the same plan. Looks
// at the first waiting requests in fair order, as the scheduler would admit them, and spends a budget of pages on those
// whose adapters are on the host; it stops at the first that does not fit, so that a large one is not starved.
// Source: S-LoRA (arXiv 2311.03285) section 5.2, in fair order instead of first come.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/serving/scheduler.h"

namespace espalier {

struct AdapterPlace {  // of each adapter of the QueueView
    enum class At : std::uint8_t { Disk, Host, Coming, Idle, Used };  // Coming: from disk or into the pool
    At at = At::Disk;
    std::int32_t pages = 0;  // 0: not known yet
};

struct PrefetchLimits {
    std::int32_t requests = 0;     // how many that wait are looked at
    std::int32_t stagedPages = 0;  // that may be taken now
    std::int32_t reclaimable = 0;  // free, cached or idle pages; idle ones that these requests want are not
};

struct PrefetchPlan {
    std::vector<std::int32_t> wanted;  // adapters of those requests, each once, in fair order
    std::vector<std::int32_t> toHost;  // of these, to be read
    std::vector<std::int32_t> toPool;  // of these, to be copied now
    std::vector<std::int32_t> first;   // by `wanted`: the first request that wants it, an index into the view
};

PrefetchPlan planPrefetch(const QueueView& queue, std::span<const AdapterPlace> places, const PrefetchLimits& limits);

// The waiting requests in the order in which the scheduler would come to them, at most `most`: the least served tenant's
// next, each charged with its prompt. Indices into the view.
std::vector<std::int32_t> waitingInFairOrder(const QueueView& queue, std::int32_t most);

}  // namespace espalier
