// SPDX-License-Identifier: GPL-3.0-or-later
// generation_config.json: what a model's maker suggests for sampling, and end tokens that config.json may lack.
// Thread: any; no state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/arch_spec.h"

namespace espalier {

struct GenerationDefaults {
    std::vector<std::int32_t> eosIds;
    std::optional<double> temperature;  // from 0 to 2, as requests may ask; "do_sample": false counts as 0
    std::optional<double> topP;         // above 0, at most 1
    std::optional<std::int32_t> topK;   // 0: off
    std::vector<std::string> warnings;  // suggestions out of range, which are not followed

    bool operator==(const GenerationDefaults&) const = default;
};

// Errors: corrupt_file names the key of another type, what was expected and found. Unknown keys are ignored.
Result<GenerationDefaults> generationDefaultsFromJson(const Json& json, std::string_view where);

// Reads the file's content and adds its end tokens that spec.eosIds lacks, after those of config.json.
Result<GenerationDefaults> mergeGenerationConfig(const Json& json, std::string_view where, ArchSpec& spec);

}  // namespace espalier
