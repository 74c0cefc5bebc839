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

// `bytes` may have any alignment: a safetensors header of odd length shifts everything behind it.
void appendAsF32(std::vector<float>& out, std::span<const std::byte> bytes, DType dtype) {
    const std::size_t step = bytesOf(dtype);
    for (std::size_t at = 0; at < bytes.size(); at += step) out.push_back(readAsF32(&bytes[at], dtype));
}

bool isAligned(std::span<const std::byte> bytes, DType dtype) {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % bytesOf(dtype) == 0;
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

StackShape shapeOf(const TensorStack& stack, const TensorSource& tensors) {
    StackShape shape;
    for (std::size_t i = 0; i < stack.names.size(); ++i) {
        const TensorEntry& entry = entryOf(tensors, stack.names[i]);
        shape.dtype = i == 0 || entry.dtype == shape.dtype ? entry.dtype : DType::F32;
        shape.rows += entry.shape[stack.transposed ? 1 : 0];
        shape.cols = entry.shape.size() == 2 ? entry.shape[stack.transposed ? 0 : 1] : 1;
        shape.bytes += entry.bytes;
    }
    return shape;
}

Result<WeightMatrix> WeightLoader::matrix(const TensorStack& stack) {
    const StackShape shape = shapeOf(stack, m_tensors);
    std::span<const std::byte> source = m_tensors.bytes(entryOf(m_tensors, stack.names.front()));
    std::vector<std::byte> joined;
    if (stack.names.size() > 1 || stack.transposed || !isAligned(source, shape.dtype)) {
        joined.reserve(static_cast<std::size_t>(shape.rows * shape.cols) * bytesOf(shape.dtype));
        for (const std::string& name : stack.names)
            appendAs(joined, entryOf(m_tensors, name), shape.dtype, stack.transposed);
        source = joined;
    }
    TRY_ASSIGN(WeightMatrix packed,
               m_backend.packWeight(ConstTensorView(source.data(), shape.dtype, {shape.rows, shape.cols})));
    m_loadedBytes += shape.bytes;
    m_deviceBytes += packed.panels.bytes();
    return packed;
}

namespace {

// A row-major [rows, cols] matrix of elements of any size, appended as its transpose.
void appendTransposed(std::vector<std::byte>& out, std::span<const std::byte> bytes, std::int64_t rows,
                      std::int64_t cols) {
    if (bytes.empty()) return;
    const std::size_t element = bytes.size() / static_cast<std::size_t>(rows * cols);
    const std::size_t begin = out.size();
    out.resize(begin + bytes.size());
    std::byte* to = &out[begin];
    for (std::int64_t col = 0; col < cols; ++col)
        for (std::int64_t row = 0; row < rows; ++row, to += element)
            std::memcpy(to, &bytes[static_cast<std::size_t>(row * cols + col) * element], element);
}

}  // namespace

void WeightLoader::appendAs(std::vector<std::byte>& out, const TensorEntry& entry, DType dtype, bool transposed) const {
    auto bytes = m_tensors.bytes(entry);
    std::vector<float> widened;
    if (entry.dtype != dtype) {
        appendAsF32(widened, bytes, entry.dtype);
        bytes = std::as_bytes(std::span(widened));
    }
    if (transposed)
        appendTransposed(out, bytes, entry.shape[0], entry.shape[1]);
    else
        out.insert(out.end(), bytes.begin(), bytes.end());
}

Result<Buffer> WeightLoader::vector(const TensorStack& stack) {
    if (stack.empty()) return Buffer();
    std::vector<float> values;
    for (const std::string& name : stack.names) {
        const TensorEntry& entry = entryOf(m_tensors, name);
        appendAsF32(values, m_tensors.bytes(entry), entry.dtype);
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
