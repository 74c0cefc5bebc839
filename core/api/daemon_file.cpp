// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/daemon_file.h"

#include <signal.h>

#include <cerrno>

#include "core/api/keys.h"
#include "core/api/protocol.h"
#include "core/base/json.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxBytes = 64 << 10;

bool isAlive(std::int64_t pid) {
    return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

}  // namespace

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
    if (!isAlive(address.pid)) return std::optional<DaemonAddress>();
    return std::optional(std::move(address));
}

Result<void> removeDaemonFile(FileSystem& files, const Path& workspace) {
    return files.remove(workspace / kDaemonFile);
}

}  // namespace espalier
