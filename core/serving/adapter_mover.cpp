// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/adapter_mover.h"

#include <algorithm>

namespace espalier {

void AdapterMover::beginView() {
    m_index.clear();
    m_seen.clear();
    m_places.clear();
    m_pages.clear();
}

std::int32_t AdapterMover::viewAdapter(const Request& request) {
    if (!request.adapter) return -1;
    const auto [known, isNew] =
        m_index.try_emplace(request.adapter->digest, static_cast<std::int32_t>(m_seen.size()));
    if (!isNew) return known->second;
    AdapterPlace place;
    bool isReady = false;
    if (const ResidentAdapter* resident = m_pager.adapters().find(request.adapter->digest)) {
        using At = AdapterPlace::At;
        isReady = resident->isReady();
        place = {!resident->isWhole()         ? At::Coming
                 : resident->references > 0 ? At::Used
                                            : At::Idle,
                 static_cast<std::int32_t>(resident->pages.size())};
    } else if (const auto image = m_tiers.arena.image(*request.adapter)) {
        place = {AdapterPlace::At::Host, image->pages};
    } else if (m_tiers.arena.state(*request.adapter) == HostArena::State::Loading) {
        place.at = AdapterPlace::At::Coming;
    }
    m_seen.push_back({request.adapter, isReady});
    m_places.push_back(place);
    m_pages.push_back(place.at == AdapterPlace::At::Coming ? 0 : place.pages);
    return known->second;
}

bool AdapterMover::move(const QueueView& queue, std::span<const std::int32_t> missing,
                        std::span<const std::unique_ptr<Sequence>> sequences, std::int32_t freeSlots) {
    m_moved = false;
    m_refusal.reset();
    if (m_seen.empty()) return false;
    const auto tenantOf = [&](std::int32_t request) -> const std::string& {
        return sequences[static_cast<std::size_t>(request)]->request.tenant;
    };
    const std::int32_t quarter = m_pager.pool().pageCount() / 4;
    PrefetchLimits limits;
    limits.requests = std::max(2 * freeSlots, kLeastLookAhead);
    const PrefetchPlan soon = planPrefetch(queue, m_places, limits);
    m_pager.adapters().forgetWanted();
    for (const std::int32_t adapter : soon.wanted) {
        const AdapterSource& source = *m_seen[static_cast<std::size_t>(adapter)].source;
        m_pager.adapters().wanted(source.digest);
        m_tiers.arena.keep(source);
    }
    for (const std::int32_t request : missing) {
        const std::int32_t adapter = queue.sequences[static_cast<std::size_t>(request)].adapter;
        const auto at = m_places[static_cast<std::size_t>(adapter)].at;
        Sequence& sequence = *sequences[static_cast<std::size_t>(request)];
        if (sequence.adapterFrom == AdapterTier::Pool)
            sequence.adapterFrom = m_tiers.arena.state(*sequence.request.adapter) == HostArena::State::Ready
                                       ? AdapterTier::Host
                                       : AdapterTier::Disk;
        if (at == AdapterPlace::At::Host) bring(adapter, MoveCause::Miss, tenantOf(request));
        if (at == AdapterPlace::At::Disk) read(adapter, MoveCause::Miss, tenantOf(request));
    }
    noteWaiting(queue, missing);
    if (!m_prefetch) return m_moved;
    const PoolUsage usage = m_pager.pool().usage();
    limits.stagedPages = quarter - usage.of(PageOwner::Staging);
    limits.reclaimable = usage.available();
    const PrefetchPlan plan = planPrefetch(queue, m_places, limits);
    const auto tenantFor = [&](std::int32_t adapter) -> const std::string& {
        const auto at = std::ranges::find(plan.wanted, adapter) - plan.wanted.begin();
        return tenantOf(plan.first[static_cast<std::size_t>(at)]);
    };
    for (const std::int32_t adapter : plan.toPool)
        if (!bring(adapter, MoveCause::Prefetch, tenantFor(adapter))) break;
    for (const std::int32_t adapter : plan.toHost) read(adapter, MoveCause::Prefetch, tenantFor(adapter));
    return m_moved;
}

void AdapterMover::noteWaiting(const QueueView& queue, std::span<const std::int32_t> missing) {
    m_waiters.assign(m_seen.size(), 0);
    for (const std::int32_t request : missing)
        ++m_waiters[static_cast<std::size_t>(queue.sequences[static_cast<std::size_t>(request)].adapter)];
    for (std::size_t adapter = 0; adapter < m_seen.size(); ++adapter) {
        if (m_waiters[adapter] == 0) continue;
        const AdapterSource& source = *m_seen[adapter].source;
        m_pager.adapters().noteWaiting(source.digest, m_waiters[adapter]);
        m_tiers.arena.noteWaiting(source, m_waiters[adapter]);
    }
}

bool AdapterMover::bring(std::int32_t adapter, MoveCause cause, const std::string& tenant) {
    const auto& source = m_seen[static_cast<std::size_t>(adapter)].source;
    auto image = m_tiers.arena.image(*source);
    if (!image) return false;
    if (auto brought = m_pager.bringAdapter(source, std::move(image), cause, tenant); !brought) {
        if (cause == MoveCause::Miss) m_refusal = std::move(brought).error();
        return false;
    }
    m_places[static_cast<std::size_t>(adapter)].at = AdapterPlace::At::Coming;
    m_moved = true;
    return true;
}

void AdapterMover::read(std::int32_t adapter, MoveCause cause, const std::string& tenant) {
    if (!m_tiers.arena.want(m_seen[static_cast<std::size_t>(adapter)].source, cause, tenant)) return;
    m_places[static_cast<std::size_t>(adapter)].at = AdapterPlace::At::Coming;
    m_moved = true;
}

void AdapterMover::count(const Sequence& sequence) {
    AdapterTraffic& traffic = m_tiers.trace.traffic();
    switch (sequence.adapterFrom) {
        case AdapterTier::Pool: ++traffic.foundInPool; break;
        case AdapterTier::Host: ++traffic.foundOnHost; break;
        case AdapterTier::Disk: ++traffic.foundOnDisk; break;
    }
}

}  // namespace espalier
