// SPDX-License-Identifier: GPL-3.0-or-later
// Counts the allocations of this process by operator new, and lets one of a thread fail as when there is no memory. A
// test program that uses it gets replacements of the global operators, which do nothing else.
#pragma once

#include <cstdint>

namespace espalier::test {

std::int64_t allocationCount();  // since the start, of all threads

// The n-th allocation of the calling thread from now on (1: the next) throws std::bad_alloc, and only that one; 0:
// none. Gives what an earlier n had come down to; 0: that one has failed, or there was none.
std::int64_t failAllocation(std::int64_t n);
std::int64_t failedAllocations();  // since the start, of all threads

}  // namespace espalier::test
