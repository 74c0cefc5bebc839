// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/machine_stats.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "core/base/processors.h"
#include "core/compute/host_memory.h"

namespace espalier {

MachineStats machineStats(const Path& folder) {
    MachineStats stats;
    stats.memoryBytes = std::max<std::int64_t>(0, machineMemory());
    stats.memoryFreeBytes = std::clamp<std::int64_t>(availableMemory(), 0, stats.memoryBytes);
    stats.processors = static_cast<std::int32_t>(processorsHere().allowed.size());
    struct statvfs disk {};
    if (::statvfs(folder.c_str(), &disk) == 0) {
        const auto block = static_cast<std::int64_t>(disk.f_frsize);
        // As df counts: what is kept for the system or for others is neither used nor there.
        stats.diskBytes = static_cast<std::int64_t>(disk.f_blocks - disk.f_bfree + disk.f_bavail) * block;
        stats.diskFreeBytes = static_cast<std::int64_t>(disk.f_bavail) * block;
    }
    return stats;
}

}  // namespace espalier
