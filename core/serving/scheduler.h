// SPDX-License-Identifier: GPL-3.0-or-later
// What the next step runs. Pure: the same view gives the same plan; no clock, no device, no pages taken. ServingLoop
// does the effects. Order of the plan:
//   1. running decodes, oldest arrival first, one row each, as many as there are places (maxSequences). Where more run,
//      those of the most served tenant that arrived last pause, down to its part of the places, and keep their pages.
//      When pages run out, the tenant that was served most gives way with the running sequence of its that arrived
//      last: it gives its pages back and computes its tokens, answers included, again later. The oldest of all is
//      never preempted, so every request ends.
//   2. prompts in chunks within what is left of the token budget, next from the least served tenant (FairShare), in it
//      those that run already, then by arrival. A waiting request is admitted when the pages of its tokens, its
//      expected answer and what the running ones are expected to take still fit above a watermark. When the next in
//      fair order does not fit, none behind it is admitted: big requests are not starved by small ones. One that only
//      lacks its adapter is named, so that it can be brought, and passed by. A text of an encoder is one chunk: it
//      waits for a step that has room for the whole of it. When every place is taken, the least served tenant may begin
//      at the door, beyond the places, while fewer of its run than twice its part of them: somebody's answer pauses for
//      it, it need not wait until one ends.
//      A tenant that runs more than its part of the places computes no prompt in a step in which another one that does
//      not computes one, and of its answers no more than its part go on: what it has waiting anyway waits for a step,
//      and the other's first token comes sooner. For the same reason the most served one, while it runs more than its
//      part beside others, fills no more than an eighth of a step with its prompts: who comes next does not wait for
//      the end of a long step.
// A tenant's running sequences hold no more pages than its cap: it waits at the door, and where its own answers grow
// into the cap its newest sequence gives way, never somebody else's. One sequence alone may always go on.
// Sources: Sarathi-Serve (chunked prefill beside decodes), arXiv 2403.02310; VTC, arXiv 2401.00588; vLLM (recompute).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/serving/page_pool.h"

namespace espalier {

struct SequenceView {
    std::int32_t tenant = 0;  // index into QueueView::served
    bool isRunning = false;
    std::int32_t target = 0;       // tokens to compute until the next token can be drawn, or all is done
    std::int32_t computed = 0;     // of these, in pages; of a waiting one: what the prefix cache would give it
    std::int32_t pages = 0;        // that hold them
    std::int32_t sharedPages = 0;  // running: pages others read too, that preemption would not free
    std::int32_t idlePages = 0;    // waiting: cached pages among `pages` that are reclaimable until it takes them
    std::int32_t generated = 0;
    std::int32_t mayGenerate = 0;  // tokens it may still add; 0 for embeddings and scores
    bool everyLogit = false;       // a score: each row takes a logit row
    bool lastLogit = true;         // the row that reaches the target takes one
    bool isWhole = false;          // an encoder's text: all its rows in one step or none
    std::int32_t adapter = -1;     // index into QueueView::adapterPages; -1: none
    bool isAdapterReady = true;    // waiting: its adapter is in the pool, or begins to be

    bool isDecode() const { return isRunning && generated > 0 && target - computed == 1; }
};

struct QueueView {
    std::span<const SequenceView> sequences;      // running and waiting, by arrival
    std::span<const double> served;               // per tenant: service over weight
    std::span<const double> weights = {};         // per tenant; empty: all 1
    std::span<const std::int32_t> pageCaps = {};  // per tenant, 0: none; empty: no caps
    // Per adapter, the pages that its first running user takes (also of an idle one: it can no longer be evicted) and
    // its last gives back. 0 for one that is still being copied, whose pages nobody can have, or whose size nobody
    // knows yet.
    std::span<const std::int32_t> adapterPages = {};
};

struct StepLimits {
    std::int32_t maxBatchTokens = 256;
    std::int32_t maxLogitRows = 256;
    std::int32_t maxSequences = 64;    // places: running, and answers that go on in one step
    std::int32_t doorSequences = 0;    // running beyond these while several tenants have requests
    std::int32_t expectedOutput = 64;  // tokens of an answer, 80th percentile of the recent past
};

struct StepPlan {
    struct Work {
        std::int32_t sequence = 0;  // index into the view
        std::int32_t rows = 0;      // its next tokens
    };
    std::vector<std::int32_t> preempted;
    std::vector<std::int32_t> admitted;
    std::vector<std::int32_t> missing;  // would have been admitted, were their adapters ready; room for these is left
    std::vector<Work> work;             // at most one per sequence

    bool isEmpty() const { return preempted.empty() && work.empty(); }
};

// What planning needs besides: a caller that plans again and again keeps it, and then planning allocates nothing.
class PlanMemory {
public:
    PlanMemory();
    ~PlanMemory();
    PlanMemory(const PlanMemory&) = delete;

private:
    friend class Planner;
    struct Parts;
    std::unique_ptr<Parts> m_parts;
};

// Requires: sequences' tokens fit the pool, whole texts also maxBatchTokens (submit checks); maxSequences <=
// maxBatchTokens and <= maxLogitRows.
StepPlan planStep(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits);
// The same into `plan`, whose old content goes.
void planStep(const QueueView& queue, const PoolUsage& pool, const StepLimits& limits, PlanMemory& memory,
              StepPlan& plan);

std::int32_t pagesForTokens(std::int32_t tokens);

}  // namespace espalier
