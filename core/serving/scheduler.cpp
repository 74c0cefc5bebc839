// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/scheduler.h"

#include <algorithm>
#include <tuple>

#include "core/compute/backend.h"
#include "core/serving/fair_share.h"

namespace espalier {

std::int32_t pagesForTokens(std::int32_t tokens) { return (tokens + kTokensPerPage - 1) / kTokensPerPage; }

namespace {

class Planner {
public:
    Planner(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits);
    StepPlan plan();

private:
    const SequenceView& at(std::int32_t i) const { return m_queue.sequences[static_cast<std::size_t>(i)]; }
    bool runs(std::int32_t i) const { return at(i).isRunning && !m_preempted[static_cast<std::size_t>(i)]; }
    std::int32_t count() const { return static_cast<std::int32_t>(m_queue.sequences.size()); }

    void planDecodes();
    bool makeRoom(std::int32_t sequence, std::int32_t pages);
    std::int32_t newestRunning() const;
    void preempt(std::int32_t sequence);

    void planPrompts();
    void continuePrompt(std::int32_t sequence);
    bool admit(std::int32_t sequence);
    std::int32_t affordableRows(const SequenceView& sequence) const;
    void work(std::int32_t sequence, std::int32_t rows);

    // Pages that the sequence's adapter takes when it is the first to use it.
    std::int32_t pagesOfAdapter(const SequenceView& sequence) const {
        return sequence.adapter < 0 || m_adapterUsers[static_cast<std::size_t>(sequence.adapter)] > 0
                   ? 0
                   : m_queue.adapterPages[static_cast<std::size_t>(sequence.adapter)];
    }

    // Pages the sequence is expected to hold at its end.
    std::int32_t expectedPages(const SequenceView& sequence) const {
        const std::int32_t growth = std::clamp(m_limits.expectedOutput - sequence.generated, 0, sequence.mayGenerate);
        return pagesForTokens(sequence.target + growth);
    }

    const QueueView& m_queue;
    const StepLimits& m_limits;
    StepPlan m_plan;
    std::vector<bool> m_preempted;
    std::vector<double> m_served;
    std::vector<std::int32_t> m_adapterUsers;  // running
    std::int32_t m_available;     // pages free or reclaimable
    std::int32_t m_promised = 0;  // pages the running ones are expected to take beyond those they hold
    std::int32_t m_watermark;
    std::int32_t m_tokensLeft;
    std::int32_t m_logitsLeft;
    std::int32_t m_running = 0;
};

Planner::Planner(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits)
    : m_queue(queue),
      m_limits(limits),
      m_preempted(queue.sequences.size(), false),
      m_served(queue.served.begin(), queue.served.end()),
      m_adapterUsers(queue.adapterPages.size()),
      m_available(pool.available()),
      m_watermark((pool.total() + 49) / 50),
      m_tokensLeft(limits.maxBatchTokens),
      m_logitsLeft(limits.maxLogitRows) {
    for (const SequenceView& sequence : queue.sequences) {
        if (!sequence.isRunning) continue;
        ++m_running;
        m_promised += std::max(0, expectedPages(sequence) - sequence.pages);
        if (sequence.adapter >= 0) ++m_adapterUsers[static_cast<std::size_t>(sequence.adapter)];
    }
}

StepPlan Planner::plan() {
    planDecodes();
    planPrompts();
    // Every running prompt is short of pages: the newest gives way, the next step sees the room.
    if (m_plan.isEmpty() && m_running > 1) preempt(newestRunning());
    return std::move(m_plan);
}

void Planner::planDecodes() {
    for (std::int32_t i = 0; i < count() && m_tokensLeft > 0 && m_logitsLeft > 0; ++i)
        if (runs(i) && at(i).isDecode() && makeRoom(i, pagesForTokens(at(i).target) - at(i).pages)) work(i, 1);
}

// false: the sequence itself was the newest and is preempted, or it is the last one left and the pages that its
// neighbours shared are counted only in the next step.
bool Planner::makeRoom(std::int32_t sequence, std::int32_t pages) {
    while (pages > m_available) {
        if (m_running == 1) return false;
        const std::int32_t victim = newestRunning();
        preempt(victim);
        if (victim == sequence) return false;
    }
    return true;
}

std::int32_t Planner::newestRunning() const {
    std::int32_t newest = count() - 1;
    while (!runs(newest)) --newest;
    return newest;
}

void Planner::preempt(std::int32_t sequence) {
    m_preempted[static_cast<std::size_t>(sequence)] = true;
    m_plan.preempted.push_back(sequence);
    m_available += at(sequence).pages - at(sequence).sharedPages;
    if (const std::int32_t adapter = at(sequence).adapter; adapter >= 0)
        if (--m_adapterUsers[static_cast<std::size_t>(adapter)] == 0) m_available += pagesOfAdapter(at(sequence));
    m_promised -= std::max(0, expectedPages(at(sequence)) - at(sequence).pages);
    --m_running;
}

void Planner::planPrompts() {
    std::vector<std::int32_t> candidates;  // by tenant, then running first, then arrival
    for (std::int32_t i = 0; i < count(); ++i)
        if (at(i).isRunning ? runs(i) && !at(i).isDecode() : true) candidates.push_back(i);
    std::sort(candidates.begin(), candidates.end(), [&](std::int32_t a, std::int32_t b) {
        return std::tuple(at(a).tenant, !at(a).isRunning, a) < std::tuple(at(b).tenant, !at(b).isRunning, b);
    });
    struct Line {
        std::size_t next, end;
    };
    std::vector<Line> lines;  // one per tenant
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i == 0 || at(candidates[i]).tenant != at(candidates[i - 1]).tenant) lines.push_back({i, i});
        lines.back().end = i + 1;
    }

    bool admitting = m_plan.preempted.empty();
    while (m_tokensLeft > 0) {
        Line* least = nullptr;
        const auto rank = [&](const Line& line) {
            const std::int32_t head = candidates[line.next];
            return std::tuple(m_served[static_cast<std::size_t>(at(head).tenant)], head);
        };
        for (Line& line : lines) {
            if (line.next == line.end || (!admitting && !at(candidates[line.next]).isRunning)) continue;
            if (!least || rank(line) < rank(*least)) least = &line;
        }
        if (!least) break;
        const std::int32_t chosen = candidates[least->next++];
        if (at(chosen).isRunning)
            continuePrompt(chosen);
        else
            admitting = admit(chosen);
    }
}

std::int32_t Planner::affordableRows(const SequenceView& sequence) const {
    std::int32_t rows = std::min(sequence.target - sequence.computed, m_tokensLeft);
    if (sequence.everyLogit) rows = std::min(rows, m_logitsLeft);
    if (sequence.lastLogit && m_logitsLeft == 0 && sequence.computed + rows == sequence.target) --rows;
    return sequence.isWhole && rows < sequence.target - sequence.computed ? 0 : rows;
}

void Planner::continuePrompt(std::int32_t sequence) {
    const SequenceView& view = at(sequence);
    const std::int64_t room = (static_cast<std::int64_t>(view.pages) + m_available) * kTokensPerPage - view.computed;
    const auto rows = static_cast<std::int32_t>(std::min<std::int64_t>(affordableRows(view), room));
    if (rows > 0 && (!view.isWhole || rows == view.target - view.computed)) work(sequence, rows);
}

bool Planner::admit(std::int32_t sequence) {
    const SequenceView& view = at(sequence);
    const bool isAlone = m_running == 0;  // then everything is its own
    const std::int32_t needed =
        (isAlone ? pagesForTokens(view.target) : expectedPages(view) + m_promised + m_watermark) - view.pages;
    const std::int32_t rows = affordableRows(view);
    const std::int32_t taken = view.idlePages + pagesOfAdapter(view);
    if (m_running >= m_limits.maxSequences || needed > m_available - taken || rows <= 0) return false;
    ++m_running;
    m_available -= taken;
    if (view.adapter >= 0) ++m_adapterUsers[static_cast<std::size_t>(view.adapter)];
    m_promised += std::max(0, expectedPages(view) - view.pages);
    m_plan.admitted.push_back(sequence);
    work(sequence, rows);
    return true;
}

void Planner::work(std::int32_t sequence, std::int32_t rows) {
    const SequenceView& view = at(sequence);
    const std::int32_t pages = pagesForTokens(view.computed + rows) - view.pages;
    m_plan.work.push_back({sequence, rows});
    m_tokensLeft -= rows;
    if (view.everyLogit)
        m_logitsLeft -= rows;
    else if (view.lastLogit && view.computed + rows == view.target)
        --m_logitsLeft;
    m_available -= pages;
    m_promised -= std::min(pages, std::max(0, expectedPages(view) - view.pages));
    m_served[static_cast<std::size_t>(view.tenant)] += kPromptTokenCost * rows;
}

}  // namespace

StepPlan planStep(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits) {
    return Planner(queue, pool, limits).plan();
}

}  // namespace espalier
