// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/gguf_writer.h"

#include <cstring>

#include "core/base/check.h"

namespace espalier {
namespace {

constexpr std::uint32_t kVersion = 3;

template <class T>
void put(std::vector<std::byte>& to, T value) {
    const std::size_t at = to.size();
    to.resize(at + sizeof value);
    std::memcpy(&to[at], &value, sizeof value);
}

void putText(std::vector<std::byte>& to, std::string_view text) {
    put<std::uint64_t>(to, text.size());
    const auto bytes = std::as_bytes(std::span(text));
    to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

void GgufKeyWriter::begin(std::string_view key) {
    putText(m_bytes, key);
    ++m_count;
}

void GgufKeyWriter::integer16(std::string_view key, std::uint16_t value) {
    begin(key);
    put(m_bytes, GgufType::U16);
    put(m_bytes, value);
}

void GgufKeyWriter::integer32(std::string_view key, std::uint32_t value) {
    begin(key);
    put(m_bytes, GgufType::U32);
    put(m_bytes, value);
}

void GgufKeyWriter::string(std::string_view key, std::string_view value) {
    begin(key);
    put(m_bytes, GgufType::String);
    putText(m_bytes, value);
}

void GgufKeyWriter::copy(std::string_view key, const GgufValue& value, std::span<const std::byte> head) {
    begin(key);
    if (value.isArray) {
        put(m_bytes, GgufType::Array);
        put(m_bytes, value.type);
        put(m_bytes, value.count);
    } else {
        put(m_bytes, value.type);
    }
    const auto raw = head.subspan(value.begin, value.end - value.begin);
    m_bytes.insert(m_bytes.end(), raw.begin(), raw.end());
}

std::uint64_t ggufPadding(std::uint64_t bytes, std::uint64_t alignment) {
    return (alignment - bytes % alignment) % alignment;
}

std::vector<std::byte> ggufHeaderBytes(const GgufKeyWriter& keys, const std::vector<GgufTensor>& tensors,
                                       std::uint64_t alignment) {
    std::vector<std::byte> header;
    for (const char c : std::string_view("GGUF")) header.push_back(static_cast<std::byte>(c));
    put(header, kVersion);
    put<std::uint64_t>(header, tensors.size());
    put<std::uint64_t>(header, keys.count());
    header.insert(header.end(), keys.bytes().begin(), keys.bytes().end());
    std::uint64_t offset = 0;
    for (const GgufTensor& tensor : tensors) {
        const auto type = ggufTensorType(tensor.dtype);
        CHECK(type && !tensor.shape.empty() && tensor.shape.size() <= 4);
        CHECK(tensor.shape.back() % blockOf(tensor.dtype).values == 0);
        putText(header, tensor.name);
        put<std::uint32_t>(header, static_cast<std::uint32_t>(tensor.shape.size()));
        std::int64_t count = 1;
        for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
            put<std::uint64_t>(header, static_cast<std::uint64_t>(tensor.shape[axis]));
            count *= tensor.shape[axis];
        }
        put(header, *type);
        put(header, offset);
        const auto bytes = static_cast<std::uint64_t>(storedBytes(tensor.dtype, count));
        offset += bytes + ggufPadding(bytes, alignment);
    }
    header.resize(header.size() + ggufPadding(header.size(), alignment));
    return header;
}

}  // namespace espalier
