// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/generation_config.h"

#include <algorithm>
#include <cmath>

#include "core/formats/token_ids.h"

namespace espalier {

Result<GenerationDefaults> generationDefaultsFromJson(const Json& json, std::string_view where) {
    if (!json.is_object())
        return fail(ErrorCode::CorruptFile, std::string(where) + ": must be a JSON object", std::string(where));
    const JsonReader reader(json, std::string(where));
    GenerationDefaults defaults;
    TRY_ASSIGN(defaults.eosIds, readTokenIds(reader, "eos_token_id"));
    // A suggestion that nobody can follow is none: the model itself is not worse for it.
    const auto suggestion = [&](std::string_view key, auto isPossible,
                                std::string_view expected) -> Result<std::optional<double>> {
        if (!reader.has(key)) return std::optional<double>();
        TRY_ASSIGN(const double value, reader.number(key));
        if (isPossible(value)) return std::optional(value);
        defaults.warnings.push_back(reader.wrong(key, expected).message + "; the suggestion is not followed");
        return std::optional<double>();
    };
    TRY_ASSIGN(defaults.temperature,
               suggestion(
                   "temperature", [](double value) { return value >= 0 && value <= 2; }, "from 0 to 2"));
    TRY_ASSIGN(const bool samples, reader.boolOr("do_sample", true));
    if (!samples) defaults.temperature = 0.0;
    TRY_ASSIGN(defaults.topP,
               suggestion(
                   "top_p", [](double value) { return value > 0 && value <= 1; }, "above 0 and at most 1"));
    const auto isTopK = [](double value) { return value == std::floor(value) && value <= INT32_MAX; };
    TRY_ASSIGN(const auto topK, suggestion("top_k", isTopK, "an integer below 2^31"));
    if (topK) defaults.topK = *topK > 0 ? static_cast<std::int32_t>(*topK) : 0;  // -1 is "off" elsewhere
    return defaults;
}

Result<GenerationDefaults> mergeGenerationConfig(const Json& json, std::string_view where, ArchSpec& spec) {
    TRY_ASSIGN(GenerationDefaults defaults, generationDefaultsFromJson(json, where));
    for (const std::int32_t id : defaults.eosIds)
        if (std::find(spec.eosIds.begin(), spec.eosIds.end(), id) == spec.eosIds.end()) spec.eosIds.push_back(id);
    return defaults;
}

}  // namespace espalier
