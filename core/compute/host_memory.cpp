// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/compute/host_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "core/base/check.h"

namespace espalier {
namespace {

constexpr std::int64_t kPage = 4096;
constexpr std::int64_t kHugePage = 2 << 20;

constexpr std::int64_t roundUp(std::int64_t value, std::int64_t unit) {
    return (value + unit - 1) / unit * unit;
}

// The number after `key` in a small text file of the kernel, times `unit`; -1 when it is not there.
std::int64_t readNumber(const char* path, const char* key, std::int64_t unit) {
    std::FILE* file = std::fopen(path, "re");
    if (!file) return -1;
    char line[256];
    long long number = -1;
    const std::string format = std::string(key) + "%lld";
    while (number < 0 && std::fgets(line, sizeof line, file)) std::sscanf(line, format.c_str(), &number);
    std::fclose(file);
    return number < 0 ? -1 : number * unit;
}

}  // namespace

std::int64_t machineMemory() {
    const std::int64_t physical = std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE);
    const std::int64_t group = readNumber("/sys/fs/cgroup/memory.max", "", 1);
    return group > 0 ? std::min(physical, group) : physical;
}

std::int64_t availableMemory() {
    return readNumber("/proc/meminfo", "MemAvailable: ", 1024);
}

HostMemory::HostMemory(std::int64_t limit) : m_limit(limit > 0 ? limit : machineMemory()) {}

std::int64_t HostMemory::free() const {
    const std::int64_t rest = m_limit - m_used.load(std::memory_order_relaxed);
    const std::int64_t available = availableMemory();
    return available < 0 ? rest : std::min(rest, available);
}

Result<std::byte*> HostMemory::allocate(std::int64_t bytes) {
    CHECK(bytes > 0);
    const auto refuse = [&](std::int64_t used, const char* why) {
        return fail(ErrorCode::PoolExhausted, std::to_string(bytes) + " bytes do not fit: " + std::to_string(used) +
                                                  " of " + std::to_string(m_limit) + " bytes are in use" + why);
    };
    if (bytes > m_limit) return refuse(m_used.load(std::memory_order_relaxed), "");
    const std::int64_t mapped = roundUp(bytes, kPage);
    const std::int64_t before = m_used.fetch_add(mapped, std::memory_order_relaxed);
    const auto giveBack = [&] { m_used.fetch_sub(mapped, std::memory_order_relaxed); };
    if (before + bytes > m_limit) {
        giveBack();
        return refuse(before, "");
    }
    // Mapping more than there is would succeed and kill the process at the first touch.
    const bool large = mapped >= 2 * kHugePage;
    if (const std::int64_t available = large ? availableMemory() : -1; available >= 0 && mapped > available) {
        giveBack();
        return refuse(before, " and the machine has no more");
    }
    const std::int64_t slack = large ? kHugePage : 0;
    void* base = mmap(nullptr, static_cast<std::size_t>(mapped + slack), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) {
        giveBack();
        return refuse(before, " and the machine has no more");
    }
    auto* start = static_cast<std::byte*>(base);
    if (!large) return start;
    const auto address = reinterpret_cast<std::uintptr_t>(start);
    const std::int64_t head =
        roundUp(static_cast<std::int64_t>(address), kHugePage) - static_cast<std::int64_t>(address);
    if (head > 0) munmap(start, static_cast<std::size_t>(head));
    if (slack > head) munmap(start + head + mapped, static_cast<std::size_t>(slack - head));
    madvise(start + head, static_cast<std::size_t>(mapped), MADV_HUGEPAGE);
    return start + head;
}

void HostMemory::release(std::byte* data, std::int64_t bytes) {
    const std::int64_t mapped = roundUp(bytes, kPage);
    CHECK(munmap(data, static_cast<std::size_t>(mapped)) == 0);
    m_used.fetch_sub(mapped, std::memory_order_relaxed);
}

}  // namespace espalier
