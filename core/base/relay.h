// SPDX-License-Identifier: GPL-3.0-or-later
// Relay<Item>: one thread fills items of a small ring, a second one works on them in the same order, so that both are
// busy at once and memory is bounded by the ring. What can fail stays with the
// filling thread. An exception of the work (std::bad_alloc) ends the work and comes out of next() or drain().
//
// Owner and caller: the filling thread. `work` runs on the relay's own thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/check.h"

namespace espalier {

template <class Item>
class Relay {
public:
    // Requires: ringSize >= 2.
    Relay(std::size_t ringSize, std::function<void(Item&)> work)
        : m_items(ringSize), m_work(std::move(work)), m_thread([this](std::stop_token stop) { run(stop); }) {
        CHECK(ringSize >= 2);
    }
    Relay(const Relay&) = delete;
    // Items that were passed and not begun are dropped.
    ~Relay() = default;

    // The next item to fill, as some earlier round left it; waits until one is free.
    Item& next() {
        std::unique_lock lock(m_mutex);
        m_worked.wait(lock, [this] { return m_failure || m_passed - m_done < m_items.size(); });
        rethrow();
        return m_items[m_passed % m_items.size()];
    }
    // Hands on the item of next(). The caller may go on reading it until it calls next() again.
    void pass() {
        {
            const std::lock_guard lock(m_mutex);
            ++m_passed;
        }
        m_filled.notify_one();
    }
    // Waits until all work is done; what it did is visible to the caller then.
    void drain() {
        std::unique_lock lock(m_mutex);
        m_worked.wait(lock, [this] { return m_failure || m_passed == m_done; });
        rethrow();
    }

private:
    void run(std::stop_token stop) {
        std::unique_lock lock(m_mutex);
        while (m_filled.wait(lock, stop, [this] { return m_done < m_passed; }) && !stop.stop_requested()) {
            Item& item = m_items[m_done % m_items.size()];
            lock.unlock();
            std::exception_ptr failure;
            try {
                m_work(item);
            } catch (...) {
                failure = std::current_exception();
            }
            lock.lock();
            m_failure = failure;
            if (!m_failure) ++m_done;
            m_worked.notify_one();
            if (m_failure) return;
        }
    }
    void rethrow() const {
        if (m_failure) std::rethrow_exception(m_failure);
    }

    std::vector<Item> m_items;
    std::function<void(Item&)> m_work;
    std::mutex m_mutex;
    std::condition_variable_any m_filled;
    std::condition_variable m_worked;
    std::size_t m_passed = 0;
    std::size_t m_done = 0;
    std::exception_ptr m_failure;  // of the work; nothing is done after it
    std::jthread m_thread;         // last: it uses all of the above and ends first
};

}  // namespace espalier
