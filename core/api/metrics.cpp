// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/metrics.h"

#include <algorithm>

#include "core/api/prometheus_text.h"

namespace espalier {
namespace {

const std::vector<double> kSeconds{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1,  0.25, 0.5,
                                   0.75,  1.0,   2.5,  5.0,  7.5,  10.0, 20.0, 40.0, 80.0, 160.0};
const std::vector<double> kTokens{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000};

// Counters of the engine's snapshot, whether or not anything was counted yet.
struct CounterName {
    const char* name;
    const char* help;
};
constexpr CounterName kCounters[]{
    {"prompt_tokens_total", "Prompt tokens processed."},
    {"generation_tokens_total", "Tokens generated."},
    {"num_preemptions_total", "Sequences put back for want of KV pages."},
    {"prefix_cache_queries_total", "Prompt tokens looked up in the prefix cache."},
    {"prefix_cache_hits_total", "Prompt tokens found in the prefix cache."},
    {"adapter_steps_total", "Steps in which at least one row used an adapter."},
    {"adapter_loads_total", "Adapters copied into the page pool."},
    {"adapter_hits_total", "Requests that found their adapter in the page pool."},
    {"adapter_evictions_total", "Idle adapters taken out of the page pool."},
    {"adapter_loaded_bytes_total", "Bytes of adapters copied into the page pool."},
    {"adapter_read_failures_total", "Adapters whose files could not be read for a request."},
};

// Counters with one label, whose values are few and fixed; the snapshot has each as name_value.
struct LabelledCounter {
    const char* name;
    const char* help;
    const char* label;
    std::vector<const char*> values;
};
const std::vector<LabelledCounter> kLabelled{
    {"request_success_total",
     "Requests ended, by reason.",
     "finished_reason",
     {"stop", "length", "cancelled", "failed"}},
    {"adapter_moved_bytes_total",
     "Bytes of adapters read, copied and given up.",
     "way",
     {"to_host", "to_pool", "from_host", "from_pool"}},
    {"adapter_moves_total",
     "Moves of adapters between disk, host memory and page pool, by cause.",
     "cause",
     {"miss", "prefetch", "evicted", "reload", "unload"}},
    {"adapter_found_total",
     "Requests, by where their adapter was when their turn came.",
     "tier",
     {"pool", "host", "disk"}},
    {"adapter_prefetch_total",
     "Adapters copied ahead of their turn, by what became of it.",
     "outcome",
     {"used", "wasted"}},
};

void printOne(std::string& out, const char* bareName, std::string_view help, const char* type, double value) {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, type);
    printSample(out, name, {}, value);
}

double counter(const Snapshot& snapshot, const std::string& name) {
    const auto found = snapshot.counters.find(name);
    return found == snapshot.counters.end() ? 0.0 : found->second;
}

void printLabelled(std::string& out, const LabelledCounter& entry, const Snapshot& snapshot) {
    const std::string name = metricName(entry.name);
    printFamily(out, name, entry.help, "counter");
    for (const char* value : entry.values)
        printSample(out, name, {{entry.label, value}}, counter(snapshot, std::string(entry.name) + "_" + value));
}

void printMemory(std::string& out, const MemoryByOwner& memory) {
    const std::string name = metricName("memory_bytes");
    printFamily(out, name, "Device memory by owner.", "gauge");
    const std::pair<const char*, std::int64_t> owners[]{
        {"weights", memory.weights},     {"training", memory.training}, {"kv_running", memory.kvRunning},
        {"kv_cached", memory.kvCached},  {"adapters", memory.adapters}, {"domain_rows", memory.domainRows},
        {"workspace", memory.workspace}, {"free", memory.free}};
    for (const auto& [owner, bytes] : owners) printSample(out, name, {{"owner", owner}}, static_cast<double>(bytes));
}

// One family whose samples tell of each loaded model in each state.
struct ModelState {
    const char* state;
    std::int64_t (*of)(const LoadedModel& model);
};
void printByState(std::string& out, const char* bareName, std::string_view help, std::span<const ModelState> states,
                  const std::vector<LoadedModel>& models) {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, "gauge");
    for (const LoadedModel& model : models)
        for (const ModelState& one : states)
            printSample(out, name, {{"model_name", model.name}, {"state", one.state}},
                        static_cast<double>(one.of(model)));
}

void printModels(std::string& out, const std::vector<LoadedModel>& models) {
    static constexpr ModelState kRequests[]{
        {"running", [](const LoadedModel& model) { return std::int64_t{model.running}; }},
        {"waiting", [](const LoadedModel& model) { return std::int64_t{model.waiting}; }}};
    static constexpr ModelState kPages[]{
        {"used", [](const LoadedModel& model) { return std::int64_t{model.poolPagesAdapters}; }},
        {"idle", [](const LoadedModel& model) { return std::int64_t{model.poolPagesAdaptersIdle}; }},
        {"staging", [](const LoadedModel& model) { return std::int64_t{model.poolPagesStaging}; }}};
    printByState(out, "model_requests", "Requests of each loaded model.", kRequests, models);
    const std::string resident = metricName("adapters_resident");
    printFamily(out, resident, "Adapters in the page pool of each loaded model.", "gauge");
    for (const LoadedModel& model : models)
        printSample(out, resident, {{"model_name", model.name}}, static_cast<double>(model.adapters));
    printByState(out, "adapter_pages", "Pages of the pool that adapters hold.", kPages, models);
}

double poolShareUsed(const Snapshot& snapshot) {
    std::int64_t pages = 0, used = 0;
    for (const LoadedModel& model : snapshot.models) {
        pages += model.poolPages;
        used += model.poolPagesUsed;
    }
    return pages > 0 ? static_cast<double>(used) / static_cast<double>(pages) : 0.0;
}

}  // namespace

void Histogram::add(double value) {
    const auto bucket = std::lower_bound(m_bounds.begin(), m_bounds.end(), value) - m_bounds.begin();
    ++m_counts[static_cast<std::size_t>(bucket)];
    m_sum += value;
}

void Histogram::print(std::string& out, std::string_view bareName, std::string_view help) const {
    const std::string name = metricName(bareName);
    printFamily(out, name, help, "histogram");
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < m_counts.size(); ++i) {
        sum += m_counts[i];
        const std::string bound = i < m_bounds.size() ? metricNumber(m_bounds[i]) : "+Inf";
        printSample(out, name + "_bucket", {{"le", bound}}, static_cast<double>(sum));
    }
    printSample(out, name + "_sum", {}, m_sum);
    printSample(out, name + "_count", {}, static_cast<double>(sum));
}

RequestMetrics::RequestMetrics()
    : m_ttft(kSeconds),
      m_tpot(kSeconds),
      m_e2e(kSeconds),
      m_queue(kSeconds),
      m_promptTokens(kTokens),
      m_generationTokens(kTokens) {}

void RequestMetrics::ended(const Chunk& last) {
    const std::lock_guard lock(m_mutex);
    m_e2e.add(last.timing.totalMs / 1000.0);
    m_queue.add(last.timing.queueMs / 1000.0);
    m_promptTokens.add(last.usage.promptTokens);
    m_generationTokens.add(last.usage.completionTokens);
    if (last.usage.completionTokens > 0) m_ttft.add(last.timing.ttftMs / 1000.0);
    if (last.timing.tokensPerS > 0) m_tpot.add(1.0 / last.timing.tokensPerS);
}

std::string RequestMetrics::text(const Snapshot& snapshot) const {
    std::string out;
    printOne(out, "num_requests_running", "Requests being computed.", "gauge", snapshot.running);
    printOne(out, "num_requests_waiting", "Requests waiting for a place.", "gauge", snapshot.waiting);
    printOne(out, "kv_cache_usage_perc", "Share of KV pages that running sequences hold, 1 = all.", "gauge",
             poolShareUsed(snapshot));
    for (const CounterName& entry : kCounters)
        printOne(out, entry.name, entry.help, "counter", counter(snapshot, entry.name));
    for (const LabelledCounter& entry : kLabelled) printLabelled(out, entry, snapshot);
    printOne(out, "prefill_tokens_per_second", "Prompt tokens over the last second.", "gauge",
             snapshot.prefillTokensPerS);
    printOne(out, "decode_tokens_per_second", "Generated tokens over the last second.", "gauge",
             snapshot.decodeTokensPerS);
    printOne(out, "process_resident_memory_bytes", "Resident memory of the daemon.", "gauge",
             static_cast<double>(snapshot.residentBytes));
    printMemory(out, snapshot.memory);
    printOne(out, "adapter_host_bytes", "Host memory that adapters hold.", "gauge",
             static_cast<double>(snapshot.hostAdapterBytes));
    printModels(out, snapshot.models);
    const std::lock_guard lock(m_mutex);
    m_ttft.print(out, "time_to_first_token_seconds", "From submission to the first token.");
    m_tpot.print(out, "time_per_output_token_seconds", "Mean time per token after the first, by request.");
    m_e2e.print(out, "e2e_request_latency_seconds", "From submission to the last token.");
    m_queue.print(out, "request_queue_time_seconds", "From submission to the first computed token.");
    m_promptTokens.print(out, "request_prompt_tokens", "Prompt tokens by request.");
    m_generationTokens.print(out, "request_generation_tokens", "Generated tokens by request.");
    return out;
}

}  // namespace espalier
