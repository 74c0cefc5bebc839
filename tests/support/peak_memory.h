// SPDX-License-Identifier: GPL-3.0-or-later
// The largest resident memory of this process, for tests that say how much something may take. Thread: any.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

namespace espalier::test {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kMemoryIsMeasured = false;  // sanitizers take their own time and memory
#else
constexpr bool kMemoryIsMeasured = true;
#endif

inline std::int64_t statusBytes(const char* key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with(key)) return std::stoll(line.substr(std::string(key).size())) << 10;
    return 0;
}

// From its making on: how far the peak went beyond what was resident then.
class PeakMemory {
public:
    PeakMemory() {
        std::ofstream("/proc/self/clear_refs") << 5;
        m_before = statusBytes("VmRSS:");
    }
    std::int64_t growth() const { return statusBytes("VmHWM:") - m_before; }

private:
    std::int64_t m_before = 0;
};

}  // namespace espalier::test
