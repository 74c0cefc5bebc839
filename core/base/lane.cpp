// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/lane.h"

#include <utility>

#include "core/base/processors.h"

namespace espalier {

// A thread that computes may keep to a core of its own, which is no place for what runs beside it.
ThreadLane::ThreadLane()
    : m_thread([this, home = homeBeforeKeeping()] {
          returnTo(home);
          run();
      }) {}

ThreadLane::~ThreadLane() {
    {
        const std::lock_guard lock(m_mutex);
        m_ends = true;
    }
    m_posted.notify_all();
    m_thread.join();
}

void ThreadLane::post(std::function<void()> job) {
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
    }
    m_posted.notify_one();
}

void ThreadLane::run() {
    for (;;) {
        std::function<void()> job;
        {
            std::unique_lock lock(m_mutex);
            m_posted.wait(lock, [&] { return m_ends || !m_jobs.empty(); });
            if (m_ends) return;
            job = std::move(m_jobs.front());
            m_jobs.pop_front();
        }
        job();
    }
}

}  // namespace espalier
