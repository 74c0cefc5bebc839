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
    const auto [known, isNew] = m_index.try_emplace(request.adapter->digest, static_cast<std::int32_t>(m_seen.size()));
    if (!isNew) return known->second;
    AdapterPlace place;
    bool isReady = false, isRetired = false;
    const AdapterSource& source = *request.adapter;
    const double copy = m_tiers.copyCost.secondsFor(static_cast<double>(source.storedBytes));
    if (const ResidentAdapter* resident = m_pager.adapters().find(source.digest)) {
        using At = AdapterPlace::At;
        isReady = resident->isReady();
        isRetired = resident->retired.has_value();
        place = {!resident->isWhole()       ? At::Coming
                 : resident->references > 0 ? At::Used
                                            : At::Idle,
                 static_cast<std::int32_t>(resident->pages.size()), resident->isWhole() ? 0.0 : copy};
    } else if (const auto image = m_tiers.arena.image(source)) {
        place = {AdapterPlace::At::Host, image->pages, copy};
    } else {
        const bool isRead = m_tiers.arena.state(source) == HostArena::State::Loading;
        place.at = isRead ? AdapterPlace::At::Coming : AdapterPlace::At::Disk;
        place.seconds = copy + m_tiers.arena.secondsToRead(source);
    }
    m_seen.push_back({request.adapter, isReady});
    m_places.push_back(place);
    // Of a retired one nobody gets them: who is preempted keeps it.
    const bool isNobodys = place.at == AdapterPlace::At::Coming || isRetired || m_pager.isSplit();
    m_pages.push_back(isNobodys ? 0 : place.pages);
    return known->second;
}

bool AdapterMover::move(const QueueView& queue, std::span<const std::int32_t> missing,
                        std::span<const std::unique_ptr<Sequence>> sequences, std::int32_t admitted, TimePoint now) {
    m_moved = false;
    m_refusal.reset();
    m_pace.stepped(m_hadWaiting, admitted, m_lastMove ? seconds(now - *m_lastMove) : 0.0);
    m_lastMove = now;
    m_hadWaiting = std::ranges::any_of(sequences, [](const auto& one) { return !one->isRunning && !one->isDone; });
    if (m_seen.empty()) return false;
    const auto tenantOf = [&](std::int32_t request) -> const std::string& {
        return sequences[static_cast<std::size_t>(request)]->request.tenant;
    };
    const std::vector<AdapterWish> wishes = wishesInFairOrder(queue, kWishes);
    m_pager.adapters().forgetWanted();
    for (const AdapterWish& wish : wishes) {
        const AdapterSource& source = *m_seen[static_cast<std::size_t>(wish.adapter)].source;
        m_pager.adapters().wanted(source.digest, wish.turn);
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
        if (at == AdapterPlace::At::Host)
            if (auto brought = bring(adapter, MoveCause::Miss, tenantOf(request), 0); !brought && !m_refusal)
                m_refusal = Refusal{request, std::move(brought).error()};
        if (at == AdapterPlace::At::Disk) read(adapter, MoveCause::Miss, tenantOf(request));
    }
    noteWaiting(queue, missing);
    if (!m_prefetch) return m_moved;
    const PrefetchPlan plan = planPrefetch(wishes, m_places, limits(sequences));
    for (const AdapterWish& wish : plan.toPool)
        if (!bring(wish.adapter, MoveCause::Prefetch, tenantOf(wish.request), wish.turn)) break;
    for (const AdapterWish& wish : plan.toHost) read(wish.adapter, MoveCause::Prefetch, tenantOf(wish.request));
    return m_moved;
}

// What runs takes more pages while something is copied: those are no room for it.
PrefetchLimits AdapterMover::limits(std::span<const std::unique_ptr<Sequence>> sequences) {
    constexpr std::int32_t kStepsAhead = kTokensPerPage;  // one page of each answer
    std::int32_t growth = 0;
    for (const auto& sequence : sequences) {
        if (!sequence->isRunning) continue;
        const std::int32_t more = std::clamp(sequence->maxTokens - sequence->generated(), 0, kStepsAhead);
        growth += std::max(0, pagesForTokens(static_cast<std::int32_t>(sequence->tokens.size()) + more) -
                                  static_cast<std::int32_t>(sequence->pages.size()));
    }
    const AdapterCache::PrefetchOutcome outcome = m_pager.adapters().takePrefetchOutcome();
    m_reach.saw(outcome.used, outcome.wasted);
    const PoolUsage usage = m_pager.pool().usage();
    return {.reach = m_reach.requests(),
            .secondsPerTurn = m_pace.secondsPerTurn(),
            .secondsPerStep = m_pace.secondsPerStep(),
            .stagedPages = m_pager.pool().pageCount() / 4 - usage.of(PageOwner::Staging),
            .reclaimable = m_pager.availableForAdapters() - (m_pager.isSplit() ? 0 : growth)};
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

Result<void> AdapterMover::bring(std::int32_t adapter, MoveCause cause, const std::string& tenant, std::int32_t turn) {
    const auto& source = m_seen[static_cast<std::size_t>(adapter)].source;
    auto image = m_tiers.arena.image(*source);
    if (!image) return {};  // it went for one that was read just now: the next step sees it on disk
    TRY(m_pager.bringAdapter(source, std::move(image), cause, tenant, turn));
    m_places[static_cast<std::size_t>(adapter)].at = AdapterPlace::At::Coming;
    m_moved = true;
    return {};
}

void AdapterMover::read(std::int32_t adapter, MoveCause cause, const std::string& tenant) {
    if (!m_tiers.arena.want(m_seen[static_cast<std::size_t>(adapter)].source, cause, tenant)) return;
    m_places[static_cast<std::size_t>(adapter)].at = AdapterPlace::At::Coming;
    m_moved = true;
}

void AdapterMover::count(const Sequence& sequence) {
    AdapterTraffic& traffic = m_tiers.trace.traffic();
    switch (sequence.adapterFrom) {
        case AdapterTier::Pool:
            ++traffic.foundInPool;
            break;
        case AdapterTier::Host:
            ++traffic.foundOnHost;
            break;
        case AdapterTier::Disk:
            ++traffic.foundOnDisk;
            break;
    }
}

}  // namespace espalier
