// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/models/weight_map.h"

#include <cstring>

#include "core/formats/family.h"

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

ModelTensors modelTensors(const ArchSpec& spec) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    const TensorNames& names = family->tensors;
    const auto weight = [](std::string_view name) { return std::string(name) + ".weight"; };

    ModelTensors model;
    model.embedding = {weight(names.embedding)};
    model.finalNorm = {weight(names.finalNorm)};
    if (!spec.tiedEmbeddings) model.lmHead = {weight(names.lmHead)};
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const std::string prefix = std::string(names.layer) + std::to_string(i) + ".";
        const auto stack = [&](std::initializer_list<std::string_view> parts, std::string_view suffix) {
            TensorStack full;
            for (const std::string_view part : parts) full.push_back(prefix + std::string(part) + std::string(suffix));
            return full;
        };
        LayerTensors layer;
        layer.attentionNorm = stack({names.attentionNorm}, ".weight");
        layer.qkv = stack({names.query, names.key, names.value}, ".weight");
        layer.attentionOut = stack({names.attentionOut}, ".weight");
        layer.mlpNorm = stack({names.mlpNorm}, ".weight");
        layer.gateUp = stack({names.gate, names.up}, ".weight");
        layer.down = stack({names.down}, ".weight");
        if (spec.attentionBias) layer.qkvBias = stack({names.query, names.key, names.value}, ".bias");
        if (spec.attentionOutBias) layer.attentionOutBias = stack({names.attentionOut}, ".bias");
        if (spec.mlpBias) {
            layer.gateUpBias = stack({names.gate, names.up}, ".bias");
            layer.downBias = stack({names.down}, ".bias");
        }
        model.layers.push_back(std::move(layer));
    }
    return model;
}

StackShape shapeOf(const TensorStack& stack, const TensorSource& tensors) {
    StackShape shape;
    for (std::size_t i = 0; i < stack.size(); ++i) {
        const TensorEntry& entry = entryOf(tensors, stack[i]);
        shape.dtype = i == 0 || entry.dtype == shape.dtype ? entry.dtype : DType::F32;
        shape.rows += entry.shape[0];
        shape.cols = entry.shape.size() == 2 ? entry.shape[1] : 1;
        shape.bytes += entry.bytes;
    }
    return shape;
}

Result<WeightMatrix> WeightLoader::matrix(const TensorStack& stack) {
    const StackShape shape = shapeOf(stack, m_tensors);
    std::span<const std::byte> source = m_tensors.bytes(entryOf(m_tensors, stack.front()));
    std::vector<std::byte> joined;
    if (stack.size() > 1 || !isAligned(source, shape.dtype)) {
        joined.reserve(static_cast<std::size_t>(shape.rows * shape.cols) * bytesOf(shape.dtype));
        for (const std::string& name : stack) appendAs(joined, entryOf(m_tensors, name), shape.dtype);
        source = joined;
    }
    TRY_ASSIGN(WeightMatrix packed,
               m_backend.packWeight(ConstTensorView(source.data(), shape.dtype, {shape.rows, shape.cols})));
    m_loadedBytes += shape.bytes;
    m_deviceBytes += packed.panels.bytes();
    return packed;
}

void WeightLoader::appendAs(std::vector<std::byte>& out, const TensorEntry& entry, DType dtype) const {
    const auto bytes = m_tensors.bytes(entry);
    if (entry.dtype == dtype) {
        out.insert(out.end(), bytes.begin(), bytes.end());
        return;
    }
    std::vector<float> widened;
    appendAsF32(widened, bytes, entry.dtype);
    const auto wide = std::as_bytes(std::span(widened));
    out.insert(out.end(), wide.begin(), wide.end());
}

Result<Buffer> WeightLoader::vector(const TensorStack& stack) {
    if (stack.empty()) return Buffer();
    std::vector<float> values;
    for (const std::string& name : stack) {
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
