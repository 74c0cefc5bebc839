// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/lora_config.h"

#include <algorithm>
#include <cmath>

#include "core/compute/lora.h"

namespace espalier {
namespace {

constexpr std::size_t kMostNames = 4096;

// Something of PEFT's that changes the result. Absent, null, false and empty all mean that it is not used.
struct Extension {
    std::string_view key, sentence;
};
constexpr Extension kExtensions[] = {
    {"use_dora",
     "it uses DoRA (use_dora), which rescales the base weights; only plain LoRA is served, so train it with "
     "use_dora=False, or merge it into the base and import the result as a model"},
    {"lora_bias", "its B matrices have biases (lora_bias), which are not supported; train it with lora_bias=False"},
    {"modules_to_save",
     "it replaces whole modules (modules_to_save), which is not supported; train it without, or merge "
     "it into the base and import the result as a model"},
    {"trainable_token_indices", "it changes rows of the embedding (trainable_token_indices), which is not supported"},
    {"target_parameters", "it changes parameters outside of linear layers (target_parameters), which is not supported"},
    {"layer_replication", "it repeats layers of the base (layer_replication), which is not supported"},
    {"alora_invocation_tokens", "it is an activated LoRA (alora_invocation_tokens), which is not supported"},
    {"use_qalora", "it uses QALoRA (use_qalora), which is not supported"},
    {"use_bdlora", "it uses block-diagonal LoRA (use_bdlora), which is not supported"},
    {"arrow_config", "it routes between adapters (arrow_config), which is not supported"},
    {"kasa_config", "it uses KaSA (kasa_config), which is not supported"},
    {"velora_config", "it uses VeLoRA (velora_config), which is not supported"},
    {"monteclora_config", "it uses MonteCLoRA (monteclora_config), which is not supported"},
    {"megatron_config", "it was made for Megatron's sharded layers (megatron_config), which is not supported"},
};

bool isUsed(const Json& value) {
    if (value.is_null()) return false;
    if (value.is_boolean()) return value.get<bool>();
    return !(value.is_array() || value.is_object() || value.is_string()) || !value.empty();
}

Result<void> refuseExtensions(const Json& config, const std::string& where) {
    for (const Extension& extension : kExtensions)
        if (const auto found = config.find(extension.key); found != config.end() && isUsed(*found))
            return fail(ErrorCode::Unsupported, where + ": " + std::string(extension.sentence),
                        std::string(extension.key));
    // Some initialisations replace the base's weights; then the adapter is right only on those.
    const auto init = config.find("init_lora_weights");
    if (init != config.end() && init->is_string()) {
        const std::string name = init->get<std::string>();
        for (const std::string_view known : {"gaussian", "eva", "orthogonal"})
            if (name == known) return {};
        return fail(
            ErrorCode::Unsupported,
            where + ": it starts from \"" + name + "\" (init_lora_weights), which may change the base's weights; " +
                "convert it with PEFT (save_pretrained(..., path_initial_model_for_weight_conversion=...)) first",
            "init_lora_weights");
    }
    return {};
}

Result<Regex> wholeName(std::string_view pattern, std::string_view optionalStart, const std::string& where) {
    return Regex::compile("\\A" + std::string(optionalStart) + "(?:" + std::string(pattern) + ")\\z", where);
}

Result<bool> isMatch(const Regex& regex, const std::string& text) {
    std::vector<TextRange> found;
    TRY(regex.findAll(text, found));
    return !found.empty();
}

Result<std::vector<std::string>> readNames(const JsonReader& reader, const Json& value, std::string_view key) {
    std::vector<std::string> names;
    if (value.size() > kMostNames) return reader.wrong(key, "at most " + std::to_string(kMostNames) + " names");
    for (const Json& name : value) {
        if (!name.is_string() || name.get_ref<const std::string&>().empty())
            return reader.wrong(key, "a list of names");
        names.push_back(name.get<std::string>());
    }
    return names;
}

Result<std::optional<ModuleFilter>> readFilter(const JsonReader& reader, std::string_view key,
                                               const std::string& where) {
    const Json* value = reader.find(key);
    if (!value) return std::optional<ModuleFilter>();
    ModuleFilter filter;
    if (value->is_string() && value->get_ref<const std::string&>() == "all-linear") {
        filter.everything = true;
    } else if (value->is_string()) {
        TRY_ASSIGN(filter.pattern,
                   wholeName(value->get_ref<const std::string&>(), "", where + ": " + std::string(key)));
    } else if (value->is_array()) {
        TRY_ASSIGN(filter.names, readNames(reader, *value, key));
    } else {
        return reader.wrong(key, "a list of names or a pattern");
    }
    return std::optional(std::move(filter));
}

Result<std::optional<std::vector<std::int32_t>>> readLayers(const JsonReader& reader) {
    constexpr std::string_view kKey = "layers_to_transform";
    const Json* value = reader.find(kKey);
    if (!value || (value->is_array() && value->empty())) return std::optional<std::vector<std::int32_t>>();
    std::vector<std::int32_t> layers;
    const auto add = [&](const Json& one) -> Result<void> {
        if (!one.is_number_integer() || one < 0 || one > 1'000'000) return reader.wrong(kKey, "layer numbers");
        layers.push_back(one.get<std::int32_t>());
        return {};
    };
    if (value->is_array()) {
        if (value->size() > kMostNames) return reader.wrong(kKey, "fewer layers");
        for (const Json& one : *value) TRY(add(one));
    } else {
        TRY(add(*value));
    }
    return std::optional(std::move(layers));
}

// Patterns keep the order of the file: the first that matches decides.
template <class Value, class Read>
Result<std::vector<std::pair<Regex, Value>>> readPatterns(const OrderedJson& config, std::string_view key,
                                                          const std::string& where, const Read& read) {
    std::vector<std::pair<Regex, Value>> patterns;
    const auto found = config.find(std::string(key));
    if (found == config.end() || found->is_null()) return patterns;
    const auto wrong = [&](std::string_view expected) {
        return fail(ErrorCode::CorruptFile, where + ": \"" + std::string(key) + "\" must be " + std::string(expected),
                    std::string(key));
    };
    if (!found->is_object()) return wrong("an object");
    for (const auto& [pattern, value] : found->items()) {
        TRY_ASSIGN(Regex regex, wholeName(pattern, "(?:.*\\.)?", where + ": " + std::string(key)));
        const std::optional<Value> number = read(value);
        if (!number) return wrong("an object of numbers in their range; " + pattern + " is not");
        patterns.emplace_back(std::move(regex), *number);
    }
    return patterns;
}

std::optional<std::int32_t> rankFrom(const OrderedJson& value) {
    if (!value.is_number_integer() || value < 1 || value > kMaxLoraRank) return std::nullopt;
    return value.get<std::int32_t>();
}

std::optional<double> alphaFrom(const OrderedJson& value) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return std::nullopt;
    return value.get<double>();
}

template <class Value>
Result<Value> firstMatch(const std::vector<std::pair<Regex, Value>>& patterns, const std::string& module,
                         Value otherwise) {
    for (const auto& [pattern, value] : patterns) {
        TRY_ASSIGN(const bool matches, isMatch(pattern, module));
        if (matches) return value;
    }
    return otherwise;
}

}  // namespace

Result<bool> ModuleFilter::matches(const std::string& module) const {
    if (everything) return true;
    if (pattern) return isMatch(*pattern, module);
    return std::ranges::any_of(names, [&](const std::string& name) {
        if (!module.ends_with(name)) return false;
        return module.size() == name.size() || module[module.size() - name.size() - 1] == '.';
    });
}

Result<std::int32_t> LoraConfig::rankOf(const std::string& module) const {
    return firstMatch(rankPatterns, module, rank);
}

Result<float> LoraConfig::scaleOf(const std::string& module) const {
    TRY_ASSIGN(const std::int32_t ranks, rankOf(module));
    TRY_ASSIGN(const double numerator, firstMatch(alphaPatterns, module, alpha));
    return static_cast<float>(numerator / (rsLora ? std::sqrt(static_cast<double>(ranks)) : ranks));
}

Result<bool> LoraConfig::selects(const std::string& module, std::int32_t layer) const {
    if (excluded) {
        TRY_ASSIGN(const bool isExcluded, excluded->matches(module));
        if (isExcluded) return false;
    }
    if (!targets) return true;
    // PEFT asks for the layer only where the module is named by a list and not in full.
    const bool isNamedInFull = std::ranges::find(targets->names, module) != targets->names.end();
    if (layers && !targets->pattern && !targets->everything && !isNamedInFull &&
        std::ranges::find(*layers, layer) == layers->end())
        return false;
    if (targets->everything) return layer >= 0;
    return targets->matches(module);
}

Result<LoraConfig> loraConfigFromText(std::string_view text, std::string_view name) {
    const std::string where(name);
    TRY_ASSIGN(const Json json, parseJson(text, where));
    TRY_ASSIGN(const OrderedJson ordered, parseOrderedJson(text, where));
    if (!json.is_object()) return fail(ErrorCode::CorruptFile, where + ": not a JSON object", where);
    const JsonReader reader(json, where);
    TRY_ASSIGN(const std::string type, reader.string("peft_type"));
    if (type != "LORA")
        return fail(ErrorCode::Unsupported,
                    where + ": adapters of type " + type + " are not supported; LoRA (\"peft_type\": \"LORA\") is",
                    "peft_type");
    TRY(refuseExtensions(json, where));
    TRY_ASSIGN(const std::string bias, reader.stringOr("bias", "none"));
    if (bias != "none")
        return fail(ErrorCode::Unsupported,
                    where + ": it trains biases of the base (\"bias\": \"" + bias +
                        "\"), which is not supported; train it with bias=\"none\"",
                    "bias");
    LoraConfig config;
    TRY_ASSIGN(const std::int64_t rank, reader.integerOr("r", config.rank, 1, INT32_MAX));
    if (rank > kMaxLoraRank)
        return fail(ErrorCode::TooLarge,
                    where + ": the rank is " + std::to_string(rank) + ", at most " + std::to_string(kMaxLoraRank) +
                        " is possible",
                    "r");
    config.rank = static_cast<std::int32_t>(rank);
    TRY_ASSIGN(config.alpha, reader.numberOr("lora_alpha", config.alpha));
    TRY_ASSIGN(config.rsLora, reader.boolOr("use_rslora", false));
    TRY(reader.boolOr("fan_in_fan_out", false));  // tells how the base lies in memory; A and B lie the same either way
    TRY_ASSIGN(config.targets, readFilter(reader, "target_modules", where));
    TRY_ASSIGN(config.excluded, readFilter(reader, "exclude_modules", where));
    TRY_ASSIGN(config.layers, readLayers(reader));
    TRY_ASSIGN(config.rankPatterns, readPatterns<std::int32_t>(ordered, "rank_pattern", where, rankFrom));
    TRY_ASSIGN(config.alphaPatterns, readPatterns<double>(ordered, "alpha_pattern", where, alphaFrom));
    TRY_ASSIGN(config.tiesWeights, reader.boolOr("ensure_weight_tying", false));
    TRY_ASSIGN(config.baseModel, reader.stringOr("base_model_name_or_path", ""));
    return config;
}

}  // namespace espalier
