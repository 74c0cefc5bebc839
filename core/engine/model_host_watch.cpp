// SPDX-License-Identifier: GPL-3.0-or-later
// ModelHost, what people see: snapshots, requests, pages, steps.
#include <algorithm>

#include "core/engine/hosted_model.h"

namespace espalier {
namespace {

void fillCounters(std::map<std::string, double>& counters, const ServingCounters& sum) {
    const auto put = [&](const char* name, std::int64_t value) { counters[name] = static_cast<double>(value); };
    put("prompt_tokens_total", sum.promptTokens);
    put("generation_tokens_total", sum.generationTokens);
    put("num_preemptions_total", sum.preemptions);
    put("prefix_cache_queries_total", sum.prefixQueries);
    put("prefix_cache_hits_total", sum.prefixHits);
    put("prefix_cache_evicted_pages_total", sum.prefixEvictedPages);
    put("engine_steps_total", sum.steps);
    put("adapter_steps_total", sum.adapterSteps);
    put("adapter_loads_total", sum.adapterLoads);
    put("adapter_hits_total", sum.adapterHits);
    put("adapter_evictions_total", sum.adapterEvictions);
    put("adapter_loaded_bytes_total", sum.adapterLoadedBytes);
    put("request_success_total_stop", sum.finishedStop);
    put("request_success_total_length", sum.finishedLength);
    put("request_success_total_cancelled", sum.finishedCancelled);
    put("request_success_total_failed", sum.finishedFailed);
}

void fillTraffic(std::map<std::string, double>& counters, const AdapterTraffic& traffic) {
    const auto put = [&](const std::string& name, std::int64_t value) { counters[name] = static_cast<double>(value); };
    put("adapter_moved_bytes_total_to_host", traffic.toHostBytes);
    put("adapter_moved_bytes_total_to_pool", traffic.toPoolBytes);
    put("adapter_moved_bytes_total_from_host", traffic.fromHostBytes);
    put("adapter_moved_bytes_total_from_pool", traffic.fromPoolBytes);
    for (std::size_t i = 0; i < kMoveCauses; ++i)
        put("adapter_moves_total_" + std::string(moveCauseName(static_cast<MoveCause>(i))), traffic.moves[i]);
    put("adapter_found_total_pool", traffic.foundInPool);
    put("adapter_found_total_host", traffic.foundOnHost);
    put("adapter_found_total_disk", traffic.foundOnDisk);
    put("adapter_prefetch_total_used", traffic.prefetchUsed);
    put("adapter_prefetch_total_wasted", traffic.prefetchWasted);
    put("adapter_read_failures_total", traffic.readFailures);
}

const char* kindName(RequestKind kind) {
    return kind == RequestKind::Generate ? "generate" : kind == RequestKind::Embed ? "embed" : "score";
}

TenantLoad& loadOf(std::vector<TenantLoad>& rows, const std::string& tenant) {
    const auto found = std::ranges::find(rows, tenant, &TenantLoad::name);
    if (found != rows.end()) return *found;
    TenantLoad& made = rows.emplace_back();
    made.name = tenant;
    return made;
}

void addLoads(std::vector<TenantLoad>& rows, const std::vector<TenantInLoop>& more, std::int64_t pageBytes) {
    for (const TenantInLoop& one : more) {
        TenantLoad& row = loadOf(rows, one.name);
        row.running += one.running;
        row.waiting += one.waiting;
        row.kvPages += one.pages;
        row.kvBytes += one.pages * pageBytes;
    }
}

RequestRecord recordOf(const LiveRequest& live, const std::string& model) {
    RequestRecord record;
    record.id = static_cast<std::int64_t>(live.id.value);
    record.model = model;
    record.adapter = live.adapter;
    record.tenant = live.tenant;
    record.kind = kindName(live.kind);
    record.state = !live.isRunning ? "waiting" : live.computedTokens < live.promptTokens ? "prefill" : "decode";
    record.promptTokens = live.promptTokens;
    record.cachedTokens = live.cachedTokens;
    record.producedTokens = live.producedTokens;
    record.maxTokens = live.maxTokens;
    record.pages = live.pages;
    record.tokensPerS = live.tokensPerS;
    record.ageS = live.ageS;
    return record;
}

RequestRecord recordOf(const Request& request, const std::string& model) {
    RequestRecord record;
    record.id = static_cast<std::int64_t>(request.id.value);
    record.model = model;
    record.adapter = request.adapterName;
    record.tenant = request.tenant;
    record.kind = kindName(request.kind);
    record.state = "loading";
    record.promptTokens = static_cast<std::int32_t>(request.prompt.size());
    record.maxTokens = request.maxTokens;
    return record;
}

}  // namespace

RequestList ModelHost::requests(std::int32_t most) const {
    RequestList list;
    std::vector<RequestRecord>& all = list.requests;
    for (const auto& hosted : m_models) {
        for (const Request& request : hosted->waiting) all.push_back(recordOf(request, hosted->record.name));
        if (!hosted->loop) continue;
        for (const LiveRequest& live : hosted->loop->requests()) all.push_back(recordOf(live, hosted->record.name));
    }
    list.total = static_cast<std::int64_t>(all.size());
    std::ranges::sort(all, {}, &RequestRecord::id);  // ids ascend with arrival, over all models
    if (all.size() > static_cast<std::size_t>(most)) all.resize(static_cast<std::size_t>(most));
    return list;
}

Result<PageMap> ModelHost::pageMap(const ModelRecord& model, std::int32_t mostCells) const {
    for (const auto& hosted : m_models)
        if (hosted->record.id == model.id && hosted->loop) return hosted->loop->pageMap(mostCells);
    return fail(ErrorCode::NotFound, "\"" + model.name + "\" has no pages: it is not on the device", model.name);
}

AdapterLocation ModelHost::placeOf(const AdapterSource& adapter) const {
    for (const auto& hosted : m_models)
        if (hosted->record.id == adapter.base && hosted->loop)
            if (const auto place = hosted->loop->placeOf(adapter)) return *place;
    const HostArena::State state = m_tiers.arena.state(adapter);
    return {state == HostArena::State::Ready ? AdapterTier::Host : AdapterTier::Disk,
            state == HostArena::State::Loading};
}

std::vector<StepRecord> ModelHost::steps(std::size_t most) const {
    std::vector<StepRecord> all;
    for (const auto& hosted : m_models) {
        if (!hosted->loop) continue;
        std::vector<StepRecord> steps = hosted->loop->steps(most);
        for (StepRecord& step : steps) {
            step.model = hosted->record.name;
            all.push_back(std::move(step));
        }
    }
    std::ranges::stable_sort(all, {}, &StepRecord::at);
    if (all.size() > most) all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(most));
    return all;
}

void ModelHost::fill(Snapshot& snapshot) const {
    ServingCounters counters = m_beyond;
    std::vector<double> ttft, tpot;
    MemoryByOwner& memory = snapshot.memory;
    for (const auto& hosted : m_models) {
        LoadedModel& model = snapshot.models.emplace_back();
        model.name = hosted->record.name;
        model.state = hosted->state == Hosted::State::Ready ? "ready" : "loading";
        model.progress = hosted->progress;
        model.waiting = static_cast<std::int32_t>(hosted->waiting.size());
        for (const Request& request : hosted->waiting) ++loadOf(snapshot.tenants, request.tenant).waiting;
        if (hosted->transformer) {
            model.weightsBytes = hosted->transformer->weightBytes();
            memory.weights += model.weightsBytes;
            memory.workspace += hosted->transformer->workspaceBytes();
        }
        if (hosted->loop) {
            const ServingStats stats = hosted->loop->stats();
            model.pageBytes = stats.pageBytes;
            model.poolPages = stats.pages.total();
            model.poolPagesUsed = stats.pages.of(PageOwner::Kv);
            model.poolPagesCached = stats.pages.of(PageOwner::KvCached);
            model.poolPagesAdapters = stats.pages.of(PageOwner::Adapter);
            model.poolPagesAdaptersIdle = stats.pages.of(PageOwner::AdapterIdle);
            model.poolPagesStaging = stats.pages.of(PageOwner::Staging);
            model.adapters = stats.adapters;
            model.running = stats.running;
            model.waiting += stats.waiting;
            memory.kvRunning += model.poolPagesUsed * stats.pageBytes;
            memory.kvCached += model.poolPagesCached * stats.pageBytes;
            memory.adapters +=
                (model.poolPagesAdapters + model.poolPagesAdaptersIdle + model.poolPagesStaging) * stats.pageBytes;
            snapshot.swapInBytesPerS += stats.swapInBytesPerS;
            snapshot.swapOutBytesPerS += stats.swapOutBytesPerS;
            snapshot.prefillTokensPerS += stats.prefillTokensPerS;
            snapshot.decodeTokensPerS += stats.decodeTokensPerS;
            counters += stats.counters;
            addLoads(snapshot.tenants, stats.tenants, stats.pageBytes);
            for (const double value : hosted->loop->recentTtftMs()) ttft.push_back(value);
            for (const double value : hosted->loop->recentTpotMs()) tpot.push_back(value);
        }
        snapshot.running += model.running;
        snapshot.waiting += model.waiting;
    }
    snapshot.ttftMs = percentilesOf(std::move(ttft));
    snapshot.tpotMs = percentilesOf(std::move(tpot));
    fillCounters(snapshot.counters, counters);
    fillTraffic(snapshot.counters, m_tiers.trace.traffic());
    snapshot.hostAdapterBytes = m_tiers.arena.bytes();
    snapshot.hostAdapterBudget = m_tiers.arena.budget();
    snapshot.hostAdapters = m_tiers.arena.images();
    snapshot.moves = m_tiers.trace.newest(kMostMoves);
    const std::int64_t used = memory.weights + memory.workspace + memory.kvRunning + memory.kvCached + memory.adapters;
    memory.total = std::max(m_options.memoryBudget, used);
    memory.free = memory.total - used;
}

}  // namespace espalier
