// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_host.h"

#include <algorithm>

#include "core/engine/hosted_model.h"
#include "core/serving/kv_cache.h"

namespace espalier {
namespace {

constexpr std::int64_t kSmallestPoolTokens = 2048;  // a model gets at least this, or its whole context

std::string mebibytes(std::int64_t bytes) {
    return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MiB";
}

}  // namespace

ModelHost::ModelHost(Backend& backend, FileSystem& files, const Clock& clock, const EngineOptions& options,
                     Callbacks callbacks)
    : m_backend(backend),
      m_files(files),
      m_clock(clock),
      m_options(options),
      m_callbacks(std::move(callbacks)),
      m_tiers(m_reader, m_copier, clock, options.hostCacheBytes, m_callbacks.wake) {}

ModelHost::~ModelHost() {
    clear();
}

void ModelHost::clear() {
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
        if (hosted.isGivenUp) return;
        if (chunk.error && chunk.error->code == ErrorCode::DeviceError) hosted.deviceFailed = true;
        sink(chunk);
        if (chunk.finish) std::erase_if(hosted.open, [&](const Ending& ending) { return ending.id == chunk.id; });
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

void ModelHost::giveUp(const Error& why) {
    for (const auto& hosted : m_models) {
        hosted->isGivenUp = true;
        hosted->waiting.clear();
        while (!hosted->open.empty()) {
            const Ending ending = std::move(hosted->open.back());
            hosted->open.pop_back();  // first: a sink that throws again is not asked for ever
            finish(ending, FinishReason::Failed, why);
        }
    }
    while (!m_models.empty()) drop(std::string(m_models.back()->record.id), &why);
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
    if (hosted->loop) m_beyond += hosted->loop->stats().counters;
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

Result<void> ModelHost::lend(const ModelRecord& model, const Use& use) const {
    for (const auto& hosted : m_models)
        if (hosted->record.id == model.id && hosted->state == Hosted::State::Ready)
            return use(m_backend, *hosted->transformer, m_clock);
    return fail(ErrorCode::NotFound, "\"" + model.name + "\" is not on the device", model.name);
}

}  // namespace espalier
