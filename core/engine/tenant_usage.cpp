// SPDX-License-Identifier: GPL-3.0-or-later
// Tenants, what they used: handed to the store now and then, summed up for the snapshot and for /metrics.
#include <algorithm>
#include <tuple>
#include <utility>

#include "core/engine/tenant_state.h"

namespace espalier {
namespace {

constexpr std::int64_t kUsageKeptMs = 400 * kDayMs;
constexpr Duration kFlushPeriod = std::chrono::seconds(5);

UsageRow rowOf(const std::string& tenant, std::int64_t hour, const TenantUsage& usage) {
    return {tenant, hour, usage.requests, usage.refused, usage.promptTokens, usage.cachedTokens, usage.generatedTokens};
}

}  // namespace

Result<void> Tenants::loadUsage() {
    const std::int64_t now = m_clock.unixMilliseconds(), day = now - now % kDayMs;
    if (const auto trimmed = m_store->trimUsage(now - kUsageKeptMs);
        !trimmed && trimmed.error().code != ErrorCode::Locked)
        return trimmed.error();
    TRY_ASSIGN(const auto today, m_store->usage({.from = day, .bucketMs = kDayMs}));
    for (const UsageRow& row : today)
        if (Tenant* tenant = m_state->find(row.tenant)) {
            tenant->day = day;
            tenant->today = {row.requests, row.refused, row.promptTokens, row.cachedTokens, row.generatedTokens};
        }
    return {};
}

Result<void> Tenants::counted(bool wait) {
    if (!m_store) return {};
    {
        const std::lock_guard lock(m_state->mutex);
        std::vector<UsageRow> rows;
        for (const auto& [name, tenant] : m_state->tenants)
            for (const auto& [hour, usage] : tenant.pending) rows.push_back(rowOf(name, hour, usage));
        std::vector<std::pair<std::string, std::int64_t>> keys(m_state->keysUsed.begin(), m_state->keysUsed.end());
        if (!rows.empty() || !keys.empty()) {
            // A workspace that is only read keeps no accounts; a busy store is asked again the next time.
            const auto taken = m_store->count(std::move(rows), std::move(keys));
            if (!taken && taken.error().code != ErrorCode::Locked) return taken;
            for (auto& [name, tenant] : m_state->tenants) tenant.pending.clear();
            m_state->keysUsed.clear();
        }
    }
    if (wait) m_store->flush();
    return {};
}

void Tenants::flush() {
    {
        const std::lock_guard lock(m_state->mutex);
        const TimePoint now = m_clock.now();
        if (now < m_state->nextFlush) return;
        m_state->nextFlush = now + kFlushPeriod;
    }
    (void)counted(false);
}

Result<std::vector<UsageRow>> Tenants::usage(const UsageQuery& query) {
    if (m_store) {
        TRY(counted(true));
        return m_store->usage(query);
    }
    const std::lock_guard lock(m_state->mutex);
    std::vector<UsageRow> rows;
    for (const auto& [name, tenant] : m_state->tenants) {
        if (!query.tenant.empty() && name != query.tenant) continue;
        std::map<std::int64_t, TenantUsage> buckets;
        for (const auto& [hour, usage] : tenant.pending)
            if (hour >= query.from && hour < query.to) buckets[hour - hour % query.bucketMs] += usage;
        for (const auto& [at, usage] : buckets) rows.push_back(rowOf(name, at, usage));
    }
    return rows;
}

void Tenants::fill(std::vector<TenantLoad>& rows, const PlaceOf& placeOf) const {
    const std::lock_guard lock(m_state->mutex);
    const TimePoint now = m_clock.now();
    const auto isRecent = [now](const std::optional<TimePoint>& at) {
        return at && now - *at < std::chrono::minutes(1);
    };
    std::map<std::string_view, TenantLoad> byName;
    for (TenantLoad& row : rows) {
        if (row.name.empty()) row.name = kOwner;
        byName.emplace(row.name, row);
    }
    for (auto& [name, tenant] : m_state->tenants) {
        const bool isAnswered = isRecent(tenant.lastGenerated);
        if (!isAnswered) tenant.pace.reset();
        if (!isAnswered && tenant.requestsOpen.empty()) tenant.adapter.reset();
        if (!byName.contains(name) && !isAnswered && !isRecent(tenant.lastRefused)) continue;
        TenantLoad& row = byName[name];
        row.name = name;
        row.tokensPerS = tenant.generated.perSecond(now);
        row.refused = tenant.sinceStart.refused;
    }
    std::vector<TenantLoad> all;
    for (auto& [name, row] : byName) all.push_back(row);
    std::ranges::stable_sort(all, [](const TenantLoad& a, const TenantLoad& b) {
        return std::tuple(a.running + a.waiting, a.tokensPerS) > std::tuple(b.running + b.waiting, b.tokensPerS);
    });
    if (all.size() > kMostTenantLoads) all.resize(kMostTenantLoads);
    for (TenantLoad& row : all) {
        Tenant* const tenant = m_state->find(row.name);
        if (!tenant) continue;
        if (tenant->pace) {
            tenant->pace->read(now);
            row.ttftMs = tenant->pace->ttft;
            row.tpotMs = tenant->pace->tpot;
        }
        if (tenant->adapter) {
            const AdapterLocation place = placeOf(*tenant->adapter);
            row.adapter = tenant->adapter->name;
            row.adapterTier = place.tier;
            row.isAdapterMoving = place.isMoving;
        }
    }
    rows = std::move(all);
}

Tenants::Counters Tenants::counters() {
    const std::lock_guard lock(m_state->mutex);
    std::vector<Tenant*> used;
    for (auto& [name, tenant] : m_state->tenants) {
        if (tenant.sinceStart.requests + tenant.sinceStart.refused > 0) used.push_back(&tenant);
    }
    std::ranges::stable_sort(used, [](const Tenant* a, const Tenant* b) {
        return std::tuple(a->sinceStart.tokens(), a->sinceStart.requests) >
               std::tuple(b->sinceStart.tokens(), b->sinceStart.requests);
    });
    if (used.size() > kNamedTenants) used.resize(kNamedTenants);
    m_state->namedCount = used.size();
    const auto isAmongThem = [&](const Tenant& tenant) { return std::ranges::find(used, &tenant) != used.end(); };
    for (auto& [name, tenant] : m_state->tenants) {
        if (!tenant.isNamed) continue;
        tenant.isNamed = isAmongThem(tenant);
        (tenant.isNamed ? tenant.named : m_state->others) += std::exchange(tenant.untold, {});
    }
    Counters counters;
    counters.others = m_state->others;
    for (Tenant* tenant : used) {
        tenant->isNamed = true;
        counters.named.emplace_back(tenant->row.name, tenant->named);
    }
    return counters;
}

}  // namespace espalier
