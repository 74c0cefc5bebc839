// SPDX-License-Identifier: GPL-3.0-or-later
// Workers: runs tasks that may take a while (parsing, encoding text, waiting for the engine) off the network thread. A
// thread is made when all are busy, up to a cap, and ends after some idle seconds.
//
// Owner: Daemon. Thread: any may call run.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/result.h"

namespace espalier {

class Workers {
public:
    Workers(std::size_t maxThreads, std::size_t maxQueued) : m_maxThreads(maxThreads), m_maxQueued(maxQueued) {}
    ~Workers();  // runs what is queued, then joins
    Workers(const Workers&) = delete;

    // Error busy when every thread works and the queue is full; draining after the end has begun.
    Result<void> run(std::function<void()> task);

private:
    void work();

    const std::size_t m_maxThreads, m_maxQueued;
    std::mutex m_mutex;
    std::condition_variable m_arrived, m_ended;
    std::deque<std::function<void()>> m_queue;
    std::size_t m_threads = 0, m_idle = 0;
    bool m_closing = false;
};

}  // namespace espalier
