// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/caught.h"

#include <exception>
#include <new>

namespace espalier {
namespace {

Error surprise(std::string_view who, std::string_view what) noexcept {
    try {
        return fail(ErrorCode::Internal, std::string(who) + " met a surprise: " + std::string(what));
    } catch (...) {  // no memory to say so
        return {};
    }
}

Error memory(std::string_view who) noexcept {
    Error error;
    error.code = ErrorCode::PoolExhausted;
    try {
        error.message = "no memory";  // fits into the string itself
        error.message = std::string(who) + " ran out of memory; ask again";
    } catch (...) {  // the short one stands
    }
    return error;
}

}  // namespace

Error caughtError(std::string_view who) noexcept {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return memory(who);
    } catch (const std::exception& other) {
        return surprise(who, other.what());
    } catch (...) {
        return surprise(who, "something that is no std::exception");
    }
}

}  // namespace espalier
