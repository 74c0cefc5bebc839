// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>

namespace espalier {
namespace {

constexpr std::uint64_t kFirstRead = 1 << 20;
constexpr std::uint64_t kLeastKeyBytes = 8 + 1 + 4 + 1;  // a name of one letter and a byte
constexpr std::uint64_t kLeastTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;
constexpr std::uint64_t kMaxAlignment = 1 << 20;
constexpr std::uint32_t kMaxGgufRank = 4;

constexpr std::array<std::string_view, 13> kTypeNames = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                                         "bool", "string", "array", "u64", "i64", "f64"};
constexpr std::array<std::uint64_t, 13> kTypeBytes = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};  // the least of a value

struct TensorType {
    std::uint32_t number;
    std::string_view name;
    std::optional<DType> dtype;  // none: known and not read
};
constexpr std::array<TensorType, 36> kTensorTypes = {
    {{0, "F32", DType::F32},    {1, "F16", DType::F16},    {2, "Q4_0", DType::Q4_0},  {3, "Q4_1", DType::Q4_1},
     {4, "Q4_2", {}},           {5, "Q4_3", {}},           {6, "Q5_0", DType::Q5_0},  {7, "Q5_1", DType::Q5_1},
     {8, "Q8_0", DType::Q8_0},  {9, "Q8_1", {}},           {10, "Q2_K", {}},          {11, "Q3_K", {}},
     {12, "Q4_K", DType::Q4_K}, {13, "Q5_K", DType::Q5_K}, {14, "Q6_K", DType::Q6_K}, {15, "Q8_K", {}},
     {16, "IQ2_XXS", {}},       {17, "IQ2_XS", {}},        {18, "IQ3_XXS", {}},       {19, "IQ1_S", {}},
     {20, "IQ4_NL", {}},        {21, "IQ3_S", {}},         {22, "IQ2_S", {}},         {23, "IQ4_XS", {}},
     {24, "I8", DType::I8},     {25, "I16", DType::I16},   {26, "I32", DType::I32},   {27, "I64", DType::I64},
     {28, "F64", DType::F64},   {29, "IQ1_M", {}},         {30, "BF16", DType::BF16}, {34, "TQ1_0", {}},
     {35, "TQ2_0", {}},         {39, "MXFP4", {}},         {40, "NVFP4", {}},         {41, "Q1_0", {}}}};

template <class T>
T loadAt(std::span<const std::byte> bytes, std::uint64_t at) {
    T value;
    std::memcpy(&value, &bytes[at], sizeof value);
    return value;
}

// Reads the header front to back. Running out of `head` where the file goes on sets m_needsMore; every other fault is
// an error whose message starts with the file's name.
class GgufHeaderReader {
public:
    GgufHeaderReader(std::span<const std::byte> head, std::uint64_t fileBytes, const Path& file)
        : m_head(head), m_fileBytes(fileBytes), m_file(file), m_fileName(file.filename().string()) {}

    Result<std::optional<GgufHeader>> read() {
        auto header = readAll();
        if (m_needsMore) return std::optional<GgufHeader>();
        if (!header) return std::move(header).error();
        return std::optional(std::move(*header));
    }

private:
    Error corrupt(std::string_view problem) const {
        return fail(ErrorCode::CorruptFile, m_fileName + ": " + std::string(problem), m_fileName);
    }
    Error corruptAt(std::string_view kind, std::string_view name, std::string_view problem) const {
        const std::string location = m_fileName + ": " + std::string(kind) + " " + std::string(name.substr(0, 120));
        return fail(ErrorCode::CorruptFile, location + ": " + std::string(problem), location);
    }
    // Not inside the file; `what` is being read.
    Error cutShort(std::string_view what, std::uint64_t bytes) const {
        return corrupt(std::string(what) + " takes " + std::to_string(bytes) + " bytes from byte " +
                       std::to_string(m_at) + " on, but the file ends at " + std::to_string(m_fileBytes));
    }

    // Where the next `bytes` bytes lie.
    Result<std::uint64_t> take(std::uint64_t bytes, std::string_view what) {
        if (bytes > m_fileBytes - m_at) return cutShort(what, bytes);
        if (bytes > m_head.size() - m_at) {
            m_needsMore = true;
            return cutShort(what, bytes);
        }
        const std::uint64_t begin = m_at;
        m_at += bytes;
        return begin;
    }
    template <class T>
    Result<T> number(std::string_view what) {
        TRY_ASSIGN(const std::uint64_t at, take(sizeof(T), what));
        return loadAt<T>(m_head, at);
    }
    Result<std::string_view> text(std::string_view what) {
        TRY_ASSIGN(const auto length, number<std::uint64_t>(what));
        TRY_ASSIGN(const std::uint64_t at, take(length, what));
        return std::string_view(reinterpret_cast<const char*>(m_head.data()) + at, length);
    }
    Result<std::string> name(std::string_view kind) {
        TRY_ASSIGN(const std::string_view found, text(std::string(kind) + " name"));
        if (!isGgufName(found))
            return corrupt("a " + std::string(kind) + " name at byte " + std::to_string(m_at - found.size()) + " has " +
                           std::to_string(found.size()) + " bytes; expected 1 to " + std::to_string(kMaxGgufName) +
                           " printable ones");
        return std::string(found);
    }

    Result<GgufHeader> readAll() {
        GgufHeader header;
        TRY_ASSIGN(header.version, readVersion());
        TRY_ASSIGN(const std::uint64_t tensors, readCount("tensors", kMaxGgufTensors, kLeastTensorBytes));
        TRY_ASSIGN(const std::uint64_t keys, readCount("keys", kMaxGgufKeys, kLeastKeyBytes));
        for (std::uint64_t i = 0; i < keys; ++i) TRY(readKey(header));
        header.keysEnd = m_at;
        TRY_ASSIGN(header.alignment, readAlignment(header));
        for (std::uint64_t i = 0; i < tensors; ++i) {
            TRY_ASSIGN(TensorEntry entry, readTensorEntry(header.alignment));
            header.tensors.push_back(std::move(entry));
        }
        TRY(placeTensors(header));
        return header;
    }

    Result<std::uint32_t> readVersion() {
        TRY_ASSIGN(const std::uint64_t magic, take(4, "the magic number"));
        if (std::memcmp(&m_head[magic], "GGUF", 4) != 0)
            return corrupt("does not begin with \"GGUF\": not a GGUF file");
        TRY_ASSIGN(const auto version, number<std::uint32_t>("the version"));
        const auto refused = [&](std::string_view problem) {
            return fail(ErrorCode::Unsupported, m_fileName + ": " + std::string(problem), m_fileName);
        };
        if (version != 0 && (version & 0xffffu) == 0)
            return refused("is a big-endian GGUF file; convert it with the gguf package's gguf_convert_endian.py");
        if (version == 1) return refused("is GGUF version 1, of which 2 and 3 are read; convert the model again");
        if (version != 2 && version != 3)
            return refused("is GGUF version " + std::to_string(version) + "; 2 and 3 are read");
        return version;
    }

    Result<std::uint64_t> readCount(std::string_view what, std::uint64_t most, std::uint64_t leastBytes) {
        TRY_ASSIGN(const auto count, number<std::uint64_t>("the number of " + std::string(what)));
        if (count > most || count > (m_fileBytes - m_at) / leastBytes)
            return corrupt("announces " + std::to_string(count) + " " + std::string(what) + "; at most " +
                           std::to_string(most) + " are read, and " + std::to_string(m_fileBytes - m_at) +
                           " bytes follow");
        return count;
    }

    Result<void> readKey(GgufHeader& header) {
        TRY_ASSIGN(const std::string key, name("key"));
        GgufValue value;
        TRY_ASSIGN(value.type, readType(key, "has"));
        if (value.type == GgufType::Array) {
            value.isArray = true;
            TRY_ASSIGN(value.type, readType(key, "is an array of"));
            if (value.type == GgufType::Array)
                return corruptAt("key", key, "is an array of arrays; arrays of plain values are read");
            TRY_ASSIGN(value.count, number<std::uint64_t>("the length of key " + key));
            const std::uint64_t least = kTypeBytes[static_cast<std::size_t>(value.type)];
            if (value.count > (m_fileBytes - m_at) / least)
                return corruptAt("key", key,
                                 "announces " + std::to_string(value.count) + " values of at least " +
                                     std::to_string(least) + " bytes, but " + std::to_string(m_fileBytes - m_at) +
                                     " bytes follow");
        }
        value.begin = m_at;
        TRY(skipValues(key, value));
        value.end = m_at;
        if (!header.keys.emplace(key, value).second) return corruptAt("key", key, "stands in the file twice");
        return {};
    }

    Result<GgufType> readType(const std::string& key, std::string_view verb) {
        TRY_ASSIGN(const auto type, number<std::uint32_t>("the type of key " + key));
        if (type >= kTypeNames.size())
            return corruptAt("key", key, std::string(verb) + " the unknown type " + std::to_string(type));
        return static_cast<GgufType>(type);
    }

    Result<void> skipValues(const std::string& key, const GgufValue& value) {
        if (value.type != GgufType::String) {
            TRY_ASSIGN(const std::uint64_t at,
                       take(value.count * kTypeBytes[static_cast<std::size_t>(value.type)], "key " + key));
            for (std::uint64_t i = 0; value.type == GgufType::Bool && i < value.count; ++i)
                if (std::to_integer<int>(m_head[at + i]) > 1)
                    return corruptAt("key", key, "holds a bool that is neither 0 nor 1");
            return {};
        }
        const std::string what = "a string of key " + key;
        for (std::uint64_t i = 0; i < value.count; ++i) TRY(text(what));
        return {};
    }

    Result<std::uint64_t> readAlignment(const GgufHeader& header) const {
        const auto found = header.keys.find("general.alignment");
        if (found == header.keys.end()) return std::uint64_t{32};
        const bool isNumber = found->second.type == GgufType::U32 && !found->second.isArray;
        const std::uint64_t alignment = isNumber ? loadAt<std::uint32_t>(m_head, found->second.begin) : 0;
        if (!std::has_single_bit(alignment) || alignment > kMaxAlignment)
            return corruptAt("key", "general.alignment",
                             "must be a u32 and a power of two up to " + std::to_string(kMaxAlignment) + ", found " +
                                 (isNumber ? std::to_string(alignment) : "another type"));
        return alignment;
    }

    Result<TensorEntry> readTensorEntry(std::uint64_t alignment) {
        TensorEntry entry;
        entry.file = m_file;
        TRY_ASSIGN(entry.name, name("tensor"));
        TRY_ASSIGN(const auto rank, number<std::uint32_t>("tensor " + entry.name));
        if (rank == 0 || rank > kMaxGgufRank)
            return corruptAt("tensor", entry.name, "must have 1 to 4 dimensions, found " + std::to_string(rank));
        for (std::uint32_t i = 0; i < rank; ++i) {
            TRY_ASSIGN(const auto size, number<std::uint64_t>("tensor " + entry.name));
            if (size == 0 || size > static_cast<std::uint64_t>(INT64_MAX))
                return corruptAt("tensor", entry.name, "must have sizes of at least 1, found " + std::to_string(size));
            entry.shape.insert(entry.shape.begin(), static_cast<std::int64_t>(size));
        }
        TRY_ASSIGN(entry.dtype, readTensorType(entry.name));
        TRY_ASSIGN(entry.bytes, sizeOf(entry));
        TRY_ASSIGN(entry.offset, number<std::uint64_t>("tensor " + entry.name));
        if (entry.offset % alignment != 0)
            return corruptAt("tensor", entry.name,
                             "begins at data byte " + std::to_string(entry.offset) +
                                 ", which is no multiple of the alignment " + std::to_string(alignment));
        return entry;
    }

    Result<DType> readTensorType(const std::string& tensor) {
        TRY_ASSIGN(const auto number, this->number<std::uint32_t>("tensor " + tensor));
        const auto found = std::ranges::find(kTensorTypes, number, &TensorType::number);
        if (found != kTensorTypes.end() && found->dtype) return *found->dtype;
        if (found == kTensorTypes.end())
            return corruptAt("tensor", tensor, "has the unknown type " + std::to_string(number));
        const std::string location = m_fileName + ": tensor " + tensor;
        return fail(ErrorCode::Unsupported,
                    location + ": the type " + std::string(found->name) +
                        " is not read; import the model in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K or "
                        "Q6_K (Q4_K_M, Q5_K_M and Q6_K files hold only these)",
                    location);
    }

    Result<std::int64_t> sizeOf(const TensorEntry& entry) const {
        const BlockSize block = blockOf(entry.dtype);
        std::int64_t count = 1;
        for (const std::int64_t size : entry.shape)
            if (__builtin_mul_overflow(count, size, &count))
                return corruptAt("tensor", entry.name, "its sizes have a product beyond 2^63");
        if (entry.shape.back() % block.values != 0)
            return corruptAt("tensor", entry.name,
                             "has rows of " + std::to_string(entry.shape.back()) + " values; the type " +
                                 std::string(dtypeName(entry.dtype)) + " stores " + std::to_string(block.values) +
                                 " together");
        std::int64_t bytes = 0;
        if (__builtin_mul_overflow(count / block.values, block.bytes, &bytes))
            return corruptAt("tensor", entry.name, "has more bytes than a file can hold");
        return bytes;
    }

    // In order of their offsets the tensors must touch, but for the padding, and fill the file.
    Result<void> placeTensors(GgufHeader& header) const {
        const std::uint64_t alignment = header.alignment;
        const auto padded = [&](std::uint64_t at) { return (at + alignment - 1) / alignment * alignment; };
        const std::uint64_t dataStart = padded(m_at);
        const std::uint64_t available = m_fileBytes > dataStart ? m_fileBytes - dataStart : 0;
        std::ranges::sort(header.tensors, {}, [](const TensorEntry& e) { return std::pair(e.offset, e.bytes); });
        std::uint64_t end = 0;
        for (TensorEntry& entry : header.tensors) {
            const auto bytes = static_cast<std::uint64_t>(entry.bytes);
            if (entry.offset < end) return corruptAt("tensor", entry.name, "overlaps the tensor before it");
            if (entry.offset > padded(end))
                return corruptAt("tensor", entry.name,
                                 "leaves a hole of " + std::to_string(entry.offset - padded(end)) + " bytes before it");
            if (entry.offset > available || bytes > available - entry.offset)
                return corruptAt("tensor", entry.name,
                                 "takes " + std::to_string(bytes) + " bytes from data byte " +
                                     std::to_string(entry.offset) + " on, but the file holds " +
                                     std::to_string(available) + "; the file is cut short");
            end = entry.offset + bytes;
            entry.offset += dataStart;
        }
        if (available > padded(end))
            return corrupt(std::to_string(available - padded(end)) + " bytes follow the last tensor");
        std::ranges::sort(header.tensors, {}, &TensorEntry::name);
        const auto twin = std::ranges::adjacent_find(header.tensors, {}, &TensorEntry::name);
        if (twin != header.tensors.end()) return corruptAt("tensor", twin->name, "stands in the file twice");
        return {};
    }

    std::span<const std::byte> m_head;
    std::uint64_t m_fileBytes;
    const Path& m_file;
    std::string m_fileName;
    std::uint64_t m_at = 0;
    bool m_needsMore = false;
};

}  // namespace

Result<std::optional<GgufHeader>> readGgufHeader(std::span<const std::byte> head, std::uint64_t fileBytes,
                                                 const Path& file) {
    return GgufHeaderReader(head, fileBytes, file).read();
}

bool isGgufName(std::string_view name) {
    return !name.empty() && name.size() <= kMaxGgufName &&
           std::ranges::all_of(name, [](char c) { return c > 32 && c < 127; });
}

std::optional<std::uint32_t> ggufTensorType(DType dtype) {
    for (const TensorType& type : kTensorTypes)
        if (type.dtype == dtype) return type.number;
    return std::nullopt;
}

Result<GgufFile> openGgufFile(FileSystem& files, const Path& file) {
    GgufFile opened;
    opened.open.path = file;
    TRY_ASSIGN(opened.open.file, files.open(file));
    TRY_ASSIGN(const FileEntry status, files.stat(file));
    for (std::uint64_t wanted = kFirstRead;; wanted *= 4) {
        const std::uint64_t bytes = std::min({wanted, kMaxGgufHeader, status.bytes});
        opened.head = std::vector<std::byte>();  // never the smaller one beside the larger
        opened.head.resize(bytes);
        TRY_ASSIGN(const std::size_t got, opened.open.file->read(0, opened.head));
        if (got != bytes)
            return fail(ErrorCode::IoError, file.string() + " was cut short while it was being read", file.string());
        TRY_ASSIGN(auto header, readGgufHeader(opened.head, status.bytes, file));
        if (header) {
            opened.header = std::move(*header);
            return opened;
        }
        if (bytes == kMaxGgufHeader)
            return fail(ErrorCode::TooLarge,
                        file.filename().string() + ": its keys and tensor list take more than " +
                            std::to_string(kMaxGgufHeader) + " bytes",
                        file.filename().string());
        CHECK(bytes < status.bytes);
    }
}

const GgufValue* GgufKeys::find(std::string_view key) const {
    const auto found = m_header.keys.find(key);
    return found == m_header.keys.end() ? nullptr : &found->second;
}

Error GgufKeys::wrong(std::string_view key, std::string_view expected) const {
    const GgufValue* value = find(key);
    const std::string type = value ? std::string(kTypeNames[static_cast<std::size_t>(value->type)]) : "nothing";
    std::string found = value && value->isArray ? "an array of " + std::to_string(value->count) + " " + type : type;
    if (value && !value->isArray)
        if (const auto number = integerAt(*value, 0)) found += " " + std::to_string(*number);
    const std::string where = m_fileName + ": " + std::string(key);
    return fail(ErrorCode::CorruptFile, where + " must be " + std::string(expected) + ", found " + found, where);
}

// Nothing: not an integer type, or a u64 beyond i64.
std::optional<std::int64_t> GgufKeys::integerAt(const GgufValue& value, std::uint64_t index) const {
    const std::uint64_t at = value.begin + index * kTypeBytes[static_cast<std::size_t>(value.type)];
    switch (value.type) {
        case GgufType::U8:
            return loadAt<std::uint8_t>(m_head, at);
        case GgufType::I8:
            return loadAt<std::int8_t>(m_head, at);
        case GgufType::U16:
            return loadAt<std::uint16_t>(m_head, at);
        case GgufType::I16:
            return loadAt<std::int16_t>(m_head, at);
        case GgufType::U32:
            return loadAt<std::uint32_t>(m_head, at);
        case GgufType::I32:
            return loadAt<std::int32_t>(m_head, at);
        case GgufType::I64:
            return loadAt<std::int64_t>(m_head, at);
        case GgufType::U64: {
            const auto number = loadAt<std::uint64_t>(m_head, at);
            if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
            return static_cast<std::int64_t>(number);
        }
        default:
            return std::nullopt;
    }
}

Result<std::optional<std::int64_t>> GgufKeys::integer(std::string_view key, std::int64_t min, std::int64_t max) const {
    const GgufValue* value = find(key);
    if (!value) return std::optional<std::int64_t>();
    const auto number = value->isArray ? std::nullopt : integerAt(*value, 0);
    if (!number || *number < min || *number > max)
        return wrong(key, "an integer from " + std::to_string(min) + " to " + std::to_string(max));
    return number;
}

Result<std::optional<double>> GgufKeys::number(std::string_view key) const {
    const GgufValue* value = find(key);
    if (!value) return std::optional<double>();
    std::optional<double> number;
    if (!value->isArray && value->type == GgufType::F32) number = double{loadAt<float>(m_head, value->begin)};
    if (!value->isArray && value->type == GgufType::F64) number = loadAt<double>(m_head, value->begin);
    if (!number && !value->isArray)
        if (const auto whole = integerAt(*value, 0)) number = static_cast<double>(*whole);
    if (!number || !std::isfinite(*number)) return wrong(key, "a finite number");
    return number;
}

Result<std::optional<bool>> GgufKeys::boolean(std::string_view key) const {
    const GgufValue* value = find(key);
    if (!value) return std::optional<bool>();
    if (value->isArray || value->type != GgufType::Bool) return wrong(key, "a bool");
    return std::optional(m_head[value->begin] != std::byte{0});
}

Result<std::optional<std::string>> GgufKeys::string(std::string_view key) const {
    const GgufValue* value = find(key);
    if (!value) return std::optional<std::string>();
    if (value->isArray || value->type != GgufType::String) return wrong(key, "a string");
    const auto* text = reinterpret_cast<const char*>(m_head.data());
    return std::optional(std::string(text + value->begin + 8, text + value->end));
}

Result<const GgufValue*> GgufKeys::array(std::string_view key, std::string_view expected, std::size_t most) const {
    const GgufValue* value = find(key);
    if (value && !value->isArray) return wrong(key, expected);
    if (value && value->count > most) return wrong(key, std::string(expected) + ", at most " + std::to_string(most));
    return value;
}

Result<std::vector<std::string>> GgufKeys::strings(std::string_view key, std::size_t most) const {
    std::vector<std::string> list;
    TRY_ASSIGN(const GgufValue* value, array(key, "an array of strings", most));
    if (!value) return list;
    if (value->type != GgufType::String) return wrong(key, "an array of strings");
    list.reserve(value->count);
    for (std::uint64_t at = value->begin; at < value->end;) {
        const auto length = loadAt<std::uint64_t>(m_head, at);
        list.emplace_back(reinterpret_cast<const char*>(m_head.data()) + at + 8, length);
        at += 8 + length;
    }
    return list;
}

Result<std::vector<std::int64_t>> GgufKeys::integers(std::string_view key, std::size_t most) const {
    std::vector<std::int64_t> list;
    TRY_ASSIGN(const GgufValue* value, array(key, "an array of integers", most));
    for (std::uint64_t i = 0; value && i < value->count; ++i) {
        const auto number = integerAt(*value, i);
        if (!number) return wrong(key, "an array of integers");
        list.push_back(*number);
    }
    return list;
}

Result<std::vector<float>> GgufKeys::floats(std::string_view key) const {
    std::vector<float> list;
    TRY_ASSIGN(const GgufValue* value, array(key, "an array of f32"));
    if (!value) return list;
    if (value->type != GgufType::F32) return wrong(key, "an array of f32");
    for (std::uint64_t i = 0; i < value->count; ++i) list.push_back(loadAt<float>(m_head, value->begin + 4 * i));
    return list;
}

Result<std::string> GgufKeys::byteString(std::string_view key) const {
    TRY_ASSIGN(const GgufValue* value, array(key, "an array of bytes"));
    if (!value) return std::string();
    if (value->type != GgufType::U8 && value->type != GgufType::I8) return wrong(key, "an array of bytes");
    const auto* text = reinterpret_cast<const char*>(m_head.data());
    return std::string(text + value->begin, text + value->end);
}

}  // namespace espalier
