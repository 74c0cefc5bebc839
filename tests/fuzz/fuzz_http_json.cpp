// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as the body of the routes that start work: a call or a sentence, never a crash.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/api/generation.h"

using namespace espalier;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto body = parseJson(text, "body");
    if (!body) return 0;
    (void)chatCallFromJson(*body);
    (void)chatCallFromJson(*body, text);
    (void)completionCallFromJson(*body);
    (void)generateCallFromJson(*body);
    (void)promptsFromJson(*body, "input");
    return 0;
}
