// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/daemon_file.h"

#include <signal.h>

#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "core/api/keys.h"
#include "core/api/protocol.h"
#include "core/base/json.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxBytes = 64 << 10;
constexpr int kStartField = 22;  // "starttime", counted from 1

// proc(5): "pid (name) state ...", and the name may hold anything. From the state on; empty when there is none.
std::string statOf(std::int64_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t end = text.rfind(") ");
    return end == std::string::npos ? std::string() : text.substr(end + 2);
}

}  // namespace

bool isRunning(std::int64_t pid) {
    if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno != EPERM) return false;
    const std::string stat = statOf(pid);
    return stat.empty() || (stat[0] != 'Z' && stat[0] != 'X');
}

std::int64_t startOf(std::int64_t pid) {
    std::istringstream fields(statOf(pid));
    std::string field;
    for (int i = 3; i <= kStartField; ++i) fields >> field;
    std::int64_t ticks = 0;
    const auto read = std::from_chars(field.data(), field.data() + field.size(), ticks);
    return fields && read.ec == std::errc() ? ticks : 0;
}

Result<void> writeDaemonFile(FileSystem& files, const Path& workspace, const DaemonAddress& address) {
    const Json json{{"url", address.url},
                    {"pid", address.pid},
                    {"key_file", address.keyFile},
                    {"certificate", address.certificate},
                    {"process_start", address.processStart}};
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
    TRY_ASSIGN(address.processStart, reader.integerOr("process_start", 0, 0, INT64_MAX));
    if (!isRunning(address.pid)) return std::optional<DaemonAddress>();
    // After a crash and a new start of the machine the number may belong to any other program.
    if (address.processStart != 0 && address.processStart != startOf(address.pid))
        return std::optional<DaemonAddress>();
    return std::optional(std::move(address));
}

Result<void> removeDaemonFile(FileSystem& files, const Path& workspace) {
    return files.remove(workspace / kDaemonFile);
}

}  // namespace espalier
