// SPDX-License-Identifier: GPL-3.0-or-later
// Mailbox<T>: a bounded queue between threads. Full means Busy, never a blocked sender.
// Thread: any may send; one receives.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace espalier {

template <class T>
class Mailbox {
public:
    explicit Mailbox(std::size_t capacity) : m_capacity(capacity) {}

    // Error busy when full or closed; the message is then untouched by the receiver.
    Result<void> send(T message) {
        {
            const std::lock_guard lock(m_mutex);
            if (m_closed) return fail(ErrorCode::Draining, "the engine is shutting down");
            if (m_queue.size() >= m_capacity)
                return fail(ErrorCode::Busy, std::to_string(m_capacity) + " messages are already waiting");
            m_queue.push_back(std::move(message));
        }
        m_arrived.notify_one();
        return {};
    }

    // Whoever waits comes back, with nothing if nothing came. Needs no room and no memory.
    void wake() {
        {
            const std::lock_guard lock(m_mutex);
            m_isWoken = true;
        }
        m_arrived.notify_one();
    }

    // Everything that has arrived, in order, without waiting.
    std::vector<T> drain() {
        const std::lock_guard lock(m_mutex);
        return take();
    }

    // Waits for a message, wake(), close() or the deadline; may come back empty.
    std::vector<T> waitAndDrain(Duration atMost) {
        std::unique_lock lock(m_mutex);
        m_arrived.wait_for(lock, atMost, [&] { return !m_queue.empty() || m_isWoken || m_closed; });
        return take();
    }

    void close() {
        {
            const std::lock_guard lock(m_mutex);
            m_closed = true;
        }
        m_arrived.notify_all();
    }
    bool closed() const {
        const std::lock_guard lock(m_mutex);
        return m_closed;
    }

private:
    std::vector<T> take() {
        std::vector<T> messages(std::make_move_iterator(m_queue.begin()), std::make_move_iterator(m_queue.end()));
        m_queue.clear();
        m_isWoken = false;
        return messages;
    }

    const std::size_t m_capacity;
    mutable std::mutex m_mutex;
    std::condition_variable m_arrived;
    std::deque<T> m_queue;
    bool m_isWoken = false;
    bool m_closed = false;
};

}  // namespace espalier
