// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterTiers: what the serving loops of an engine share to bring adapters from disk to host memory and from there
// into their pools: the two lanes, the host memory, what moves have cost, and the record of them.
//
// Owner: who owns the loops, which it outlives. Thread: engine.
#pragma once

#include <functional>
#include <utility>

#include "core/base/lane.h"
#include "core/serving/adapter_trace.h"
#include "core/serving/host_arena.h"
#include "core/serving/reuse.h"

namespace espalier {

struct AdapterTiers {
    // wake: called on either lane when something has landed. The lanes outlive this.
    AdapterTiers(Lane& reader, Lane& copierLane, const Clock& clock, std::int64_t hostBytes,
                 std::function<void()> landed = {})
        : copier(copierLane), wake(std::move(landed)), arena(hostBytes, reader, clock, trace, wake) {}

    Lane& copier;
    const std::function<void()> wake;
    AdapterTrace trace;
    LearnedCost copyCost{2e9, 1.0};  // by byte, host to pool
    HostArena arena;
};

}  // namespace espalier
