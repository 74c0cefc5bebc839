// SPDX-License-Identifier: GPL-3.0-or-later
// ModelHost: the models that are in device memory, each with its Transformer and its ServingLoop. Loads at first use
// while the budget allows, evicts the idle model that was used longest ago, and survives a model whose device fails.
//
// Loading runs on the engine thread, because the backend belongs to it; between two tensors it hands the thread back,
// so that the other models go on decoding. Adapters come from disk and into the pools on two threads of their own.
//
// Owner: Engine. Thread: engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/serving/adapter_tiers.h"
#include "core/serving/serving_loop.h"

namespace espalier {

// What a model needs beside its catalog record; read on the caller's thread.
struct ModelToServe {
    ModelRecord record;
    std::shared_ptr<const TextModel> text;  // null: ids in, ids out
};

class ModelHost {
public:
    struct Callbacks {
        std::function<void(const ModelRecord&, std::string_view change)> changed;  // "loaded", "unloaded"
        std::function<void(std::string_view level, std::string text)> log;
        std::function<void()> wake;  // any thread: an adapter has landed, step() has something to do
    };
    // options: poolBytes and memoryBudget are resolved, not 0.
    ModelHost(Backend& backend, FileSystem& files, const Clock& clock, const EngineOptions& options,
              Callbacks callbacks);
    ~ModelHost();  // every open request gets its last chunk
    ModelHost(const ModelHost&) = delete;

    // The request waits while its model loads. Its sink gets exactly one chunk with finish set, whatever happens; what
    // the loop refuses comes as a failed chunk with the error.
    void submit(const ModelToServe& model, Request request);
    void cancel(RequestId id);
    void cancelAll();
    void clear();  // every model goes, its requests end as cancelled
    // After an exception, when any loop may be in any state: every open request ends as failed, every model goes. May
    // throw in its turn, and can be called again.
    void giveUp(const Error& why);
    void load(const ModelToServe& model);   // queues it
    void unload(std::string_view modelId);  // its requests end as cancelled; a load on its way stops
    void stopLoading();                     // the load on its way and those queued; their requests end as cancelled
    void rename(std::string_view modelId, std::string_view name);
    void retireAdapter(std::string_view modelId, std::string_view digest, MoveCause cause);

    bool step();  // one step of every model that has work; false: nothing to do
    bool hasLoads() const;
    // Loads the first queued model; calls `meanwhile` between tensors, which must not load.
    void loadNext(const std::function<void()>& meanwhile);
    bool idle() const;  // no request anywhere

    // Adds models, memory, rates, percentiles, counts and counters.
    void fill(Snapshot& snapshot) const;
    RequestList requests(std::int32_t most) const;
    // Lends a model that is ready for one step of somebody else's. Errors: not_found; those of `use`.
    using Use = std::function<Result<void>(Backend&, Transformer&, const Clock&)>;
    Result<void> lend(const ModelRecord& model, const Use& use) const;
    Result<PageMap> pageMap(const ModelRecord& model, std::int32_t mostCells) const;  // not_found: not loaded
    AdapterLocation placeOf(const AdapterSource& adapter) const;
    std::vector<StepRecord> steps(std::size_t most) const;  // the newest of all models, by their end

private:
    struct Hosted;
    struct Ending {  // what is needed to end a request that no loop has
        RequestId id;
        std::int32_t promptTokens = 0;
        ChunkSink sink;
    };

    Hosted* find(std::string_view modelId);
    Hosted& findOrQueue(const ModelToServe& model);
    Result<void> loadHosted(Hosted& hosted, const std::function<void()>& meanwhile);
    Result<std::int64_t> makeRoom(const Hosted& wanted, const MemoryEstimate& estimate, std::int64_t bytesPerPage);
    void startWaiting(Hosted& hosted);
    void logSpeed(Hosted& hosted);
    void cancelIn(Hosted& hosted, RequestId id);
    void cancelOpen(Hosted& hosted);
    void drop(std::string_view modelId, const Error* failure);
    std::int64_t usedBytes() const;
    static Ending endingOf(const Request& request);
    void finish(const Ending& ending, FinishReason reason, std::optional<Error> error);

    Backend& m_backend;
    FileSystem& m_files;
    const Clock& m_clock;
    const EngineOptions m_options;
    const Callbacks m_callbacks;
    ThreadLane m_reader, m_copier;  // adapters: from disk, and into the pools
    AdapterTiers m_tiers;
    std::vector<std::unique_ptr<Hosted>> m_models;  // in order of first use
    ServingCounters m_beyond;  // of models that were unloaded, and of requests that never reached a loop
};

}  // namespace espalier
