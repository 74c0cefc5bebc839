// SPDX-License-Identifier: GPL-3.0-or-later
// What the machine has and what of it is free, whoever uses it: memory, processors, the disk of the workspace.
//
// Thread: any but the engine's: a disk that does not answer holds the caller up.
#pragma once

#include <cstdint>

#include "core/base/file_system.h"

namespace espalier {

struct MachineStats {
    std::int64_t memoryBytes = 0;      // 0: not known; the control group's where it is less
    std::int64_t memoryFreeBytes = 0;  // could be had without swapping
    std::int32_t processors = 0;       // that this process may use
    std::int64_t diskBytes = 0;        // 0: not known; used by anybody, and free for this user
    std::int64_t diskFreeBytes = 0;
    bool operator==(const MachineStats&) const = default;
};

// folder: of the workspace; its file system is the disk.
MachineStats machineStats(const Path& folder);

}  // namespace espalier
