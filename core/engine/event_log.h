// SPDX-License-Identifier: GPL-3.0-or-later
// EventLog: what happened, numbered from 1, the newest kept for those who missed some. Every event reaches every
// subscriber, in order.
//
// Owner: Engine. Thread: any. Sinks run on the publisher's thread, one at a time; they must not block and must neither
// publish nor end a subscription.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/engine/engine.h"

namespace espalier {

class EventLog {
public:
    explicit EventLog(std::size_t capacity = 4096);

    void publish(Event event);
    std::int64_t lastSequence() const;
    // Events after `sequence`. Error not_found: some of them are gone, or the number was never given.
    Result<std::vector<NumberedEvent>> after(std::int64_t sequence) const;
    // The subscription may outlive the log.
    std::unique_ptr<Subscription> subscribe(Engine::EventSink sink);

private:
    struct State;
    class Entry;
    std::shared_ptr<State> m_state;
};

}  // namespace espalier
