// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>

namespace espalier {
namespace {

constexpr double kShortestSpanS = 0.5;

double processorSeconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto of = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec * 1e-6; };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace

double ProcessStats::processorShare(TimePoint now) {
    const double elapsed = seconds(now - m_from);
    if (m_started && elapsed < kShortestSpanS) return m_share;
    const double used = processorSeconds();
    if (m_started) m_share = (used - m_processorSeconds) / elapsed;
    m_started = true;
    m_from = now;
    m_processorSeconds = used;
    return m_share;
}

std::int64_t ProcessStats::residentBytes() {
    long long pages = 0, resident = 0;
    std::FILE* file = std::fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (std::fscanf(file, "%lld %lld", &pages, &resident) != 2) resident = 0;
    std::fclose(file);
    return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace espalier
