// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/serving/adapter_trace.h"

#include <algorithm>

namespace espalier {

std::string_view adapterTierName(AdapterTier tier) {
    switch (tier) {
        case AdapterTier::Disk:
            return "disk";
        case AdapterTier::Host:
            return "host";
        case AdapterTier::Pool:
            return "pool";
    }
    return "unknown";
}

std::string_view moveCauseName(MoveCause cause) {
    switch (cause) {
        case MoveCause::Miss:
            return "miss";
        case MoveCause::Prefetch:
            return "prefetch";
        case MoveCause::Evicted:
            return "evicted";
        case MoveCause::Reload:
            return "reload";
        case MoveCause::Unload:
            return "unload";
    }
    return "unknown";
}

void AdapterTrace::add(AdapterMove move) {
    if (move.to == AdapterTier::Pool) m_traffic.toPoolBytes += move.bytes;
    if (move.from == AdapterTier::Pool) m_traffic.fromPoolBytes += move.bytes;
    if (move.from == AdapterTier::Disk) m_traffic.toHostBytes += move.bytes;
    if (move.to == AdapterTier::Disk && move.from == AdapterTier::Host) m_traffic.fromHostBytes += move.bytes;
    ++m_traffic.moves[static_cast<std::size_t>(move.cause)];
    move.sequence = ++m_last;
    m_moves.push_back(std::move(move));
    if (m_moves.size() > kKept) m_moves.pop_front();
}

std::vector<AdapterMove> AdapterTrace::newest(std::size_t most) const {
    const auto count = static_cast<std::ptrdiff_t>(std::min(most, m_moves.size()));
    return {m_moves.end() - count, m_moves.end()};
}

}  // namespace espalier
