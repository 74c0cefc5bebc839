// SPDX-License-Identifier: GPL-3.0-or-later
// What a ServingLoop is made of. Included by its parts alone: serving_loop.cpp (requests and steps), _adapters (what is
// on its way), _answers (from rows to chunks, and ends), _watch (what people see).
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/serving/adapter_mover.h"
#include "core/serving/adapter_tiers.h"
#include "core/serving/batch_plan.h"
#include "core/serving/fair_share.h"
#include "core/serving/kv_cache.h"
#include "core/serving/output_lengths.h"
#include "core/serving/pager.h"
#include "core/serving/request_check.h"
#include "core/serving/sampler.h"
#include "core/serving/scheduler.h"
#include "core/serving/sequence.h"
#include "core/serving/serving_loop.h"
#include "core/serving/step_trace.h"
#include "core/serving/wait_estimate.h"

namespace espalier {

// For a loop that shares nothing: what it is asked to move is there at once.
struct OwnTiers {
    explicit OwnTiers(const Clock& clock) : tiers(lane, lane, clock, INT64_MAX) {}
    InlineLane lane;
    AdapterTiers tiers;
};

class ServingLoop::Impl {
public:
    Impl(Backend& backend, Transformer& transformer, std::shared_ptr<const Tokenizer> tokenizer,
         const ServingOptions& options, const Clock& clock, KvCache kv)
        : m_transformer(transformer),
          m_tokenizer(std::move(tokenizer)),
          m_options(options),
          m_clock(clock),
          m_stream(backend.makeStream()),
          m_kv(std::move(kv)),
          m_ownTiers(options.tiers ? nullptr : std::make_unique<OwnTiers>(clock)),
          m_tiers(options.tiers ? *options.tiers : m_ownTiers->tiers),
          m_pager(backend, m_kv.layers(), options.poolPages, transformer.maxBatchTokens(),
                  options.prefixCache && transformer.spec().causal, options.hashKey, m_tiers, clock,
                  options.pagesForAdapters),
          m_mover(m_tiers, m_pager, options.prefetch) {
        m_limits.maxBatchTokens = std::min(options.maxBatchTokens, transformer.maxBatchTokens());
        m_limits.maxLogitRows = transformer.maxLogitRows();
        m_limits.maxSequences = std::min({options.maxSequences, m_limits.maxBatchTokens, m_limits.maxLogitRows});
        m_limits.doorSequences = m_limits.maxSequences;
    }

    ~Impl() {
        for (const auto& sequence : m_sequences)
            if (!sequence->isDone) finish(*sequence, FinishReason::Cancelled);
    }

    // adapterPages: of the pool, that the sequence's adapter takes.
    std::int32_t contextLimit(std::int32_t adapterPages = 0) const {
        const auto limit =
            static_cast<std::int32_t>(std::min<std::int64_t>(m_transformer.spec().context, poolTokens(adapterPages)));
        return readsWholeTexts() ? std::min(limit, m_limits.maxBatchTokens) : limit;
    }

    Result<void> submit(Request request);
    void cancel(RequestId id);
    bool step();
    bool idle() const { return m_sequences.empty(); }
    ServingStats stats() const;
    const DecodeAlone& decodeAlone() const { return m_alone; }
    std::vector<LiveRequest> requests() const;
    PageMap pageMap(std::int32_t mostCells) const;
    std::optional<AdapterLocation> placeOf(const AdapterSource& adapter) const;
    std::vector<StepRecord> steps(std::size_t most) const { return m_steps.newest(most); }
    Result<void> checkIntegrity() const {
        TRY(m_tiers.arena.checkIntegrity());
        return m_pager.checkIntegrity(m_sequences);
    }
    void retireAdapter(std::string_view digest, MoveCause cause) { m_pager.adapters().retire(digest, cause); }
    void dropPrefixCache() { m_pager.dropIdle(); }
    std::vector<double> recentTtftMs() const { return m_ttftMs.values(m_clock.now()); }
    std::vector<double> recentTpotMs() const { return m_tpotMs.values(m_clock.now()); }
    std::int64_t kvBytes() const { return m_kv.bytes() + m_pager.adapters().ranksBytes(); }

private:
    // A token of an encoder sees all of its text, so a text is neither cut into chunks nor continued from a cache.
    bool readsWholeTexts() const { return !m_transformer.spec().causal; }
    std::int64_t poolTokens(std::int32_t adapterPages) const {
        return std::int64_t{m_pager.pagesForKv(adapterPages)} * kTokensPerPage;
    }

    Hash128 rootKeyOf(const Request& request) const;

    // adapters that are on their way
    RequestLimits limitsBeside(std::int32_t adapterPages) const;
    Result<std::optional<std::int32_t>> pagesOfAdapter(const Request& request) const;
    void settleAdapters();
    void readFailed(Sequence& sequence, Error error);
    Result<void> size(Sequence& sequence) const;
    bool moveAdapters(const StepPlan& plan);
    bool letGoOfRetired();
    void countSwaps();

    // a step
    QueueView queueView() const;
    SequenceView viewOf(Sequence& sequence, bool mayAdmit);
    void addToBatch(const StepPlan& plan);
    const StepPlan& plan();
    void readShares();
    Result<void> checkShare(const Request& request, std::int32_t adapterPages) const;
    std::int32_t tokenLimit(const Request& request, std::int32_t adapterPages) const;
    void preempt(Sequence& sequence);
    void admit(Sequence& sequence);
    void consume(const BatchPlan::Part& part, const Transformer::Output& output);
    void sampleToken(Sequence& sequence, std::span<const float> logits);
    void answer(Sequence& sequence, TokenId id);
    void scoreTokens(const BatchPlan::Part& part, std::int32_t firstPosition, const ConstTensorView& logits);
    void embed(const BatchPlan::Part& part, const ConstTensorView& hidden);
    void recordToken(Sequence& sequence);

    Chunk& freshChunk(const Sequence& sequence);
    void finish(Sequence& sequence, FinishReason reason);
    void fail(Sequence& sequence, Error error);
    void complete(Sequence& sequence, FinishReason reason);
    void removeDone();

    Transformer& m_transformer;
    std::shared_ptr<const Tokenizer> m_tokenizer;
    const ServingOptions m_options;
    const Clock& m_clock;
    std::unique_ptr<Stream> m_stream;
    KvCache m_kv;
    const std::unique_ptr<OwnTiers> m_ownTiers;  // null: m_tiers are somebody's who looks after them
    AdapterTiers& m_tiers;
    Pager m_pager;
    AdapterMover m_mover;
    FairShare m_fairShare;
    Sampler m_sampler;
    StepLimits m_limits;
    OutputLengths m_outputLengths;

    std::vector<std::unique_ptr<Sequence>> m_sequences;  // running and waiting, by arrival
    std::vector<SequenceView> m_views;
    std::vector<const ResidentAdapter*> m_stepAdapters;
    std::vector<std::int32_t> m_pageCaps;  // by tenant
    std::int32_t m_firstAdmissions = 0;    // of this step
    PlanMemory m_planMemory;
    StepPlan m_plan;
    WaitEstimate m_waitEstimate;
    BatchPlan m_batch;
    Chunk m_chunk;

    ServingCounters m_counters;
    DecodeAlone m_alone;
    LatencyWindow m_ttftMs, m_tpotMs, m_e2eMs, m_queueMs;
    RateWindow m_prefillRate, m_decodeRate, m_swapInRate, m_swapOutRate;
    std::int64_t m_swappedIn = 0, m_swappedOut = 0;  // bytes that the rates have counted
    StepTrace m_steps;
};

}  // namespace espalier
