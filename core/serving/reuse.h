// SPDX-License-Identifier: GPL-3.0-or-later
// What keeping something is worth: how likely it is wanted again, and what it costs to have it back. Plain values.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/clock.h"

namespace espalier {

// Uses that fade with a half-life of a minute, as one number that stands still while time passes: the logarithm of what
// is left of them now, plus the half-lives since the clock began. So things stay sorted by it until they are used.
class ReuseHeat {
public:
    void use(TimePoint now) {
        const double age = halfLives(now);
        m_key = std::log2(1.0 + std::exp2(m_key - age)) + age;
    }
    // Both as one: their uses added up.
    void join(const ReuseHeat& other);
    // Takes out what was joined before. Requires: other's uses are among these.
    void part(const ReuseHeat& other);
    double key() const { return m_key; }
    double usesLeft(TimePoint now) const { return std::exp2(m_key - halfLives(now)); }

private:
    static double halfLives(TimePoint now) { return seconds(now.time_since_epoch()) / 60.0; }
    double m_key = -std::numeric_limits<double>::infinity();  // never used
};

// log2(2^a + 2^b): values of things that go together, added up.
inline double sumOfValues(double a, double b) {
    const double most = std::max(a, b), least = std::min(a, b);
    return std::isinf(least) ? most : most + std::log2(1.0 + std::exp2(least - most));
}

inline void ReuseHeat::join(const ReuseHeat& other) {
    m_key = sumOfValues(m_key, other.m_key);
}
inline void ReuseHeat::part(const ReuseHeat& other) {
    if (std::isinf(other.m_key)) return;
    const double left = 1.0 - std::exp2(other.m_key - m_key);
    m_key = left > 0.0 ? m_key + std::log2(left) : -std::numeric_limits<double>::infinity();
}

// Order in which things give way: uses left x seconds to have it back / pages it frees, as a logarithm.
inline double keepingValue(const ReuseHeat& heat, double secondsBack, double pages) {
    return heat.key() + std::log2(secondsBack / pages);
}

// Seconds per unit of work, learned from what was done lately; begins with a guess.
class LearnedCost {
public:
    LearnedCost(double units, double seconds) : m_units(units), m_seconds(seconds) {}
    void add(double units, double seconds) {
        constexpr double kKept = 0.9;
        if (units <= 0.0 || seconds <= 0.0) return;
        m_units = kKept * m_units + units;
        m_seconds = kKept * m_seconds + seconds;
    }
    double secondsFor(double units) const { return m_seconds / m_units * units; }

private:
    double m_units, m_seconds;
};

}  // namespace espalier
