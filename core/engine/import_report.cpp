// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/import_report.h"

#include <array>
#include <map>

#include "core/formats/family.h"
#include "core/models/transformer.h"
#include "core/models/weight_map.h"

namespace espalier {
namespace {

struct ChatMark {
    std::string_view mark, name;
};

// As the model cards of these families publish them. The first that occurs decides: later formats reuse older marks.
constexpr std::array<ChatMark, 12> kChatMarks{{{"<|start_header_id|>", "Llama 3"},
                                               {"<|im_start|>", "ChatML"},
                                               {"<start_of_turn>", "Gemma"},
                                               {"<<SYS>>", "Llama 2"},
                                               {"[INST]", "Mistral"},
                                               {"<|START_OF_TURN_TOKEN|>", "Command R"},
                                               {"<\xEF\xBD\x9CUser\xEF\xBD\x9C>", "DeepSeek"},
                                               {"<|start_of_role|>", "Granite"},
                                               {"<|end|>", "Phi-3"},
                                               {"<|user|>", "Zephyr"},
                                               {"### Instruction", "Alpaca"},
                                               {"USER:", "Vicuna"}}};

struct LayerRole {
    TensorStack LayerTensors::*stack;
    std::string_view role;
};

constexpr std::array<LayerRole, 14> kLayerRoles{{{&LayerTensors::attentionNorm, "norm before attention"},
                                                 {&LayerTensors::attentionNormBias, "norm before attention: bias"},
                                                 {&LayerTensors::qkv, "query, key, value"},
                                                 {&LayerTensors::qkvBias, "query, key, value: bias"},
                                                 {&LayerTensors::queryNorm, "norm of queries"},
                                                 {&LayerTensors::keyNorm, "norm of keys"},
                                                 {&LayerTensors::attentionOut, "attention output"},
                                                 {&LayerTensors::attentionOutBias, "attention output: bias"},
                                                 {&LayerTensors::mlpNorm, "norm before MLP"},
                                                 {&LayerTensors::mlpNormBias, "norm before MLP: bias"},
                                                 {&LayerTensors::gateUp, "MLP gate and up"},
                                                 {&LayerTensors::gateUpBias, "MLP gate and up: bias"},
                                                 {&LayerTensors::down, "MLP down"},
                                                 {&LayerTensors::downBias, "MLP down: bias"}}};

std::map<std::string, std::string_view, std::less<>> rolesOf(const ArchSpec& spec, const TensorSource& tensors) {
    std::map<std::string, std::string_view, std::less<>> roles;
    const Family* family = familyNamed(spec.family);
    CHECK(family);
    // What the model reads without a name here is still read.
    for (const ExpectedTensor& expected : expectedTensors(spec))
        if (const TensorEntry* found = findTensor(*family, tensors, expected.name))
            roles[found->name] = expected.isCopy ? "copy of tied weights" : "weights";
    const ModelTensors model = modelTensors(spec, tensors);
    const auto name = [&](const TensorStack& stack, std::string_view role) {
        for (const std::string& tensor : stack.names) roles[tensor] = role;
    };
    name(model.embedding, spec.tiedEmbeddings ? "token embedding and output" : "token embedding");
    name(model.positions, "position embedding");
    name(model.tokenTypes, "token type embedding");
    name(model.embeddingNorm, "norm of embeddings");
    name(model.embeddingNormBias, "norm of embeddings: bias");
    name(model.finalNorm, "last norm");
    name(model.finalNormBias, "last norm: bias");
    name(model.lmHead, "output");
    for (const LayerTensors& layer : model.layers)
        for (const LayerRole& one : kLayerRoles) name(layer.*one.stack, one.role);
    return roles;
}

}  // namespace

std::string chatFormatOf(std::string_view templateSource) {
    if (templateSource.empty()) return {};
    for (const ChatMark& known : kChatMarks)
        if (templateSource.find(known.mark) != std::string_view::npos) return std::string(known.name);
    return "custom";
}

std::vector<ProbedTensor> probedTensors(const ArchSpec& spec, const TensorSource& tensors) {
    const auto roles = rolesOf(spec, tensors);
    std::vector<ProbedTensor> list;
    list.reserve(tensors.tensors().size());
    for (const TensorEntry& tensor : tensors.tensors()) {
        const auto role = roles.find(tensor.name);
        list.push_back({tensor.storedName.empty() ? tensor.name : tensor.storedName,
                        std::string(role == roles.end() ? "not used" : role->second), tensor.shape,
                        std::string(dtypeName(tensor.dtype)), tensor.bytes});
    }
    return list;
}

}  // namespace espalier
