// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/arch_spec.h"

#include <array>
#include <optional>
#include <utility>

#include "core/formats/family.h"
#include "core/formats/packed_weights.h"
#include "core/formats/token_ids.h"

namespace espalier {
namespace {

// Beyond these no published model goes; they keep every later product of two counts far from overflow.
constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxHidden = 1 << 20;
constexpr std::int64_t kMaxLayers = 4096;
constexpr std::int64_t kMaxHeads = 4096;
constexpr std::int64_t kMaxHeadDim = 4096;
constexpr std::int64_t kMaxNeurons = 1 << 22;
constexpr std::int64_t kMaxContext = 1 << 30;

template <class Value>
struct Named {
    std::string_view name;
    Value value;
};

template <class Value, std::size_t N>
std::optional<Value> valueNamed(const std::array<Named<Value>, N>& table, std::string_view name) {
    for (const auto& row : table)
        if (row.name == name) return row.value;
    return std::nullopt;
}

template <class Value, std::size_t N>
std::string nameOf(const std::array<Named<Value>, N>& table, Value value) {
    for (const auto& row : table)
        if (row.value == value) return std::string(row.name);
    return {};
}

template <class Value, std::size_t N>
std::string listOf(const std::array<Named<Value>, N>& table) {
    std::string list;
    for (const auto& row : table) list += (list.empty() ? "" : ", ") + std::string(row.name);
    return list;
}

// The first spelling of a value is the one toJson writes.
constexpr std::array<Named<Activation>, 6> kActivations = {{{"silu", Activation::Silu},
                                                            {"swish", Activation::Silu},
                                                            {"gelu", Activation::Gelu},
                                                            {"gelu_pytorch_tanh", Activation::GeluTanh},
                                                            {"gelu_new", Activation::GeluTanh},
                                                            {"relu", Activation::Relu}}};
constexpr std::array<Named<RopeScaling>, 3> kRopeTypes = {
    {{"default", RopeScaling::None}, {"linear", RopeScaling::Linear}, {"llama3", RopeScaling::Llama3}}};
constexpr std::array<Named<NormFamily>, 2> kNorms = {
    {{"rms_norm", NormFamily::RmsNorm}, {"layer_norm", NormFamily::LayerNorm}}};
constexpr std::array<Named<DType>, 5> kDtypes = {{{"float32", DType::F32},
                                                  {"float", DType::F32},
                                                  {"bfloat16", DType::BF16},
                                                  {"float16", DType::F16},
                                                  {"half", DType::F16}}};

std::string inQuotes(std::string_view text) {
    return "\"" + std::string(text.substr(0, 80)) + "\"";
}

Error unsupported(std::string_view where, std::string sentence) {
    return fail(ErrorCode::Unsupported, std::string(where) + ": " + std::move(sentence), std::string(where));
}

template <class Value, std::size_t N>
Result<Value> readNamed(const JsonReader& reader, std::string_view where, std::string_view key,
                        const std::array<Named<Value>, N>& table, Value otherwise) {
    if (!reader.has(key)) return otherwise;
    TRY_ASSIGN(const std::string name, reader.string(key));
    const auto value = valueNamed(table, name);
    if (!value)
        return unsupported(
            where, "the " + std::string(key) + " " + inQuotes(name) + " is not supported; known: " + listOf(table));
    return *value;
}

Result<std::int32_t> readCount(const JsonReader& reader, std::string_view key, std::int64_t max) {
    TRY_ASSIGN(const std::int64_t count, reader.integer(key, 1, max));
    return static_cast<std::int32_t>(count);
}

Result<double> readPositive(const JsonReader& reader, std::string_view key, double otherwise) {
    TRY_ASSIGN(const double value, reader.numberOr(key, otherwise));
    if (!(value > 0)) return reader.wrong(key, "a number above 0");
    return value;
}

std::string familyList() {
    std::string list;
    for (const Family& family : knownFamilies()) list += (list.empty() ? "" : ", ") + std::string(family.architecture);
    return list;
}

Result<const Family*> findFamily(const JsonReader& reader, std::string_view where) {
    if (const Json* list = reader.find("architectures")) {
        if (!list->is_array() || list->empty() || !list->front().is_string())
            return reader.wrong("architectures", "an array of names");
        const auto& name = list->front().get_ref<const std::string&>();
        for (const Family& family : knownFamilies())
            if (family.architecture == name) return &family;
        return unsupported(where, "the architecture " + inQuotes(name) + " is not supported; known: " + familyList());
    }
    TRY_ASSIGN(const std::string type, reader.string("model_type"));
    for (const Family& family : knownFamilies())
        if (family.modelType == type) return &family;
    return unsupported(where, "the model_type " + inQuotes(type) + " is not supported; known: " + familyList());
}

Result<void> readSizes(const JsonReader& reader, std::string_view where, ArchSpec& spec) {
    TRY_ASSIGN(spec.vocabulary, readCount(reader, "vocab_size", kMaxVocabulary));
    TRY_ASSIGN(spec.hidden, readCount(reader, "hidden_size", kMaxHidden));
    TRY_ASSIGN(const std::int32_t layerCount, readCount(reader, "num_hidden_layers", kMaxLayers));
    LayerSpec layer;
    TRY_ASSIGN(layer.heads, readCount(reader, "num_attention_heads", kMaxHeads));
    layer.kvHeads = layer.heads;
    if (reader.has("num_key_value_heads")) {
        TRY_ASSIGN(layer.kvHeads, readCount(reader, "num_key_value_heads", kMaxHeads));
    }
    TRY_ASSIGN(layer.neurons, readCount(reader, "intermediate_size", kMaxNeurons));
    spec.layers.assign(static_cast<std::size_t>(layerCount), layer);
    if (reader.has("head_dim")) {
        TRY_ASSIGN(spec.headDim, readCount(reader, "head_dim", kMaxHeadDim));
    } else {
        if (spec.hidden % layer.heads != 0)
            return fail(ErrorCode::CorruptFile,
                        std::string(where) + ": \"hidden_size\" (" + std::to_string(spec.hidden) +
                            ") must be a multiple of \"num_attention_heads\" (" + std::to_string(layer.heads) +
                            ") when there is no \"head_dim\"",
                        std::string(where));
        spec.headDim = spec.hidden / layer.heads;
    }
    TRY_ASSIGN(const std::int64_t context, reader.integerOr("max_position_embeddings", 2048, 1, kMaxContext));
    spec.context = static_cast<std::int32_t>(context);
    return {};
}

// "rope_parameters" (new spelling, holds rope_theta) or "rope_scaling" beside a top-level "rope_theta".
Result<RopeSpec> readRope(const JsonReader& top, std::string_view where, const Family& family, const ArchSpec& spec) {
    RopeSpec rope;
    rope.rotaryDim = spec.headDim;
    TRY_ASSIGN(const double topTheta, readPositive(top, "rope_theta", family.ropeTheta));
    TRY_ASSIGN(const double topPartial, top.numberOr("partial_rotary_factor", 1.0));
    rope.theta = topTheta;
    const std::string key = top.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
    const Json* object = top.find(key);
    if (object && !object->is_object()) return top.wrong(key, "an object");
    const Json empty = Json::object();
    const std::string inside = std::string(where) + ": " + key;
    const JsonReader reader(object ? *object : empty, inside);
    TRY_ASSIGN(rope.theta, readPositive(reader, "rope_theta", topTheta));
    TRY_ASSIGN(const double partial, reader.numberOr("partial_rotary_factor", topPartial));
    if (partial != 1.0) return unsupported(where, "a \"partial_rotary_factor\" other than 1 is not supported");

    TRY_ASSIGN(rope.scaling, readNamed(reader, inside, reader.has("rope_type") ? "rope_type" : "type", kRopeTypes,
                                       RopeScaling::None));
    if (rope.scaling == RopeScaling::None) return rope;
    if (!reader.has("factor")) return reader.wrong("factor", "a number above 0");
    TRY_ASSIGN(rope.factor, readPositive(reader, "factor", 1.0));
    if (rope.scaling != RopeScaling::Llama3) return rope;

    TRY_ASSIGN(rope.lowFrequencyFactor, readPositive(reader, "low_freq_factor", 1.0));
    TRY_ASSIGN(rope.highFrequencyFactor, readPositive(reader, "high_freq_factor", 4.0));
    const JsonReader& contextReader = top.has("original_max_position_embeddings") ? top : reader;
    TRY_ASSIGN(const std::int64_t original,
               contextReader.integerOr("original_max_position_embeddings", spec.context, 1, kMaxContext));
    rope.originalContext = static_cast<std::int32_t>(original);
    return rope;
}

Result<bool> readBias(const JsonReader& reader, const BiasRule& rule) {
    if (rule.key.empty()) return rule.otherwise;
    return reader.boolOr(rule.key, rule.otherwise);
}

// What holds for every spec, wherever it was read from.
Result<void> checkSpec(const ArchSpec& spec, std::string_view where) {
    const auto wrong = [&](std::string sentence) {
        return fail(ErrorCode::CorruptFile, std::string(where) + ": " + std::move(sentence), std::string(where));
    };
    if (spec.headDim % 2 != 0) return wrong("the head dimension must be even, found " + std::to_string(spec.headDim));
    if (spec.rope.rotaryDim % 2 != 0 || spec.rope.rotaryDim > spec.headDim)
        return wrong("the rotary dimension must be even and at most the head dimension, found " +
                     std::to_string(spec.rope.rotaryDim));
    if (!(spec.normEps > 0 && spec.normEps < 1))
        return wrong("the norm's epsilon must be above 0 and below 1, found " + Json(spec.normEps).dump());
    if (spec.rope.scaling == RopeScaling::Llama3 && !(spec.rope.lowFrequencyFactor < spec.rope.highFrequencyFactor))
        return wrong("\"low_freq_factor\" must be below \"high_freq_factor\"");
    for (std::size_t i = 0; i < spec.layers.size(); ++i)
        if (spec.layers[i].heads % spec.layers[i].kvHeads != 0)
            return wrong("the number of key-value heads must divide the number of heads, found " +
                         std::to_string(spec.layers[i].kvHeads) + " and " + std::to_string(spec.layers[i].heads) +
                         " in layer " + std::to_string(i));
    return {};
}

Json ropeToJson(const RopeSpec& rope) {
    Json json = {{"theta", rope.theta}, {"rotary_dim", rope.rotaryDim}, {"type", nameOf(kRopeTypes, rope.scaling)}};
    if (rope.scaling != RopeScaling::None) json["factor"] = rope.factor;
    if (rope.scaling == RopeScaling::Llama3) {
        json["low_freq_factor"] = rope.lowFrequencyFactor;
        json["high_freq_factor"] = rope.highFrequencyFactor;
        json["original_context"] = rope.originalContext;
    }
    return json;
}

Result<RopeSpec> ropeFromJson(const Json& json, const std::string& where) {
    const JsonReader reader(json, where);
    RopeSpec rope;
    TRY_ASSIGN(rope.theta, readPositive(reader, "theta", rope.theta));
    TRY_ASSIGN(const std::int64_t rotary, reader.integer("rotary_dim", 0, kMaxHeadDim));
    rope.rotaryDim = static_cast<std::int32_t>(rotary);
    TRY_ASSIGN(rope.scaling, readNamed(reader, where, "type", kRopeTypes, RopeScaling::None));
    TRY_ASSIGN(rope.factor, readPositive(reader, "factor", rope.factor));
    TRY_ASSIGN(rope.lowFrequencyFactor, readPositive(reader, "low_freq_factor", rope.lowFrequencyFactor));
    TRY_ASSIGN(rope.highFrequencyFactor, readPositive(reader, "high_freq_factor", rope.highFrequencyFactor));
    TRY_ASSIGN(const std::int64_t original, reader.integerOr("original_context", rope.originalContext, 1, kMaxContext));
    rope.originalContext = static_cast<std::int32_t>(original);
    return rope;
}

Result<std::vector<LayerSpec>> layersFromJson(const JsonReader& reader, const std::string& where) {
    const Json* list = reader.find("layers");
    if (!list || !list->is_array() || list->empty() || list->size() > static_cast<std::size_t>(kMaxLayers))
        return reader.wrong("layers", "an array of 1 to " + std::to_string(kMaxLayers) + " layers");
    std::vector<LayerSpec> layers;
    for (const Json& item : *list) {
        const JsonReader layer(item, where + ": layer " + std::to_string(layers.size()));
        LayerSpec spec;
        TRY_ASSIGN(spec.heads, readCount(layer, "heads", kMaxHeads));
        TRY_ASSIGN(spec.kvHeads, readCount(layer, "kv_heads", kMaxHeads));
        TRY_ASSIGN(spec.neurons, readCount(layer, "neurons", kMaxNeurons));
        layers.push_back(spec);
    }
    return layers;
}

}  // namespace

Result<ArchSpec> archSpecFromConfig(const Json& config, std::string_view where) {
    if (!config.is_object())
        return fail(ErrorCode::CorruptFile, std::string(where) + ": must be a JSON object", std::string(where));
    TRY(refusePackedConfig(config, where));
    const JsonReader reader(config, std::string(where));
    TRY_ASSIGN(const Family* family, findFamily(reader, where));

    ArchSpec spec;
    spec.family = family->name;
    spec.architecture = family->architecture;
    spec.norm = family->norm;
    spec.gatedMlp = family->gatedMlp;
    TRY(readSizes(reader, where, spec));
    TRY_ASSIGN(spec.normEps, reader.numberOr(family->normEpsKey, family->normEps));
    TRY_ASSIGN(spec.activation, readNamed(reader, where, "hidden_act", kActivations, family->activation));
    TRY_ASSIGN(spec.rope, readRope(reader, where, *family, spec));
    TRY_ASSIGN(spec.tiedEmbeddings, reader.boolOr("tie_word_embeddings", family->tiedEmbeddings));
    TRY_ASSIGN(spec.attentionBias, readBias(reader, family->attentionBias));
    TRY_ASSIGN(spec.attentionOutBias, readBias(reader, family->attentionOutBias));
    TRY_ASSIGN(spec.mlpBias, readBias(reader, family->mlpBias));
    TRY_ASSIGN(spec.dtype,
               readNamed(reader, where, reader.has("torch_dtype") ? "torch_dtype" : "dtype", kDtypes, DType::F32));
    TRY_ASSIGN(spec.bosIds, readTokenIds(reader, "bos_token_id"));
    TRY_ASSIGN(spec.eosIds, readTokenIds(reader, "eos_token_id"));
    TRY(checkSpec(spec, where));
    return spec;
}

Json toJson(const ArchSpec& spec) {
    Json layers = Json::array();
    for (const LayerSpec& layer : spec.layers)
        layers.push_back({{"heads", layer.heads}, {"kv_heads", layer.kvHeads}, {"neurons", layer.neurons}});
    return {{"family", spec.family},
            {"architecture", spec.architecture},
            {"vocabulary", spec.vocabulary},
            {"hidden", spec.hidden},
            {"head_dim", spec.headDim},
            {"context", spec.context},
            {"layers", std::move(layers)},
            {"norm", nameOf(kNorms, spec.norm)},
            {"norm_eps", spec.normEps},
            {"activation", nameOf(kActivations, spec.activation)},
            {"gated_mlp", spec.gatedMlp},
            {"rope", ropeToJson(spec.rope)},
            {"tied_embeddings", spec.tiedEmbeddings},
            {"attention_bias", spec.attentionBias},
            {"attention_out_bias", spec.attentionOutBias},
            {"mlp_bias", spec.mlpBias},
            {"dtype", nameOf(kDtypes, spec.dtype)},
            {"bos_ids", spec.bosIds},
            {"eos_ids", spec.eosIds}};
}

Result<ArchSpec> archSpecFromJson(const Json& json, std::string_view where) {
    const JsonReader reader(json, std::string(where));
    ArchSpec spec;
    TRY_ASSIGN(spec.family, reader.string("family"));
    if (!familyNamed(spec.family))
        return unsupported(where, "the family " + inQuotes(spec.family) + " is not supported");
    TRY_ASSIGN(spec.architecture, reader.string("architecture"));
    TRY_ASSIGN(spec.vocabulary, readCount(reader, "vocabulary", kMaxVocabulary));
    TRY_ASSIGN(spec.hidden, readCount(reader, "hidden", kMaxHidden));
    TRY_ASSIGN(spec.headDim, readCount(reader, "head_dim", kMaxHeadDim));
    TRY_ASSIGN(spec.context, readCount(reader, "context", kMaxContext));
    TRY_ASSIGN(spec.layers, layersFromJson(reader, std::string(where)));
    TRY_ASSIGN(spec.norm, readNamed(reader, where, "norm", kNorms, NormFamily::RmsNorm));
    TRY_ASSIGN(spec.normEps, reader.number("norm_eps"));
    TRY_ASSIGN(spec.activation, readNamed(reader, where, "activation", kActivations, Activation::Silu));
    TRY_ASSIGN(spec.gatedMlp, reader.boolOr("gated_mlp", true));
    const Json* rope = reader.find("rope");
    if (!rope) return reader.wrong("rope", "an object");
    TRY_ASSIGN(spec.rope, ropeFromJson(*rope, std::string(where) + ": rope"));
    TRY_ASSIGN(spec.tiedEmbeddings, reader.boolOr("tied_embeddings", false));
    TRY_ASSIGN(spec.attentionBias, reader.boolOr("attention_bias", false));
    TRY_ASSIGN(spec.attentionOutBias, reader.boolOr("attention_out_bias", false));
    TRY_ASSIGN(spec.mlpBias, reader.boolOr("mlp_bias", false));
    TRY_ASSIGN(spec.dtype, readNamed(reader, where, "dtype", kDtypes, DType::F32));
    TRY_ASSIGN(spec.bosIds, readTokenIds(reader, "bos_ids"));
    TRY_ASSIGN(spec.eosIds, readTokenIds(reader, "eos_ids"));
    TRY(checkSpec(spec, where));
    return spec;
}

}  // namespace espalier
