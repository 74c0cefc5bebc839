// SPDX-License-Identifier: GPL-3.0-or-later
// Clock: time as a value that tests can set. Deciders take a TimePoint; only loops ask a Clock.
#pragma once

#include <chrono>
#include <cstdint>

namespace espalier {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
public:
    virtual ~Clock() = default;
    virtual TimePoint now() const = 0;                  // monotonic
    virtual std::int64_t unixMilliseconds() const = 0;  // wall clock, for people and records
};

class SystemClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    std::int64_t unixMilliseconds() const override {
        using namespace std::chrono;
        return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    }
};

// Stands still until told to move.
class ManualClock final : public Clock {
public:
    TimePoint now() const override { return m_now; }
    std::int64_t unixMilliseconds() const override {
        return std::chrono::duration_cast<std::chrono::milliseconds>(m_now.time_since_epoch()).count();
    }
    void advance(Duration by) { m_now += by; }

private:
    TimePoint m_now{};
};

inline double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}
inline double milliseconds(Duration duration) {
    return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace espalier
