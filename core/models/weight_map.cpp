// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/weight_map.h"

#include <cstring>
#include <utility>

namespace espalier {
namespace {

float readAsF32(const std::byte* at, DType dtype) {
    if (dtype == DType::F32) {
        float value;
        std::memcpy(&value, at, sizeof value);
        return value;
    }
    std::uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return dtype == DType::BF16 ? bf16ToF32(bits) : f16ToF32(bits);
}

void appendAsF32(std::vector<float>& out, std::span<const std::byte> bytes, DType dtype) {
    const std::size_t step = bytesOf(dtype);
    for (std::size_t at = 0; at < bytes.size(); at += step) out.push_back(readAsF32(&bytes[at], dtype));
}

const TensorEntry& entryOf(const TensorSource& tensors, const std::string& name) {
    const TensorEntry* entry = tensors.find(name);
    CHECK(entry);
    return *entry;
}

}  // namespace

const TensorEntry* findTensor(const Family& family, const TensorSource& tensors, std::string_view name) {
    const auto find = [&](std::string_view whole) -> const TensorEntry* {
        if (const TensorEntry* entry = tensors.find(whole)) return entry;
        for (const auto& [suffix, old] : {std::pair(".weight", ".gamma"), std::pair(".bias", ".beta")})
            if (whole.ends_with(suffix)) return tensors.find(std::string(whole.substr(0, whole.rfind('.'))) + old);
        return nullptr;
    };
    if (const TensorEntry* entry = find(name)) return entry;
    return name.starts_with(family.tensors.prefix) ? find(name.substr(family.tensors.prefix.size())) : nullptr;
}

namespace {

// Stacks by the names of the family's table, each tensor as the folder calls it.
class StackMaker {
public:
    StackMaker(const Family& family, const TensorSource& tensors, std::string prefix)
        : m_family(family), m_tensors(tensors), m_prefix(std::move(prefix)) {}

    TensorStack weight(std::initializer_list<std::string_view> parts, bool transposed = false) const {
        return {named(parts, ".weight"), transposed};
    }
    TensorStack bias(std::initializer_list<std::string_view> parts, bool exists = true) const {
        return exists ? TensorStack{named(parts, ".bias")} : TensorStack{};
    }

private:
    std::vector<std::string> named(std::initializer_list<std::string_view> parts, std::string_view suffix) const {
        std::vector<std::string> names;
        for (const std::string_view part : parts) {
            if (part.empty()) continue;
            const TensorEntry* entry =
                findTensor(m_family, m_tensors, m_prefix + std::string(part) + std::string(suffix));
            CHECK(entry);
            names.push_back(entry->name);
        }
        return names;
    }

    const Family& m_family;
    const TensorSource& m_tensors;
    std::string m_prefix;
};

LayerTensors layerTensors(const ArchSpec& spec, const TensorNames& names, const StackMaker& make) {
    const bool transposed = spec.transposedLinears;
    const bool normBias = spec.norm == NormFamily::LayerNorm;
    LayerTensors layer;
    layer.attentionNorm = make.weight({names.attentionNorm});
    layer.attentionNormBias = make.bias({names.attentionNorm}, normBias);
    layer.qkv = make.weight({names.query, names.key, names.value}, transposed);
    layer.qkvBias = make.bias({names.query, names.key, names.value}, spec.attentionBias);
    if (spec.queryKeyNorm) {
        layer.queryNorm = make.weight({names.queryNorm});
        layer.keyNorm = make.weight({names.keyNorm});
    }
    layer.attentionOut = make.weight({names.attentionOut}, transposed);
    layer.attentionOutBias = make.bias({names.attentionOut}, spec.attentionOutBias);
    layer.mlpNorm = make.weight({names.mlpNorm});
    layer.mlpNormBias = make.bias({names.mlpNorm}, normBias);
    const std::string_view gate = spec.gatedMlp ? names.gate : std::string_view{};
    layer.gateUp = make.weight({gate, names.up}, transposed);
    layer.gateUpBias = make.bias({gate, names.up}, spec.mlpBias);
    layer.down = make.weight({names.down}, transposed);
    layer.downBias = make.bias({names.down}, spec.mlpBias);
    return layer;
}

}  // namespace

ModelTensors modelTensors(const ArchSpec& spec, const TensorSource& tensors) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    const TensorNames& names = family->tensors;
    const bool normBias = spec.norm == NormFamily::LayerNorm;
    const StackMaker make(*family, tensors, "");
    ModelTensors model;
    model.embedding = make.weight({names.embedding});
    if (spec.learnedPositions) model.positions = make.weight({names.positions});
    if (spec.tokenTypes > 0) model.tokenTypes = make.weight({names.tokenTypes});
    if (spec.embeddingNorm) {
        model.embeddingNorm = make.weight({names.embeddingNorm});
        model.embeddingNormBias = make.bias({names.embeddingNorm}, normBias);
    }
    if (spec.normPlace == NormPlace::BeforeBlock) {
        model.finalNorm = make.weight({names.finalNorm});
        model.finalNormBias = make.bias({names.finalNorm}, normBias);
    }
    if (spec.lmHead && !spec.tiedEmbeddings) model.lmHead = make.weight({names.lmHead});
    for (std::size_t i = 0; i < spec.layers.size(); ++i)
        model.layers.push_back(
            layerTensors(spec, names, {*family, tensors, std::string(names.layer) + std::to_string(i) + "."}));
    return model;
}

std::vector<StackPart> partsOf(const TensorStack& stack, const TensorSource& tensors) {
    std::vector<StackPart> parts;
    for (const std::string& name : stack.names) {
        const TensorEntry& entry = entryOf(tensors, name);
        if (parts.empty() || parts.back().dtype != entry.dtype) parts.emplace_back().dtype = entry.dtype;
        StackPart& part = parts.back();
        part.entries.push_back(&entry);
        part.rows += entry.shape[stack.transposed ? 1 : 0];
        part.cols = entry.shape.size() == 2 ? entry.shape[stack.transposed ? 0 : 1] : 1;
        part.bytes += entry.bytes;
    }
    return parts;
}

void multiply(Backend& backend, Stream& stream, TensorView y, ConstTensorView x, const WeightStack& stack,
              const GemmDesc& desc) {
    std::int64_t column = 0;
    for (const WeightMatrix& w : stack) {
        GemmDesc part = desc;
        if (desc.bias.data) {
            part.bias.data += column * static_cast<std::int64_t>(sizeof(float));
            part.bias.shape[0] = w.rows;
        }
        backend.gemm(stream, y.columns(column, w.rows), x, w, part);
        column += w.rows;
    }
    CHECK(column == y.cols());
}

namespace {

// A row-major [rows, cols] matrix of elements of any size, as its transpose.
void transpose(std::span<std::byte> bytes, std::int64_t rows, std::int64_t cols) {
    if (bytes.empty()) return;
    const std::vector<std::byte> from(bytes.begin(), bytes.end());
    const std::size_t element = from.size() / static_cast<std::size_t>(rows * cols);
    std::byte* to = bytes.data();
    for (std::int64_t col = 0; col < cols; ++col)
        for (std::int64_t row = 0; row < rows; ++row, to += element)
            std::memcpy(to, &from[static_cast<std::size_t>(row * cols + col) * element], element);
}

// Undoes TensorEntry::pairedHeads. Rows move whole, so the element type does not matter.
void separatePairs(std::span<std::byte> bytes, std::int64_t rows, std::int64_t heads) {
    const std::vector<std::byte> from(bytes.begin(), bytes.end());
    const std::size_t rowBytes = from.size() / static_cast<std::size_t>(rows);
    const std::int64_t perHead = rows / heads;
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t inHead = row % perHead;
        const std::int64_t stored = row - inHead + inHead % (perHead / 2) * 2 + inHead / (perHead / 2);
        std::memcpy(&bytes[static_cast<std::size_t>(row) * rowBytes],
                    &from[static_cast<std::size_t>(stored) * rowBytes], rowBytes);
    }
}

// Reads a tensor's bytes into `into`, rows in the model's order.
Result<void> readRows(const TensorSource& tensors, const TensorEntry& entry, std::span<std::byte> into) {
    TRY(tensors.read(entry, 0, into));
    if (entry.pairedHeads > 0) separatePairs(into, entry.shape[0], entry.pairedHeads);
    return {};
}

}  // namespace

Result<WeightMatrix> WeightLoader::pack(const StackPart& part, bool transposed) {
    std::vector<std::byte> rows(static_cast<std::size_t>(part.bytes));
    auto left = std::span(rows);
    for (const TensorEntry* entry : part.entries) {
        const auto here = left.first(static_cast<std::size_t>(entry->bytes));
        TRY(readRows(m_tensors, *entry, here));
        if (transposed) transpose(here, entry->shape[0], entry->shape[1]);
        left = left.subspan(here.size());
    }
    TRY_ASSIGN(WeightMatrix packed,
               m_backend.packWeight(ConstTensorView(rows.data(), part.dtype, {part.rows, part.cols})));
    m_loadedBytes += part.bytes;
    m_deviceBytes += packed.panels.bytes();
    return packed;
}

Result<WeightStack> WeightLoader::stack(const TensorStack& stack) {
    WeightStack matrices;
    for (const StackPart& part : partsOf(stack, m_tensors)) {
        TRY_ASSIGN(WeightMatrix packed, pack(part, stack.transposed));
        matrices.push_back(std::move(packed));
    }
    return matrices;
}

Result<WeightMatrix> WeightLoader::matrix(const TensorStack& stack) {
    const auto parts = partsOf(stack, m_tensors);
    CHECK(parts.size() == 1);
    return pack(parts[0], stack.transposed);
}

Result<Buffer> WeightLoader::vector(const TensorStack& stack) {
    if (stack.empty()) return Buffer();
    std::vector<float> values;
    for (const std::string& name : stack.names) {
        const TensorEntry& entry = entryOf(m_tensors, name);
        std::vector<std::byte> stored(static_cast<std::size_t>(entry.bytes));
        TRY(readRows(m_tensors, entry, stored));
        appendAsF32(values, stored, entry.dtype);
        m_loadedBytes += entry.bytes;
    }
    const auto bytes = static_cast<std::int64_t>(values.size() * sizeof(float));
    TRY_ASSIGN(Buffer buffer, m_backend.allocate(bytes));
    m_backend.copy(m_stream, buffer.data(), values.data(), bytes);
    TRY(m_backend.synchronize(m_stream));  // `values` must outlive the copy
    m_deviceBytes += buffer.bytes();
    return buffer;
}

}  // namespace espalier
