// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/daemon_file.h"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "core/api/keys.h"
#include "core/api/protocol.h"
#include "core/base/json.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxBytes = 64 << 10;

}  // namespace

bool isRunning(std::int64_t pid) {
    if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno != EPERM) return false;
    // proc(5): "pid (name) state ...", and the name may hold anything.
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t end = text.rfind(") ");
    return end == std::string::npos || (text.compare(end + 2, 1, "Z") != 0 && text.compare(end + 2, 1, "X") != 0);
}

Result<void> writeDaemonFile(FileSystem& files, const Path& workspace, const DaemonAddress& address) {
    const Json json{{"url", address.url},
                    {"pid", address.pid},
                    {"key_file", address.keyFile},
                    {"certificate", address.certificate}};
    return writePrivateFile(files, workspace / kDaemonFile, dumpJson(json) + "\n");
}

Result<std::optional<DaemonAddress>> readDaemonFile(FileSystem& files, const Path& workspace) {
    const Path file = workspace / kDaemonFile;
    if (!files.exists(file)) return std::optional<DaemonAddress>();
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxBytes));
    TRY_ASSIGN(const Json json, parseJson(text, file.string()));
    const JsonReader reader(json, file.string());
    DaemonAddress address;
    TRY_ASSIGN(address.url, reader.string("url"));
    TRY_ASSIGN(address.pid, reader.integer("pid", 1, INT32_MAX));
    TRY_ASSIGN(address.keyFile, reader.string("key_file"));
    TRY_ASSIGN(address.certificate, reader.stringOr("certificate", ""));
    if (!isRunning(address.pid)) return std::optional<DaemonAddress>();
    return std::optional(std::move(address));
}

Result<void> removeDaemonFile(FileSystem& files, const Path& workspace) {
    return files.remove(workspace / kDaemonFile);
}

}  // namespace espalier
