// SPDX-License-Identifier: GPL-3.0-or-later
// The projections of a base model that a LoRA adapter may change: what PEFT calls them, and where they are in the
// Transformer. Plain values, made from the ArchSpec and the family's tensor names. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/formats/family.h"
#include "core/models/transformer.h"

namespace espalier {

struct LoraTarget {
    std::string name;  // without the family's prefix: "layers.3.self_attn.q_proj"
    std::int32_t layer = 0;
    LoraSite site = LoraSite::Qkv;
    std::int32_t inputs = 0;
    std::int32_t outputs = 0;
    std::int32_t firstOutput = 0;  // its first column of the site's result

    std::string_view shortName() const;  // "q_proj": what target_modules usually says
};

// By layer, then in the order of the sites. Requires: spec.family is known.
std::vector<LoraTarget> loraTargets(const ArchSpec& spec);

}  // namespace espalier
