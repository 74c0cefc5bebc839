// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the body of the routes that start work: a call or a sentence, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/api/generation.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto body = parseJson({reinterpret_cast<const char*>(data), size}, "body");
    if (!body) return 0;
    (void)chatCallFromJson(*body);
    (void)completionCallFromJson(*body);
    (void)generateCallFromJson(*body);
    (void)promptsFromJson(*body, "input");
    return 0;
}
