// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/adapters/lora_target.h"

namespace espalier {
namespace {

std::string withoutPrefix(std::string_view name, const TensorNames& names) {
    return std::string(name.starts_with(names.prefix) ? name.substr(names.prefix.size()) : name);
}

}  // namespace

std::string_view LoraTarget::shortName() const {
    const auto dot = name.rfind('.');
    return std::string_view(name).substr(dot == std::string::npos ? 0 : dot + 1);
}

std::vector<LoraTarget> loraTargets(const ArchSpec& spec) {
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    const TensorNames& names = family->tensors;
    std::vector<LoraTarget> targets;
    targets.push_back(
        {withoutPrefix(names.embedding, names), -1, LoraSite::Embedding, spec.vocabulary, spec.hidden, 0});
    for (std::size_t i = 0; i < spec.layers.size(); ++i) {
        const LayerSpec& layer = spec.layers[i];
        const std::string prefix = withoutPrefix(names.layer, names) + std::to_string(i) + ".";
        const auto add = [&](std::string_view name, LoraSite site, std::int32_t inputs, std::int32_t outputs,
                             std::int32_t firstOutput) {
            if (!name.empty())
                targets.push_back(
                    {prefix + std::string(name), static_cast<std::int32_t>(i), site, inputs, outputs, firstOutput});
        };
        const std::int32_t query = layer.heads * spec.headDim, key = layer.kvHeads * spec.headDim;
        if (names.key.empty()) {
            add(names.query, LoraSite::Qkv, spec.hidden, query + 2 * key, 0);
        } else {
            add(names.query, LoraSite::Qkv, spec.hidden, query, 0);
            add(names.key, LoraSite::Qkv, spec.hidden, key, query);
            add(names.value, LoraSite::Qkv, spec.hidden, key, query + key);
        }
        add(names.attentionOut, LoraSite::AttentionOut, query, spec.hidden, 0);
        if (spec.gatedMlp) add(names.gate, LoraSite::GateUp, spec.hidden, layer.neurons, 0);
        add(names.up, LoraSite::GateUp, spec.hidden, layer.neurons, spec.gatedMlp ? layer.neurons : 0);
        add(names.down, LoraSite::Down, layer.neurons, spec.hidden, 0);
    }
    if (spec.lmHead)
        targets.push_back({withoutPrefix(names.lmHead, names), -1, LoraSite::LmHead, spec.hidden, spec.vocabulary, 0});
    return targets;
}

}  // namespace espalier
