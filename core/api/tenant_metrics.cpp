// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/tenant_metrics.h"

#include <algorithm>
#include <span>

#include "core/api/prometheus_text.h"

namespace espalier {
namespace {

constexpr const char* kOthers = "(others)";

void printCounter(std::string& out, const Tenants::Counters& counters, const char* bareName, const char* help,
                  std::int64_t TenantUsage::*member) {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, "counter");
    for (const auto& [tenant, usage] : counters.named)
        printSample(out, name, {{"tenant", tenant}}, static_cast<double>(usage.*member));
    printSample(out, name, {{"tenant", kOthers}}, static_cast<double>(counters.others.*member));
}

// The busiest, which have gauges of their own.
std::span<const TenantLoad> namedOf(const std::vector<TenantLoad>& loads) {
    return std::span(loads).first(std::min(loads.size(), kNamedTenants));
}

// all: of every tenant, also of those that the snapshot has no row for.
template <class Value>
void printGauge(std::string& out, const std::vector<TenantLoad>& loads, const char* bareName, const char* help,
                Value TenantLoad::*member, std::int64_t all) {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, "gauge");
    for (const TenantLoad& load : namedOf(loads)) {
        printSample(out, name, {{"tenant", load.name}}, static_cast<double>(load.*member));
        all -= load.*member;
    }
    printSample(out, name, {{"tenant", kOthers}}, static_cast<double>(std::max<std::int64_t>(0, all)));
}

// Percentiles of several tenants cannot be put together, so that the others have none.
void printLatency(std::string& out, const std::vector<TenantLoad>& loads, const char* bareName, const char* help,
                  Percentiles TenantLoad::*member) {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, "gauge");
    for (const TenantLoad& load : namedOf(loads)) {
        const Percentiles& of = load.*member;
        if (of.samples == 0) continue;
        for (const auto& [quantile, ms] : {std::pair("0.5", of.p50), {"0.95", of.p95}})
            printSample(out, name, {{"tenant", load.name}, {"quantile", quantile}}, ms / 1000.0);
    }
}

void printTiers(std::string& out, const std::vector<TenantLoad>& loads) {
    const std::string name = metricName("tenant_adapter_tier");
    printFamily(out, name, "1 where the adapter of the tenant's newest request is, by tenant that named one.", "gauge");
    for (const TenantLoad& load : namedOf(loads)) {
        if (load.adapter.empty()) continue;
        for (const AdapterTier tier : {AdapterTier::Pool, AdapterTier::Host, AdapterTier::Disk})
            printSample(out, name, {{"tenant", load.name}, {"tier", adapterTierName(tier)}}, load.adapterTier == tier);
    }
}

}  // namespace

void printTenantMetrics(std::string& out, const Tenants::Counters& counters, const Snapshot& snapshot) {
    const std::vector<TenantLoad>& loads = snapshot.tenants;
    printCounter(out, counters, "tenant_requests_total", "Calls admitted, by tenant.", &TenantUsage::requests);
    printCounter(out, counters, "tenant_refused_total", "Calls refused for a limit, by tenant.", &TenantUsage::refused);
    printCounter(out, counters, "tenant_prompt_tokens_total", "Prompt tokens, by tenant.", &TenantUsage::promptTokens);
    printCounter(out, counters, "tenant_cached_tokens_total", "Prompt tokens found in the prefix cache, by tenant.",
                 &TenantUsage::cachedTokens);
    printCounter(out, counters, "tenant_generation_tokens_total", "Tokens generated, by tenant.",
                 &TenantUsage::generatedTokens);
    printGauge(out, loads, "tenant_requests_running", "Requests being computed, by tenant.", &TenantLoad::running,
               snapshot.running);
    printGauge(out, loads, "tenant_requests_waiting", "Requests waiting, by tenant.", &TenantLoad::waiting,
               snapshot.waiting);
    std::int64_t pages = 0;
    for (const TenantLoad& load : loads) pages += load.kvPages;
    printGauge(out, loads, "tenant_kv_pages",
               "KV pages that running requests hold, by tenant; of the others those of the busiest.",
               &TenantLoad::kvPages, pages);
    printLatency(out, loads, "tenant_recent_time_to_first_token_seconds", "First tokens of the last minute, by tenant.",
                 &TenantLoad::ttftMs);
    printLatency(out, loads, "tenant_recent_time_per_output_token_seconds", "Tokens of the last minute, by tenant.",
                 &TenantLoad::tpotMs);
    printTiers(out, loads);
}

}  // namespace espalier
