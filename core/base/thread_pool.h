// SPDX-License-Identifier: GPL-3.0-or-later
// ThreadPool: the threads that compute. parallelFor hands out task indices; which thread runs a task never changes a
// result, because every output element belongs to exactly one task and is summed in one fixed order.
//
// Owner: the backend. Thread: one caller at a time; tasks must not call parallelFor again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace espalier {

class ThreadPool {
public:
    // System: threads run where the system puts them. OwnCores: each keeps to a core of its own, the caller once it
    // settles, where placesFor (processors.h) says so and no other engine of this machine does the same.
    enum class Placement { System, OwnCores };

    // threads counts the caller: 1 means no extra thread, 0 means one per processor this process may use.
    explicit ThreadPool(int threads = 0, Placement placement = Placement::System);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;

    int threads() const;
    const std::vector<int>& places() const;  // the processor of each thread, the caller's first; empty: not placed
    void settle();  // the calling thread will be the caller for good: it takes its place, if there is one

    // Runs task(0) ... task(count - 1), each once; returns when all are done. Idle threads park; they spin briefly
    // between calls of the same step only, and a call never waits for a thread that has yet to wake. An exception of a
    // task (std::bad_alloc) comes out of here, when no other task runs any more; some may not have run then.
    template <class Task>
    void parallelFor(std::int64_t count, const Task& task) {
        run(
            count, [](const void* context, std::int64_t index) { (*static_cast<const Task*>(context))(index); }, &task);
    }

private:
    using Call = void (*)(const void* context, std::int64_t index);
    void run(std::int64_t count, Call call, const void* context);

    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace espalier
