// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/serving_loop.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <unordered_map>

#include "core/serving/batch_plan.h"
#include "core/serving/fair_share.h"
#include "core/serving/kv_cache.h"
#include "core/serving/pager.h"
#include "core/serving/request_check.h"
#include "core/serving/sampler.h"
#include "core/serving/scheduler.h"
#include "core/serving/sequence.h"
#include "core/serving/wait_estimate.h"

namespace espalier {
namespace {

// Output lengths of the answers that ended last, for admission.
class OutputLengths {
public:
    void add(std::int32_t tokens) {
        m_lengths.push_back(tokens);
        if (m_lengths.size() > kRemembered) m_lengths.pop_front();
        auto sorted = std::vector(m_lengths.begin(), m_lengths.end());
        const auto at = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) * 8 / 10);
        std::nth_element(sorted.begin(), at, sorted.end());
        m_expected = *at;
    }
    std::int32_t expected() const { return m_expected; }  // the 80th percentile

private:
    static constexpr std::size_t kRemembered = 128;
    std::deque<std::int32_t> m_lengths;
    std::int32_t m_expected = 64;
};

std::span<const float> row(const ConstTensorView& matrix, std::int32_t index) {
    return {matrix.as<float>() + index * matrix.stride[0], static_cast<std::size_t>(matrix.cols())};
}

bool hasPenalties(const SamplingParams& params) {
    return params.repetitionPenalty != 1.0 || params.presencePenalty != 0.0 || params.frequencyPenalty != 0.0;
}

}  // namespace

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
          m_pager(backend, m_kv.layers(), options.poolPages, transformer.maxBatchTokens(),
                  options.prefixCache && transformer.spec().causal, options.hashKey) {
        m_limits.maxBatchTokens = std::min(options.maxBatchTokens, transformer.maxBatchTokens());
        m_limits.maxLogitRows = transformer.maxLogitRows();
        m_limits.maxSequences = std::min({options.maxSequences, m_limits.maxBatchTokens, m_limits.maxLogitRows});
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
    Result<void> checkIntegrity() const { return m_pager.checkIntegrity(m_sequences); }
    void dropPrefixCache() { m_pager.dropIdle(); }
    std::vector<double> recentTtftMs() const { return m_ttftMs.values(m_clock.now()); }
    std::vector<double> recentTpotMs() const { return m_tpotMs.values(m_clock.now()); }
    std::int64_t kvBytes() const { return m_kv.bytes() + m_pager.adapters().ranksBytes(); }

private:
    // A token of an encoder sees all of its text, so a text is neither cut into chunks nor continued from a cache.
    bool readsWholeTexts() const { return !m_transformer.spec().causal; }
    std::int64_t poolTokens(std::int32_t adapterPages) const {
        return std::int64_t{m_pager.pool().pageCount() - adapterPages} * kTokensPerPage;
    }

    // a step
    SequenceView viewOf(Sequence& sequence, bool mayAdmit);
    std::int32_t adapterIndex(const Sequence& sequence);
    void addToBatch(const StepPlan& plan);
    const StepPlan& plan();
    void readShares();
    Result<void> checkShare(const Request& request) const;
    std::int32_t tokenLimit(const Request& request) const;
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
    Pager m_pager;
    FairShare m_fairShare;
    Sampler m_sampler;
    StepLimits m_limits;
    OutputLengths m_outputLengths;

    std::vector<std::unique_ptr<Sequence>> m_sequences;  // running and waiting, by arrival
    std::vector<SequenceView> m_views;
    std::vector<const LoraImage*> m_adapters;  // of the view: each adapter once
    std::vector<std::int32_t> m_adapterPages;
    std::vector<const ResidentAdapter*> m_stepAdapters;
    std::vector<std::int32_t> m_pageCaps;  // by tenant
    PlanMemory m_planMemory;
    StepPlan m_plan;
    WaitEstimate m_waitEstimate;
    BatchPlan m_batch;
    Chunk m_chunk;

    ServingCounters m_counters;
    DecodeAlone m_alone;
    LatencyWindow m_ttftMs, m_tpotMs, m_e2eMs, m_queueMs;
    RateWindow m_prefillRate, m_decodeRate, m_swapInRate;
};

// ---- requests

Result<void> ServingLoop::Impl::submit(Request request) {
    const ArchSpec& spec = m_transformer.spec();
    if (request.adapter) TRY(m_pager.adapters().check(*request.adapter));
    const std::int32_t adapterPages = request.adapter ? request.adapter->pages : 0;
    TRY(checkRequest(request, {.vocabulary = spec.vocabulary,
                               .modelContext = spec.context,
                               .poolTokens = static_cast<std::int32_t>(std::min<std::int64_t>(poolTokens(adapterPages), INT32_MAX)),
                               .hasTokenizer = m_tokenizer != nullptr,
                               .lmHead = spec.lmHead,
                               .wholeTextRows = readsWholeTexts() ? m_limits.maxBatchTokens : 0}));
    std::int32_t waiting = 0;
    for (const auto& other : m_sequences) {
        waiting += !other->isRunning;
        if (other->request.id == request.id)
            return espalier::fail(ErrorCode::AlreadyExists,
                                  "request " + std::to_string(request.id.value) + " is already here");
    }
    if (waiting >= m_options.maxWaiting)
        return espalier::fail(ErrorCode::Busy, std::to_string(waiting) + " requests are already waiting");
    TRY(checkShare(request));

    auto sequence = std::make_unique<Sequence>();
    sequence->tokens = request.prompt;
    sequence->request = std::move(request);
    const Request& kept = sequence->request;
    if (kept.kind == RequestKind::Generate) {
        sequence->maxTokens = std::min(kept.maxTokens, tokenLimit(kept) - sequence->promptTokens());
        if (hasPenalties(kept.sampling)) sequence->history.emplace().addPrompt(kept.prompt);
        if (m_tokenizer) sequence->decoder.emplace(m_tokenizer, kept.skipSpecial);
        if (!kept.stop.empty()) sequence->stops.emplace(kept.stop);
    } else if (kept.kind == RequestKind::Embed) {
        sequence->embedding.emplace(kept.pooling, kept.normalize);
    }
    sequence->tenant = m_fairShare.enter(kept.tenant);
    sequence->rootKey =
        m_pager.rootKey({.modelDigest = m_options.modelDigest,
                         .adapterDigest = kept.adapter ? std::string_view(kept.adapter->digest) : std::string_view(),
                         .tenant = kept.tenant});
    sequence->submitted = m_clock.now();
    m_sequences.push_back(std::move(sequence));
    return {};
}

// Most tokens the request's sequence may have: its tenant's pages are a limit like the context.
std::int32_t ServingLoop::Impl::tokenLimit(const Request& request) const {
    const std::int64_t pages = request.share ? request.share->kvPages.load() : 0;
    const std::int32_t most = contextLimit(request.adapter ? request.adapter->pages : 0);
    return pages > 0 ? static_cast<std::int32_t>(std::min<std::int64_t>(most, pages * kTokensPerPage)) : most;
}

// What the request's tenant may not ask of this model, or not now.
Result<void> ServingLoop::Impl::checkShare(const Request& request) const {
    if (!request.share) return {};
    const std::int32_t room = request.kind == RequestKind::Generate ? 1 : 0;
    const auto tokens = static_cast<std::int32_t>(request.prompt.size());
    if (tokens + room > tokenLimit(request))
        return espalier::fail(ErrorCode::TooLarge,
                              "the prompt has " + std::to_string(tokens) + " tokens, " +
                                  std::to_string(request.share->kvPages.load()) + " KV pages of its tenant hold " +
                                  std::to_string(tokenLimit(request)),
                              "prompt");
    const std::int32_t patienceMs = request.share->firstTokenMs;
    if (patienceMs == 0) return {};
    std::vector<WaitEstimate::Prompt> queue;
    for (const auto& sequence : m_sequences)
        queue.push_back({sequence->request.tenant == request.tenant,
                         sequence->request.share ? sequence->request.share->weight.load() : 1.0, sequence->tenant,
                         std::max(0, sequence->promptTokens() - sequence->computed)});
    const auto expected = m_waitEstimate.untilFirstToken(queue, request.share->weight, tokens);
    if (!expected || *expected <= std::chrono::milliseconds(patienceMs)) return {};
    const auto whole = [](double number) { return static_cast<std::int64_t>(std::ceil(std::min(number, 1e9))); };
    const double lateByS = seconds(*expected - std::chrono::milliseconds(patienceMs));
    Error late = espalier::fail(ErrorCode::Busy,
                                "the first token is expected in " + std::to_string(whole(milliseconds(*expected))) +
                                    " ms, later than the " + std::to_string(patienceMs) + " ms that were asked for");
    late.retryAfterS = static_cast<std::int32_t>(std::max<std::int64_t>(1, whole(lateByS)));
    return late;
}

void ServingLoop::Impl::cancel(RequestId id) {
    for (const auto& sequence : m_sequences)
        if (sequence->request.id == id) finish(*sequence, FinishReason::Cancelled);
    removeDone();
}

// ---- a step

bool ServingLoop::Impl::step() {
    if (m_sequences.empty()) return false;
    const StepPlan& plan = this->plan();
    const auto at = [&](std::int32_t index) -> Sequence& { return *m_sequences[static_cast<std::size_t>(index)]; };
    for (const std::int32_t index : plan.preempted) preempt(at(index));
    for (const std::int32_t index : plan.admitted) admit(at(index));
    addToBatch(plan);
    if (m_batch.isEmpty()) {
        removeDone();
        return !plan.isEmpty();
    }

    ++m_counters.steps;
    m_counters.adapterSteps += m_batch.hasAdapters();
    const TimePoint began = m_clock.now();
    const auto output =
        m_transformer.forward(*m_stream, m_batch.forwardBatch(m_pager.adapters().ranks()), m_kv.layers());
    std::int32_t promptRows = 0;
    for (const BatchPlan::Part& part : m_batch.parts())
        promptRows += std::clamp(part.sequence->promptTokens() - part.sequence->computed, 0, part.rows);
    m_waitEstimate.measured(promptRows, m_clock.now() - began);
    const bool isAlone = m_batch.parts().size() == 1 && promptRows == 0 && m_batch.parts().front().logits == 1;
    const std::int32_t context = isAlone ? m_batch.parts().front().sequence->computed : 0;
    for (const BatchPlan::Part& part : m_batch.parts()) {
        if (output)
            consume(part, *output);
        else
            fail(*part.sequence, output.error());
    }
    if (isAlone && output) {
        ++m_alone.steps;
        m_alone.seconds += seconds(m_clock.now() - began);
        m_alone.contextTokens += context;
    }
    removeDone();
    return true;
}

// Sequences of one adapter side by side, in the order in which the plan first names them, and those without last. A
// sequence that gets no pages after all waits for the next plan.
void ServingLoop::Impl::addToBatch(const StepPlan& plan) {
    m_batch.clear();
    const auto addThose = [&](auto wanted) {
        for (const StepPlan::Work& work : plan.work) {
            Sequence& sequence = *m_sequences[static_cast<std::size_t>(work.sequence)];
            if (sequence.isRunning && wanted(sequence) && m_pager.grow(sequence, work.rows))
                m_batch.add(sequence, work.rows);
        }
    };
    m_stepAdapters.clear();
    for (const StepPlan::Work& work : plan.work) {
        const ResidentAdapter* adapter = m_sequences[static_cast<std::size_t>(work.sequence)]->adapter;
        if (adapter && std::ranges::find(m_stepAdapters, adapter) == m_stepAdapters.end())
            m_stepAdapters.push_back(adapter);
    }
    for (const ResidentAdapter* adapter : m_stepAdapters)
        addThose([&](const Sequence& sequence) { return sequence.adapter == adapter; });
    addThose([](const Sequence& sequence) { return !sequence.adapter; });
}

std::int32_t ServingLoop::Impl::adapterIndex(const Sequence& sequence) {
    const LoraImage* image = sequence.request.adapter.get();
    if (!image) return -1;
    const auto known = std::ranges::find_if(m_adapters, [&](const LoraImage* one) { return one->digest == image->digest; });
    if (known != m_adapters.end()) return static_cast<std::int32_t>(known - m_adapters.begin());
    m_adapters.push_back(image);
    m_adapterPages.push_back(image->pages);
    return static_cast<std::int32_t>(m_adapters.size() - 1);
}

const StepPlan& ServingLoop::Impl::plan() {
    std::int32_t running = 0;
    for (const auto& sequence : m_sequences) running += sequence->isRunning;
    m_views.clear();
    m_adapters.clear();
    m_adapterPages.clear();
    for (const auto& sequence : m_sequences) m_views.push_back(viewOf(*sequence, running < m_limits.maxSequences));
    m_limits.expectedOutput = m_outputLengths.expected();
    readShares();
    planStep({m_views, m_fairShare.served(), m_fairShare.weights(), m_pageCaps, m_adapterPages},
             m_pager.pool().usage(), m_limits, m_planMemory, m_plan);
    return m_plan;
}

// Limits are changed while requests run: what they are now holds for this step.
void ServingLoop::Impl::readShares() {
    m_pageCaps.assign(m_fairShare.served().size(), 0);
    for (const auto& sequence : m_sequences) {
        const TenantShare* share = sequence->request.share.get();
        if (!share) continue;
        m_fairShare.setWeight(sequence->tenant, share->weight);
        m_pageCaps[static_cast<std::size_t>(sequence->tenant)] = share->kvPages;
    }
}

SequenceView ServingLoop::Impl::viewOf(Sequence& sequence, bool mayAdmit) {
    SequenceView view;
    view.tenant = sequence.tenant;
    view.isRunning = sequence.isRunning;
    view.target = sequence.target();
    view.generated = sequence.generated();
    view.mayGenerate = std::max(0, sequence.maxTokens - sequence.generated());
    view.everyLogit = sequence.request.kind == RequestKind::Score;
    view.lastLogit = sequence.request.kind == RequestKind::Generate;
    view.isWhole = readsWholeTexts();
    view.adapter = adapterIndex(sequence);
    if (sequence.isRunning) {
        view.computed = sequence.computed;
        view.pages = static_cast<std::int32_t>(sequence.pages.size());
        view.sharedPages = m_pager.sharedPages(sequence);
    } else if (mayAdmit) {
        const Pager::CachedPrefix prefix = m_pager.cachedPrefix(sequence);
        view.computed = prefix.pages * kTokensPerPage;
        view.pages = prefix.pages;
        view.idlePages = prefix.idlePages;
    }
    return view;
}

void ServingLoop::Impl::preempt(Sequence& sequence) {
    m_pager.release(sequence);
    sequence.isRunning = false;
    ++m_counters.preemptions;
    if (sequence.embedding) sequence.embedding.emplace(sequence.request.pooling, sequence.request.normalize);
}

// A sequence whose adapter finds no room after all goes on waiting; when it is alone, nothing would ever make that room.
void ServingLoop::Impl::admit(Sequence& sequence) {
    sequence.reserve();
    const std::int32_t asked = m_pager.takeCachedPrefix(sequence);
    const std::int64_t loaded = m_pager.adapters().loadedBytes();
    if (auto taken = m_pager.takeAdapter(sequence, *m_stream); !taken) {
        m_pager.release(sequence);
        const bool isAlone = std::ranges::none_of(m_sequences, [](const auto& other) { return other->isRunning; });
        if (isAlone) fail(sequence, std::move(taken).error());
        return;
    }
    if (const std::int64_t more = m_pager.adapters().loadedBytes() - loaded; more > 0)
        m_swapInRate.add(m_clock.now(), static_cast<double>(more));
    sequence.isRunning = true;
    m_counters.prefixQueries += asked;
    m_counters.prefixHits += sequence.computed;
    if (sequence.admitted) return;
    sequence.admitted = m_clock.now();
    sequence.promptCached = sequence.computed;
    sequence.charged = sequence.computed;
    m_queueMs.add(*sequence.admitted, milliseconds(*sequence.admitted - sequence.submitted));
}

void ServingLoop::Impl::consume(const BatchPlan::Part& part, const Transformer::Output& output) {
    Sequence& sequence = *part.sequence;
    const std::int32_t firstPosition = sequence.computed;
    sequence.computed += part.rows;
    m_pager.publish(sequence);

    const std::int32_t promptRows = std::clamp(sequence.promptTokens() - firstPosition, 0, part.rows);
    m_prefillRate.add(m_clock.now(), promptRows);
    const std::int32_t fresh = std::min(sequence.computed, sequence.promptTokens()) - sequence.charged;
    if (fresh > 0) {
        m_fairShare.charge(sequence.tenant, kPromptTokenCost * fresh);
        sequence.charged += fresh;
        if (sequence.charged >= std::min(sequence.target(), sequence.promptTokens()))
            m_counters.promptTokens += sequence.promptTokens();
    }

    switch (sequence.request.kind) {
        case RequestKind::Generate:
            if (part.logits > 0) sampleToken(sequence, row(output.logits, part.firstLogit));
            break;
        case RequestKind::Score: scoreTokens(part, firstPosition, output.logits); break;
        case RequestKind::Embed: embed(part, output.hidden); break;
    }
}

void ServingLoop::Impl::sampleToken(Sequence& sequence, std::span<const float> logits) {
    const Request& request = sequence.request;
    const auto id = m_sampler.sample(logits, request.sampling, sequence.history ? &*sequence.history : nullptr,
                                     static_cast<std::uint64_t>(sequence.generated()));
    if (!id) return fail(sequence, id.error());
    recordToken(sequence);
    if (std::find(request.stopIds.begin(), request.stopIds.end(), *id) != request.stopIds.end()) {
        freshChunk(sequence);
        return complete(sequence, FinishReason::Stop);
    }
    Chunk& chunk = freshChunk(sequence);
    if (request.logprobs >= 0) {
        auto logprob = m_sampler.logprob(logits, *id, request.logprobs);
        if (!logprob) return fail(sequence, logprob.error());
        chunk.logprobs.push_back(std::move(*logprob));
    }
    answer(sequence, *id);
}

void ServingLoop::Impl::recordToken(Sequence& sequence) {
    const TimePoint now = m_clock.now();
    if (!sequence.firstToken) {
        sequence.firstToken = now;
        m_ttftMs.add(now, milliseconds(now - sequence.submitted));
    } else {
        m_tpotMs.add(now, milliseconds(now - sequence.lastToken));
    }
    sequence.lastToken = now;
    ++sequence.drawn;
    ++m_counters.generationTokens;
    m_decodeRate.add(now, 1);
    m_fairShare.charge(sequence.tenant, kGeneratedTokenCost);
}

// Adds one token to the answer and gives the chunk in the making to the sink.
void ServingLoop::Impl::answer(Sequence& sequence, TokenId id) {
    sequence.tokens.push_back(id);
    if (sequence.history) sequence.history->addOutput(id);
    m_chunk.ids.push_back(id);
    bool stopped = false;
    if (sequence.decoder) {
        // A model may have more ids than its tokenizer knows; those add no text.
        const std::string piece = sequence.decoder->push(id).value_or({});
        if (sequence.stops)
            stopped = sequence.stops->push(piece, m_chunk.text);
        else
            m_chunk.text += piece;
    }
    if (stopped)
        complete(sequence, FinishReason::Stop);
    else if (sequence.generated() >= sequence.maxTokens)
        complete(sequence, FinishReason::Length);
    else
        sequence.request.sink(m_chunk);
}

void ServingLoop::Impl::scoreTokens(const BatchPlan::Part& part, std::int32_t firstPosition,
                                    const ConstTensorView& logits) {
    Sequence& sequence = *part.sequence;
    Chunk& chunk = freshChunk(sequence);
    // Computing again after a preemption gives what was given before.
    for (std::int32_t i = std::max(0, sequence.scored - firstPosition); i < part.logits; ++i) {
        const TokenId next = sequence.tokens[static_cast<std::size_t>(firstPosition + i + 1)];
        auto logprob = m_sampler.logprob(row(logits, part.firstLogit + i), next, sequence.request.logprobs);
        if (!logprob) return fail(sequence, logprob.error());
        chunk.logprobs.push_back(std::move(*logprob));
        ++sequence.scored;
    }
    if (sequence.computed >= sequence.target())
        complete(sequence, FinishReason::Stop);
    else if (!chunk.logprobs.empty())
        sequence.request.sink(chunk);
}

void ServingLoop::Impl::embed(const BatchPlan::Part& part, const ConstTensorView& hidden) {
    Sequence& sequence = *part.sequence;
    for (std::int32_t i = 0; i < part.hiddens; ++i) sequence.embedding->add(row(hidden, part.firstHidden + i));
    if (sequence.computed < sequence.target()) return;
    auto embedding = sequence.embedding->finish();
    if (!embedding) return fail(sequence, embedding.error());
    freshChunk(sequence).embedding = std::move(*embedding);
    complete(sequence, FinishReason::Stop);
}

// ---- ends

Chunk& ServingLoop::Impl::freshChunk(const Sequence& sequence) {
    m_chunk.id = sequence.request.id;
    m_chunk.text.clear();
    m_chunk.ids.clear();
    m_chunk.logprobs.clear();
    m_chunk.embedding.clear();
    m_chunk.finish.reset();
    m_chunk.error.reset();
    m_chunk.usage = {};
    m_chunk.timing = {};
    return m_chunk;
}

void ServingLoop::Impl::finish(Sequence& sequence, FinishReason reason) {
    freshChunk(sequence);
    complete(sequence, reason);
}

void ServingLoop::Impl::fail(Sequence& sequence, Error error) {
    freshChunk(sequence).error = std::move(error);
    complete(sequence, FinishReason::Failed);
}

// Closes the chunk in the making, gives it to the sink and frees what the sequence holds.
void ServingLoop::Impl::complete(Sequence& sequence, FinishReason reason) {
    const TimePoint now = m_clock.now();
    const bool isWhole = reason == FinishReason::Stop || reason == FinishReason::Length;
    if (isWhole && sequence.decoder) {
        // After a complete stop string the matcher gives nothing more.
        const std::string rest = sequence.decoder->finish();
        if (sequence.stops) {
            if (!sequence.stops->push(rest, m_chunk.text)) sequence.stops->flush(m_chunk.text);
        } else {
            m_chunk.text += rest;
        }
    }
    m_chunk.finish = reason;
    m_chunk.usage = {sequence.promptTokens(), sequence.promptCached, sequence.generated()};
    m_chunk.timing.queueMs = milliseconds(sequence.admitted.value_or(now) - sequence.submitted);
    m_chunk.timing.totalMs = milliseconds(now - sequence.submitted);
    if (sequence.firstToken) {
        m_chunk.timing.ttftMs = milliseconds(*sequence.firstToken - sequence.submitted);
        const double after = seconds(sequence.lastToken - *sequence.firstToken);
        if (after > 0.0) m_chunk.timing.tokensPerS = (sequence.drawn - 1) / after;
    }
    switch (reason) {
        case FinishReason::Stop: ++m_counters.finishedStop; break;
        case FinishReason::Length: ++m_counters.finishedLength; break;
        case FinishReason::Cancelled: ++m_counters.finishedCancelled; break;
        case FinishReason::Failed: ++m_counters.finishedFailed; break;
    }
    if (isWhole) {
        m_e2eMs.add(now, m_chunk.timing.totalMs);
        if (sequence.request.kind == RequestKind::Generate) m_outputLengths.add(sequence.generated());
    }
    m_pager.release(sequence);
    m_fairShare.leave(sequence.tenant);
    sequence.isDone = true;
    sequence.request.sink(m_chunk);
}

void ServingLoop::Impl::removeDone() {
    std::erase_if(m_sequences, [](const std::unique_ptr<Sequence>& sequence) { return sequence->isDone; });
}

// ---- watching

ServingStats ServingLoop::Impl::stats() const {
    const TimePoint now = m_clock.now();
    ServingStats stats;
    std::unordered_map<FairShare::Slot, TenantInLoop> tenants;
    for (const auto& sequence : m_sequences) {
        ++(sequence->isRunning ? stats.running : stats.waiting);
        TenantInLoop& tenant = tenants[sequence->tenant];
        tenant.name = sequence->request.tenant;
        ++(sequence->isRunning ? tenant.running : tenant.waiting);
        tenant.pages += static_cast<std::int64_t>(sequence->pages.size());
    }
    for (auto& [slot, tenant] : tenants) stats.tenants.push_back(std::move(tenant));
    stats.pages = m_pager.pool().usage();
    stats.pageBytes = m_kv.bytesPerPage();
    stats.prefillTokensPerS = m_prefillRate.perSecond(now);
    stats.decodeTokensPerS = m_decodeRate.perSecond(now);
    stats.swapInBytesPerS = m_swapInRate.perSecond(now);
    stats.ttftMs = m_ttftMs.percentiles(now);
    stats.tpotMs = m_tpotMs.percentiles(now);
    stats.e2eMs = m_e2eMs.percentiles(now);
    stats.queueMs = m_queueMs.percentiles(now);
    stats.counters = m_counters;
    stats.counters.prefixEvictedPages = m_pager.evictedPages();
    const AdapterCache& adapters = m_pager.adapters();
    stats.adapters = adapters.residents();
    stats.counters.adapterLoads = adapters.loads();
    stats.counters.adapterHits = adapters.hits();
    stats.counters.adapterEvictions = adapters.evictions();
    stats.counters.adapterLoadedBytes = adapters.loadedBytes();
    return stats;
}

std::vector<LiveRequest> ServingLoop::Impl::requests() const {
    std::vector<LiveRequest> list;
    for (const auto& sequence : m_sequences) list.push_back(liveRequestOf(*sequence, m_clock.now()));
    return list;
}

PageMap ServingLoop::Impl::pageMap(std::int32_t mostCells) const {
    const PagePool& pool = m_pager.pool();
    std::vector<std::int64_t> readers(static_cast<std::size_t>(pool.pageCount()), kNoReader);
    for (const auto& sequence : m_sequences)
        for (const PageId page : sequence->pages) {
            std::int64_t& reader = readers[static_cast<std::size_t>(page)];
            reader = reader == kNoReader ? static_cast<std::int64_t>(sequence->request.id.value) : kSeveralReaders;
        }
    PageMap map = mapPages(pool.owners(), readers, mostCells);
    map.pageBytes = m_kv.bytesPerPage();
    return map;
}

// ---- the public face

ServingLoop::ServingLoop(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
ServingLoop::~ServingLoop() = default;

Result<std::unique_ptr<ServingLoop>> ServingLoop::create(Backend& backend, Transformer& transformer,
                                                         std::shared_ptr<const Tokenizer> tokenizer,
                                                         const ServingOptions& options, const Clock& clock) {
    if (options.poolPages < 1 || options.maxBatchTokens < 1 || options.maxSequences < 1 || options.maxWaiting < 1)
        return fail(ErrorCode::InvalidArgument,
                    "pool pages, batch tokens, sequences and waiting requests must be at least 1");
    TRY_ASSIGN(KvCache kv, KvCache::create(backend, transformer.spec(), options.kvType, options.poolPages));
    return std::unique_ptr<ServingLoop>(new ServingLoop(
        std::make_unique<Impl>(backend, transformer, std::move(tokenizer), options, clock, std::move(kv))));
}

std::int32_t ServingLoop::contextLimit() const { return m_impl->contextLimit(); }
Result<void> ServingLoop::submit(Request request) { return m_impl->submit(std::move(request)); }
void ServingLoop::cancel(RequestId id) { m_impl->cancel(id); }
bool ServingLoop::step() { return m_impl->step(); }
bool ServingLoop::idle() const { return m_impl->idle(); }
ServingStats ServingLoop::stats() const { return m_impl->stats(); }
const DecodeAlone& ServingLoop::decodeAlone() const { return m_impl->decodeAlone(); }
std::vector<LiveRequest> ServingLoop::requests() const { return m_impl->requests(); }
PageMap ServingLoop::pageMap(std::int32_t mostCells) const { return m_impl->pageMap(mostCells); }
std::vector<double> ServingLoop::recentTtftMs() const { return m_impl->recentTtftMs(); }
std::vector<double> ServingLoop::recentTpotMs() const { return m_impl->recentTpotMs(); }
std::int64_t ServingLoop::kvBytes() const { return m_impl->kvBytes(); }
void ServingLoop::dropPrefixCache() { m_impl->dropPrefixCache(); }
Result<void> ServingLoop::checkIntegrity() const { return m_impl->checkIntegrity(); }

}  // namespace espalier
