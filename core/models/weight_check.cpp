// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "core/formats/family.h"
#include "core/models/transformer.h"

namespace espalier {
namespace {

// Buffers that older programs saved beside the weights; they are computed, not learned.
constexpr std::array<std::string_view, 5> kLeftovers = {"rotary_emb.inv_freq", "attn.bias", "attn.masked_bias",
                                                        "masked_bias", "position_ids"};
constexpr std::size_t kMaxListedExtras = 8;

bool isLeftover(std::string_view name) {
    return std::any_of(kLeftovers.begin(), kLeftovers.end(), [&](std::string_view end) {
        return name == end || (name.ends_with(end) && name[name.size() - end.size() - 1] == '.');
    });
}

std::string shapeText(const std::vector<std::int64_t>& shape) {
    std::string text = "[";
    for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

Result<void> checkTensor(const ExpectedTensor& expected, const TensorEntry& found) {
    if (found.shape != expected.shape)
        return fail(ErrorCode::ShapeMismatch,
                    found.location() + " must have the shape " + shapeText(expected.shape) + ", found " +
                        shapeText(found.shape),
                    found.location());
    if (found.dtype != DType::F32 && found.dtype != DType::BF16 && found.dtype != DType::F16)
        return fail(ErrorCode::Unsupported,
                    found.location() + " must be f32, bf16 or f16, found " + std::string(dtypeName(found.dtype)),
                    found.location());
    return {};
}

void warnOfExtras(const std::vector<ExpectedTensor>& expected, const TensorSource& tensors, WeightReport& report) {
    std::unordered_set<std::string_view> known;
    for (const ExpectedTensor& tensor : expected) known.insert(tensor.name);
    std::vector<std::string_view> extras;
    for (const TensorEntry& entry : tensors.tensors())
        if (!known.contains(entry.name) && !isLeftover(entry.name)) extras.push_back(entry.name);
    if (extras.empty()) return;
    std::string list;
    for (std::size_t i = 0; i < std::min(extras.size(), kMaxListedExtras); ++i)
        list += (i ? ", " : "") + std::string(extras[i].substr(0, 120));
    if (extras.size() > kMaxListedExtras) list += ", ...";
    report.warnings.push_back(std::to_string(extras.size()) + " tensors are not used: " + list);
}

void warnOfIds(const ArchSpec& spec, const std::vector<std::int32_t>& ids, std::string_view role,
               WeightReport& report) {
    for (const std::int32_t id : ids)
        if (id >= spec.vocabulary)
            report.warnings.push_back("the " + std::string(role) + " token id " + std::to_string(id) +
                                      " lies beyond the embedding's " + std::to_string(spec.vocabulary) + " rows");
}

}  // namespace

std::vector<ExpectedTensor> expectedTensors(const ArchSpec& spec) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    const TensorNames& names = family->tensors;
    std::vector<ExpectedTensor> list;
    const auto add = [&](std::string name, std::vector<std::int64_t> shape, bool optional = false) {
        list.push_back({std::move(name), std::move(shape), optional});
    };
    const std::int64_t hidden = spec.hidden;
    add(std::string(names.embedding) + ".weight", {spec.vocabulary, hidden});
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const std::string prefix = std::string(names.layer) + std::to_string(i) + ".";
        const auto linear = [&](std::string_view name, std::int64_t rows, std::int64_t cols, bool bias) {
            add(prefix + std::string(name) + ".weight", {rows, cols});
            if (bias) add(prefix + std::string(name) + ".bias", {rows});
        };
        const LayerSpec& layer = spec.layers[i];
        const std::int64_t queryRows = std::int64_t{layer.heads} * spec.headDim;
        const std::int64_t keyRows = std::int64_t{layer.kvHeads} * spec.headDim;
        add(prefix + std::string(names.attentionNorm) + ".weight", {hidden});
        linear(names.query, queryRows, hidden, spec.attentionBias);
        linear(names.key, keyRows, hidden, spec.attentionBias);
        linear(names.value, keyRows, hidden, spec.attentionBias);
        linear(names.attentionOut, hidden, queryRows, spec.attentionOutBias);
        add(prefix + std::string(names.mlpNorm) + ".weight", {hidden});
        linear(names.gate, layer.neurons, hidden, spec.mlpBias);
        linear(names.up, layer.neurons, hidden, spec.mlpBias);
        linear(names.down, hidden, layer.neurons, spec.mlpBias);
    }
    add(std::string(names.finalNorm) + ".weight", {hidden});
    add(std::string(names.lmHead) + ".weight", {spec.vocabulary, hidden}, spec.tiedEmbeddings);
    return list;
}

Result<WeightReport> checkWeights(const ArchSpec& spec, const TensorSource& tensors) {
    WeightReport report;
    const std::vector<ExpectedTensor> expected = expectedTensors(spec);
    for (const ExpectedTensor& tensor : expected) {
        const TensorEntry* found = tensors.find(tensor.name);
        if (!found && tensor.optional) continue;
        if (!found)
            return fail(
                ErrorCode::MissingTensor,
                "the tensor " + tensor.name + " " + shapeText(tensor.shape) + " is missing in the model's files",
                tensor.name);
        if (tensor.optional) continue;  // a stored copy of tied weights is not used
        TRY(checkTensor(tensor, *found));
        report.parameters += found->bytes / static_cast<std::int64_t>(bytesOf(found->dtype));
        report.bytes += found->bytes;
    }
    warnOfExtras(expected, tensors, report);
    warnOfIds(spec, spec.bosIds, "begin-of-text", report);
    warnOfIds(spec, spec.eosIds, "end-of-text", report);
    return report;
}

}  // namespace espalier
