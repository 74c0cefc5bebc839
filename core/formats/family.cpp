// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/family.h"

#include <array>

namespace espalier {
namespace {

constexpr TensorNames kLlamaTensors = {.embedding = "model.embed_tokens",
                                       .layer = "model.layers.",
                                       .attentionNorm = "input_layernorm",
                                       .query = "self_attn.q_proj",
                                       .key = "self_attn.k_proj",
                                       .value = "self_attn.v_proj",
                                       .attentionOut = "self_attn.o_proj",
                                       .mlpNorm = "post_attention_layernorm",
                                       .gate = "mlp.gate_proj",
                                       .up = "mlp.up_proj",
                                       .down = "mlp.down_proj",
                                       .finalNorm = "model.norm",
                                       .lmHead = "lm_head"};

constexpr std::array<Family, 1> kFamilies = {{
    {.name = "llama",
     .modelType = "llama",
     .architecture = "LlamaForCausalLM",
     .norm = NormFamily::RmsNorm,
     .normEpsKey = "rms_norm_eps",
     .normEps = 1e-6,
     .activation = Activation::Silu,
     .gatedMlp = true,
     .ropeTheta = 10000.0,
     .tiedEmbeddings = false,
     .attentionBias = {"attention_bias", false},
     .attentionOutBias = {"attention_bias", false},
     .mlpBias = {"mlp_bias", false},
     .tensors = kLlamaTensors},
}};

}  // namespace

std::span<const Family> knownFamilies() {
    return kFamilies;
}

const Family* familyNamed(std::string_view name) {
    for (const Family& family : kFamilies)
        if (family.name == name) return &family;
    return nullptr;
}

}  // namespace espalier
