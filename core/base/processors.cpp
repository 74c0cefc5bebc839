// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/processors.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <utility>

namespace espalier {
namespace {

// The first number in a small text file of the kernel; -1 when there is none.
int readNumber(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (!file) return -1;
    int number = -1;
    if (std::fscanf(file, "%d", &number) != 1) number = -1;
    std::fclose(file);
    return number;
}

std::optional<cpu_set_t>& home() {
    thread_local std::optional<cpu_set_t> set;
    return set;
}

}  // namespace

Processors processorsHere() {
    Processors processors;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (const auto before = homeBeforeKeeping())
        set = *before;
    else if (sched_getaffinity(0, sizeof set, &set) != 0)
        return processors;
    for (int id = 0; id < CPU_SETSIZE; ++id) {
        if (!CPU_ISSET(id, &set)) continue;
        // The siblings of a core begin with the same number; a processor without the file is a core.
        const int first =
            readNumber("/sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/thread_siblings_list");
        processors.allowed.push_back({id, first >= 0 ? first : id});
    }
    processors.areAll = std::ssize(processors.allowed) == sysconf(_SC_NPROCESSORS_ONLN);
    return processors;
}

std::vector<int> placesFor(const Processors& processors, int threads) {
    if (!processors.areAll || threads < 2) return {};
    std::vector<int> places, cores;
    for (const Processor& processor : processors.allowed) {
        if (std::ssize(places) == threads) break;
        if (std::find(cores.begin(), cores.end(), processor.core) != cores.end()) continue;
        cores.push_back(processor.core);
        places.push_back(processor.id);
    }
    if (std::ssize(places) < threads) places.clear();
    return places;
}

bool keepTo(int processor) {
    cpu_set_t before, only;
    if (sched_getaffinity(0, sizeof before, &before) != 0) return false;
    CPU_ZERO(&only);
    CPU_SET(processor, &only);
    if (sched_setaffinity(0, sizeof only, &only) != 0) return false;
    if (!home()) home() = before;
    return true;
}

std::optional<cpu_set_t> homeBeforeKeeping() {
    return home();
}

void returnTo(const std::optional<cpu_set_t>& set) {
    if (!set) return;
    sched_setaffinity(0, sizeof *set, &*set);  // where that fails the thread runs, on fewer processors than it might
    home().reset();
}

// An abstract address: the kernel gives it to one socket at a time and takes it back with the process.
PlacingRight PlacingRight::take(const std::string& name) {
    PlacingRight right;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);
    const int handle = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return right;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
    if (bind(handle, reinterpret_cast<const sockaddr*>(&address), size) == 0)
        right.m_socket = handle;
    else
        close(handle);
    return right;
}

PlacingRight::PlacingRight(PlacingRight&& other) noexcept : m_socket(std::exchange(other.m_socket, -1)) {}

PlacingRight& PlacingRight::operator=(PlacingRight&& other) noexcept {
    std::swap(m_socket, other.m_socket);
    return *this;
}

PlacingRight::~PlacingRight() {
    if (m_socket >= 0) close(m_socket);
}

}  // namespace espalier
