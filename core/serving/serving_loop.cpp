// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/serving_loop.h"

#include <cmath>

#include "core/serving/serving_loop_impl.h"

namespace espalier {
namespace {

bool hasPenalties(const SamplingParams& params) {
    return params.repetitionPenalty != 1.0 || params.presencePenalty != 0.0 || params.frequencyPenalty != 0.0;
}

}  // namespace

// ---- requests

Result<void> ServingLoop::Impl::submit(Request request) {
    TRY_ASSIGN(const auto knownPages, pagesOfAdapter(request));
    const std::int32_t adapterPages = knownPages.value_or(0);
    TRY(checkRequest(request, limitsBeside(adapterPages)));
    std::int32_t waiting = 0;
    for (const auto& other : m_sequences) {
        waiting += !other->isRunning;
        if (other->request.id == request.id)
            return espalier::fail(ErrorCode::AlreadyExists,
                                  "request " + std::to_string(request.id.value) + " is already here");
    }
    if (waiting >= m_options.maxWaiting)
        return espalier::fail(ErrorCode::Busy, std::to_string(waiting) + " requests are already waiting");
    TRY(checkShare(request, adapterPages));

    auto sequence = std::make_unique<Sequence>();
    sequence->tokens = request.prompt;
    sequence->request = std::move(request);
    sequence->isSized = knownPages.has_value();
    const Request& kept = sequence->request;
    if (kept.kind == RequestKind::Generate) {
        sequence->maxTokens = std::min(kept.maxTokens, tokenLimit(kept, adapterPages) - sequence->promptTokens());
        if (hasPenalties(kept.sampling)) sequence->history.emplace().addPrompt(kept.prompt);
        if (m_tokenizer) sequence->decoder.emplace(m_tokenizer, kept.skipSpecial);
        if (!kept.stop.empty()) sequence->stops.emplace(kept.stop);
    } else if (kept.kind == RequestKind::Embed) {
        sequence->embedding.emplace(kept.pooling, kept.normalize);
    }
    sequence->tenant = m_fairShare.enter(m_options.isFirstComeFirstServed ? std::string_view() : kept.tenant);
    sequence->rootKey = rootKeyOf(kept);
    if (kept.adapter) m_tiers.arena.use(*kept.adapter);
    sequence->submitted = m_clock.now();
    m_sequences.push_back(std::move(sequence));
    return {};
}

// Most tokens the request's sequence may have: its tenant's pages are a limit like the context.
std::int32_t ServingLoop::Impl::tokenLimit(const Request& request, std::int32_t adapterPages) const {
    const std::int64_t pages = request.share ? request.share->kvPages.load() : 0;
    const std::int32_t most = contextLimit(adapterPages);
    return pages > 0 ? static_cast<std::int32_t>(std::min<std::int64_t>(most, pages * kTokensPerPage)) : most;
}

// What the request's tenant may not ask of this model, or not now.
Result<void> ServingLoop::Impl::checkShare(const Request& request, std::int32_t adapterPages) const {
    if (!request.share) return {};
    const std::int32_t room = request.kind == RequestKind::Generate ? 1 : 0;
    const auto tokens = static_cast<std::int32_t>(request.prompt.size());
    if (tokens + room > tokenLimit(request, adapterPages))
        return espalier::fail(ErrorCode::TooLarge,
                              "the prompt has " + std::to_string(tokens) + " tokens, " +
                                  std::to_string(request.share->kvPages.load()) + " KV pages of its tenant hold " +
                                  std::to_string(tokenLimit(request, adapterPages)),
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

Hash128 ServingLoop::Impl::rootKeyOf(const Request& request) const {
    const auto adapter = request.adapter ? std::string_view(request.adapter->digest) : std::string_view();
    return m_pager.rootKey({.modelDigest = m_options.modelDigest, .adapterDigest = adapter, .tenant = request.tenant});
}

// ---- a step

bool ServingLoop::Impl::step() {
    settleAdapters();
    if (m_sequences.empty()) {
        m_mover.rest();
        return false;
    }
    const StepPlan& plan = this->plan();
    const auto at = [&](std::int32_t index) -> Sequence& { return *m_sequences[static_cast<std::size_t>(index)]; };
    for (const std::int32_t index : plan.preempted) preempt(at(index));
    for (const std::int32_t index : plan.admitted) {
        admit(at(index));
        m_views[static_cast<std::size_t>(index)].isRunning = at(index).isRunning;  // its turn has come
    }
    addToBatch(plan);
    const bool moved = moveAdapters(plan);
    if (m_batch.isEmpty()) {
        removeDone();
        return !plan.isEmpty() || moved || letGoOfRetired();
    }

    ++m_counters.steps;
    m_counters.adapterSteps += m_batch.hasAdapters();
    const TimePoint began = m_clock.now();
    AdapterCache& adapters = m_pager.adapters();
    const auto output = m_transformer.forward(
        *m_stream, m_batch.forwardBatch(adapters.ranks(), adapters.gate(m_stepAdapters)), m_kv.layers());
    std::int32_t promptRows = 0;
    for (const BatchPlan::Part& part : m_batch.parts())
        promptRows += std::clamp(part.sequence->promptTokens() - part.sequence->computed, 0, part.rows);
    const Duration took = m_clock.now() - began;
    std::int32_t rows = 0;
    for (const BatchPlan::Part& part : m_batch.parts()) rows += part.rows;
    m_steps.add({.at = m_clock.unixMilliseconds(),
                 .seconds = seconds(took),
                 .promptRows = promptRows,
                 .answerRows = rows - promptRows,
                 .adapters = static_cast<std::int32_t>(m_stepAdapters.size())});
    m_waitEstimate.measured(promptRows, took);
    m_pager.promptsMeasured(promptRows, took);
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

QueueView ServingLoop::Impl::queueView() const {
    return {m_views, m_fairShare.served(), m_fairShare.weights(), m_pageCaps, m_mover.pages()};
}

const StepPlan& ServingLoop::Impl::plan() {
    std::int32_t running = 0;
    for (const auto& sequence : m_sequences) running += sequence->isRunning;
    m_views.clear();
    m_mover.beginView();
    for (const auto& sequence : m_sequences)
        m_views.push_back(viewOf(*sequence, running < m_limits.maxSequences + m_limits.doorSequences));
    m_limits.expectedOutput = m_outputLengths.expected();
    readShares();
    planStep(queueView(), m_pager.usageForKv(), m_limits, m_planMemory, m_plan);
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
    view.adapter = m_mover.viewAdapter(sequence.request);
    view.isAdapterReady = view.adapter < 0 || (sequence.isSized && m_mover.isReady(view.adapter));
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
    m_pager.preempt(sequence);
    sequence.isRunning = false;
    ++m_counters.preemptions;
    if (sequence.embedding) sequence.embedding.emplace(sequence.request.pooling, sequence.request.normalize);
}

// A sequence whose adapter went in this very step, retired by its last user, goes on waiting.
void ServingLoop::Impl::admit(Sequence& sequence) {
    sequence.reserve();
    const std::int32_t asked = m_pager.takeCachedPrefix(sequence);
    if (!m_pager.takeAdapter(sequence)) return m_pager.release(sequence);
    sequence.isRunning = true;
    m_counters.prefixQueries += asked;
    m_counters.prefixHits += sequence.computed;
    if (sequence.admitted) return;
    sequence.admitted = m_clock.now();
    ++m_firstAdmissions;
    if (sequence.adapter) {
        m_mover.count(sequence);
        m_counters.adapterHits += sequence.adapterFrom == AdapterTier::Pool;
    }
    sequence.promptCached = sequence.computed;
    sequence.charged = sequence.computed;
    m_queueMs.add(*sequence.admitted, milliseconds(*sequence.admitted - sequence.submitted));
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
    if (options.pagesForAdapters < 0 || options.pagesForAdapters >= options.poolPages)
        return fail(ErrorCode::InvalidArgument, "adapters alone cannot have all pages of the pool");
    TRY_ASSIGN(KvCache kv, KvCache::create(backend, transformer.spec(), options.kvType, options.poolPages));
    return std::unique_ptr<ServingLoop>(new ServingLoop(
        std::make_unique<Impl>(backend, transformer, std::move(tokenizer), options, clock, std::move(kv))));
}

std::int32_t ServingLoop::contextLimit() const {
    return m_impl->contextLimit();
}
Result<void> ServingLoop::submit(Request request) {
    return m_impl->submit(std::move(request));
}
void ServingLoop::cancel(RequestId id) {
    m_impl->cancel(id);
}
bool ServingLoop::step() {
    return m_impl->step();
}
bool ServingLoop::idle() const {
    return m_impl->idle();
}
ServingStats ServingLoop::stats() const {
    return m_impl->stats();
}
const DecodeAlone& ServingLoop::decodeAlone() const {
    return m_impl->decodeAlone();
}
std::vector<LiveRequest> ServingLoop::requests() const {
    return m_impl->requests();
}
std::vector<StepRecord> ServingLoop::steps(std::size_t most) const {
    return m_impl->steps(most);
}
PageMap ServingLoop::pageMap(std::int32_t mostCells) const {
    return m_impl->pageMap(mostCells);
}

std::optional<AdapterLocation> ServingLoop::placeOf(const AdapterSource& adapter) const {
    return m_impl->placeOf(adapter);
}
std::vector<double> ServingLoop::recentTtftMs() const {
    return m_impl->recentTtftMs();
}
std::vector<double> ServingLoop::recentTpotMs() const {
    return m_impl->recentTpotMs();
}
std::int64_t ServingLoop::kvBytes() const {
    return m_impl->kvBytes();
}
void ServingLoop::dropPrefixCache() {
    m_impl->dropPrefixCache();
}
Result<void> ServingLoop::checkIntegrity() const {
    return m_impl->checkIntegrity();
}
void ServingLoop::retireAdapter(std::string_view digest, MoveCause cause) {
    m_impl->retireAdapter(digest, cause);
}

}  // namespace espalier
