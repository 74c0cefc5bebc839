// SPDX-License-Identifier: GPL-3.0-or-later
// A TensorSource in memory: what a test would otherwise write to a file first.
#pragma once

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/formats/tensor_source.h"
#include "tests/support/tiny_model.h"

namespace espalier::test {

class MemoryTensors final : public TensorSource {
public:
    explicit MemoryTensors(const std::vector<RawTensor>& tensors) : m_raw(tensors) {
        std::ranges::sort(m_raw, {}, &RawTensor::name);
        for (const RawTensor& raw : m_raw) {
            TensorEntry entry;
            entry.name = raw.name;
            entry.dtype = raw.dtype == "F32" ? DType::F32 : raw.dtype == "BF16" ? DType::BF16 : DType::F16;
            entry.shape = raw.shape;
            entry.bytes = static_cast<std::int64_t>(raw.bytes.size());
            entry.file = "memory.safetensors";
            m_entries.push_back(std::move(entry));
        }
    }
    const std::vector<TensorEntry>& tensors() const override { return m_entries; }
    const TensorEntry* find(std::string_view name) const override {
        const auto found = std::ranges::find(m_entries, name, &TensorEntry::name);
        return found == m_entries.end() ? nullptr : &*found;
    }
    Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const override {
        const auto raw = std::ranges::find(m_raw, entry.name, &RawTensor::name);
        std::memcpy(into.data(), raw->bytes.data() + offset, into.size());
        return {};
    }

private:
    std::vector<RawTensor> m_raw;
    std::vector<TensorEntry> m_entries;
};

}  // namespace espalier::test
