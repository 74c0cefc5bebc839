// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/result.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace espalier {
namespace {

constexpr std::array kCodeNames = {
    "invalid_argument", "not_found",        "already_exists", "unsupported",    "too_large",  "io_error",
    "disk_full",        "corrupt_file",     "shape_mismatch", "missing_tensor", "non_finite", "busy",
    "pool_exhausted",   "context_overflow", "draining",       "cancelled",      "locked",     "unauthorized",
    "device_error",     "database",         "network",        "internal",
};
static_assert(kCodeNames.size() == static_cast<std::size_t>(ErrorCode::Internal) + 1);

}  // namespace

std::string_view codeName(ErrorCode code) {
    return kCodeNames[static_cast<std::size_t>(code)];
}

std::optional<ErrorCode> codeFromName(std::string_view name) {
    for (std::size_t i = 0; i < kCodeNames.size(); ++i)
        if (name == kCodeNames[i]) return static_cast<ErrorCode>(i);
    return std::nullopt;
}

Error&& Error::context(std::string_view outer) && {
    message = std::string(outer) + ": " + message;
    return std::move(*this);
}

std::string Error::text() const {
    return "error[" + std::string(codeName(code)) + "]: " + message;
}

void checkFailed(const char* condition, const char* file, int line) {
    std::fprintf(stderr, "%s:%d: broken contract: %s\n", file, line, condition);
    std::abort();
}

}  // namespace espalier
