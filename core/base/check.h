// SPDX-License-Identifier: GPL-3.0-or-later
// CHECK states a contract of our own code; a broken one ends the program with the place and the condition. Input from
// outside never reaches a CHECK: it is answered with a Result.
#pragma once

namespace espalier {
[[noreturn]] void checkFailed(const char* condition, const char* file, int line);
}

#define CHECK(condition) \
    (static_cast<bool>(condition) ? void(0) : ::espalier::checkFailed(#condition, __FILE__, __LINE__))

// VERIFY_OR(condition) { fallback }: a surprise that can be survived.
#define VERIFY_OR(condition) if (__builtin_expect(!(condition), 0))
