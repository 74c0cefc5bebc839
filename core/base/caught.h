// SPDX-License-Identifier: GPL-3.0-or-later
// Where exceptions stop. Our code does not throw; libraries do, std::bad_alloc as a rule, and what comes out of the top
// function of a thread ends the process. So whatever such a function does goes through caught(), and an exception of it
// is an Error: pool_exhausted for memory, else internal. Needs no memory itself: without any, the sentence is shorter.
//
// Thread: any.
#pragma once

#include <string_view>

#include "core/base/result.h"

namespace espalier {

// What is being thrown, as what befell `who`: "the engine". Requires: called within a catch.
Error caughtError(std::string_view who) noexcept;

// What `work` gives, which is a Result.
template <class Work>
auto caught(std::string_view who, Work&& work) noexcept -> decltype(work()) {
    try {
        return work();
    } catch (...) {
        return caughtError(who);
    }
}

}  // namespace espalier
