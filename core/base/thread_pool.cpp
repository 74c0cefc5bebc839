// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/check.h"

namespace espalier {
namespace {

// About 20 microseconds: longer than the gap between two operations of a step, shorter than anything that would show
// as load on an idle server.
constexpr int kSpins = 4000;

int processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    return static_cast<int>(std::thread::hardware_concurrency());
}

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

struct ThreadPool::State {
    std::vector<std::thread> workers;
    std::mutex mutex;
    std::condition_variable wake;
    std::atomic<std::uint64_t> generation{0};
    std::atomic<std::int64_t> next{0};
    std::atomic<int> unfinished{0};  // workers that have not yet left the current generation
    std::int64_t count = 0;
    Call call = nullptr;
    const void* context = nullptr;
    bool stop = false;

    void drainTasks() {
        for (std::int64_t index; (index = next.fetch_add(1, std::memory_order_relaxed)) < count;) call(context, index);
    }

    void work() {
        std::uint64_t seen = 0;
        for (;;) {
            for (int spin = 0; spin < kSpins && generation.load(std::memory_order_acquire) == seen; ++spin) pause();
            if (generation.load(std::memory_order_acquire) == seen) {
                std::unique_lock lock(mutex);
                wake.wait(lock, [&] { return generation.load(std::memory_order_relaxed) != seen; });
            }
            seen = generation.load(std::memory_order_acquire);
            if (stop) return;
            drainTasks();
            unfinished.fetch_sub(1, std::memory_order_release);
        }
    }
};

ThreadPool::ThreadPool(int threads) : m_state(std::make_unique<State>()) {
    CHECK(threads >= 0);
    if (threads == 0) threads = processors();
    for (int i = 1; i < threads; ++i) m_state->workers.emplace_back([state = m_state.get()] { state->work(); });
}

ThreadPool::~ThreadPool() {
    {
        const std::lock_guard lock(m_state->mutex);
        m_state->stop = true;
        m_state->generation.fetch_add(1, std::memory_order_release);
    }
    m_state->wake.notify_all();
    for (std::thread& worker : m_state->workers) worker.join();
}

int ThreadPool::threads() const { return static_cast<int>(m_state->workers.size()) + 1; }

void ThreadPool::run(std::int64_t count, Call call, const void* context) {
    if (count <= 0) return;
    if (count == 1 || m_state->workers.empty()) {
        for (std::int64_t index = 0; index < count; ++index) call(context, index);
        return;
    }
    State& state = *m_state;
    {
        const std::lock_guard lock(state.mutex);
        state.count = count;
        state.call = call;
        state.context = context;
        state.next.store(0, std::memory_order_relaxed);
        state.unfinished.store(static_cast<int>(state.workers.size()), std::memory_order_relaxed);
        state.generation.fetch_add(1, std::memory_order_release);
    }
    state.wake.notify_all();
    state.drainTasks();
    for (int spin = 0; state.unfinished.load(std::memory_order_acquire) > 0; ++spin) {
        // A worker that was descheduled must get the processor back: never spin it out.
        if (spin < kSpins)
            pause();
        else
            std::this_thread::yield();
    }
}

}  // namespace espalier
