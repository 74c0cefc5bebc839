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
constexpr std::int64_t kMaxTokenTypes = 1 << 16;

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
constexpr std::array<Named<Activation>, 8> kActivations = {{{"silu", Activation::Silu},
                                                            {"swish", Activation::Silu},
                                                            {"gelu", Activation::Gelu},
                                                            {"gelu_pytorch_tanh", Activation::GeluTanh},
                                                            {"gelu_new", Activation::GeluTanh},
                                                            {"gelu_fast", Activation::GeluTanh},
                                                            {"gelu_python", Activation::Gelu},
                                                            {"relu", Activation::Relu}}};
constexpr std::array<Named<RopeScaling>, 3> kRopeTypes = {
    {{"default", RopeScaling::None}, {"linear", RopeScaling::Linear}, {"llama3", RopeScaling::Llama3}}};
constexpr std::array<Named<NormFamily>, 2> kNorms = {
    {{"rms_norm", NormFamily::RmsNorm}, {"layer_norm", NormFamily::LayerNorm}}};
constexpr std::array<Named<NormPlace>, 2> kNormPlaces = {
    {{"before_block", NormPlace::BeforeBlock}, {"after_block", NormPlace::AfterBlock}}};
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

struct Kind {
    const Family* family;
    const Architecture* architecture;
};

Result<Kind> findKind(const JsonReader& reader, std::string_view where) {
    if (const Json* list = reader.find("architectures")) {
        if (!list->is_array() || list->empty() || !list->front().is_string())
            return reader.wrong("architectures", "an array of names");
        const auto& name = list->front().get_ref<const std::string&>();
        for (const Family& family : knownFamilies())
            for (const Architecture& architecture : family.architectures)
                if (architecture.name == name) return Kind{&family, &architecture};
        return unsupported(where,
                           "the architecture " + inQuotes(name) + " is not supported; known: " + knownArchitectures());
    }
    TRY_ASSIGN(const std::string type, reader.string("model_type"));
    for (const Family& family : knownFamilies())
        if (family.modelType == type) return Kind{&family, &family.architectures.front()};
    return unsupported(where, "the model_type " + inQuotes(type) + " is not supported; known: " + knownArchitectures());
}

Result<void> checkFixedSettings(const JsonReader& reader, std::string_view where, const Family& family) {
    for (const FixedSetting& setting : family.fixed) {
        const Json* found = reader.find(setting.key);
        if (found && dumpJson(*found) != setting.value)
            return unsupported(where, "a \"" + std::string(setting.key) + "\" other than " +
                                          std::string(setting.value) + " is not supported, found " +
                                          dumpJson(*found).substr(0, 80));
    }
    return {};
}

Result<void> readSizes(const Json& config, const JsonReader& reader, std::string_view where, const Family& family,
                       ArchSpec& spec) {
    const ConfigKeys& keys = family.keys;
    TRY_ASSIGN(spec.vocabulary, readCount(reader, "vocab_size", kMaxVocabulary));
    TRY_ASSIGN(spec.hidden, readCount(reader, keys.hidden, kMaxHidden));
    TRY_ASSIGN(const std::int32_t layerCount, readCount(reader, keys.layers, kMaxLayers));
    LayerSpec layer;
    TRY_ASSIGN(layer.heads, readCount(reader, keys.heads, kMaxHeads));
    const bool isSilent = !config.contains("num_key_value_heads");  // null is: as many as heads
    layer.kvHeads = isSilent && family.kvHeads > 0 ? family.kvHeads : layer.heads;
    if (reader.has("num_key_value_heads")) {
        TRY_ASSIGN(layer.kvHeads, readCount(reader, "num_key_value_heads", kMaxHeads));
    }
    if (family.neuronsPerHidden > 0 && !reader.has(keys.neurons)) {
        layer.neurons = family.neuronsPerHidden * spec.hidden;
    } else {
        TRY_ASSIGN(layer.neurons, readCount(reader, keys.neurons, kMaxNeurons));
    }
    spec.layers.assign(static_cast<std::size_t>(layerCount), layer);
    if (reader.has("head_dim")) {
        TRY_ASSIGN(spec.headDim, readCount(reader, "head_dim", kMaxHeadDim));
    } else if (family.headDim > 0) {
        spec.headDim = family.headDim;
    } else {
        if (spec.hidden % layer.heads != 0)
            return fail(ErrorCode::CorruptFile,
                        std::string(where) + ": \"" + std::string(keys.hidden) + "\" (" + std::to_string(spec.hidden) +
                            ") must be a multiple of \"" + std::string(keys.heads) + "\" (" +
                            std::to_string(layer.heads) + ") when there is no \"head_dim\"",
                        std::string(where));
        spec.headDim = spec.hidden / layer.heads;
    }
    TRY_ASSIGN(const std::int64_t positions,
               reader.integerOr(keys.context, family.context, 1 + family.firstPosition, kMaxContext));
    spec.context = static_cast<std::int32_t>(positions) - family.firstPosition;
    if (family.tokenTypes) {
        TRY_ASSIGN(const std::int64_t types, reader.integerOr("type_vocab_size", 2, 0, kMaxTokenTypes));
        spec.tokenTypes = static_cast<std::int32_t>(types);
    }
    return {};
}

// The window of every layer: from "layer_types" when the file has it, else from the family's rule.
Result<void> readWindows(const Json& config, const JsonReader& reader, const WindowRule& rule, ArchSpec& spec) {
    if (!rule.isRead) return {};
    if (!rule.enabledBy.empty()) {
        TRY_ASSIGN(const bool isEnabled, reader.boolOr(rule.enabledBy, false));
        if (!isEnabled) return {};
    }
    TRY_ASSIGN(const std::int64_t size, reader.integerOr("sliding_window", rule.otherwise, 1, kMaxContext));
    const bool isNull = config.contains("sliding_window") && !reader.has("sliding_window");
    if (isNull) return {};
    std::int64_t first = 0;
    if (!rule.firstLayer.empty()) {
        TRY_ASSIGN(first, reader.integerOr(rule.firstLayer, rule.firstLayerOtherwise, 0, kMaxLayers));
    }
    const Json* kinds = rule.firstLayer.empty() ? nullptr : reader.find("layer_types");
    if (kinds && (!kinds->is_array() || kinds->size() != spec.layers.size()))
        return reader.wrong("layer_types", "an array of " + std::to_string(spec.layers.size()) + " names");
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        bool slides = static_cast<std::int64_t>(i) >= first;
        if (kinds) {
            slides = (*kinds)[i] == "sliding_attention";
            if (!slides && (*kinds)[i] != "full_attention")
                return reader.wrong("layer_types", "\"full_attention\" or \"sliding_attention\" for every layer");
        }
        if (slides) spec.layers[i].window = static_cast<std::int32_t>(size);
    }
    return {};
}

// "rope_parameters" may hold one object per kind of layer; kinds that rotate differently are not supported.
Result<const Json*> ropeObject(const JsonReader& top, std::string_view where, const std::string& key) {
    const Json* object = top.find(key);
    if (!object) return object;
    if (!object->is_object()) return top.wrong(key, "an object");
    const Json* kind = nullptr;
    for (const auto& [name, value] : object->items()) {
        if (!name.ends_with("_attention") || !value.is_object()) continue;
        if (kind && *kind != value)
            return unsupported(where, "a \"" + key + "\" that differs between kinds of layers is not supported");
        kind = &value;
    }
    return kind ? kind : object;
}

// "rope_scaling" beside a top-level "rope_theta", or "rope_parameters" (new spelling, holds rope_theta). In a file with
// both, the former counts when it says anything, as for transformers.
Result<RopeSpec> readRope(const JsonReader& top, std::string_view where, const Family& family, const ArchSpec& spec) {
    RopeSpec rope;
    if (spec.learnedPositions) return rope;
    rope.rotaryDim = spec.headDim;
    TRY_ASSIGN(const double topTheta, readPositive(top, "rope_theta", family.ropeTheta));
    TRY_ASSIGN(const double topPartial, top.numberOr("partial_rotary_factor", 1.0));
    rope.theta = topTheta;
    const Json* scaling = top.find("rope_scaling");
    const bool saysNothing = !scaling || (scaling->is_object() && scaling->empty());
    const std::string key = saysNothing ? "rope_parameters" : "rope_scaling";
    TRY_ASSIGN(const Json* object, ropeObject(top, where, key));
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

// What the file declares, for people; tensors say themselves what they are, so a type not known here is no obstacle.
Result<DType> readDtype(const JsonReader& reader) {
    TRY_ASSIGN(const std::string name, reader.stringOr(reader.has("torch_dtype") ? "torch_dtype" : "dtype", ""));
    return valueNamed(kDtypes, name).value_or(DType::F32);
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
    if (spec.rope.rotaryDim > 0 && spec.headDim % 2 != 0)
        return wrong("the head dimension must be even, found " + std::to_string(spec.headDim));
    if (spec.rope.rotaryDim % 2 != 0 || spec.rope.rotaryDim > spec.headDim)
        return wrong("the rotary dimension must be even and at most the head dimension, found " +
                     std::to_string(spec.rope.rotaryDim));
    if (!(spec.normEps > 0 && spec.normEps < 1))
        return wrong("the norm's epsilon must be above 0 and below 1, found " + Json(spec.normEps).dump());
    if (spec.rope.scaling == RopeScaling::Llama3 && !(spec.rope.lowFrequencyFactor < spec.rope.highFrequencyFactor))
        return wrong("\"low_freq_factor\" must be below \"high_freq_factor\"");
    if (!spec.causal && spec.lmHead) return wrong("a model whose tokens see the whole text cannot have an LM head");
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        if (!spec.causal && spec.layers[i].window > 0)
            return wrong("layer " + std::to_string(i) + " has a window, but its tokens see the whole text");
        if (spec.layers[i].heads % spec.layers[i].kvHeads != 0)
            return wrong("the number of key-value heads must divide the number of heads, found " +
                         std::to_string(spec.layers[i].kvHeads) + " and " + std::to_string(spec.layers[i].heads) +
                         " in layer " + std::to_string(i));
    }
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
    if (!rope.factors.empty()) json["factors"] = rope.factors;
    return json;
}

Result<std::vector<float>> ropeFactorsFromJson(const JsonReader& reader, std::size_t count) {
    std::vector<float> factors;
    const Json* list = reader.find("factors");
    if (!list) return factors;
    const std::string expected = "an array of " + std::to_string(count) + " numbers above 0";
    if (!list->is_array() || list->size() != count) return reader.wrong("factors", expected);
    for (const Json& item : *list) {
        if (!item.is_number() || !(item.get<float>() > 0)) return reader.wrong("factors", expected);
        factors.push_back(item.get<float>());
    }
    return factors;
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
    TRY_ASSIGN(rope.factors, ropeFactorsFromJson(reader, static_cast<std::size_t>(rope.rotaryDim / 2)));
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
        TRY_ASSIGN(const std::int64_t window, layer.integerOr("window", 0, 0, kMaxContext));
        spec.window = static_cast<std::int32_t>(window);
        layers.push_back(spec);
    }
    return layers;
}

struct Flag {
    std::string_view key;
    bool ArchSpec::*member;
};
constexpr std::array<Flag, 10> kFlags = {{{"learned_positions", &ArchSpec::learnedPositions},
                                          {"embedding_norm", &ArchSpec::embeddingNorm},
                                          {"tied_embeddings", &ArchSpec::tiedEmbeddings},
                                          {"attention_bias", &ArchSpec::attentionBias},
                                          {"attention_out_bias", &ArchSpec::attentionOutBias},
                                          {"mlp_bias", &ArchSpec::mlpBias},
                                          {"query_key_norm", &ArchSpec::queryKeyNorm},
                                          {"causal", &ArchSpec::causal},
                                          {"lm_head", &ArchSpec::lmHead},
                                          {"transposed_linears", &ArchSpec::transposedLinears}}};

// A key that an older workspace does not have leaves the default.
Result<void> readFlags(const JsonReader& reader, ArchSpec& spec) {
    for (const Flag& flag : kFlags) {
        TRY_ASSIGN(spec.*flag.member, reader.boolOr(flag.key, spec.*flag.member));
    }
    return {};
}

}  // namespace

Result<ArchSpec> archSpecFromConfig(const Json& config, std::string_view where) {
    if (!config.is_object())
        return fail(ErrorCode::CorruptFile, std::string(where) + ": must be a JSON object", std::string(where));
    TRY(refusePackedConfig(config, where));
    const JsonReader reader(config, std::string(where));
    TRY_ASSIGN(const Kind kind, findKind(reader, where));
    const Family* family = kind.family;
    TRY(checkFixedSettings(reader, where, *family));

    ArchSpec spec;
    spec.family = family->name;
    spec.architecture = kind.architecture->name;
    spec.lmHead = kind.architecture->lmHead;
    spec.causal = family->causal;
    spec.norm = family->norm;
    spec.normPlace = family->normPlace;
    spec.gatedMlp = family->gatedMlp;
    spec.learnedPositions = family->ropeTheta == 0.0;
    spec.firstPosition = family->firstPosition;
    spec.embeddingNorm = family->embeddingNorm;
    spec.queryKeyNorm = family->queryKeyNorm;
    spec.transposedLinears = family->transposedLinears;
    TRY(readSizes(config, reader, where, *family, spec));
    TRY(readWindows(config, reader, family->window, spec));
    TRY_ASSIGN(spec.normEps, reader.numberOr(family->keys.normEps, family->normEps));
    TRY_ASSIGN(spec.activation, readNamed(reader, where, family->keys.activation, kActivations, family->activation));
    TRY_ASSIGN(spec.rope, readRope(reader, where, *family, spec));
    TRY_ASSIGN(spec.tiedEmbeddings, reader.boolOr("tie_word_embeddings", family->tiedEmbeddings));
    TRY_ASSIGN(spec.attentionBias, readBias(reader, family->attentionBias));
    TRY_ASSIGN(spec.attentionOutBias, readBias(reader, family->attentionOutBias));
    TRY_ASSIGN(spec.mlpBias, readBias(reader, family->mlpBias));
    TRY_ASSIGN(spec.dtype, readDtype(reader));
    TRY_ASSIGN(spec.bosIds, readTokenIds(reader, "bos_token_id"));
    TRY_ASSIGN(spec.eosIds, readTokenIds(reader, "eos_token_id"));
    TRY(checkSpec(spec, where));
    return spec;
}

Json toJson(const ArchSpec& spec) {
    Json layers = Json::array();
    for (const LayerSpec& layer : spec.layers)
        layers.push_back({{"heads", layer.heads},
                          {"kv_heads", layer.kvHeads},
                          {"neurons", layer.neurons},
                          {"window", layer.window}});
    Json json = {{"family", spec.family},
                 {"architecture", spec.architecture},
                 {"vocabulary", spec.vocabulary},
                 {"hidden", spec.hidden},
                 {"head_dim", spec.headDim},
                 {"context", spec.context},
                 {"layers", std::move(layers)},
                 {"norm", nameOf(kNorms, spec.norm)},
                 {"norm_place", nameOf(kNormPlaces, spec.normPlace)},
                 {"norm_eps", spec.normEps},
                 {"activation", nameOf(kActivations, spec.activation)},
                 {"gated_mlp", spec.gatedMlp},
                 {"rope", ropeToJson(spec.rope)},
                 {"first_position", spec.firstPosition},
                 {"token_types", spec.tokenTypes},
                 {"dtype", nameOf(kDtypes, spec.dtype)},
                 {"bos_ids", spec.bosIds},
                 {"eos_ids", spec.eosIds}};
    for (const Flag& flag : kFlags) json[std::string(flag.key)] = spec.*flag.member;
    return json;
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
    TRY_ASSIGN(spec.norm, readNamed(reader, where, "norm", kNorms, spec.norm));
    TRY_ASSIGN(spec.normPlace, readNamed(reader, where, "norm_place", kNormPlaces, spec.normPlace));
    TRY_ASSIGN(spec.normEps, reader.number("norm_eps"));
    TRY_ASSIGN(spec.activation, readNamed(reader, where, "activation", kActivations, Activation::Silu));
    TRY_ASSIGN(spec.gatedMlp, reader.boolOr("gated_mlp", true));
    const Json* rope = reader.find("rope");
    if (!rope) return reader.wrong("rope", "an object");
    TRY_ASSIGN(spec.rope, ropeFromJson(*rope, std::string(where) + ": rope"));
    TRY(readFlags(reader, spec));
    TRY_ASSIGN(const std::int64_t firstPosition, reader.integerOr("first_position", 0, 0, kMaxContext));
    spec.firstPosition = static_cast<std::int32_t>(firstPosition);
    TRY_ASSIGN(const std::int64_t tokenTypes, reader.integerOr("token_types", 0, 0, kMaxTokenTypes));
    spec.tokenTypes = static_cast<std::int32_t>(tokenTypes);
    TRY_ASSIGN(spec.dtype, readNamed(reader, where, "dtype", kDtypes, DType::F32));
    TRY_ASSIGN(spec.bosIds, readTokenIds(reader, "bos_ids"));
    TRY_ASSIGN(spec.eosIds, readTokenIds(reader, "eos_ids"));
    TRY(checkSpec(spec, where));
    return spec;
}

}  // namespace espalier
