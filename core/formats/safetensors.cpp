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
constexpr std::uint64_t kMaxValues = 24 * kMaxSafetensors;  // of the header: an entry holds at most 13

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
class SafetensorsHeaderReader {
public:
    SafetensorsHeaderReader(std::span<const std::byte> head, std::uint64_t fileBytes, const Path& file)
        : m_head(head), m_fileBytes(fileBytes), m_file(file), m_fileName(file.filename().string()) {}

    Result<std::vector<TensorEntry>> read() {
        TRY_ASSIGN(const std::string_view text, headerText());
        TRY_ASSIGN(const Json header,
                   parseJson(text, m_fileName, {.depth = 3, .bytes = kMaxSafetensorsHeader, .values = kMaxValues}));
        const std::size_t tensors = header.size() - header.count("__metadata__");
        if (tensors > kMaxSafetensors)
            return fail(ErrorCode::TooLarge,
                        m_fileName + ": lists " + std::to_string(tensors) + " tensors, at most " +
                            std::to_string(kMaxSafetensors) + " are read",
                        m_fileName);
        std::vector<TensorEntry> entries;
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
        if (m_fileBytes < kLengthBytes)
            return corrupt("has " + std::to_string(m_fileBytes) + " bytes, too few for a safetensors file");
        std::uint64_t length = 0;
        for (std::size_t i = 0; i < kLengthBytes; ++i) length |= std::to_integer<std::uint64_t>(m_head[i]) << (8 * i);
        if (length > kMaxSafetensorsHeader)
            return corrupt("announces a header of " + std::to_string(length) + " bytes, at most " +
                           std::to_string(kMaxSafetensorsHeader) + " are read; is it a safetensors file?");
        if (length > m_fileBytes - kLengthBytes)
            return corrupt("announces a header of " + std::to_string(length) + " bytes, but only " +
                           std::to_string(m_fileBytes - kLengthBytes) + " follow; the file is cut short");
        m_dataStart = kLengthBytes + length;
        CHECK(m_head.size() >= m_dataStart);
        const std::string_view text(reinterpret_cast<const char*>(m_head.data()) + kLengthBytes, length);
        if (text.empty() || text.front() != '{') return corrupt("the header is not a JSON object");
        return text;
    }

    Result<void> checkMetadata(const Json& value) const {
        if (!value.is_object()) return corrupt("__metadata__ must be an object of strings");
        for (const auto& [key, entry] : value.items())
            if (!entry.is_string()) return corrupt("__metadata__ \"" + shown(key) + "\" must be a string");
        return {};
    }

    Result<TensorEntry> readEntry(const std::string& name, const Json& value) const {
        if (name.empty() || name.size() > kMaxSafetensorsName)
            return corruptTensor(name, "its name has " + std::to_string(name.size()) + " bytes; expected 1 to " +
                                           std::to_string(kMaxSafetensorsName));
        if (!value.is_object()) return corruptTensor(name, "must be an object with dtype, shape and data_offsets");
        for (const auto& [key, unused] : value.items())
            if (key != "dtype" && key != "shape" && key != "data_offsets")
                return corruptTensor(name, "has the unknown key \"" + shown(key) + "\"");
        TensorEntry entry;
        entry.name = name;
        entry.file = m_file;
        TRY_ASSIGN(entry.dtype, readType(name, value));
        TRY_ASSIGN(entry.shape, readShape(name, value));
        TRY_ASSIGN(entry.bytes, sizeOf(entry));
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
            if (!count) return corruptTensor(name, "\"shape\" must hold integers of at least 0, found " + brief(size));
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

    Result<void> readOffsets(const Json& value, TensorEntry& entry) const {
        const std::string& name = entry.name;
        const auto found = value.find("data_offsets");
        if (found == value.end() || !found->is_array() || found->size() != 2)
            return corruptTensor(name, "\"data_offsets\" must be two integers");
        const auto begin = naturalNumber((*found)[0]);
        const auto end = naturalNumber((*found)[1]);
        if (!begin || !end || *begin > *end)
            return corruptTensor(name, "\"data_offsets\" must be two ascending integers, found " + brief(*found));
        const auto available = static_cast<std::int64_t>(m_fileBytes - m_dataStart);
        if (*end > available)
            return corruptTensor(name, "ends at data byte " + std::to_string(*end) + ", but the file holds " +
                                           std::to_string(available) + "; the file is cut short");
        if (*end - *begin != entry.bytes)
            return corruptTensor(name, "takes " + std::to_string(*end - *begin) + " bytes, its shape and dtype need " +
                                           std::to_string(entry.bytes));
        entry.offset = m_dataStart + static_cast<std::uint64_t>(*begin);
        return {};
    }

    // In order of their offsets the tensors must touch: no overlap, no hole, nothing after the last.
    Result<void> checkCoverage(const std::vector<TensorEntry>& entries) const {
        std::vector<const TensorEntry*> ordered;
        ordered.reserve(entries.size());
        for (const TensorEntry& entry : entries) ordered.push_back(&entry);
        std::sort(ordered.begin(), ordered.end(), [](const TensorEntry* a, const TensorEntry* b) {
            return a->offset != b->offset ? a->offset < b->offset : a->bytes < b->bytes;
        });
        std::uint64_t end = m_dataStart;
        for (const TensorEntry* entry : ordered) {
            if (entry->offset < end) return corruptTensor(entry->name, "overlaps the tensor before it");
            if (entry->offset > end)
                return corruptTensor(entry->name,
                                     "leaves a hole of " + std::to_string(entry->offset - end) + " bytes before it");
            end += static_cast<std::uint64_t>(entry->bytes);
        }
        if (end != m_fileBytes) return corrupt(std::to_string(m_fileBytes - end) + " bytes follow the last tensor");
        return {};
    }

    static std::optional<std::int64_t> naturalNumber(const Json& value) {
        if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
            return std::nullopt;
        return value.get<std::int64_t>();
    }

    std::span<const std::byte> m_head;
    std::uint64_t m_fileBytes;
    const Path& m_file;
    std::string m_fileName;
    std::uint64_t m_dataStart = 0;
};

}  // namespace

Result<std::vector<TensorEntry>> readSafetensorsHeader(std::span<const std::byte> head, std::uint64_t fileBytes,
                                                       const Path& file) {
    return SafetensorsHeaderReader(head, fileBytes, file).read();
}

Result<SafetensorsFile> openSafetensorsFile(FileSystem& files, const Path& file) {
    SafetensorsFile opened{{}, {file, nullptr}};
    TRY_ASSIGN(opened.open.file, files.open(file));
    TRY_ASSIGN(const FileEntry status, files.stat(file));
    std::vector<std::byte> head(kLengthBytes);
    TRY_ASSIGN(const std::size_t got, opened.open.file->read(0, head));
    const auto cutShort = [&] {
        return fail(ErrorCode::IoError, file.string() + " was cut short while it was being read", file.string());
    };
    if (got < std::min<std::uint64_t>(kLengthBytes, status.bytes)) return cutShort();
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < got; ++i) length |= std::to_integer<std::uint64_t>(head[i]) << (8 * i);
    // What the length claims is read only when file and limit allow it; otherwise the reader says what is wrong.
    if (got == kLengthBytes && length <= kMaxSafetensorsHeader && length + kLengthBytes <= status.bytes) {
        head.resize(kLengthBytes + length);
        TRY_ASSIGN(const std::size_t all, opened.open.file->read(0, head));
        if (all != head.size()) return cutShort();
    }
    TRY_ASSIGN(opened.tensors, readSafetensorsHeader(head, status.bytes, file));
    return opened;
}

Result<std::unique_ptr<TensorSource>> openSafetensors(FileSystem& files, const Path& file) {
    TRY_ASSIGN(SafetensorsFile opened, openSafetensorsFile(files, file));
    std::vector<OpenFile> open;
    open.push_back(std::move(opened.open));
    return makeFileTensors(std::move(opened.tensors), std::move(open));
}

}  // namespace espalier
