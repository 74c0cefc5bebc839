// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_host.h"

#include <algorithm>

#include "core/engine/speed_record.h"
#include "core/serving/kv_cache.h"

namespace espalier {
namespace {

constexpr std::int64_t kSmallestPoolTokens = 2048;  // a model gets at least this, or its whole context

std::string mebibytes(std::int64_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

void add(ServingCounters& sum, const ServingCounters& one) {
    sum.promptTokens += one.promptTokens;
    sum.generationTokens += one.generationTokens;
    sum.preemptions += one.preemptions;
    sum.prefixQueries += one.prefixQueries;
    sum.prefixHits += one.prefixHits;
    sum.prefixEvictedPages += one.prefixEvictedPages;
    sum.steps += one.steps;
    sum.adapterSteps += one.adapterSteps;
    sum.adapterLoads += one.adapterLoads;
    sum.adapterHits += one.adapterHits;
    sum.adapterEvictions += one.adapterEvictions;
    sum.adapterLoadedBytes += one.adapterLoadedBytes;
    sum.finishedStop += one.finishedStop;
    sum.finishedLength += one.finishedLength;
    sum.finishedCancelled += one.finishedCancelled;
    sum.finishedFailed += one.finishedFailed;
}

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

struct ModelHost::Hosted {
    enum class State : std::uint8_t { Queued, Loading, Ready };

    ModelRecord record;
    std::shared_ptr<const TextModel> text;
    State state = State::Queued;
    double progress = 0.0;
    std::stop_source stopLoading;
    TimePoint lastUsed{};
    bool deviceFailed = false;
    std::vector<Request> waiting;  // for the load to end
    std::vector<Ending> open;      // submitted and not finished
    std::unique_ptr<Transformer> transformer;
    std::unique_ptr<ServingLoop> loop;  // after transformer: goes first
    MemoryEstimate estimate;
    bool speedIsLogged = false;

    std::int64_t bytes() const {
        return (transformer ? transformer->weightBytes() + transformer->workspaceBytes() : 0) +
               (loop ? loop->kvBytes() : 0);
    }
};

ModelHost::ModelHost(Backend& backend, FileSystem& files, const Clock& clock, const EngineOptions& options,
                     Callbacks callbacks)
    : m_backend(backend),
      m_files(files),
      m_clock(clock),
      m_options(options),
      m_callbacks(std::move(callbacks)),
      m_tiers(m_reader, m_copier, clock, options.hostCacheBytes, m_callbacks.wake) {}

ModelHost::~ModelHost() {
    while (!m_models.empty()) drop(std::string(m_models.back()->record.id), nullptr);
}

ModelHost::Hosted* ModelHost::find(std::string_view modelId) {
    for (const auto& model : m_models)
        if (model->record.id == modelId) return model.get();
    return nullptr;
}

ModelHost::Hosted& ModelHost::findOrQueue(const ModelToServe& model) {
    if (Hosted* known = find(model.record.id)) return *known;
    auto hosted = std::make_unique<Hosted>();
    hosted->record = model.record;
    hosted->text = model.text;
    hosted->lastUsed = m_clock.now();
    m_models.push_back(std::move(hosted));
    return *m_models.back();
}

ModelHost::Ending ModelHost::endingOf(const Request& request) {
    return {request.id, static_cast<std::int32_t>(request.prompt.size()), request.sink};
}

void ModelHost::finish(const Ending& ending, FinishReason reason, std::optional<Error> error) {
    Chunk last;
    last.id = ending.id;
    last.finish = reason;
    last.error = std::move(error);
    last.usage.promptTokens = ending.promptTokens;
    ++(reason == FinishReason::Failed ? m_beyond.finishedFailed : m_beyond.finishedCancelled);
    ending.sink(last);
}

void ModelHost::submit(const ModelToServe& model, Request request) {
    Hosted& hosted = findOrQueue(model);
    hosted.lastUsed = m_clock.now();
    hosted.open.push_back(endingOf(request));
    // A failing device shows in the chunks of its requests; step() then drops the model.
    request.sink = [&hosted, sink = std::move(request.sink)](const Chunk& chunk) {
        if (chunk.error && chunk.error->code == ErrorCode::DeviceError) hosted.deviceFailed = true;
        if (chunk.finish) std::erase_if(hosted.open, [&](const Ending& ending) { return ending.id == chunk.id; });
        sink(chunk);
    };
    hosted.waiting.push_back(std::move(request));
    if (hosted.state == Hosted::State::Ready) startWaiting(hosted);
}

void ModelHost::startWaiting(Hosted& hosted) {
    std::vector<Request> waiting;
    waiting.swap(hosted.waiting);
    for (Request& request : waiting) {
        const Ending ending = endingOf(request);
        auto submitted = hosted.loop->submit(std::move(request));
        if (!submitted) finish(ending, FinishReason::Failed, std::move(submitted).error());
    }
}

void ModelHost::cancelIn(Hosted& hosted, RequestId id) {
    const auto found = std::ranges::find(hosted.waiting, id, &Request::id);
    if (found == hosted.waiting.end()) {
        if (hosted.loop) hosted.loop->cancel(id);
        return;
    }
    const Ending ending = endingOf(*found);
    hosted.waiting.erase(found);
    finish(ending, FinishReason::Cancelled, std::nullopt);
}

void ModelHost::cancel(RequestId id) {
    for (const auto& hosted : m_models)
        if (std::ranges::find(hosted->open, id, &Ending::id) != hosted->open.end()) return cancelIn(*hosted, id);
}

void ModelHost::cancelAll() {
    for (const auto& hosted : m_models) cancelOpen(*hosted);
}

void ModelHost::cancelOpen(Hosted& hosted) {
    while (!hosted.open.empty()) {
        const Ending last = hosted.open.back();
        cancelIn(hosted, last.id);
        if (hosted.open.empty() || hosted.open.back().id != last.id) continue;
        // Neither waiting nor in the loop: it was lost on the way between them, to an exception.
        hosted.open.pop_back();
        finish(last, FinishReason::Cancelled, std::nullopt);
    }
}

void ModelHost::load(const ModelToServe& model) {
    findOrQueue(model).lastUsed = m_clock.now();
}

void ModelHost::unload(std::string_view modelId) {
    Hosted* hosted = find(modelId);
    if (!hosted) return;
    // The load that is on its way belongs to a frame below this one: it drops the model itself when it sees the stop.
    if (hosted->state == Hosted::State::Loading)
        hosted->stopLoading.request_stop();
    else
        drop(modelId, nullptr);
}

void ModelHost::stopLoading() {
    for (std::size_t i = m_models.size(); i-- > 0;)
        if (m_models[i]->state != Hosted::State::Ready) unload(std::string(m_models[i]->record.id));
}

void ModelHost::rename(std::string_view modelId, std::string_view name) {
    if (Hosted* hosted = find(modelId)) hosted->record.name = name;
}

void ModelHost::drop(std::string_view modelId, const Error* failure) {
    const auto found =
        std::ranges::find(m_models, modelId, [](const auto& model) -> std::string_view { return model->record.id; });
    const std::unique_ptr<Hosted> hosted = std::move(*found);
    m_models.erase(found);
    const bool wasReady = hosted->state == Hosted::State::Ready;
    std::vector<Request> waiting;
    waiting.swap(hosted->waiting);
    for (const Request& request : waiting)
        finish(endingOf(request), failure ? FinishReason::Failed : FinishReason::Cancelled,
               failure ? std::optional(*failure) : std::nullopt);
    cancelOpen(*hosted);
    if (hosted->loop) add(m_beyond, hosted->loop->stats().counters);
    hosted->loop.reset();
    hosted->transformer.reset();
    if (wasReady) m_callbacks.changed(hosted->record, "unloaded");
}

void ModelHost::retireAdapter(std::string_view modelId, std::string_view digest, MoveCause cause) {
    m_tiers.arena.retire(modelId, digest, cause);
    if (const Hosted* hosted = find(modelId); hosted && hosted->loop) hosted->loop->retireAdapter(digest, cause);
}

bool ModelHost::step() {
    bool worked = false;
    m_tiers.arena.collect();
    // Sinks run inside and must not call back, so the list stands still.
    for (const auto& hosted : m_models) {
        if (!hosted->loop) continue;
        if (!hosted->loop->idle()) hosted->lastUsed = m_clock.now();
        worked = hosted->loop->step() || worked;
        logSpeed(*hosted);
    }
    for (std::size_t i = m_models.size(); i-- > 0;) {
        if (!m_models[i]->deviceFailed) continue;
        m_callbacks.log("error", "\"" + m_models[i]->record.name + "\" was unloaded after a device error");
        const Error failure = fail(ErrorCode::DeviceError, "the device failed while the model was running");
        drop(std::string(m_models[i]->record.id), &failure);
    }
    return worked;
}

// Once per load, when the model has answered alone for long enough.
void ModelHost::logSpeed(Hosted& hosted) {
    constexpr std::int64_t kEnoughSteps = 48;
    const DecodeAlone& alone = hosted.loop->decodeAlone();
    if (hosted.speedIsLogged || alone.steps < kEnoughSteps || alone.seconds <= 0.0) return;
    hosted.speedIsLogged = true;
    const auto machine = machineSpeed(m_files, m_options.workspace, m_backend.device().name);
    if (!machine) return;
    const double context = static_cast<double>(alone.contextTokens) / static_cast<double>(alone.steps);
    const double predicted = predictedTokensPerS(*machine, hosted.estimate, context);
    if (predicted > 0.0)
        m_callbacks.log("info",
                        speedLine({hosted.record.name, static_cast<double>(alone.steps) / alone.seconds, predicted}));
}

bool ModelHost::hasLoads() const {
    return std::ranges::any_of(m_models, [](const auto& model) { return model->state == Hosted::State::Queued; });
}

bool ModelHost::idle() const {
    return std::ranges::all_of(m_models, [](const auto& model) { return model->open.empty(); });
}

void ModelHost::loadNext(const std::function<void()>& meanwhile) {
    const auto found =
        std::ranges::find_if(m_models, [](const auto& model) { return model->state == Hosted::State::Queued; });
    if (found == m_models.end()) return;
    Hosted& hosted = **found;
    hosted.state = Hosted::State::Loading;
    m_callbacks.log("info", "loading \"" + hosted.record.name + "\"");
    auto loaded = loadHosted(hosted, meanwhile);
    if (!loaded) {
        const Error failure = std::move(loaded).error().context("loading \"" + hosted.record.name + "\"");
        const bool wasStopped = failure.code == ErrorCode::Cancelled;
        if (!wasStopped) m_callbacks.log("error", failure.message);
        drop(std::string(hosted.record.id), wasStopped ? nullptr : &failure);
        return;
    }
    hosted.state = Hosted::State::Ready;
    hosted.progress = 1.0;
    hosted.lastUsed = m_clock.now();
    m_callbacks.changed(hosted.record, "loaded");
    startWaiting(hosted);
}

Result<void> ModelHost::loadHosted(Hosted& hosted, const std::function<void()>& meanwhile) {
    const ModelRecord& record = hosted.record;
    TRY_ASSIGN(const auto tensors, openModelFolder(m_files, record.folder));
    TransformerOptions options;
    options.maxBatchTokens = batchTokensFor(record.spec, m_options.maxBatchTokens);
    options.maxLogitRows = std::max(m_options.maxBatchTokens, m_options.maxSequences);
    options.stop = hosted.stopLoading.get_token();
    options.progress = [&](std::int64_t done, std::int64_t all) {
        hosted.progress = all > 0 ? static_cast<double>(done) / static_cast<double>(all) : 0.0;
        meanwhile();
    };
    const MemoryEstimate estimate = estimateMemory(m_backend, record.spec, *tensors, m_options.kvType, options);
    hosted.estimate = estimate;
    const std::int64_t bytesPerPage = kvBytesPerPage(m_backend, record.spec, m_options.kvType);
    TRY_ASSIGN(const std::int64_t pages, makeRoom(hosted, estimate, bytesPerPage));
    TRY_ASSIGN(hosted.transformer, Transformer::load(m_backend, record.spec, *tensors, options));
    ServingOptions serving;
    serving.poolPages = static_cast<std::int32_t>(pages);
    serving.maxBatchTokens = options.maxBatchTokens;
    serving.maxSequences = m_options.maxSequences;
    serving.maxWaiting = m_options.maxWaiting;
    serving.kvType = m_options.kvType;
    serving.prefixCache = m_options.prefixCache;
    serving.modelDigest = record.digest;
    serving.tiers = &m_tiers;
    serving.prefetch = m_options.prefetch;
    TRY_ASSIGN(hosted.loop, ServingLoop::create(m_backend, *hosted.transformer,
                                                hosted.text ? hosted.text->tokenizer : nullptr, serving, m_clock));
    return {};
}

std::int64_t ModelHost::usedBytes() const {
    std::int64_t sum = 0;
    for (const auto& model : m_models) sum += model->bytes();
    return sum;
}

// Evicts until weights, activations and a pool fit; the pool shrinks before another model has to go only where even
// evicting would not help. Gives the pages of the pool.
Result<std::int64_t> ModelHost::makeRoom(const Hosted& wanted, const MemoryEstimate& estimate,
                                         std::int64_t bytesPerPage) {
    const std::int64_t fixed = estimate.weightsBytes + estimate.workspaceBytes;
    const std::int64_t pagesOfContext =
        (std::int64_t{wanted.record.spec.context} + kTokensPerPage - 1) / kTokensPerPage;
    const std::int64_t mostPages = std::max<std::int64_t>(
        1, std::min(m_options.poolBytes / bytesPerPage, pagesOfContext * m_options.maxSequences));
    const std::int64_t leastPages = std::min({mostPages, pagesOfContext, kSmallestPoolTokens / kTokensPerPage});
    for (;;) {
        const std::int64_t room = m_options.memoryBudget - usedBytes() - fixed;
        if (room >= mostPages * bytesPerPage) return mostPages;
        Hosted* oldest = nullptr;
        for (const auto& model : m_models) {
            const bool isIdle = model->state == Hosted::State::Ready && model->open.empty();
            if (isIdle && (!oldest || model->lastUsed < oldest->lastUsed)) oldest = model.get();
        }
        if (!oldest) {
            const std::int64_t pages = std::min(mostPages, room / bytesPerPage);
            if (room >= 0 && pages >= leastPages) return pages;
            return fail(ErrorCode::PoolExhausted,
                        "it needs " + mebibytes(fixed + leastPages * bytesPerPage) + " (weights " +
                            mebibytes(estimate.weightsBytes) + ", activations " + mebibytes(estimate.workspaceBytes) +
                            ", KV cache " + mebibytes(leastPages * bytesPerPage) + "), of a budget of " +
                            mebibytes(m_options.memoryBudget) + " models in use hold " + mebibytes(usedBytes()));
        }
        m_callbacks.log("info",
                        "unloading \"" + oldest->record.name + "\" to make room for \"" + wanted.record.name + "\"");
        drop(std::string(oldest->record.id), nullptr);
    }
}

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

Result<void> ModelHost::lend(const ModelRecord& model, const Use& use) const {
    for (const auto& hosted : m_models)
        if (hosted->record.id == model.id && hosted->state == Hosted::State::Ready)
            return use(m_backend, *hosted->transformer, m_clock);
    return fail(ErrorCode::NotFound, "\"" + model.name + "\" is not on the device", model.name);
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
            add(counters, stats.counters);
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
