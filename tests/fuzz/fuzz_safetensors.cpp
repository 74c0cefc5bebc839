// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a safetensors file: refused, or every tensor lies inside them.
#include "core/formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto entries = readSafetensorsHeader(bytes, size, "fuzz.safetensors");
    if (!entries) return 0;
    for (const TensorEntry& entry : *entries) {
        CHECK(entry.bytes >= 0);
        CHECK(entry.offset <= size && static_cast<std::uint64_t>(entry.bytes) <= size - entry.offset);
    }
    return 0;
}
