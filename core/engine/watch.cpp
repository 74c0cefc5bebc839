// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/watch.h"

#include <algorithm>

namespace espalier {
namespace {

constexpr std::size_t kPoints = 3600;

double counter(const Snapshot& snapshot, const char* name) {
    const auto found = snapshot.counters.find(name);
    return found == snapshot.counters.end() ? 0.0 : found->second;
}

double adapterLookups(const Snapshot& snapshot) {
    return counter(snapshot, "adapter_found_total_pool") + counter(snapshot, "adapter_found_total_host") +
           counter(snapshot, "adapter_found_total_disk");
}

HistoryPoint pointOf(const Snapshot& snapshot) {
    return {snapshot.at,
            snapshot.memory,
            snapshot.prefillTokensPerS,
            snapshot.decodeTokensPerS,
            snapshot.running,
            snapshot.waiting,
            snapshot.ttftMs,
            snapshot.tpotMs,
            snapshot.processorShare,
            snapshot.residentBytes,
            counter(snapshot, "prefix_cache_queries_total"),
            counter(snapshot, "prefix_cache_hits_total"),
            counter(snapshot, "num_preemptions_total"),
            snapshot.swapInBytesPerS,
            snapshot.swapOutBytesPerS,
            adapterLookups(snapshot),
            counter(snapshot, "adapter_found_total_pool")};
}

}  // namespace

void Watch::publish(Snapshot snapshot) {
    auto newest = std::make_shared<const Snapshot>(std::move(snapshot));
    const std::lock_guard lock(m_mutex);
    if (m_history.empty() || newest->at / 1000 != m_history.back().at / 1000) {  // the first of each second
        if (m_history.size() == kPoints) m_history.pop_front();
        m_history.push_back(pointOf(*newest));
    }
    m_snapshot = std::move(newest);
}

std::shared_ptr<const Snapshot> Watch::snapshot() const {
    const std::lock_guard lock(m_mutex);
    return m_snapshot;
}

std::vector<HistoryPoint> Watch::history(std::int64_t seconds) const {
    const std::lock_guard lock(m_mutex);
    const auto count =
        static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(seconds, 0, static_cast<std::int64_t>(m_history.size())));
    return {m_history.end() - count, m_history.end()};
}

}  // namespace espalier
