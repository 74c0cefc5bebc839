// SPDX-License-Identifier: GPL-3.0-or-later
// Workers: runs tasks that may take a while (parsing, encoding text, waiting for the engine) off the network thread and
// off the engine thread. A thread is made when all are busy, up to a cap, and ends after some idle seconds.
//
// Owner: Daemon. Thread: any may call run.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "core/base/result.h"

namespace espalier {

// Hands tasks to Workers without owning them; may outlive them.
class WorkQueue {
public:
    // Error busy when every thread works and the queue is full, or no thread can be had; draining after the end has
    // begun.
    Result<void> run(std::function<void()> task) const;

private:
    friend class Workers;
    struct State;
    explicit WorkQueue(std::shared_ptr<State> state) : m_state(std::move(state)) {}
    static void work(const std::shared_ptr<State>& state);

    std::shared_ptr<State> m_state;
};

class Workers {
public:
    // lasting: as many threads stay when idle, so that a task is never refused for want of one.
    Workers(std::size_t maxThreads, std::size_t maxQueued, std::size_t lasting = 0);
    ~Workers();  // runs what is queued, then joins
    Workers(const Workers&) = delete;

    const WorkQueue& queue() const { return m_queue; }
    Result<void> run(std::function<void()> task) { return m_queue.run(std::move(task)); }

private:
    const WorkQueue m_queue;
};

}  // namespace espalier
