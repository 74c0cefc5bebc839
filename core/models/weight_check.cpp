// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>

#include "core/models/transformer.h"
#include "core/models/weight_map.h"

namespace espalier {
namespace {

// Buffers that older programs saved beside the weights; they are computed, not learned.
constexpr std::array<std::string_view, 6> kLeftovers = {"rotary_emb.inv_freq", "attn.bias",    "attn.masked_bias",
                                                        "masked_bias",         "position_ids", "rope_freqs.weight"};
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
    const bool isPlain = found.dtype == DType::F32 || found.dtype == DType::BF16 || found.dtype == DType::F16;
    if (isPlain || (isBlock(found.dtype) && found.shape.size() == 2)) return {};
    return fail(ErrorCode::Unsupported,
                found.location() + " must be f32, bf16 or f16, found " + std::string(dtypeName(found.dtype)),
                found.location());
}

// `known`: names as the folder has them.
void warnOfExtras(const std::unordered_set<std::string_view>& known, const TensorSource& tensors,
                  WeightReport& report) {
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

namespace {

class ExpectedList {
public:
    explicit ExpectedList(const ArchSpec& spec) : m_spec(spec) {}

    void vector(const std::string& name, std::int64_t size, bool optional = false) {
        m_list.push_back({name, {size}, optional});
    }
    void matrix(const std::string& name, std::int64_t rows, std::int64_t cols, bool optional = false,
                bool isCopy = false) {
        m_list.push_back({name + ".weight", {rows, cols}, optional, isCopy});
    }
    void norm(const std::string& name) {
        vector(name + ".weight", m_spec.hidden);
        if (m_spec.norm == NormFamily::LayerNorm) vector(name + ".bias", m_spec.hidden);
    }
    void linear(const std::string& name, std::int64_t rows, std::int64_t cols, bool bias) {
        m_spec.transposedLinears ? matrix(name, cols, rows) : matrix(name, rows, cols);
        if (bias) vector(name + ".bias", rows);
    }
    void layer(const TensorNames& names, const std::string& prefix, const LayerSpec& layer);

    std::vector<ExpectedTensor> take() { return std::move(m_list); }

private:
    const ArchSpec& m_spec;
    std::vector<ExpectedTensor> m_list;
};

void ExpectedList::layer(const TensorNames& names, const std::string& prefix, const LayerSpec& layer) {
    const auto named = [&](std::string_view name) { return prefix + std::string(name); };
    const std::int64_t hidden = m_spec.hidden;
    const std::int64_t queryRows = std::int64_t{layer.heads} * m_spec.headDim;
    const std::int64_t keyRows = std::int64_t{layer.kvHeads} * m_spec.headDim;
    norm(named(names.attentionNorm));
    if (names.key.empty()) {
        linear(named(names.query), queryRows + 2 * keyRows, hidden, m_spec.attentionBias);
    } else {
        linear(named(names.query), queryRows, hidden, m_spec.attentionBias);
        linear(named(names.key), keyRows, hidden, m_spec.attentionBias);
        linear(named(names.value), keyRows, hidden, m_spec.attentionBias);
    }
    if (m_spec.queryKeyNorm) {
        vector(named(names.queryNorm) + ".weight", m_spec.headDim);
        vector(named(names.keyNorm) + ".weight", m_spec.headDim);
    }
    linear(named(names.attentionOut), hidden, queryRows, m_spec.attentionOutBias);
    norm(named(names.mlpNorm));
    if (m_spec.gatedMlp) linear(named(names.gate), layer.neurons, hidden, m_spec.mlpBias);
    linear(named(names.up), layer.neurons, hidden, m_spec.mlpBias);
    linear(named(names.down), hidden, layer.neurons, m_spec.mlpBias);
}

std::string missingText(const Family& family, const ExpectedTensor& tensor) {
    const std::string_view prefix = family.tensors.prefix;
    std::string name = tensor.name;
    if (!prefix.empty() && name.starts_with(prefix)) name += " (or " + name.substr(prefix.size()) + ")";
    return "the tensor " + name + " " + shapeText(tensor.shape) + " is missing in the model's files";
}

}  // namespace

std::vector<ExpectedTensor> expectedTensors(const ArchSpec& spec) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    const TensorNames& names = family->tensors;
    ExpectedList list(spec);
    list.matrix(std::string(names.embedding), spec.vocabulary, spec.hidden);
    if (spec.learnedPositions)
        list.matrix(std::string(names.positions), std::int64_t{spec.firstPosition} + spec.context, spec.hidden);
    if (spec.tokenTypes > 0) list.matrix(std::string(names.tokenTypes), spec.tokenTypes, spec.hidden);
    if (spec.embeddingNorm) list.norm(std::string(names.embeddingNorm));
    for (std::size_t i = 0; i < spec.layers.size(); ++i)
        list.layer(names, std::string(names.layer) + std::to_string(i) + ".", spec.layers[i]);
    if (spec.normPlace == NormPlace::BeforeBlock) list.norm(std::string(names.finalNorm));
    if (spec.lmHead)
        list.matrix(std::string(names.lmHead), spec.vocabulary, spec.hidden, spec.tiedEmbeddings, spec.tiedEmbeddings);
    if (!names.pooler.empty()) {
        list.matrix(std::string(names.pooler), spec.hidden, spec.hidden, true);
        list.vector(std::string(names.pooler) + ".bias", spec.hidden, true);
    }
    return list.take();
}

Result<WeightReport> checkWeights(const ArchSpec& spec, const TensorSource& tensors) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    WeightReport report;
    std::unordered_set<std::string_view> known;
    for (const ExpectedTensor& tensor : expectedTensors(spec)) {
        const TensorEntry* found = findTensor(*family, tensors, tensor.name);
        if (!found && tensor.optional) continue;
        if (!found) return fail(ErrorCode::MissingTensor, missingText(*family, tensor), tensor.name);
        known.insert(found->name);
        if (tensor.isCopy) continue;
        TRY(checkTensor(tensor, *found));
        report.parameters += found->count();
        report.bytes += found->bytes;
    }
    warnOfExtras(known, tensors, report);
    warnOfIds(spec, spec.bosIds, "begin-of-text", report);
    warnOfIds(spec, spec.eosIds, "end-of-text", report);
    return report;
}

}  // namespace espalier
