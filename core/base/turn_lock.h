// SPDX-License-Identifier: GPL-3.0-or-later
// TurnLock: a mutex that goes to who has waited longest. A std::mutex may come back to the thread that has just given
// it up, however many others wait; here who takes it again and again lets each of them in between.
//
// For std::lock_guard. Thread: any.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace espalier {

class TurnLock {
public:
    void lock() {
        std::unique_lock lock(m_mutex);
        const std::uint64_t turn = m_asked++;
        m_turn.wait(lock, [&] { return turn == m_ended; });
    }
    void unlock() {
        const std::lock_guard lock(m_mutex);
        ++m_ended;
        m_turn.notify_all();
    }
    // Who has asked and does not hold it yet.
    std::uint64_t waiting() const {
        const std::lock_guard lock(m_mutex);
        return m_asked == m_ended ? 0 : m_asked - m_ended - 1;
    }

private:
    mutable std::mutex m_mutex;
    std::condition_variable m_turn;
    std::uint64_t m_asked = 0, m_ended = 0;  // turns
};

}  // namespace espalier
