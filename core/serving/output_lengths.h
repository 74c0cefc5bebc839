// SPDX-License-Identifier: GPL-3.0-or-later
// OutputLengths: how long the answers were that ended last, for admission.
// Owner: ServingLoop. Thread: engine.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <vector>

namespace espalier {

class OutputLengths {
public:
    void add(std::int32_t tokens) {
        m_lengths.push_back(tokens);
        if (m_lengths.size() > kRemembered) m_lengths.pop_front();
        auto sorted = std::vector(m_lengths.begin(), m_lengths.end());
        const auto at = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) * 8 / 10);
        std::nth_element(sorted.begin(), at, sorted.end());
        m_expected = *at;
    }
    std::int32_t expected() const { return m_expected; }  // the 80th percentile

private:
    static constexpr std::size_t kRemembered = 128;
    std::deque<std::int32_t> m_lengths;
    std::int32_t m_expected = 64;
};

}  // namespace espalier
