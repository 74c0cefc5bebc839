// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/serving_loop_impl.h"

namespace espalier {

RequestLimits ServingLoop::Impl::limitsBeside(std::int32_t adapterPages) const {
    const ArchSpec& spec = m_transformer.spec();
    return {.vocabulary = spec.vocabulary,
            .modelContext = spec.context,
            .poolTokens = static_cast<std::int32_t>(std::min<std::int64_t>(poolTokens(adapterPages), INT32_MAX)),
            .hasTokenizer = m_tokenizer != nullptr,
            .lmHead = spec.lmHead,
            .wholeTextRows = readsWholeTexts() ? m_limits.maxBatchTokens : 0};
}

// None: nobody has read it yet. Errors: it can never be served here.
Result<std::optional<std::int32_t>> ServingLoop::Impl::pagesOfAdapter(const Request& request) const {
    using Pages = std::optional<std::int32_t>;
    if (!request.adapter) return Pages(0);
    if (const ResidentAdapter* resident = m_pager.adapters().find(request.adapter->digest))
        return Pages(static_cast<std::int32_t>(resident->pages.size()));
    const auto image = m_tiers.arena.image(*request.adapter);
    if (!image) return Pages();
    TRY(m_pager.adapters().check(*image));
    return Pages(image->pages);
}

// What could not be said before its adapter was read.
Result<void> ServingLoop::Impl::size(Sequence& sequence) const {
    const Request& request = sequence.request;
    TRY_ASSIGN(const auto pages, pagesOfAdapter(request));
    if (!pages) return {};
    TRY(checkRequest(request, limitsBeside(*pages)));
    sequence.maxTokens = std::min(sequence.maxTokens, tokenLimit(request, *pages) - sequence.promptTokens());
    sequence.isSized = true;
    return {};
}

// Takes in what has landed, and ends what waits for something that never will.
void ServingLoop::Impl::settleAdapters() {
    if (m_ownTiers) m_tiers.arena.collect();
    for (const AdapterCache::Failed& failed : m_pager.adapters().collect())
        for (const auto& sequence : m_sequences)
            if (!sequence->isDone && sequence->request.adapter && sequence->request.adapter->digest == failed.digest)
                fail(*sequence, failed.error);
    for (const auto& sequence : m_sequences) {
        if (sequence->isDone || sequence->isRunning || sequence->adapter || !sequence->request.adapter) continue;
        if (const Error* error = m_tiers.arena.failure(*sequence->request.adapter))
            readFailed(*sequence, *error);
        else if (auto sized = sequence->isSized ? Result<void>() : size(*sequence); !sized)
            fail(*sequence, std::move(sized).error());
    }
    removeDone();
}

// Files that were replaced while a request waited are no failure: it is served as if it had come later.
void ServingLoop::Impl::readFailed(Sequence& sequence, Error error) {
    Request& request = sequence.request;
    auto successor = sequence.admitted ? nullptr : request.adapter->successor();
    if (!successor || successor->digest == request.adapter->digest)
        return fail(sequence, std::move(error).context("adapter \"" + request.adapter->name + "\""));
    request.adapter = std::move(successor);
    m_tiers.arena.use(*request.adapter);
    sequence.rootKey = rootKeyOf(request);
    sequence.blockKeys.clear();
    sequence.isSized = false;
}

// After the plan's own pages were taken, so that what runs goes first; before the step, so that they move beside it.
bool ServingLoop::Impl::moveAdapters(const StepPlan& plan) {
    std::int32_t running = 0;
    for (const auto& sequence : m_sequences) running += sequence->isRunning;
    const std::int32_t admitted = std::exchange(m_firstAdmissions, 0);
    const bool moved = m_mover.move(queueView(), plan.missing, m_sequences, admitted, m_clock.now());
    countSwaps();
    // Nothing runs that would make room, nothing comes: it will never be better.
    if (!moved && running == 0 && m_mover.refusal() && m_pager.pool().usage().of(PageOwner::Staging) == 0)
        fail(*m_sequences[static_cast<std::size_t>(m_mover.refusal()->request)], m_mover.refusal()->error);
    return moved;
}

// Nobody can go on, and preempted sequences hold retired adapters: their pages are wanted more. true: some were let go.
bool ServingLoop::Impl::letGoOfRetired() {
    bool any = false;
    for (const auto& sequence : m_sequences) {
        if (sequence->isRunning) return false;
        any = any || sequence->adapter;
    }
    for (const auto& sequence : m_sequences)
        if (any && sequence->adapter) m_pager.release(*sequence);
    return any;
}

void ServingLoop::Impl::countSwaps() {
    const AdapterCache& adapters = m_pager.adapters();
    const std::int64_t in = adapters.loadedBytes() - m_swappedIn, out = adapters.droppedBytes() - m_swappedOut;
    if (in > 0) m_swapInRate.add(m_clock.now(), static_cast<double>(in));
    if (out > 0) m_swapOutRate.add(m_clock.now(), static_cast<double>(out));
    m_swappedIn += in;
    m_swappedOut += out;
}

}  // namespace espalier
