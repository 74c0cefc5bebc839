// SPDX-License-Identifier: GPL-3.0-or-later
// Lane: where jobs run one after the other, in the order in which they were posted. On a thread of its own
// (ThreadLane), or at once on the caller's (InlineLane), where nothing is gained by a thread or a test wants no second
// one.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace espalier {

class Lane {
public:
    virtual ~Lane() = default;
    virtual void post(std::function<void()> job) = 0;  // the job must not throw
};

class InlineLane final : public Lane {
public:
    void post(std::function<void()> job) override { job(); }
};

// Thread: post() from any. The destructor lets the running job end and drops those that have not begun.
class ThreadLane final : public Lane {
public:
    ThreadLane();
    ~ThreadLane() override;
    void post(std::function<void()> job) override;

private:
    void run();

    std::mutex m_mutex;
    std::condition_variable m_posted;
    std::deque<std::function<void()>> m_jobs;
    bool m_ends = false;
    std::thread m_thread;
};

}  // namespace espalier
