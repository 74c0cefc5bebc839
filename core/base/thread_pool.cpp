// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/thread_pool.h"

#include <sched.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/processors.h"

namespace espalier {
namespace {

// 20 to 50 microseconds: longer than the gap between two operations of a step, shorter than anything that would show
// as load on an idle server.
constexpr int kSpins = 1000;

// The ticket of a call: its generation in the high half, the number of tasks nobody has taken in the low half.
constexpr int kLeftBits = 32;
constexpr std::uint64_t kLeftMask = (std::uint64_t{1} << kLeftBits) - 1;

int processors() {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    const unsigned count = std::thread::hardware_concurrency();
    return count > 0 ? static_cast<int>(count) : 1;
}

void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

// A call is published as one ticket. A thread takes a task by lowering the ticket with a compare-exchange that compares
// the generation too, so a worker that wakes late (its call long done, the next one under way) takes nothing of the
// wrong call. count, call and context are overwritten only after every task has been taken and has finished; a
// successful exchange from a ticket with tasks left therefore proves that what was read before it belongs to the call.
// The caller waits for finished tasks, never for workers to wake up.
struct ThreadPool::State {
    std::vector<std::thread> workers;
    int spins = 0;
    PlacingRight right;
    std::vector<int> places;
    alignas(64) std::atomic<std::uint64_t> ticket{0};
    std::atomic<std::int64_t> count{0};
    std::atomic<Call> call{nullptr};
    std::atomic<const void*> context{nullptr};
    alignas(64) std::atomic<std::int64_t> finished{0};
    std::mutex mutex;  // guards the sleep of workers: a ticket's generation changes under it
    std::condition_variable wake;
    std::atomic<bool> stop{false};
    std::atomic<bool> hasFailed{false};  // a task of this call threw
    std::exception_ptr failure;          // the first that did; read when all have finished

    std::uint64_t generation() const { return ticket.load(std::memory_order_acquire) >> kLeftBits; }

    // Runs tasks of call `mine` until none is left to take.
    void takeTasks(std::uint64_t mine) {
        std::uint64_t seen = ticket.load(std::memory_order_acquire);
        while (seen >> kLeftBits == mine && (seen & kLeftMask) > 0) {
            const std::int64_t index =
                count.load(std::memory_order_relaxed) - static_cast<std::int64_t>(seen & kLeftMask);
            const Call run = call.load(std::memory_order_relaxed);
            const void* with = context.load(std::memory_order_relaxed);
            if (!ticket.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel, std::memory_order_acquire))
                continue;
            try {
                run(with, index);
            } catch (...) {
                if (!hasFailed.exchange(true)) failure = std::current_exception();
            }
            finished.fetch_add(1, std::memory_order_release);
            seen = ticket.load(std::memory_order_acquire);
        }
    }

    void work() {
        std::uint64_t done = 0;
        while (!stop.load(std::memory_order_acquire)) {
            for (int spin = 0; spin < spins && generation() == done; ++spin) pause();
            if (generation() == done) {
                std::unique_lock lock(mutex);
                wake.wait(lock, [&] { return generation() != done; });
            }
            done = generation();
            takeTasks(done);
        }
    }

    void publish(std::int64_t tasks, Call run, const void* with) {
        const std::lock_guard lock(mutex);
        count.store(tasks, std::memory_order_relaxed);
        call.store(run, std::memory_order_relaxed);
        context.store(with, std::memory_order_relaxed);
        finished.store(0, std::memory_order_relaxed);
        // The generation wraps after 2^32 calls; 0 is what a worker starts with.
        std::uint64_t next = (generation() + 1) & kLeftMask;
        if (next == 0) next = 1;
        ticket.store(next << kLeftBits | static_cast<std::uint64_t>(tasks), std::memory_order_release);
    }
};

ThreadPool::ThreadPool(int threads, Placement placement) : m_state(std::make_unique<State>()) {
    CHECK(threads >= 0);
    if (threads == 0) threads = processors();
    if (placement == Placement::OwnCores) m_state->places = placesFor(processorsHere(), threads);
    if (!m_state->places.empty()) m_state->right = PlacingRight::take();
    if (!m_state->right.isHeld()) m_state->places.clear();
    // With more threads than processors a spinning one holds the processor that the working one needs.
    m_state->spins = threads <= processors() ? kSpins : 0;
    for (int i = 1; i < threads; ++i)
        m_state->workers.emplace_back([state = m_state.get(), i] {
            if (!state->places.empty()) keepTo(state->places[static_cast<std::size_t>(i)]);
            state->work();
        });
}

ThreadPool::~ThreadPool() {
    m_state->stop.store(true, std::memory_order_release);
    m_state->publish(0, nullptr, nullptr);
    m_state->wake.notify_all();
    for (std::thread& worker : m_state->workers) worker.join();
}

int ThreadPool::threads() const {
    return static_cast<int>(m_state->workers.size()) + 1;
}

const std::vector<int>& ThreadPool::places() const {
    return m_state->places;
}

void ThreadPool::settle() {
    if (!m_state->places.empty()) keepTo(m_state->places.front());
}

void ThreadPool::run(std::int64_t count, Call call, const void* context) {
    if (count <= 0) return;
    State& state = *m_state;
    if (count == 1 || state.workers.empty()) {
        for (std::int64_t index = 0; index < count; ++index) call(context, index);
        return;
    }
    CHECK(static_cast<std::uint64_t>(count) <= kLeftMask);
    state.publish(count, call, context);
    const auto extra = static_cast<std::size_t>(count - 1);
    if (extra >= state.workers.size())
        state.wake.notify_all();
    else
        for (std::size_t i = 0; i < extra; ++i) state.wake.notify_one();
    state.takeTasks(state.generation());
    for (int spin = 0; state.finished.load(std::memory_order_acquire) < count; ++spin) {
        // A worker that was descheduled with a task must get the processor back: never spin it out.
        if (spin < state.spins)
            pause();
        else
            std::this_thread::yield();
    }
    if (state.hasFailed.exchange(false)) std::rethrow_exception(std::exchange(state.failure, nullptr));
}

}  // namespace espalier
