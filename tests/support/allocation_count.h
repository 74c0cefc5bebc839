// SPDX-License-Identifier: GPL-3.0-or-later
// Counts the allocations of this process by operator new. A test program that uses it gets replacements of the global
// operators, which do nothing else.
#pragma once

#include <cstdint>

namespace espalier::test {

std::int64_t allocationCount();  // since the start, of all threads

}  // namespace espalier::test
