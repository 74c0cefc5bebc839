// SPDX-License-Identifier: GPL-3.0-or-later
// How a workspace's running daemon is found: daemon.json beside its lock, readable by its owner only, written when the
// daemon answers and removed when it ends. After a crash it may name a daemon that is no more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/base/file_system.h"
#include "core/base/result.h"

namespace espalier {

struct DaemonAddress {
    std::string url;  // "http://127.0.0.1:8420", no /v1
    std::int64_t pid = 0;
    std::string keyFile;            // holds the admin key
    std::string certificate;        // PEM file to trust; empty without TLS
    std::int64_t processStart = 0;  // of pid, see startOf(); 0: not known
};

Result<void> writeDaemonFile(FileSystem& files, const Path& workspace, const DaemonAddress& address);
// None when there is no file, or its process is gone, also where another one has its number by now. Error corrupt_file.
Result<std::optional<DaemonAddress>> readDaemonFile(FileSystem& files, const Path& workspace);
// A process that has ended but was not waited for by its parent is none.
bool isRunning(std::int64_t pid);
// When a process began, in ticks since the machine did; 0 when that cannot be read. With its number this names a
// process also after the machine was started anew.
std::int64_t startOf(std::int64_t pid);
Result<void> removeDaemonFile(FileSystem& files, const Path& workspace);

}  // namespace espalier
