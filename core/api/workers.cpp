// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/workers.h"

#include <chrono>
#include <string>

namespace espalier {
namespace {
constexpr std::chrono::seconds kIdleLife{10};
}

Workers::~Workers() {
    std::unique_lock lock(m_mutex);
    m_closing = true;
    m_arrived.notify_all();
    m_ended.wait(lock, [&] { return m_threads == 0; });
}

Result<void> Workers::run(std::function<void()> task) {
    const std::lock_guard lock(m_mutex);
    if (m_closing) return fail(ErrorCode::Draining, "the daemon is shutting down");
    const bool grow = m_idle <= m_queue.size() && m_threads < m_maxThreads;
    if (!grow && m_queue.size() >= m_maxQueued)
        return fail(ErrorCode::Busy, std::to_string(m_queue.size()) + " requests are already waiting to be read");
    m_queue.push_back(std::move(task));
    if (grow) {
        ++m_threads;
        std::thread([this] { work(); }).detach();
    }
    m_arrived.notify_one();
    return {};
}

// Detached, but never outlives the object: the destructor waits until the count is zero.
void Workers::work() {
    std::unique_lock lock(m_mutex);
    while (true) {
        ++m_idle;
        m_arrived.wait_for(lock, kIdleLife, [&] { return !m_queue.empty() || m_closing; });
        --m_idle;
        if (m_queue.empty()) break;
        auto task = std::move(m_queue.front());
        m_queue.pop_front();
        lock.unlock();
        task();
        task = nullptr;
        lock.lock();
    }
    --m_threads;
    m_ended.notify_all();  // under the lock: the destructor goes on when this thread has let go of everything
}

}  // namespace espalier
