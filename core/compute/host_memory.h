// SPDX-License-Identifier: GPL-3.0-or-later
// HostMemory: zeroed, page-aligned memory for backends that compute on the host, under one limit. Large blocks start on
// a huge-page border and ask for huge pages: weights and KV pages are streamed, and the TLB is what a stream waits for.
//
// Owner: a backend. Thread: any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/result.h"

namespace espalier {

class HostMemory {
public:
    // limit: bytes handed out in all; 0: the machine's memory (or what its control group leaves).
    explicit HostMemory(std::int64_t limit);

    // 4096-byte aligned, zeroed. Error pool_exhausted names what was asked, used and allowed, and changes nothing.
    // Requires: bytes > 0.
    Result<std::byte*> allocate(std::int64_t bytes);
    // Requires: data and bytes as allocate saw them.
    void release(std::byte* data, std::int64_t bytes);

    std::int64_t limit() const { return m_limit; }
    std::int64_t free() const;  // what allocate would still give: the limit's rest, or less when the machine has less

private:
    std::int64_t m_limit;
    std::atomic<std::int64_t> m_used{0};
};

// Bytes of the machine's memory, or what its control group leaves.
std::int64_t machineMemory();
// Bytes the operating system could give without swapping; -1 when it does not say.
std::int64_t availableMemory();

}  // namespace espalier
