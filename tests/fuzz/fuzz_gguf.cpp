// SPDX-License-Identifier: GPL-3.0-or-later
// Any bytes as a GGUF file: refused, or every value can be read and every tensor lies inside them.
#include "core/formats/gguf_architecture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace espalier;
    const auto bytes = std::as_bytes(std::span(data, size));
    const auto header = readGgufHeader(bytes, size, "fuzz.gguf");
    if (!header) return 0;
    CHECK(header->has_value());  // all of the file was given
    for (const TensorEntry& entry : (*header)->tensors)
        CHECK(entry.offset <= size && static_cast<std::uint64_t>(entry.bytes) <= size - entry.offset);
    const GgufKeys keys(**header, bytes, "fuzz.gguf");
    for (const auto& [key, value] : (*header)->keys) {
        (void)keys.integer(key, 0, 1000);
        (void)keys.number(key);
        (void)keys.boolean(key);
        (void)keys.string(key);
        (void)keys.strings(key, 1 << 16);
        (void)keys.integers(key, 1 << 16);
        (void)keys.floats(key);
        (void)keys.byteString(key);
    }
    auto tensors = (*header)->tensors;
    if (const auto architecture = readGgufArchitecture(keys, tensors)) (void)renameGgufTensors(*architecture, tensors);
    return 0;
}
