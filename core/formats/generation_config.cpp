// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/generation_config.h"

#include <algorithm>

#include "core/formats/token_ids.h"

namespace espalier {

Result<GenerationDefaults> generationDefaultsFromJson(const Json& json, std::string_view where) {
    if (!json.is_object())
        return fail(ErrorCode::CorruptFile, std::string(where) + ": must be a JSON object", std::string(where));
    const JsonReader reader(json, std::string(where));
    GenerationDefaults defaults;
    TRY_ASSIGN(defaults.eosIds, readTokenIds(reader, "eos_token_id"));
    if (reader.has("temperature")) {
        TRY_ASSIGN(defaults.temperature, reader.number("temperature"));
        if (*defaults.temperature < 0) return reader.wrong("temperature", "a number of at least 0");
    }
    TRY_ASSIGN(const bool samples, reader.boolOr("do_sample", true));
    if (!samples) defaults.temperature = 0.0;
    if (reader.has("top_p")) {
        TRY_ASSIGN(defaults.topP, reader.number("top_p"));
        if (!(*defaults.topP > 0 && *defaults.topP <= 1))
            return reader.wrong("top_p", "a number above 0 and at most 1");
    }
    if (reader.has("top_k")) {
        TRY_ASSIGN(const std::int64_t topK, reader.integer("top_k", 0, INT32_MAX));
        defaults.topK = static_cast<std::int32_t>(topK);
    }
    return defaults;
}

Result<GenerationDefaults> mergeGenerationConfig(const Json& json, std::string_view where, ArchSpec& spec) {
    TRY_ASSIGN(GenerationDefaults defaults, generationDefaultsFromJson(json, where));
    for (const std::int32_t id : defaults.eosIds)
        if (std::find(spec.eosIds.begin(), spec.eosIds.end(), id) == spec.eosIds.end()) spec.eosIds.push_back(id);
    return defaults;
}

}  // namespace espalier
