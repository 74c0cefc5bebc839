// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/workers.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include "core/base/caught.h"

namespace espalier {
namespace {
constexpr std::chrono::seconds kIdleLife{10};
}

struct WorkQueue::State {
    State(std::size_t most, std::size_t queued, std::size_t stay)
        : maxThreads(most), maxQueued(queued), lasting(stay) {}

    const std::size_t maxThreads, maxQueued, lasting;
    std::mutex mutex;
    std::condition_variable arrived, ended;
    std::deque<std::function<void()>> tasks;
    std::size_t threads = 0, idle = 0;
    bool closing = false;
};

Workers::Workers(std::size_t maxThreads, std::size_t maxQueued, std::size_t lasting)
    : m_queue(std::make_shared<WorkQueue::State>(maxThreads, maxQueued, lasting)) {}

Workers::~Workers() {
    WorkQueue::State& state = *m_queue.m_state;
    std::unique_lock lock(state.mutex);
    state.closing = true;
    state.arrived.notify_all();
    state.ended.wait(lock, [&] { return state.threads == 0; });
}

Result<void> WorkQueue::run(std::function<void()> task) const {
    State& state = *m_state;
    const std::lock_guard lock(state.mutex);
    if (state.closing) return fail(ErrorCode::Draining, "the daemon is shutting down");
    const bool grow = state.idle <= state.tasks.size() && state.threads < state.maxThreads;
    const std::size_t waiting = state.tasks.size() - std::min(state.tasks.size(), state.idle);
    if (!grow && state.idle <= state.tasks.size() && waiting >= state.maxQueued)
        return fail(ErrorCode::Busy, std::to_string(waiting) + " requests are already waiting to be read");
    state.tasks.push_back(std::move(task));
    if (grow) {
        try {
            std::thread([shared = m_state] { work(shared); }).detach();
            ++state.threads;
        } catch (const std::system_error&) {  // the system has no thread to give: one that lives will come to it
            if (state.threads == 0) {
                state.tasks.pop_back();
                return fail(ErrorCode::Busy, "the system gives no thread for this request; try again in a moment");
            }
        }
    }
    state.arrived.notify_one();
    return {};
}

// Detached; ~Workers waits until the count is zero, so that no task outlives what it was given.
void WorkQueue::work(const std::shared_ptr<State>& shared) {
    State& state = *shared;
    std::unique_lock lock(state.mutex);
    while (true) {
        ++state.idle;
        const auto hasWork = [&] { return !state.tasks.empty() || state.closing; };
        if (state.threads <= state.lasting)
            state.arrived.wait(lock, hasWork);
        else
            state.arrived.wait_for(lock, kIdleLife, hasWork);
        --state.idle;
        if (state.tasks.empty() && (state.closing || state.threads > state.lasting)) break;
        if (state.tasks.empty()) continue;
        auto task = std::move(state.tasks.front());
        state.tasks.pop_front();
        lock.unlock();
        // What the task was about ends with what it holds: an exchange without an answer gets one that says so.
        (void)caught("a worker", [&]() -> Result<void> {
            task();
            return {};
        });
        task = nullptr;
        lock.lock();
    }
    --state.threads;
    state.ended.notify_all();
}

}  // namespace espalier
