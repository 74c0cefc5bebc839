// SPDX-License-Identifier: GPL-3.0-or-later
// MinuteWindow: how much happened in the sixty seconds before now. A sliding window, not a clock minute: no sixty
// seconds ever hold more than a limit checked against it. Moments are rounded up to 10 ms, so something counts for up
// to 10 ms too long and never too short; that bounds the memory of a tenant who streams without end.
//
// Owner: Tenants. Thread: the owner's.
#pragma once

#include <cstdint>
#include <deque>

#include "core/base/clock.h"

namespace espalier {

class MinuteWindow {
public:
    void add(TimePoint at, std::int64_t amount);  // Requires: `at` never goes back
    std::int64_t amount(TimePoint now);           // forgets what is older
    // How long from now until the amount is at most `most`, if nothing is added; zero when it is.
    Duration untilAtMost(TimePoint now, std::int64_t most);

private:
    struct Entry {
        TimePoint ends{};  // counts until then, not at it
        std::int64_t amount = 0;
    };
    void forget(TimePoint now);

    std::deque<Entry> m_entries;  // by time
    std::int64_t m_amount = 0;
};

}  // namespace espalier
