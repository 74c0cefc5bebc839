// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/bottleneck_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace espalier {
namespace {

constexpr std::int64_t kMostLayers = 4096;

// Something that changes the result, with the value under which it does not. Absent: that value.
struct FixedKey {
    std::string_view key;
    std::string_view value;  // as JSON
    std::string_view sentence;
};
constexpr FixedKey kFixed[] = {
    {"is_parallel", "false", "it stands beside its block instead of after it (is_parallel)"},
    {"phm_layer", "false", "its matrices are sums of Kronecker products (phm_layer: Compacter)"},
    {"use_gating", "false", "it is gated (use_gating)"},
    {"ln_before", "false", "it has a norm of its own before it (ln_before)"},
    {"ln_after", "false", "it has a norm of its own after it (ln_after)"},
    {"inv_adapter", "null", "it has an invertible adapter at the embedding (inv_adapter)"},
    {"original_ln_after", "true", "it leaves out the norm of its block (original_ln_after: false)"},
};

struct KnownActivation {
    std::string_view name;
    ActivationKind kind;
};
constexpr KnownActivation kActivations[] = {{"relu", ActivationKind::Relu},
                                            {"swish", ActivationKind::Silu},
                                            {"silu", ActivationKind::Silu},
                                            {"gelu", ActivationKind::Gelu},
                                            {"gelu_new", ActivationKind::GeluTanh}};

Error refused(const std::string& where, const std::string& what, std::string_view key) {
    return fail(ErrorCode::Unsupported, where + ": " + what + ", which is not supported", std::string(key));
}

bool isReduction(const Json& value) {
    return value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() > 0;
}

Result<void> readReductions(const JsonReader& reader, BottleneckConfig& config) {
    constexpr std::string_view kKey = "reduction_factor",
                               kExpected = "a number above zero, or an object of them with a \"default\"";
    const Json* value = reader.find(kKey);
    if (!value) return reader.wrong(kKey, kExpected);
    if (!value->is_object()) {
        if (!isReduction(*value)) return reader.wrong(kKey, kExpected);
        config.reduction = value->get<double>();
        return {};
    }
    bool hasDefault = false;
    for (const auto& [key, factor] : value->items()) {
        if (!isReduction(factor)) return reader.wrong(kKey, kExpected);
        if (key == "default") {
            config.reduction = factor.get<double>();
            hasDefault = true;
            continue;
        }
        std::int32_t layer = -1;
        const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), layer);
        if (error != std::errc() || end != key.data() + key.size() || layer < 0) return reader.wrong(kKey, kExpected);
        config.reductions.emplace(layer, factor.get<double>());
    }
    if (!hasDefault) return reader.wrong(kKey, kExpected);
    return {};
}

Result<void> readLeftOut(const JsonReader& reader, BottleneckConfig& config) {
    const Json* layers = reader.find("leave_out");
    if (!layers) return {};
    if (!layers->is_array() || layers->size() > static_cast<std::size_t>(kMostLayers))
        return reader.wrong("leave_out", "a list of layer numbers");
    for (const Json& layer : *layers) {
        if (!layer.is_number_integer() || layer < 0 || layer > 1'000'000)
            return reader.wrong("leave_out", "a list of layer numbers");
        config.leftOut.push_back(layer.get<std::int32_t>());
    }
    return {};
}

// Where the residual is read; only the two published orders are.
Result<void> readOrder(const JsonReader& reader, const std::string& where, BottleneckConfig& config) {
    TRY_ASSIGN(const bool normFirst, reader.boolOr("original_ln_before", false));
    config.input = normFirst ? BottleneckInput::Sum : BottleneckInput::Addend;
    const Json* residual = reader.find("residual_before_ln");
    const bool isPlain = !residual || (residual->is_boolean() && (residual->get<bool>() || !normFirst));
    if (isPlain) return {};
    return refused(where, "it takes its residual after the norm or after the sum (residual_before_ln)",
                   "residual_before_ln");
}

Result<void> readScale(const JsonReader& reader, const std::string& where, BottleneckConfig& config) {
    const Json* scaling = reader.find("scaling");
    if (!scaling) return {};
    if (*scaling == "learned") {
        config.learnsScale = true;
        return {};
    }
    if (scaling->is_string())
        return refused(where, "its scale is of the kind \"" + scaling->get<std::string>() + "\" (scaling)", "scaling");
    if (!scaling->is_number() || !std::isfinite(scaling->get<double>())) return reader.wrong("scaling", "a number");
    config.scale = static_cast<float>(scaling->get<double>());
    return {};
}

Result<void> readActivation(const JsonReader& reader, const std::string& where, BottleneckConfig& config) {
    TRY_ASSIGN(std::string name, reader.string("non_linearity"));
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const KnownActivation& known : kActivations)
        if (name == known.name) {
            config.activation = known.kind;
            return {};
        }
    return fail(ErrorCode::Unsupported,
                where + ": the activation (non_linearity) is " + name + "; relu, swish, gelu and gelu_new are possible",
                "non_linearity");
}

}  // namespace

bool BottleneckConfig::hasLayer(std::int32_t layer) const {
    return std::ranges::find(leftOut, layer) == leftOut.end();
}

std::int32_t BottleneckConfig::ranksOf(std::int32_t layer, std::int32_t hiddenSize) const {
    const auto own = reductions.find(layer);
    const double ranks = std::floor(hiddenSize / (own == reductions.end() ? reduction : own->second));
    return static_cast<std::int32_t>(std::clamp(ranks, 1.0, 1e9));
}

bool isAdapterHubConfig(const Json& config) {
    return config.is_object() && !config.contains("peft_type") && config.contains("config");
}

Result<BottleneckConfig> bottleneckConfigFromText(std::string_view text, std::string_view name) {
    const std::string where(name);
    TRY_ASSIGN(const Json json, parseJson(text, where));
    if (!json.is_object()) return fail(ErrorCode::CorruptFile, where + ": not a JSON object", where);
    const JsonReader outer(json, where);
    const Json* inner = outer.find("config");
    if (!inner || !inner->is_object())
        return outer.wrong("config", "an object that spells out every setting (a name alone says too little)");
    const JsonReader reader(*inner, where + ", config");
    TRY_ASSIGN(const std::string architecture, reader.stringOr("architecture", ""));
    if (!architecture.empty())
        return refused(where, "it is of the kind \"" + architecture + "\", not a bottleneck adapter", "architecture");
    for (const FixedKey& fixed : kFixed)
        if (const auto found = inner->find(fixed.key); found != inner->end() && dumpJson(*found) != fixed.value)
            return refused(where, std::string(fixed.sentence), fixed.key);
    BottleneckConfig config;
    TRY_ASSIGN(config.afterAttention, reader.boolOr("mh_adapter", false));
    TRY_ASSIGN(config.afterMlp, reader.boolOr("output_adapter", false));
    if (!config.afterAttention && !config.afterMlp)
        return reader.wrong("output_adapter", "true, or mh_adapter must: else the adapter stands nowhere");
    TRY(readOrder(reader, where, config));
    TRY(readActivation(reader, where, config));
    TRY(readScale(reader, where, config));
    TRY(readReductions(reader, config));
    TRY(readLeftOut(reader, config));
    TRY_ASSIGN(config.name, outer.stringOr("name", ""));
    TRY_ASSIGN(config.modelType, outer.stringOr("model_type", ""));
    TRY_ASSIGN(config.hidden, outer.integerOr("hidden_size", 0, 1, INT32_MAX));
    TRY_ASSIGN(config.baseModel, outer.stringOr("model_name", ""));
    return config;
}

}  // namespace espalier
