// SPDX-License-Identifier: GPL-3.0-or-later
// A trace replayed through planStep with an accountant of pages and service instead of a device. It counts service by
// itself, independently of FairShare, and says what was broken.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/serving/fair_share.h"
#include "core/serving/scheduler.h"

namespace espalier::test {

constexpr StepLimits kSimulatedLimits{
    .maxBatchTokens = 64, .maxLogitRows = 64, .maxSequences = 8, .expectedOutput = 16};

inline PoolUsage usageOf(std::int32_t free, std::int32_t kv, std::int32_t cached = 0) {
    PoolUsage usage;
    usage.pages = {free, kv, cached};
    return usage;
}

struct Simulation {
    struct Item {
        std::int32_t tenant = 0, prompt = 0, output = 0;
        std::int32_t generated = 0, computed = 0, pages = 0;
        bool isRunning = false;
        int submittedAt = 0, firstTokenAt = -1, endedAt = -1;
        int pausedFor = 0, longestPause = 0;  // steps without a row for its next token, though it ran
        double submittedMs = 0;               // where time is simulated too
    };
    std::int32_t pool = 64;
    StepLimits limits = kSimulatedLimits;
    std::vector<Item> queue;  // by arrival
    std::vector<Item> done;
    FairShare share;
    bool isFirstComeFirstServed = false;  // as if there were no tenants
    std::vector<double> weights = std::vector<double>(4, 1.0);
    std::vector<std::int32_t> caps = std::vector<std::int32_t>(4, 0);
    std::vector<double> service = std::vector<double>(4, 0.0);  // counted here, independently of FairShare
    std::int32_t onlyCharged = -1;                              // a defect: what the others got is forgotten
    int steps = 0, preemptions = 0;
    std::string broken;

    void submit(std::int32_t tenant, std::int32_t prompt, std::int32_t output) {
        const auto slot = share.enter(std::to_string(tenant));
        if (slot != tenant) broken = "tenants must enter in order";
        share.setWeight(slot, weights[static_cast<std::size_t>(tenant)]);
        Item item;
        item.tenant = tenant;
        item.prompt = prompt;
        item.output = output;
        item.submittedAt = steps;
        queue.push_back(item);
    }

    std::int32_t held() const {
        std::int32_t pages = 0;
        for (const Item& item : queue) pages += item.pages;
        return pages;
    }

    std::span<const std::int32_t> pageCaps() const {
        return std::span(caps).first(std::min(caps.size(), share.served().size()));
    }
    std::int32_t heldBy(std::int32_t tenant) const {
        std::int32_t pages = 0;
        for (const Item& item : queue) pages += item.tenant == tenant ? item.pages : 0;
        return pages;
    }
    std::int32_t runningOf(std::int32_t tenant) const {
        return static_cast<std::int32_t>(std::ranges::count_if(
            queue, [tenant](const Item& item) { return item.tenant == tenant && item.isRunning; }));
    }

    // Rows of a step: that continue an answer by its next token, and all others.
    struct Rows {
        std::int32_t answers = 0, prompts = 0;
    };
    Rows step() {
        ++steps;
        std::vector<SequenceView> views;
        for (const Item& item : queue) {
            SequenceView view;
            view.tenant = isFirstComeFirstServed ? 0 : item.tenant;
            view.isRunning = item.isRunning;
            view.target = item.prompt + item.generated;
            view.computed = item.computed;
            view.pages = item.pages;
            view.generated = item.generated;
            view.mayGenerate = item.output - item.generated;
            views.push_back(view);
        }
        const StepPlan plan =
            planStep({views, share.served(), share.weights(), pageCaps()}, usageOf(pool - held(), held()), limits);
        if (plan.isEmpty()) broken = "a step without work at " + std::to_string(steps);
        const auto at = [&](std::int32_t i) -> Item& { return queue[static_cast<std::size_t>(i)]; };
        for (const std::int32_t i : plan.preempted) {
            if (i == 0) broken = "the oldest was preempted";
            if (!isFirstComeFirstServed) checkVictim(plan, i);
            at(i).isRunning = false;
            at(i).pages = at(i).computed = 0;
            ++preemptions;
        }
        for (const std::int32_t i : plan.admitted) {
            if (at(i).isRunning) broken = "admitted twice";
            at(i).isRunning = true;
        }
        Rows rows;
        std::vector<bool> works(queue.size(), false);
        for (const auto& [i, count] : plan.work) {
            Item& item = at(i);
            works[static_cast<std::size_t>(i)] = true;
            const std::int32_t target = item.prompt + item.generated;
            if (!item.isRunning || count < 1 || item.computed + count > target) broken = "rows that are not there";
            (views[static_cast<std::size_t>(i)].isDecode() ? rows.answers : rows.prompts) += count;
            const std::int32_t before = item.computed;
            item.computed += count;
            item.pages = std::max(item.pages, pagesForTokens(item.computed));
            const double prompt = std::max(0, std::min(item.computed, item.prompt) - before);
            if (isCharged(item)) share.charge(item.tenant, kPromptTokenCost * prompt);
            service[static_cast<std::size_t>(item.tenant)] += kPromptTokenCost * prompt;
            if (item.computed < target) continue;
            if (item.firstTokenAt < 0) item.firstTokenAt = steps;
            ++item.generated;
            if (isCharged(item)) share.charge(item.tenant, kGeneratedTokenCost);
            service[static_cast<std::size_t>(item.tenant)] += kGeneratedTokenCost;
        }
        for (std::size_t i = 0; i < queue.size(); ++i) {
            Item& item = queue[i];
            item.pausedFor = item.isRunning && views[i].isDecode() && !works[i] ? item.pausedFor + 1 : 0;
            item.longestPause = std::max(item.longestPause, item.pausedFor);
        }
        std::int32_t running = 0;
        for (const Item& item : queue) running += item.isRunning;
        if (rows.answers + rows.prompts > limits.maxBatchTokens) broken = "too many rows";
        if (rows.answers > limits.maxSequences) broken = "too many answers go on";
        if (running > limits.maxSequences + limits.doorSequences) broken = "too many sequences";
        if (held() > pool) broken = "too many pages";
        for (std::size_t tenant = 0; tenant < caps.size() && !isFirstComeFirstServed; ++tenant) {
            const auto index = static_cast<std::int32_t>(tenant);
            if (caps[tenant] > 0 && heldBy(index) > caps[tenant] && runningOf(index) > 1) broken = "over a cap";
        }
        for (std::size_t i = queue.size(); i-- > 0;) {
            if (queue[i].generated < queue[i].output) continue;
            share.leave(queue[i].tenant);
            queue[i].endedAt = steps;
            done.push_back(queue[i]);
            queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
        }
        return rows;
    }

private:
    bool isCharged(const Item& item) const { return onlyCharged < 0 || item.tenant == onlyCharged; }

    // Where nobody is capped, whoever gives way is the newest of the tenant that was served most; only the oldest of
    // all is spared.
    void checkVictim(const StepPlan& plan, std::int32_t victim) {
        if (std::ranges::any_of(caps, [](std::int32_t cap) { return cap > 0; })) return;
        const auto runs = [&](std::size_t i) {
            const auto& gone = plan.preempted;
            const auto index = static_cast<std::int32_t>(i);
            return queue[i].isRunning && std::ranges::find(gone, index) == gone.end();
        };
        const auto served = [&](std::size_t i) { return share.served()[static_cast<std::size_t>(queue[i].tenant)]; };
        const auto mine = static_cast<std::size_t>(victim);
        bool isOldest = true;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            if (!queue[i].isRunning) continue;
            if (!std::exchange(isOldest, false) && runs(i) &&
                (served(i) > served(mine) || (served(i) == served(mine) && i > mine)))
                broken = "somebody else should have given way";
        }
    }
};

}  // namespace espalier::test
