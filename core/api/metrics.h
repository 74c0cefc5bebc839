// SPDX-License-Identifier: GPL-3.0-or-later
// What GET /metrics shows: Prometheus text (exposition format 0.0.4), names after vLLM's with the prefix "espalier:".
// Every name is present from the first scrape on; the engine's counters come from its snapshot, the histograms from the
// last chunk of each request that came over HTTP.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/messages.h"
#include "core/serving/request.h"

namespace espalier {

// Cumulative histogram with fixed upper bounds.
class Histogram {
public:
    explicit Histogram(std::vector<double> bounds) : m_bounds(std::move(bounds)), m_counts(m_bounds.size() + 1) {}
    void add(double value);
    void print(std::string& out, std::string_view name, std::string_view help) const;

private:
    std::vector<double> m_bounds;
    std::vector<std::int64_t> m_counts;
    double m_sum = 0;
};

class RequestMetrics {  // Thread: any
public:
    RequestMetrics();
    void ended(const Chunk& last);
    std::string text(const Snapshot& snapshot) const;

private:
    mutable std::mutex m_mutex;
    Histogram m_ttft, m_tpot, m_e2e, m_queue, m_promptTokens, m_generationTokens;
};

}  // namespace espalier
