// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/event_log.h"

#include <algorithm>

namespace espalier {

struct EventLog::State {
    explicit State(std::size_t capacity) : capacity(capacity) {}

    const std::size_t capacity;
    mutable std::mutex mutex;
    std::deque<NumberedEvent> events;
    std::int64_t last = 0;
    std::vector<const Engine::EventSink*> sinks;
};

class EventLog::Entry final : public Subscription {
public:
    Entry(std::shared_ptr<State> state, Engine::EventSink sink) : m_state(std::move(state)), m_sink(std::move(sink)) {
        const std::lock_guard lock(m_state->mutex);
        m_state->sinks.push_back(&m_sink);
    }
    ~Entry() override {
        const std::lock_guard lock(m_state->mutex);
        std::erase(m_state->sinks, &m_sink);
    }

private:
    const std::shared_ptr<State> m_state;
    const Engine::EventSink m_sink;
};

EventLog::EventLog(std::size_t capacity) : m_state(std::make_shared<State>(capacity)) {}

void EventLog::publish(Event event) {
    const std::lock_guard lock(m_state->mutex);
    if (m_state->events.size() == m_state->capacity) m_state->events.pop_front();
    m_state->events.push_back({m_state->last + 1, std::move(event)});
    ++m_state->last;  // nothing is counted that there was no memory for
    for (const Engine::EventSink* sink : m_state->sinks) (*sink)(m_state->events.back());
}

std::int64_t EventLog::lastSequence() const {
    const std::lock_guard lock(m_state->mutex);
    return m_state->last;
}

Result<std::vector<NumberedEvent>> EventLog::after(std::int64_t sequence) const {
    const std::lock_guard lock(m_state->mutex);
    const auto& events = m_state->events;
    const std::int64_t oldest = m_state->last - static_cast<std::int64_t>(events.size()) + 1;
    if (sequence < oldest - 1 || sequence > m_state->last)
        return fail(ErrorCode::NotFound, "events after " + std::to_string(sequence) + " are not kept; the newest is " +
                                             std::to_string(m_state->last));
    return std::vector<NumberedEvent>(events.begin() + (sequence - oldest + 1), events.end());
}

std::unique_ptr<Subscription> EventLog::subscribe(Engine::EventSink sink) {
    return std::make_unique<Entry>(m_state, std::move(sink));
}

}  // namespace espalier
