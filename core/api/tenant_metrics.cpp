// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/tenant_metrics.h"

#include <algorithm>
#include <cstdio>

namespace espalier {
namespace {

constexpr const char* kOthers = "(others)";

void printHead(std::string& out, const std::string& name, const char* help, const char* type) {
    out += "# HELP " + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

// Names of tenants need no escape: see Tenants::create.
void printValue(std::string& out, const std::string& name, const std::string& tenant, std::int64_t value) {
    out += name + "{tenant=\"" + tenant + "\"} " + std::to_string(value) + "\n";
}

void printCounter(std::string& out, const Tenants::Counters& counters, const char* bareName, const char* help,
                  std::int64_t TenantUsage::*member) {
    const std::string name = std::string("espalier:tenant_") + bareName;
    printHead(out, name, help, "counter");
    for (const auto& [tenant, usage] : counters.named) printValue(out, name, tenant, usage.*member);
    printValue(out, name, kOthers, counters.others.*member);
}

template <class Value>
void printGauge(std::string& out, const std::vector<TenantLoad>& loads, const char* bareName, const char* help,
                Value TenantLoad::*member) {
    const std::string name = std::string("espalier:tenant_") + bareName;
    printHead(out, name, help, "gauge");
    const std::size_t named = std::min(loads.size(), kNamedTenants);
    for (std::size_t i = 0; i < named; ++i) printValue(out, name, loads[i].name, loads[i].*member);
    std::int64_t others = 0;
    for (std::size_t i = named; i < loads.size(); ++i) others += loads[i].*member;
    printValue(out, name, kOthers, others);
}

// Of the busiest; percentiles of several tenants cannot be put together, so that the others have none.
void printLatency(std::string& out, const std::vector<TenantLoad>& loads, const char* bareName, const char* help,
                  Percentiles TenantLoad::*member) {
    const std::string name = std::string("espalier:tenant_") + bareName;
    printHead(out, name, help, "gauge");
    for (std::size_t i = 0; i < std::min(loads.size(), kNamedTenants); ++i) {
        const Percentiles& of = loads[i].*member;
        if (of.samples == 0) continue;
        for (const auto& [quantile, ms] : {std::pair("0.5", of.p50), {"0.95", of.p95}}) {
            char text[40];
            std::snprintf(text, sizeof text, "%.6g", ms / 1000.0);
            out += name + "{tenant=\"" + loads[i].name + "\",quantile=\"" + quantile + "\"} " + text + "\n";
        }
    }
}

}  // namespace

void printTenantMetrics(std::string& out, const Tenants::Counters& counters, const std::vector<TenantLoad>& loads) {
    printCounter(out, counters, "requests_total", "Calls admitted, by tenant.", &TenantUsage::requests);
    printCounter(out, counters, "refused_total", "Calls refused for a limit, by tenant.", &TenantUsage::refused);
    printCounter(out, counters, "prompt_tokens_total", "Prompt tokens, by tenant.", &TenantUsage::promptTokens);
    printCounter(out, counters, "cached_tokens_total", "Prompt tokens found in the prefix cache, by tenant.",
                 &TenantUsage::cachedTokens);
    printCounter(out, counters, "generation_tokens_total", "Tokens generated, by tenant.",
                 &TenantUsage::generatedTokens);
    printGauge(out, loads, "requests_running", "Requests being computed, by tenant.", &TenantLoad::running);
    printGauge(out, loads, "requests_waiting", "Requests waiting, by tenant.", &TenantLoad::waiting);
    printGauge(out, loads, "kv_pages", "KV pages that running requests hold, by tenant.", &TenantLoad::kvPages);
    printLatency(out, loads, "recent_time_to_first_token_seconds", "First tokens of the last minute, by tenant.",
                 &TenantLoad::ttftMs);
    printLatency(out, loads, "recent_time_per_output_token_seconds", "Tokens of the last minute, by tenant.",
                 &TenantLoad::tpotMs);
}

}  // namespace espalier
