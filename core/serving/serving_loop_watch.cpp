// SPDX-License-Identifier: GPL-3.0-or-later
#include <unordered_map>

#include "core/serving/serving_loop_impl.h"

namespace espalier {

ServingCounters& ServingCounters::operator+=(const ServingCounters& other) {
    promptTokens += other.promptTokens;
    generationTokens += other.generationTokens;
    preemptions += other.preemptions;
    prefixQueries += other.prefixQueries;
    prefixHits += other.prefixHits;
    prefixEvictedPages += other.prefixEvictedPages;
    steps += other.steps;
    adapterSteps += other.adapterSteps;
    adapterLoads += other.adapterLoads;
    adapterHits += other.adapterHits;
    adapterEvictions += other.adapterEvictions;
    adapterLoadedBytes += other.adapterLoadedBytes;
    finishedStop += other.finishedStop;
    finishedLength += other.finishedLength;
    finishedCancelled += other.finishedCancelled;
    finishedFailed += other.finishedFailed;
    return *this;
}

ServingStats ServingLoop::Impl::stats() const {
    const TimePoint now = m_clock.now();
    ServingStats stats;
    std::unordered_map<FairShare::Slot, TenantInLoop> tenants;
    for (const auto& sequence : m_sequences) {
        ++(sequence->isRunning ? stats.running : stats.waiting);
        TenantInLoop& tenant = tenants[sequence->tenant];
        tenant.name = sequence->request.tenant;
        ++(sequence->isRunning ? tenant.running : tenant.waiting);
        tenant.pages += static_cast<std::int64_t>(sequence->pages.size());
    }
    for (auto& [slot, tenant] : tenants) stats.tenants.push_back(std::move(tenant));
    stats.pages = m_pager.pool().usage();
    stats.pageBytes = m_kv.bytesPerPage();
    stats.prefillTokensPerS = m_prefillRate.perSecond(now);
    stats.decodeTokensPerS = m_decodeRate.perSecond(now);
    stats.swapInBytesPerS = m_swapInRate.perSecond(now);
    stats.swapOutBytesPerS = m_swapOutRate.perSecond(now);
    stats.ttftMs = m_ttftMs.percentiles(now);
    stats.tpotMs = m_tpotMs.percentiles(now);
    stats.e2eMs = m_e2eMs.percentiles(now);
    stats.queueMs = m_queueMs.percentiles(now);
    stats.counters = m_counters;
    stats.counters.prefixEvictedPages = m_pager.evictedPages();
    const AdapterCache& adapters = m_pager.adapters();
    stats.adapters = adapters.residents();
    stats.counters.adapterLoads = adapters.loads();
    stats.counters.adapterEvictions = adapters.evictions();
    stats.counters.adapterLoadedBytes = adapters.loadedBytes();
    return stats;
}

std::vector<LiveRequest> ServingLoop::Impl::requests() const {
    std::vector<LiveRequest> list;
    for (const auto& sequence : m_sequences) list.push_back(liveRequestOf(*sequence, m_clock.now()));
    return list;
}

PageMap ServingLoop::Impl::pageMap(std::int32_t mostCells) const {
    const PagePool& pool = m_pager.pool();
    std::vector<std::int64_t> readers(static_cast<std::size_t>(pool.pageCount()), kNoReader);
    for (const auto& sequence : m_sequences)
        for (const PageId page : sequence->pages) {
            std::int64_t& reader = readers[static_cast<std::size_t>(page)];
            reader = reader == kNoReader ? static_cast<std::int64_t>(sequence->request.id.value) : kSeveralReaders;
        }
    std::vector<std::string> names;
    std::vector<std::int32_t> adapters(readers.size(), kNoAdapter);
    m_pager.adapters().eachResident([&](const ResidentAdapter& adapter) {
        for (const PageId page : adapter.pages)
            adapters[static_cast<std::size_t>(page)] = static_cast<std::int32_t>(names.size());
        names.push_back(adapter.source->name);
    });
    PageMap map = mapPages(pool.owners(), readers, mostCells, adapters, names);
    map.pageBytes = m_kv.bytesPerPage();
    return map;
}

std::optional<AdapterLocation> ServingLoop::Impl::placeOf(const AdapterSource& adapter) const {
    const ResidentAdapter* const resident = m_pager.adapters().find(adapter.digest);
    if (!resident) return std::nullopt;
    return resident->isReady() ? AdapterLocation{AdapterTier::Pool, false} : AdapterLocation{AdapterTier::Host, true};
}

}  // namespace espalier
