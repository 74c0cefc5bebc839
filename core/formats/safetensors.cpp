// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/safetensors.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/json.h"

namespace espalier {
namespace {

constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kMaxTensorRank = 8;
constexpr std::size_t kMaxShownName = 120;

struct TypeName {
    std::string_view name;
    DType dtype;
};
constexpr std::array<TypeName, 10> kTypes = {{{"F32", DType::F32},
                                              {"BF16", DType::BF16},
                                              {"F16", DType::F16},
                                              {"I32", DType::I32},
                                              {"U8", DType::U8},
                                              {"I8", DType::I8},
                                              {"I16", DType::I16},
                                              {"I64", DType::I64},
                                              {"F64", DType::F64},
                                              {"BOOL", DType::Bool}}};

std::string shown(std::string_view name) {
    return std::string(name.substr(0, kMaxShownName)) + (name.size() > kMaxShownName ? "..." : "");
}

// Builds the entries of one file; every message starts with the file's name.
class HeaderReader {
public:
    HeaderReader(std::span<const std::byte> bytes, const Path& file)
        : m_bytes(bytes), m_file(file), m_fileName(file.filename().string()) {}

    Result<std::vector<SafetensorsEntry>> read() {
        TRY_ASSIGN(const std::string_view text, headerText());
        TRY_ASSIGN(const Json header, parseJson(text, m_fileName, {.depth = 3, .bytes = kMaxSafetensorsHeader}));
        std::vector<SafetensorsEntry> entries;
        entries.reserve(header.size());
        for (const auto& [name, value] : header.items()) {
            if (name == "__metadata__") {
                TRY(checkMetadata(value));
                continue;
            }
            TRY_ASSIGN(auto entry, readEntry(name, value));
            entries.push_back(std::move(entry));
        }
        TRY(checkCoverage(entries));
        return entries;  // items() of a JSON object come sorted by key
    }

private:
    Error corrupt(std::string_view problem) const {
        return fail(ErrorCode::CorruptFile, m_fileName + ": " + std::string(problem), m_fileName);
    }
    Error corruptTensor(std::string_view name, std::string_view problem) const {
        const std::string location = m_fileName + ": tensor " + shown(name);
        return fail(ErrorCode::CorruptFile, location + ": " + std::string(problem), location);
    }

    Result<std::string_view> headerText() {
        if (m_bytes.size() < kLengthBytes)
            return corrupt("has " + std::to_string(m_bytes.size()) + " bytes, too few for a safetensors file");
        std::uint64_t length = 0;
        for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(m_bytes[i]) << (8 * i);
        if (length > kMaxSafetensorsHeader)
            return corrupt("announces a header of " + std::to_string(length) + " bytes, at most " +
                           std::to_string(kMaxSafetensorsHeader) + " are read; is it a safetensors file?");
        if (length > m_bytes.size() - kLengthBytes)
            return corrupt("announces a header of " + std::to_string(length) + " bytes, but only " +
                           std::to_string(m_bytes.size() - kLengthBytes) + " follow; the file is cut short");
        m_dataStart = kLengthBytes + length;
        const std::string_view text(reinterpret_cast<const char*>(m_bytes.data()) + kLengthBytes, length);
        if (text.empty() || text.front() != '{') return corrupt("the header is not a JSON object");
        return text;
    }

    Result<void> checkMetadata(const Json& value) const {
        if (!value.is_object()) return corrupt("__metadata__ must be an object of strings");
        for (const auto& [key, entry] : value.items())
            if (!entry.is_string()) return corrupt("__metadata__ \"" + shown(key) + "\" must be a string");
        return {};
    }

    Result<SafetensorsEntry> readEntry(const std::string& name, const Json& value) const {
        if (!value.is_object()) return corruptTensor(name, "must be an object with dtype, shape and data_offsets");
        for (const auto& [key, unused] : value.items())
            if (key != "dtype" && key != "shape" && key != "data_offsets")
                return corruptTensor(name, "has the unknown key \"" + shown(key) + "\"");
        SafetensorsEntry entry;
        entry.tensor.name = name;
        entry.tensor.file = m_file;
        TRY_ASSIGN(entry.tensor.dtype, readType(name, value));
        TRY_ASSIGN(entry.tensor.shape, readShape(name, value));
        TRY_ASSIGN(entry.tensor.bytes, sizeOf(entry.tensor));
        TRY(readOffsets(value, entry));
        return entry;
    }

    Result<DType> readType(const std::string& name, const Json& value) const {
        const auto found = value.find("dtype");
        if (found == value.end() || !found->is_string()) return corruptTensor(name, "\"dtype\" must be a string");
        const auto& spelled = found->get_ref<const std::string&>();
        for (const TypeName& type : kTypes)
            if (type.name == spelled) return type.dtype;
        const std::string location = m_fileName + ": tensor " + shown(name);
        const bool packed = spelled.starts_with("F8_") || spelled.starts_with("F4") || spelled.starts_with("F6_");
        return fail(
            ErrorCode::Unsupported,
            location + ": the element type " + shown(spelled) + " is not read; " +
                (packed ? "this is a folder of low-precision (FP8) weights: import the original bf16 or f16 model"
                        : "f32, bf16 and f16 weights are"),
            location);
    }

    Result<std::vector<std::int64_t>> readShape(const std::string& name, const Json& value) const {
        const auto found = value.find("shape");
        if (found == value.end() || !found->is_array() || found->size() > kMaxTensorRank)
            return corruptTensor(name,
                                 "\"shape\" must be an array of at most " + std::to_string(kMaxTensorRank) + " sizes");
        std::vector<std::int64_t> shape;
        for (const Json& size : *found) {
            const auto count = naturalNumber(size);
            if (!count) return corruptTensor(name, "\"shape\" must hold integers of at least 0, found " + size.dump());
            shape.push_back(*count);
        }
        return shape;
    }

    Result<std::int64_t> sizeOf(const TensorEntry& tensor) const {
        auto bytes = static_cast<std::int64_t>(bytesOf(tensor.dtype));
        for (const std::int64_t size : tensor.shape)
            if (__builtin_mul_overflow(bytes, size, &bytes))
                return corruptTensor(tensor.name, "its shape has more bytes than a file can hold");
        return bytes;
    }

    Result<void> readOffsets(const Json& value, SafetensorsEntry& entry) const {
        const std::string& name = entry.tensor.name;
        const auto found = value.find("data_offsets");
        if (found == value.end() || !found->is_array() || found->size() != 2)
            return corruptTensor(name, "\"data_offsets\" must be two integers");
        const auto begin = naturalNumber((*found)[0]);
        const auto end = naturalNumber((*found)[1]);
        if (!begin || !end || *begin > *end)
            return corruptTensor(name, "\"data_offsets\" must be two ascending integers, found " + found->dump());
        const auto available = static_cast<std::int64_t>(m_bytes.size() - m_dataStart);
        if (*end > available)
            return corruptTensor(name, "ends at data byte " + std::to_string(*end) + ", but the file holds " +
                                           std::to_string(available) + "; the file is cut short");
        if (*end - *begin != entry.tensor.bytes)
            return corruptTensor(name, "takes " + std::to_string(*end - *begin) + " bytes, its shape and dtype need " +
                                           std::to_string(entry.tensor.bytes));
        entry.offset = m_dataStart + static_cast<std::uint64_t>(*begin);
        return {};
    }

    // In order of their offsets the tensors must touch: no overlap, no hole, nothing after the last.
    Result<void> checkCoverage(const std::vector<SafetensorsEntry>& entries) const {
        std::vector<const SafetensorsEntry*> ordered;
        ordered.reserve(entries.size());
        for (const SafetensorsEntry& entry : entries) ordered.push_back(&entry);
        std::sort(ordered.begin(), ordered.end(), [](const SafetensorsEntry* a, const SafetensorsEntry* b) {
            return a->offset != b->offset ? a->offset < b->offset : a->tensor.bytes < b->tensor.bytes;
        });
        std::uint64_t end = m_dataStart;
        for (const SafetensorsEntry* entry : ordered) {
            if (entry->offset < end) return corruptTensor(entry->tensor.name, "overlaps the tensor before it");
            if (entry->offset > end)
                return corruptTensor(entry->tensor.name,
                                     "leaves a hole of " + std::to_string(entry->offset - end) + " bytes before it");
            end += static_cast<std::uint64_t>(entry->tensor.bytes);
        }
        if (end != m_bytes.size())
            return corrupt(std::to_string(m_bytes.size() - end) + " bytes follow the last tensor");
        return {};
    }

    static std::optional<std::int64_t> naturalNumber(const Json& value) {
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
            return std::nullopt;
        return value.get<std::int64_t>();
    }

    std::span<const std::byte> m_bytes;
    const Path& m_file;
    std::string m_fileName;
    std::uint64_t m_dataStart = 0;
};

class SafetensorsFile final : public TensorSource {
public:
    SafetensorsFile(std::unique_ptr<MappedFile> map, std::vector<SafetensorsEntry> entries) : m_map(std::move(map)) {
        m_tensors.reserve(entries.size());
        m_offsets.reserve(entries.size());
        for (SafetensorsEntry& entry : entries) {
            m_tensors.push_back(std::move(entry.tensor));
            m_offsets.push_back(entry.offset);
        }
    }

    const std::vector<TensorEntry>& tensors() const override { return m_tensors; }

    const TensorEntry* find(std::string_view name) const override {
        const auto found =
            std::lower_bound(m_tensors.begin(), m_tensors.end(), name,
                             [](const TensorEntry& entry, std::string_view key) { return entry.name < key; });
        return found != m_tensors.end() && found->name == name ? &*found : nullptr;
    }

    std::span<const std::byte> bytes(const TensorEntry& entry) const override {
        const auto index = &entry - m_tensors.data();
        CHECK(index >= 0 && static_cast<std::size_t>(index) < m_tensors.size());
        return m_map->bytes().subspan(m_offsets[static_cast<std::size_t>(index)],
                                      static_cast<std::size_t>(entry.bytes));
    }

private:
    std::unique_ptr<MappedFile> m_map;
    std::vector<TensorEntry> m_tensors;
    std::vector<std::uint64_t> m_offsets;  // of m_tensors, in the file
};

}  // namespace

Result<std::vector<SafetensorsEntry>> readSafetensorsHeader(std::span<const std::byte> bytes, const Path& file) {
    return HeaderReader(bytes, file).read();
}

Result<std::unique_ptr<TensorSource>> openSafetensors(FileSystem& files, const Path& file) {
    TRY_ASSIGN(auto map, files.map(file));
    TRY_ASSIGN(auto entries, readSafetensorsHeader(map->bytes(), file));
    return std::unique_ptr<TensorSource>(new SafetensorsFile(std::move(map), std::move(entries)));
}

}  // namespace espalier
