// SPDX-License-Identifier: GPL-3.0-or-later
// What a LoRA adapter may change in a base model, the projections of its layers, its embedding and its vocabulary
// projection: what PEFT calls them, and where they are in the Transformer. Plain values, made from the ArchSpec and the
// family's tensor names. Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/formats/family.h"
#include "core/models/transformer.h"

namespace espalier {

struct LoraTarget {
    std::string name;        // without the family's prefix: "layers.3.self_attn.q_proj", "embed_tokens"
    std::int32_t layer = 0;  // -1: of no layer
    LoraSite site = LoraSite::Qkv;
    std::int32_t inputs = 0;
    std::int32_t outputs = 0;
    std::int32_t firstOutput = 0;  // its first column of the site's result

    std::string_view shortName() const;  // "q_proj": what target_modules usually says
    bool isEmbedding() const { return site == LoraSite::Embedding; }
    bool isLmHead() const { return site == LoraSite::LmHead; }
};

// In the order of computing: the embedding, by layer and then in the order of the sites, the vocabulary projection of a
// base that has one. Requires: spec.family is known.
std::vector<LoraTarget> loraTargets(const ArchSpec& spec);

}  // namespace espalier
