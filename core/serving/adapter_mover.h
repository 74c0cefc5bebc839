// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterMover: sees to it that the adapters of waiting requests are in the pool when their turn comes. Before each
// plan it says where they are; after it, it brings those that requests could have begun but for (a miss), then, within
// a quarter of the pool and just in time (prefetch_plan.h), those that the next requests in fair order will want.
// Copies run beside what is computed, and a wish that cannot be met now is made again at the next step.
//
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/serving/adapter_tiers.h"
#include "core/serving/pager.h"
#include "core/serving/prefetch_plan.h"
#include "core/serving/sequence.h"

namespace espalier {

class AdapterMover {
public:
    // The references outlive the mover. prefetch false: only what is missing.
    AdapterMover(AdapterTiers& tiers, Pager& pager, bool prefetch)
        : m_tiers(tiers), m_pager(pager), m_prefetch(prefetch) {}

    // Begins a step's view: nobody waits yet.
    void beginView();
    // Index of its adapter in places(), -1 without one.
    std::int32_t viewAdapter(const Request& request);
    bool isReady(std::int32_t adapter) const { return m_seen[static_cast<std::size_t>(adapter)].isReady; }
    std::span<const AdapterPlace> places() const { return m_places; }
    std::span<const std::int32_t> pages() const { return m_pages; }  // as QueueView::adapterPages

    // After the plan was carried out, before the step is computed. admitted: for the first time, by this plan. true:
    // something was set in motion.
    bool move(const QueueView& queue, std::span<const std::int32_t> missing,
              std::span<const std::unique_ptr<Sequence>> sequences, std::int32_t admitted, TimePoint now);

    // The first request, an index into the view, whose missing adapter the last move() could not bring, and why.
    struct Refusal {
        std::int32_t request = 0;
        Error error;
    };
    const std::optional<Refusal>& refusal() const { return m_refusal; }

    // Nobody is here: the time until somebody is says nothing about steps.
    void rest() { m_hadWaiting = false; }

    // Its request is admitted for the first time.
    void count(const Sequence& sequence);

private:
    struct Seen {
        std::shared_ptr<const AdapterSource> source;
        bool isReady = false;
    };
    static constexpr std::int32_t kWishes = 64;  // waiting requests whose adapters are the last to go

    Result<void> bring(std::int32_t adapter, MoveCause cause, const std::string& tenant, std::int32_t turn);
    void read(std::int32_t adapter, MoveCause cause, const std::string& tenant);
    PrefetchLimits limits(std::span<const std::unique_ptr<Sequence>> sequences);
    void noteWaiting(const QueueView& queue, std::span<const std::int32_t> missing);

    AdapterTiers& m_tiers;
    Pager& m_pager;
    const bool m_prefetch;
    std::unordered_map<std::string_view, std::int32_t> m_index;  // by digest
    std::vector<Seen> m_seen;
    std::vector<AdapterPlace> m_places;
    std::vector<std::int32_t> m_pages;
    PrefetchReach m_reach;
    TurnPace m_pace;
    std::optional<TimePoint> m_lastMove;
    bool m_hadWaiting = false;
    std::vector<std::int32_t> m_waiters;  // requests that could begin, by adapter
    bool m_moved = false;
    std::optional<Refusal> m_refusal;
};

}  // namespace espalier
