// SPDX-License-Identifier: GPL-3.0-or-later
// TenantShare: what a tenant gets of the engine, read by the serving loops before every step, so that a changed limit
// holds for what runs already.
//
// Owner: the registry of tenants; its requests share it. Thread: written by any, read by the engine thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace espalier {

struct TenantShare {
    std::atomic<double> weight{1.0};            // of its service, > 0
    std::atomic<std::int32_t> kvPages{0};       // that its running requests may hold in one pool; 0: no cap
    std::atomic<std::int32_t> firstTokenMs{0};  // refused at once when its first token is expected later; 0: it waits
};

}  // namespace espalier
