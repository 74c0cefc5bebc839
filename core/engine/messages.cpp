// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/messages.h"

#include <array>

namespace espalier {

std::string_view jobStateName(JobState state) {
    static constexpr std::array<std::string_view, 7> kNames = {"queued",   "running", "paused",   "interrupted",
                                                               "finished", "failed",  "cancelled"};
    return kNames[static_cast<std::size_t>(state)];
}

std::string_view serveStateName(ServeState state) {
    static constexpr std::array<std::string_view, 3> kNames = {"stopped", "serving", "draining"};
    return kNames[static_cast<std::size_t>(state)];
}

}  // namespace espalier
