// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/prefetch_plan.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "core/serving/fair_share.h"

namespace espalier {

std::vector<std::int32_t> waitingInFairOrder(const QueueView& queue, std::int32_t most) {
    std::vector<std::vector<std::int32_t>> lines(queue.served.size());  // by tenant, by arrival
    std::vector<std::int32_t> running(queue.served.size());
    for (std::size_t i = 0; i < queue.sequences.size(); ++i) {
        const auto tenant = static_cast<std::size_t>(queue.sequences[i].tenant);
        if (queue.sequences[i].isRunning)
            ++running[tenant];
        else
            lines[tenant].push_back(static_cast<std::int32_t>(i));
    }
    // served, running, head, tenant, place in its line
    using Turn = std::tuple<double, std::int32_t, std::int32_t, std::size_t, std::size_t>;
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
    for (std::size_t tenant = 0; tenant < lines.size(); ++tenant)
        if (!lines[tenant].empty()) turns.emplace(queue.served[tenant], running[tenant], lines[tenant][0], tenant, 0);
    std::vector<std::int32_t> order;
    while (static_cast<std::int32_t>(order.size()) < most && !turns.empty()) {
        const auto [served, runs, head, tenant, place] = turns.top();
        turns.pop();
        order.push_back(head);
        if (place + 1 == lines[tenant].size()) continue;
        const SequenceView& view = queue.sequences[static_cast<std::size_t>(head)];
        const double weight = queue.weights.empty() ? 1.0 : queue.weights[tenant];
        turns.emplace(served + kPromptTokenCost * (view.target - view.computed) / weight, runs + 1,
                      lines[tenant][place + 1], tenant, place + 1);
    }
    return order;
}

std::vector<AdapterWish> wishesInFairOrder(const QueueView& queue, std::int32_t most) {
    std::vector<AdapterWish> wishes;
    std::vector<bool> seen(queue.adapterPages.size());
    std::int32_t turn = 0;
    for (const std::int32_t request : waitingInFairOrder(queue, most)) {
        const std::int32_t adapter = queue.sequences[static_cast<std::size_t>(request)].adapter;
        if (adapter >= 0 && !seen[static_cast<std::size_t>(adapter)]) {
            seen[static_cast<std::size_t>(adapter)] = true;
            wishes.push_back({adapter, request, turn});
        }
        ++turn;
    }
    return wishes;
}

PrefetchPlan planPrefetch(std::span<const AdapterWish> wishes, std::span<const AdapterPlace> places,
                          const PrefetchLimits& limits) {
    using At = AdapterPlace::At;
    constexpr double kMargin = 2.0;  // moves take turns with others, and what was learned is a mean
    PrefetchPlan plan;
    std::int32_t reclaimable = limits.reclaimable, staged = limits.stagedPages;
    double moving = 0.0;  // one after the other
    for (const AdapterPlace& place : places)
        if (place.at == At::Coming) moving += place.seconds;
    bool fits = true;
    for (const AdapterWish& wish : wishes) {
        if (wish.turn >= limits.reach) break;
        const AdapterPlace& place = places[static_cast<std::size_t>(wish.adapter)];
        // Not for what comes behind it in this order.
        if (place.at == At::Idle) reclaimable -= place.pages;
        if (place.at != At::Disk && place.at != At::Host) continue;
        const double lead = kMargin * (moving + place.seconds) + limits.secondsPerStep;
        if (wish.turn * limits.secondsPerTurn > lead) continue;
        moving += place.seconds;
        if (place.at == At::Disk) plan.toHost.push_back(wish);
        if (place.at == At::Disk || !fits) continue;
        fits = place.pages <= std::min(reclaimable, staged);
        if (!fits) continue;
        plan.toPool.push_back(wish);
        reclaimable -= place.pages;
        staged -= place.pages;
    }
    return plan;
}

}  // namespace espalier
