// SPDX-License-Identifier: GPL-3.0-or-later
// adapter_config.json of a PEFT LoRA adapter: which projections it changes, with what rank and scale. Read the way PEFT
// 0.21 reads it; whatever would change the result and is not supported is refused by name.
//
// Plain values. Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/tokenizer/regex.h"

namespace espalier {

// A list of names, each of which means every module called so or ending in "." and it, or one pattern for whole names.
struct ModuleFilter {
    std::vector<std::string> names;
    std::optional<Regex> pattern;
    bool everything = false;  // "all-linear": every projection of the layers

    // Error unsupported when the pattern needs more steps than are allowed.
    Result<bool> matches(const std::string& module) const;
};

struct LoraConfig {
    std::int32_t rank = 8;
    double alpha = 8.0;
    bool rsLora = false;                  // scale = alpha / sqrt(rank) (arXiv 2312.03732), else alpha / rank
    std::optional<ModuleFilter> targets;  // none: what the file of weights holds
    std::optional<ModuleFilter> excluded;
    std::optional<std::vector<std::int32_t>> layers;           // only these
    std::vector<std::pair<Regex, std::int32_t>> rankPatterns;  // the first that matches a module's name decides
    std::vector<std::pair<Regex, double>> alphaPatterns;
    bool tiesWeights =
        false;              // "ensure_weight_tying": what changes an embedding changes a head that shares its weights
    std::string baseModel;  // what it says that it was trained on; for people

    // Of a module by its name as PEFT has it ("model.layers.3.self_attn.q_proj").
    Result<std::int32_t> rankOf(const std::string& module) const;
    Result<float> scaleOf(const std::string& module) const;
    Result<bool> selects(const std::string& module, std::int32_t layer) const;  // layer -1: it is in none
};

// Errors: corrupt_file names the key; unsupported names what the adapter uses and what can be done; too_large.
Result<LoraConfig> loraConfigFromText(std::string_view text, std::string_view where);

}  // namespace espalier
