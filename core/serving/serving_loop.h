// SPDX-License-Identifier: GPL-3.0-or-later
// ServingLoop: serves one loaded model. Takes requests, and step by step asks the scheduler what to run, takes pages,
// runs the Transformer, samples, and hands chunks to the requests' sinks. A request's tokens and log probabilities are
// a function of the model, its adapter and the request alone: neighbours, their adapters, chunk sizes, cache hits,
// preemption and page placement never change a bit (given a Backend that keeps its one order of summation).
//
// Owner: a loaded model in the engine. Thread: engine. Sinks are called inside step(), cancel() and the destructor.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/hash.h"
#include "core/compute/backend.h"
#include "core/models/transformer.h"
#include "core/serving/adapter_trace.h"
#include "core/serving/live_request.h"
#include "core/serving/page_map.h"
#include "core/serving/page_pool.h"
#include "core/serving/request.h"
#include "core/serving/step_trace.h"
#include "core/telemetry/window.h"
#include "core/tokenizer/tokenizer.h"

namespace espalier {

struct AdapterTiers;

struct ServingOptions {
    std::int32_t poolPages = 0;         // pages of kTokensPerPage tokens; see kvBytesPerPage (kv_cache.h)
    std::int32_t maxBatchTokens = 256;  // rows of a step; clipped to the Transformer's
    std::int32_t maxSequences = 64;     // answers that go on in one step, clipped to what one can decode; as many again
                                        // may run while several tenants have requests (scheduler.h)
    std::int32_t maxWaiting = 1024;     // beyond: busy
    DType kvType = DType::F32;
    bool prefixCache = true;
    std::string modelDigest;            // part of every prefix-cache key
    HashKey hashKey = randomHashKey();  // of the prefix cache; per process
    // Shared with others and looked after by their owner, who calls HostArena::collect() before the loops step, and
    // step() again when something has landed. null: its own, where everything lands at once.
    AdapterTiers* tiers = nullptr;
    bool prefetch = true;  // adapters of waiting requests, ahead of their turn
    // For comparison, each without what the engine does: pages of the pool that adapters alone may have, KV the others
    // alone (0: whoever needs them); and all requests served as one tenant's, first come first served.
    std::int32_t pagesForAdapters = 0;
    bool isFirstComeFirstServed = false;
};

// Since the loop was made; names as vLLM's metrics where the meaning is the same.
struct ServingCounters {
    std::int64_t promptTokens = 0;      // prompt_tokens_total: of requests whose prompt is done
    std::int64_t generationTokens = 0;  // generation_tokens_total
    std::int64_t preemptions = 0;       // num_preemptions_total
    std::int64_t prefixQueries = 0;     // prefix_cache_queries_total, tokens looked up at admission
    std::int64_t prefixHits = 0;        // prefix_cache_hits_total, tokens found
    std::int64_t prefixEvictedPages = 0;
    std::int64_t steps = 0;
    std::int64_t adapterSteps = 0;  // of these, with at least one adapter
    std::int64_t adapterLoads = 0;  // copies into the pool
    std::int64_t adapterHits = 0;   // requests that found theirs there when their turn came
    std::int64_t adapterEvictions = 0;
    std::int64_t adapterLoadedBytes = 0;
    std::int64_t finishedStop = 0;  // request_success_total by finished_reason; embeddings and scores too
    std::int64_t finishedLength = 0;
    std::int64_t finishedCancelled = 0;
    std::int64_t finishedFailed = 0;

    ServingCounters& operator+=(const ServingCounters& other);
};

// Steps in which one answer got a token and nothing else was done.
struct DecodeAlone {
    std::int64_t steps = 0;
    double seconds = 0.0;
    std::int64_t contextTokens = 0;  // before the token, summed over the steps
};

struct TenantInLoop {  // a tenant with open requests
    std::string name;
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    std::int64_t pages = 0;  // that its running requests read; one that several of them read counts for each
};

struct ServingStats {
    std::int32_t running = 0;
    std::int32_t waiting = 0;
    std::int32_t adapters = 0;  // in the pool, in use or idle
    std::vector<TenantInLoop> tenants;
    PoolUsage pages;
    std::int64_t pageBytes = 0;    // of one page id, over all layers
    double prefillTokensPerS = 0;  // over the last second
    double decodeTokensPerS = 0;
    double swapInBytesPerS = 0;                  // tiles copied into the pool
    double swapOutBytesPerS = 0;                 // tiles given up there; nothing is written for it
    Percentiles ttftMs, tpotMs, e2eMs, queueMs;  // over the last minute
    ServingCounters counters;
};

class ServingLoop {
public:
    // tokenizer may be null: no text in chunks, no stop strings. The references must outlive the loop.
    // Errors: invalid_argument, pool_exhausted (the KV memory is not there).
    static Result<std::unique_ptr<ServingLoop>> create(Backend& backend, Transformer& transformer,
                                                       std::shared_ptr<const Tokenizer> tokenizer,
                                                       const ServingOptions& options, const Clock& clock);
    ~ServingLoop();  // cancels what is left
    ServingLoop(const ServingLoop&) = delete;

    // Most tokens a sequence may have: the model's context, or what the whole pool holds when that is less. maxTokens
    // is clipped to it; an answer that reaches it ends with "length".
    std::int32_t contextLimit() const;

    // Errors: context_overflow (with the numbers; also when the whole pool is too small), invalid_argument,
    // unsupported, already_exists, busy. On an error the sink is never called; else it gets exactly one chunk with
    // finish set.
    Result<void> submit(Request request);

    // The last chunk, with finish "cancelled", comes before this returns. An id that is not here any more: no effect.
    void cancel(RequestId id);

    // Runs one step. false: there was nothing to do, or everything waits for adapters that are on their way.
    bool step();

    bool idle() const;  // no request is running or waiting
    ServingStats stats() const;
    const DecodeAlone& decodeAlone() const;         // since the loop was made
    std::vector<LiveRequest> requests() const;      // by arrival
    PageMap pageMap(std::int32_t mostCells) const;  // O(pages)
    std::vector<StepRecord> steps(
        std::size_t most) const;               // the newest, oldest of them first; without the model's name
    std::vector<double> recentTtftMs() const;  // samples of the last minute, to merge over models
    std::vector<double> recentTpotMs() const;
    std::int64_t kvBytes() const;  // memory of the page arrays, and of what adapters need beside them

    // The adapter was removed or replaced: its pages are free when nobody runs with it any more.
    void retireAdapter(std::string_view digest, MoveCause cause);

    // Where it is, as far as the pool knows: there, on its way there, or nothing.
    std::optional<AdapterLocation> placeOf(const AdapterSource& adapter) const;

    void dropPrefixCache();               // frees every page no running sequence reads
    Result<void> checkIntegrity() const;  // pool, cache and sequences agree; O(pages); tests and idle time

private:
    class Impl;
    explicit ServingLoop(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> m_impl;
};

}  // namespace espalier
