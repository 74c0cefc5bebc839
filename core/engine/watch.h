// SPDX-License-Identifier: GPL-3.0-or-later
// Watch: the newest snapshot and an hour of history, one point per second, for plots that open later.
// Owner: Engine. Thread: publish from the engine thread, the rest from any.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/engine/messages.h"

namespace espalier {

class Watch {
public:
    void publish(Snapshot snapshot);
    std::shared_ptr<const Snapshot> snapshot() const;               // never null
    std::vector<HistoryPoint> history(std::int64_t seconds) const;  // oldest first

private:
    mutable std::mutex m_mutex;
    std::shared_ptr<const Snapshot> m_snapshot = std::make_shared<Snapshot>();
    std::deque<HistoryPoint> m_history;
};

}  // namespace espalier
