// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/serving_loop_impl.h"

namespace espalier {
namespace {

std::span<const float> row(const ConstTensorView& matrix, std::int32_t index) {
    return {matrix.as<float>() + index * matrix.stride[0], static_cast<std::size_t>(matrix.cols())};
}

}  // namespace

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
        case RequestKind::Score:
            scoreTokens(part, firstPosition, output.logits);
            break;
        case RequestKind::Embed:
            embed(part, output.hidden);
            break;
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
        case FinishReason::Stop:
            ++m_counters.finishedStop;
            break;
        case FinishReason::Length:
            ++m_counters.finishedLength;
            break;
        case FinishReason::Cancelled:
            ++m_counters.finishedCancelled;
            break;
        case FinishReason::Failed:
            ++m_counters.finishedFailed;
            break;
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

}  // namespace espalier
