// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterTrace: every move of an adapter between disk, host memory and page pool, with its cause. The newest are kept
// to look at, all are counted.
//
// Owner: AdapterTiers. Thread: engine.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace espalier {

enum class AdapterTier : std::uint8_t { Disk, Host, Pool };
std::string_view adapterTierName(AdapterTier tier);  // "disk", "host", "pool"

struct AdapterLocation {
    AdapterTier tier = AdapterTier::Disk;
    bool isMoving = false;  // to the next one up
};

enum class MoveCause : std::uint8_t {
    Miss,      // a request could have begun but for it
    Prefetch,  // a request that waits will want it
    Evicted,   // its room was wanted
    Reload,    // another version took its place
    Unload,    // it was removed
};
constexpr std::size_t kMoveCauses = 5;
std::string_view moveCauseName(MoveCause cause);  // "miss", "prefetch", "evicted", "reload", "unload"

struct AdapterMove {
    std::int64_t sequence = 0;  // counts up from 1
    std::int64_t at = 0;        // Unix milliseconds, when it was over
    std::string adapter = {};   // name
    std::string tenant = {};    // for whose request; empty: for nobody's
    AdapterTier from = AdapterTier::Disk, to = AdapterTier::Host;
    std::int64_t bytes = 0;
    double seconds = 0;  // 0: nothing was copied
    MoveCause cause = MoveCause::Miss;
    std::string evictedFor = {};  // the adapter that took its room, or "kv"; with Evicted alone
    bool wasWaste = false;        // it had come ahead of its turn and goes unused
    std::string base = {};        // id of the model it changes; empty: not known
    std::int32_t waiters = 0;     // requests that could have begun but for it: the most at once while it moved
    double waitedSeconds = 0;     // the longest any of them waited, as seen between steps
};

// Requests that could begin but for an adapter that is on its way.
struct AdapterWait {
    std::int32_t requests = 0;  // the most at once
    std::optional<TimePoint> since;
    double seconds = 0;
    // requests 0: only how long it is by now.
    void note(std::int32_t waiting, TimePoint now) {
        if (!since && waiting == 0) return;
        if (!since) since = now;
        if (waiting > requests) requests = waiting;
        seconds = std::chrono::duration<double>(now - *since).count();
    }
};

struct AdapterTraffic {
    std::int64_t toHostBytes = 0, toPoolBytes = 0;      // read, copied
    std::int64_t fromHostBytes = 0, fromPoolBytes = 0;  // given up
    std::array<std::int64_t, kMoveCauses> moves{};      // by MoveCause
    std::int64_t foundInPool = 0, foundOnHost = 0,
                 foundOnDisk = 0;                       // admitted requests, by where theirs was when its turn came
    std::int64_t prefetchUsed = 0, prefetchWasted = 0;  // moves ahead of time into the pool
    std::int64_t readFailures = 0;
    std::int64_t of(MoveCause cause) const { return moves[static_cast<std::size_t>(cause)]; }
};

class AdapterTrace {
public:
    void add(AdapterMove move);
    std::vector<AdapterMove> newest(std::size_t most) const;  // oldest of them first
    AdapterTraffic& traffic() { return m_traffic; }
    const AdapterTraffic& traffic() const { return m_traffic; }

private:
    static constexpr std::size_t kKept = 512;
    std::deque<AdapterMove> m_moves;
    std::int64_t m_last = 0;
    AdapterTraffic m_traffic;
};

}  // namespace espalier
