// SPDX-License-Identifier: GPL-3.0-or-later
// GGUF bytes put together field by field, so that a test can write what no writer would.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::test {

class RawGguf {
public:
    template <class T>
    static std::string number(T value) {
        std::string bytes(sizeof value, '\0');
        std::memcpy(bytes.data(), &value, sizeof value);
        return bytes;
    }
    static std::string text(std::string_view value) { return number<std::uint64_t>(value.size()) + std::string(value); }

    RawGguf& key(std::string_view name, std::uint32_t type, const std::string& value) {
        m_keys += text(name) + number(type) + value;
        ++keyCount;
        return *this;
    }
    RawGguf& string(std::string_view name, std::string_view value) { return key(name, 8, text(value)); }
    RawGguf& integer(std::string_view name, std::uint32_t value) { return key(name, 4, number(value)); }
    RawGguf& real(std::string_view name, float value) { return key(name, 6, number(value)); }
    RawGguf& array(std::string_view name, std::uint32_t type, std::uint64_t count, const std::string& values) {
        return key(name, 9, number(type) + number(count) + values);
    }
    // `sizes`: innermost first, as in the file.
    RawGguf& tensor(std::string_view name, std::vector<std::uint64_t> sizes, std::uint32_t type, std::uint64_t offset) {
        m_tensors += text(name) + number<std::uint32_t>(static_cast<std::uint32_t>(sizes.size()));
        for (const std::uint64_t size : sizes) m_tensors += number(size);
        m_tensors += number(type) + number(offset);
        ++tensorCount;
        return *this;
    }
    std::string bytes(std::size_t dataBytes = 0, std::size_t alignment = 32) const {
        std::string file = magic + number(version) + number(tensorCount) + number(keyCount) + m_keys + m_tensors;
        file.resize((file.size() + alignment - 1) / alignment * alignment);
        return file + std::string(dataBytes, '\x01');
    }

    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::uint64_t tensorCount = 0, keyCount = 0;

private:
    std::string m_keys, m_tensors;
};

}  // namespace espalier::test
