// SPDX-License-Identifier: GPL-3.0-or-later
// The GGUF container (ggml, docs/gguf.md), versions 2 and 3, read strictly. One file, little endian, by byte:
//
//   0    "GGUF"
//   4    u32 version
//   8    u64 number of tensors
//   16   u64 number of keys
//   24   keys:     str name, u32 type, value          str: u64 length, bytes; array: u32 type, u64 count, values
//        tensors:  str name, u32 rank, u64 x rank sizes (innermost first), u32 type, u64 offset into the data
//        zeros up to a multiple of "general.alignment" (32 when absent)
//        data: tensors at aligned offsets, touching but for the padding
//
// Thread: any; values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/tensor_source.h"

namespace espalier {

constexpr std::uint64_t kMaxGgufHeader = 128ull << 20;  // keys and tensor list; the largest vocabularies take 30 MB
constexpr std::uint64_t kMaxGgufKeys = 1 << 16;
constexpr std::uint64_t kMaxGgufTensors = 1 << 16;
constexpr std::uint64_t kMaxGgufName = 512;

// As the file numbers them.
enum class GgufType : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

std::optional<std::uint32_t> ggufTensorType(DType dtype);  // its number in files; none for a type GGUF lacks
bool isGgufName(std::string_view name);                    // of a key or tensor: 1 to 512 printable bytes, no space

// A value where it lies in the header: `count` elements in `bytes`, all of them inside. Strings keep their lengths.
struct GgufValue {
    GgufType type = GgufType::U8;  // of the elements
    bool isArray = false;
    std::uint64_t count = 1;
    std::uint64_t begin = 0, end = 0;  // bytes of the header
};

struct GgufHeader {
    std::uint32_t version = 0;
    std::map<std::string, GgufValue, std::less<>> keys;
    std::vector<TensorEntry> tensors;  // sorted by name, as the file names them; offsets from the start of the file
    std::uint64_t alignment = 32;
    std::uint64_t keysEnd = 0;  // bytes [0, keysEnd) are everything but tensors
};

// `head` is the beginning of a file of `fileBytes`. Nothing: it ends before the header does, and more of the file can
// be had. Errors: corrupt_file names file, key or tensor, what was expected and found; unsupported (version, byte
// order, tensor type); too_large.
Result<std::optional<GgufHeader>> readGgufHeader(std::span<const std::byte> head, std::uint64_t fileBytes,
                                                 const Path& file);

// One file opened: its header, the bytes that the values point into, and the file itself.
struct GgufFile {
    GgufHeader header;
    std::vector<std::byte> head;
    OpenFile open;
};
Result<GgufFile> openGgufFile(FileSystem& files, const Path& file);

// Typed access to the keys of one file. Each error is corrupt_file and names file and key, what was expected and found.
class GgufKeys {
public:
    GgufKeys(const GgufHeader& header, std::span<const std::byte> head, std::string fileName)
        : m_header(header), m_head(head), m_fileName(std::move(fileName)) {}

    bool has(std::string_view key) const { return m_header.keys.contains(key); }
    // Of any integer type. Requires: min <= max.
    Result<std::optional<std::int64_t>> integer(std::string_view key, std::int64_t min, std::int64_t max) const;
    Result<std::optional<double>> number(std::string_view key) const;  // f32 or f64, finite; or an integer
    Result<std::optional<bool>> boolean(std::string_view key) const;
    Result<std::optional<std::string>> string(std::string_view key) const;
    // An absent key is an empty array. `most`: of the elements.
    Result<std::vector<std::string>> strings(std::string_view key, std::size_t most) const;
    Result<std::vector<std::int64_t>> integers(std::string_view key, std::size_t most) const;
    Result<std::vector<float>> floats(std::string_view key) const;
    Result<std::string> byteString(std::string_view key) const;  // an array of u8 or i8

    Error wrong(std::string_view key, std::string_view expected) const;
    const std::string& fileName() const { return m_fileName; }

private:
    const GgufValue* find(std::string_view key) const;
    Result<const GgufValue*> array(std::string_view key, std::string_view expected, std::size_t most = SIZE_MAX) const;
    std::optional<std::int64_t> integerAt(const GgufValue& value, std::uint64_t index) const;

    const GgufHeader& m_header;
    std::span<const std::byte> m_head;
    std::string m_fileName;
};

}  // namespace espalier
