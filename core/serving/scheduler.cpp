// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/scheduler.h"

#include <algorithm>
#include <tuple>

#include "core/base/check.h"
#include "core/compute/backend.h"
#include "core/serving/fair_share.h"

namespace espalier {
namespace {

constexpr std::int32_t kCrowdedPromptPart = 8;  // of a step's tokens, for prompts of who crowds the others

}  // namespace

std::int32_t pagesForTokens(std::int32_t tokens) {
    return (tokens + kTokensPerPage - 1) / kTokensPerPage;
}

class Planner {
public:
    Planner(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits, PlanMemory& memory,
            StepPlan& plan);
    void plan();

    // What a tenant's running sequences hold and are expected to take. Pages that several of them read are of one
    // prefix as a rule: the longest is counted, not each reader's.
    struct Holding {
        std::int32_t cap = 0;  // 0: none
        std::int32_t running = 0;
        std::int32_t answers = 0;     // of these, that go on in this step
        std::int32_t promptRows = 0;  // in this step
        std::int32_t pages = 0;       // their own
        std::int32_t shared = 0;      // with each other
        std::int32_t promised = 0;
        bool isActive = false;
        std::int32_t held() const { return pages + shared; }
    };
    struct Line {  // of a tenant's candidates
        std::size_t next, end;
    };

private:
    const SequenceView& at(std::int32_t i) const { return m_queue.sequences[static_cast<std::size_t>(i)]; }
    bool runs(std::int32_t i) const { return at(i).isRunning && !m_preempted[static_cast<std::size_t>(i)]; }
    std::int32_t count() const { return static_cast<std::int32_t>(m_queue.sequences.size()); }

    void pauseAnswers();
    void pauseBeyondParts();
    void planDecodes();
    bool makeRoom(std::int32_t sequence, std::int32_t pages);
    bool makeRoomInCap(std::int32_t sequence, std::int32_t pages);
    std::int32_t mostServedNewest() const;
    std::int32_t newestOf(std::int32_t tenant) const;
    void preempt(std::int32_t sequence);
    void withdrawWork(std::int32_t sequence);

    void planPrompts();
    void continuePrompt(std::int32_t sequence);
    enum class Admission { Done, TenantIsFull, EngineIsFull };
    Admission admit(std::int32_t sequence);
    std::int32_t affordableRows(std::int32_t sequence) const;
    std::int32_t promptRoom(std::int32_t sequence) const;
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

    double weightOf(std::int32_t tenant) const {
        return m_queue.weights.empty() ? 1.0 : m_queue.weights[static_cast<std::size_t>(tenant)];
    }
    // Of the places, by weight among the tenants that have requests.
    double partOf(std::int32_t tenant) const { return m_limits.maxSequences * weightOf(tenant) / m_activeWeight; }
    // Running sequences up to which the tenant may begin another: also at the door while it has no more than twice its
    // part and is not alone, unless somebody who was served less waits for a place.
    std::int32_t placesFor(std::int32_t tenant) const {
        const bool mayUseDoor = m_isDoorOpen && weightOf(tenant) < m_activeWeight &&
                                m_holdings[static_cast<std::size_t>(tenant)].running + 1 <= 2 * partOf(tenant);
        return m_limits.maxSequences + (mayUseDoor ? m_limits.doorSequences : 0);
    }

    bool runsOverPart(std::int32_t sequence) const {
        return m_holdings[static_cast<std::size_t>(at(sequence).tenant)].running > partOf(at(sequence).tenant);
    }

    // Before this step.
    double servedOf(std::int32_t sequence) const {
        return m_queue.served[static_cast<std::size_t>(at(sequence).tenant)];
    }
    Holding& holding(std::int32_t sequence) { return m_holdings[static_cast<std::size_t>(at(sequence).tenant)]; }

    const QueueView& m_queue;
    const StepLimits& m_limits;
    StepPlan& m_plan;
    std::vector<bool>& m_preempted;
    std::vector<bool>& m_paused;
    std::vector<double>& m_served;
    std::vector<std::int32_t>& m_adapterUsers;  // running
    std::vector<Holding>& m_holdings;           // by tenant
    std::vector<std::int32_t>& m_candidates;    // for a prompt's next chunk
    std::vector<Line>& m_lines;                 // of them, one per tenant
    bool m_isDoorOpen = true;
    bool m_isShort = false;       // of pages: somebody gave way to another
    std::int32_t m_available;     // pages free or reclaimable
    std::int32_t m_promised = 0;  // pages the running ones are expected to take beyond those they hold
    std::int32_t m_watermark;
    std::int32_t m_tokensLeft;
    std::int32_t m_logitsLeft;
    std::int32_t m_running = 0;
    double m_activeWeight = 0.0;  // of the tenants that have requests
    double m_mostServed = 0.0;    // of them, before this step
};

struct PlanMemory::Parts {
    std::vector<bool> preempted, paused;
    std::vector<double> served;
    std::vector<std::int32_t> adapterUsers;
    std::vector<Planner::Holding> holdings;
    std::vector<std::int32_t> candidates;
    std::vector<Planner::Line> lines;
};
PlanMemory::PlanMemory() : m_parts(std::make_unique<Parts>()) {}
PlanMemory::~PlanMemory() = default;

Planner::Planner(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits, PlanMemory& memory,
                 StepPlan& plan)
    : m_queue(queue),
      m_limits(limits),
      m_plan(plan),
      m_preempted(memory.m_parts->preempted),
      m_paused(memory.m_parts->paused),
      m_served(memory.m_parts->served),
      m_adapterUsers(memory.m_parts->adapterUsers),
      m_holdings(memory.m_parts->holdings),
      m_candidates(memory.m_parts->candidates),
      m_lines(memory.m_parts->lines),
      m_available(pool.available()),
      m_watermark((pool.total() + 49) / 50),
      m_tokensLeft(limits.maxBatchTokens),
      m_logitsLeft(limits.maxLogitRows) {
    plan.preempted.clear();
    plan.admitted.clear();
    plan.work.clear();
    plan.missing.clear();
    m_preempted.assign(queue.sequences.size(), false);
    m_paused.assign(queue.sequences.size(), false);
    m_served.assign(queue.served.begin(), queue.served.end());
    m_adapterUsers.assign(queue.adapterPages.size(), 0);
    m_holdings.assign(queue.served.size(), {});
    for (std::size_t i = 0; i < queue.pageCaps.size(); ++i) m_holdings[i].cap = queue.pageCaps[i];
    for (const SequenceView& sequence : queue.sequences) {
        bool& isActive = m_holdings[static_cast<std::size_t>(sequence.tenant)].isActive;
        if (!isActive) m_activeWeight += weightOf(sequence.tenant);
        isActive = true;
        m_mostServed = std::max(m_mostServed, queue.served[static_cast<std::size_t>(sequence.tenant)]);
        if (!sequence.isRunning) continue;
        const std::int32_t promised = std::max(0, expectedPages(sequence) - sequence.pages);
        Holding& holding = m_holdings[static_cast<std::size_t>(sequence.tenant)];
        ++holding.running;
        holding.answers += sequence.isDecode();
        holding.pages += sequence.pages - sequence.sharedPages;
        holding.shared = std::max(holding.shared, sequence.sharedPages);
        holding.promised += promised;
        ++m_running;
        m_promised += promised;
        if (sequence.adapter >= 0) ++m_adapterUsers[static_cast<std::size_t>(sequence.adapter)];
    }
}

void Planner::plan() {
    pauseAnswers();
    planDecodes();
    planPrompts();
    // Every running prompt is short of pages: one gives way, the next step sees the room.
    if (m_plan.isEmpty() && m_running > 1) preempt(mostServedNewest());
}

// When more answers could go on than there are places, some tenant has more than its part of them.
void Planner::pauseAnswers() {
    std::int32_t answers = 0;
    for (const Holding& holding : m_holdings) answers += holding.answers;
    for (; answers > m_limits.maxSequences; --answers) {
        std::int32_t most = -1;
        for (std::int32_t i = 0; i < count(); ++i) {
            if (!at(i).isDecode() || m_paused[static_cast<std::size_t>(i)]) continue;
            if (holding(i).answers <= partOf(at(i).tenant)) continue;
            if (most < 0 || servedOf(i) >= servedOf(most)) most = i;
        }
        VERIFY_OR(most >= 0) {
            return;
        }
        m_paused[static_cast<std::size_t>(most)] = true;
        --holding(most).answers;
    }
}

// Of this step's work, the newest first: it has been planned already.
void Planner::pauseBeyondParts() {
    for (std::int32_t i = count() - 1; i >= 0; --i) {
        if (!runs(i) || !at(i).isDecode() || m_paused[static_cast<std::size_t>(i)]) continue;
        if (holding(i).answers <= partOf(at(i).tenant)) continue;
        m_paused[static_cast<std::size_t>(i)] = true;
        --holding(i).answers;
        withdrawWork(i);
    }
}

void Planner::planDecodes() {
    for (std::int32_t i = 0; i < count() && m_tokensLeft > 0 && m_logitsLeft > 0; ++i) {
        if (!runs(i) || !at(i).isDecode() || m_paused[static_cast<std::size_t>(i)]) continue;
        const std::int32_t pages = pagesForTokens(at(i).target) - at(i).pages;
        if (makeRoomInCap(i, pages) && makeRoom(i, pages)) work(i, 1);
    }
}

// false: the sequence itself had to give way and is preempted, or it is the last one left and the pages that its
// neighbours shared are counted only in the next step.
bool Planner::makeRoom(std::int32_t sequence, std::int32_t pages) {
    while (pages > m_available) {
        if (m_running == 1) return false;
        m_isShort = true;
        const std::int32_t victim = mostServedNewest();
        preempt(victim);
        if (victim == sequence) return false;
    }
    return true;
}

// false: the sequence is its tenant's newest and was preempted.
bool Planner::makeRoomInCap(std::int32_t sequence, std::int32_t pages) {
    const Holding& mine = holding(sequence);
    while (mine.cap > 0 && pages > 0 && mine.held() + pages > mine.cap && mine.running > 1) {
        const std::int32_t victim = newestOf(at(sequence).tenant);
        preempt(victim);
        if (victim == sequence) return false;
    }
    return true;
}

// Requires: two or more run.
std::int32_t Planner::mostServedNewest() const {
    std::int32_t oldest = 0;
    while (!runs(oldest)) ++oldest;
    std::int32_t most = -1;
    for (std::int32_t i = oldest + 1; i < count(); ++i) {
        if (!runs(i)) continue;
        if (most < 0 || servedOf(i) >= servedOf(most)) most = i;
    }
    return most;
}

std::int32_t Planner::newestOf(std::int32_t tenant) const {
    std::int32_t newest = count() - 1;
    while (!runs(newest) || at(newest).tenant != tenant) --newest;
    return newest;
}

void Planner::preempt(std::int32_t sequence) {
    withdrawWork(sequence);
    m_preempted[static_cast<std::size_t>(sequence)] = true;
    m_plan.preempted.push_back(sequence);
    m_available += at(sequence).pages - at(sequence).sharedPages;
    if (const std::int32_t adapter = at(sequence).adapter; adapter >= 0)
        if (--m_adapterUsers[static_cast<std::size_t>(adapter)] == 0) m_available += pagesOfAdapter(at(sequence));
    const std::int32_t promised = std::max(0, expectedPages(at(sequence)) - at(sequence).pages);
    Holding& mine = holding(sequence);
    mine.pages -= at(sequence).pages - at(sequence).sharedPages;
    mine.promised -= promised;
    if (--mine.running == 0) mine.shared = 0;
    m_promised -= promised;
    --m_running;
}

// What this plan gave a running sequence before it had to give way.
void Planner::withdrawWork(std::int32_t sequence) {
    const auto found = std::ranges::find(m_plan.work, sequence, &StepPlan::Work::sequence);
    if (found == m_plan.work.end()) return;
    const std::int32_t rows = found->rows;
    m_plan.work.erase(found);
    const SequenceView& view = at(sequence);
    const std::int32_t pages = pagesForTokens(view.computed + rows) - view.pages;
    m_tokensLeft += rows;
    if (!view.isDecode()) holding(sequence).promptRows -= rows;
    if (view.everyLogit)
        m_logitsLeft += rows;
    else if (view.lastLogit && view.computed + rows == view.target)
        ++m_logitsLeft;
    const std::int32_t kept = std::min(pages, std::max(0, expectedPages(view) - view.pages));
    holding(sequence).pages -= pages;
    holding(sequence).promised += kept;
    m_available += pages;
    m_promised += kept;
}

void Planner::planPrompts() {
    std::vector<std::int32_t>& candidates = m_candidates;  // by tenant, then running first, then arrival
    candidates.clear();
    for (std::int32_t i = 0; i < count(); ++i)
        if (at(i).isRunning ? runs(i) && !at(i).isDecode() : true) candidates.push_back(i);
    std::sort(candidates.begin(), candidates.end(), [&](std::int32_t a, std::int32_t b) {
        return std::tuple(at(a).tenant, !at(a).isRunning, a) < std::tuple(at(b).tenant, !at(b).isRunning, b);
    });
    std::vector<Line>& lines = m_lines;
    lines.clear();
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i == 0 || at(candidates[i]).tenant != at(candidates[i - 1]).tenant) lines.push_back({i, i});
        lines.back().end = i + 1;
    }

    bool admitting = !m_isShort;
    // Tenants that run no more than their parts and compute a prompt in this step.
    std::int32_t within = -1;
    bool areSeveral = false;
    const auto yields = [&](std::int32_t sequence) {
        return within >= 0 && (areSeveral || within != at(sequence).tenant) && runsOverPart(sequence);
    };
    while (m_tokensLeft > 0) {
        Line* least = nullptr;
        const auto rank = [&](const Line& line) {
            const std::int32_t head = candidates[line.next];
            const auto tenant = static_cast<std::size_t>(at(head).tenant);
            // One that comes back was lifted to the least served: then who runs less goes first.
            return std::tuple(m_served[tenant], m_holdings[tenant].running, head);
        };
        for (Line& line : lines) {
            if (line.next == line.end || (!admitting && !at(candidates[line.next]).isRunning)) continue;
            if (yields(candidates[line.next]) || promptRoom(candidates[line.next]) <= 0) continue;
            if (!least || rank(line) < rank(*least)) least = &line;
        }
        if (!least) break;
        const std::int32_t chosen = candidates[least->next++];
        const std::int32_t tokensBefore = m_tokensLeft;
        const bool isWithinPart = !runsOverPart(chosen);
        if (!at(chosen).isRunning) {
            const Admission admission = admit(chosen);
            if (admission == Admission::TenantIsFull) least->next = least->end;
            if (admission == Admission::EngineIsFull) admitting = false;
        } else if (runs(chosen)) {  // it may have given way to an older one of its tenant's
            continuePrompt(chosen);
        }
        if (!isWithinPart || m_tokensLeft == tokensBefore) continue;
        areSeveral = areSeveral || (within >= 0 && within != at(chosen).tenant);
        within = at(chosen).tenant;
    }
    if (within >= 0) pauseBeyondParts();
}

// Rows of prompts that the sequence's tenant may still compute in this step.
std::int32_t Planner::promptRoom(std::int32_t sequence) const {
    const bool crowds =
        runsOverPart(sequence) && servedOf(sequence) >= m_mostServed && weightOf(at(sequence).tenant) < m_activeWeight;
    if (!crowds) return m_tokensLeft;
    const Holding& mine = m_holdings[static_cast<std::size_t>(at(sequence).tenant)];
    return std::max(1, m_limits.maxBatchTokens / kCrowdedPromptPart) - mine.promptRows;
}

std::int32_t Planner::affordableRows(std::int32_t sequence) const {
    const SequenceView& view = at(sequence);
    std::int32_t rows = std::min(view.target - view.computed, m_tokensLeft);
    if (!view.isWhole) rows = std::min(rows, promptRoom(sequence));
    if (view.everyLogit) rows = std::min(rows, m_logitsLeft);
    if (view.lastLogit && m_logitsLeft == 0 && view.computed + rows == view.target) --rows;
    return view.isWhole && rows < view.target - view.computed ? 0 : rows;
}

void Planner::continuePrompt(std::int32_t sequence) {
    const SequenceView& view = at(sequence);
    const std::int64_t room = (static_cast<std::int64_t>(view.pages) + m_available) * kTokensPerPage - view.computed;
    const auto rows = static_cast<std::int32_t>(std::min<std::int64_t>(affordableRows(sequence), room));
    if (rows <= 0 || (view.isWhole && rows != view.target - view.computed)) return;
    if (makeRoomInCap(sequence, pagesForTokens(view.computed + rows) - view.pages)) work(sequence, rows);
}

Planner::Admission Planner::admit(std::int32_t sequence) {
    const SequenceView& view = at(sequence);
    const Holding& mine = holding(sequence);
    // A cached prefix counts whole: it is read by this sequence from here on, whoever of its tenant reads it too.
    if (mine.cap > 0 && mine.running > 0 && mine.held() + mine.promised + expectedPages(view) > mine.cap)
        return Admission::TenantIsFull;
    const std::int32_t places = placesFor(view.tenant);
    if (m_running >= places) {
        m_isDoorOpen = false;
        return Admission::TenantIsFull;
    }
    const bool isAlone = m_running == 0;  // then everything is its own
    const std::int32_t needed =
        (isAlone ? pagesForTokens(view.target) : expectedPages(view) + m_promised + m_watermark) - view.pages;
    const std::int32_t rows = affordableRows(sequence);
    const std::int32_t taken = view.idlePages + pagesOfAdapter(view);
    if (needed > m_available - taken || rows <= 0) return Admission::EngineIsFull;
    if (!view.isAdapterReady) {
        const auto named = static_cast<std::int32_t>(m_plan.missing.size());
        if (m_running + named >= places) return Admission::Done;  // its turn has not come
        m_available -= pagesOfAdapter(view);
        ++m_adapterUsers[static_cast<std::size_t>(view.adapter)];  // so that it is counted once
        m_plan.missing.push_back(sequence);
        return Admission::Done;
    }
    const std::int32_t promised = std::max(0, expectedPages(view) - view.pages);
    Holding& theirs = holding(sequence);
    ++theirs.running;
    theirs.pages += view.pages;
    theirs.promised += promised;
    ++m_running;
    m_available -= taken;
    if (view.adapter >= 0) ++m_adapterUsers[static_cast<std::size_t>(view.adapter)];
    m_promised += promised;
    m_plan.admitted.push_back(sequence);
    work(sequence, rows);
    return Admission::Done;
}

void Planner::work(std::int32_t sequence, std::int32_t rows) {
    const SequenceView& view = at(sequence);
    const std::int32_t pages = pagesForTokens(view.computed + rows) - view.pages;
    m_plan.work.push_back({sequence, rows});
    m_tokensLeft -= rows;
    if (!view.isDecode()) holding(sequence).promptRows += rows;
    if (view.everyLogit)
        m_logitsLeft -= rows;
    else if (view.lastLogit && view.computed + rows == view.target)
        --m_logitsLeft;
    const std::int32_t kept = std::min(pages, std::max(0, expectedPages(view) - view.pages));  // of what was promised
    const auto tenant = static_cast<std::size_t>(view.tenant);
    m_holdings[tenant].pages += pages;
    m_holdings[tenant].promised -= kept;
    m_available -= pages;
    m_promised -= kept;
    m_served[tenant] += kPromptTokenCost * rows / weightOf(view.tenant);
}

StepPlan planStep(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits) {
    PlanMemory memory;
    StepPlan plan;
    planStep(queue, pool, limits, memory, plan);
    return plan;
}

void planStep(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits, PlanMemory& memory,
              StepPlan& plan) {
    Planner(queue, pool, limits, memory, plan).plan();
}

}  // namespace espalier
