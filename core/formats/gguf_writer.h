// SPDX-License-Identifier: GPL-3.0-or-later
// Writes the header of a GGUF file (gguf.h draws it), version 3. The data follows in the order of the tensors, each
// padded to the alignment. Thread: any; values.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/formats/gguf.h"

namespace espalier {

class GgufKeyWriter {
public:
    void integer16(std::string_view key, std::uint16_t value);
    void integer32(std::string_view key, std::uint32_t value);
    void string(std::string_view key, std::string_view value);
    void copy(std::string_view key, const GgufValue& value, std::span<const std::byte> head);  // from another file

    std::uint64_t count() const { return m_count; }
    std::span<const std::byte> bytes() const { return m_bytes; }

private:
    void begin(std::string_view key);
    std::vector<std::byte> m_bytes;
    std::uint64_t m_count = 0;
};

// What is in the file: `shape` outermost first, as everywhere in the house.
struct GgufTensor {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
};

// Bytes that follow `bytes` of data up to the alignment.
std::uint64_t ggufPadding(std::uint64_t bytes, std::uint64_t alignment);

// The whole header, padded: the data of the first tensor follows. Requires: types that GGUF has, rank 1 to 4, whole
// blocks, and `keys` says general.alignment when `alignment` is not 32.
std::vector<std::byte> ggufHeaderBytes(const GgufKeyWriter& keys, const std::vector<GgufTensor>& tensors,
                                       std::uint64_t alignment);

}  // namespace espalier
