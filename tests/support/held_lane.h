// SPDX-License-Identifier: GPL-3.0-or-later
// HeldLane: a lane whose jobs begin when the test says so, on the test's thread.
#pragma once

#include <deque>
#include <functional>

#include "core/base/lane.h"

namespace espalier::test {

class HeldLane final : public Lane {
public:
    void post(std::function<void()> job) override { m_jobs.push_back(std::move(job)); }
    std::size_t held() const { return m_jobs.size(); }
    bool runOne() {
        if (m_jobs.empty()) return false;
        const std::function<void()> job = std::move(m_jobs.front());
        m_jobs.pop_front();
        job();
        return true;
    }
    void runAll() {
        while (runOne()) continue;
    }

private:
    std::deque<std::function<void()>> m_jobs;
};

}  // namespace espalier::test
