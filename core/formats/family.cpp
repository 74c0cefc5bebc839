// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/family.h"

#include <array>

namespace espalier {
namespace {

constexpr TensorNames kLlamaTensors = {.prefix = "model.",
                                       .embedding = "model.embed_tokens",
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

constexpr TensorNames withQueryKeyNorms(TensorNames names) {
    names.queryNorm = "self_attn.q_norm";
    names.keyNorm = "self_attn.k_norm";
    return names;
}
constexpr TensorNames kQwen3Tensors = withQueryKeyNorms(kLlamaTensors);

constexpr TensorNames kGpt2Tensors = {.prefix = "transformer.",
                                      .embedding = "transformer.wte",
                                      .positions = "transformer.wpe",
                                      .layer = "transformer.h.",
                                      .attentionNorm = "ln_1",
                                      .query = "attn.c_attn",
                                      .attentionOut = "attn.c_proj",
                                      .mlpNorm = "ln_2",
                                      .up = "mlp.c_fc",
                                      .down = "mlp.c_proj",
                                      .finalNorm = "transformer.ln_f",
                                      .lmHead = "lm_head"};

constexpr TensorNames kBertTensors = {.prefix = "bert.",
                                      .embedding = "bert.embeddings.word_embeddings",
                                      .positions = "bert.embeddings.position_embeddings",
                                      .tokenTypes = "bert.embeddings.token_type_embeddings",
                                      .embeddingNorm = "bert.embeddings.LayerNorm",
                                      .layer = "bert.encoder.layer.",
                                      .attentionNorm = "attention.output.LayerNorm",
                                      .query = "attention.self.query",
                                      .key = "attention.self.key",
                                      .value = "attention.self.value",
                                      .attentionOut = "attention.output.dense",
                                      .mlpNorm = "output.LayerNorm",
                                      .up = "intermediate.dense",
                                      .down = "output.dense",
                                      .pooler = "bert.pooler.dense"};

// RoBERTa (arXiv 1907.11692) is BERT under other names, with positions counted from the padding id on.
constexpr TensorNames asRoberta(TensorNames names) {
    names.prefix = "roberta.";
    names.embedding = "roberta.embeddings.word_embeddings";
    names.positions = "roberta.embeddings.position_embeddings";
    names.tokenTypes = "roberta.embeddings.token_type_embeddings";
    names.embeddingNorm = "roberta.embeddings.LayerNorm";
    names.layer = "roberta.encoder.layer.";
    names.pooler = "roberta.pooler.dense";
    return names;
}
constexpr TensorNames kRobertaTensors = asRoberta(kBertTensors);

constexpr TensorNames kDistilBertTensors = {.prefix = "distilbert.",
                                            .embedding = "distilbert.embeddings.word_embeddings",
                                            .positions = "distilbert.embeddings.position_embeddings",
                                            .embeddingNorm = "distilbert.embeddings.LayerNorm",
                                            .layer = "distilbert.transformer.layer.",
                                            .attentionNorm = "sa_layer_norm",
                                            .query = "attention.q_lin",
                                            .key = "attention.k_lin",
                                            .value = "attention.v_lin",
                                            .attentionOut = "attention.out_lin",
                                            .mlpNorm = "output_layer_norm",
                                            .up = "ffn.lin1",
                                            .down = "ffn.lin2"};

constexpr std::array<Architecture, 2> kLlama = {{{"LlamaForCausalLM"}, {"LlamaModel", false}}};
constexpr std::array<Architecture, 2> kMistral = {{{"MistralForCausalLM"}, {"MistralModel", false}}};
constexpr std::array<Architecture, 2> kQwen2 = {{{"Qwen2ForCausalLM"}, {"Qwen2Model", false}}};
constexpr std::array<Architecture, 2> kQwen3 = {{{"Qwen3ForCausalLM"}, {"Qwen3Model", false}}};
constexpr std::array<Architecture, 2> kGpt2 = {{{"GPT2LMHeadModel"}, {"GPT2Model", false}}};
constexpr std::array<Architecture, 3> kBert = {
    {{"BertModel", false}, {"BertForMaskedLM", false}, {"BertForPreTraining", false}}};

constexpr std::array<Architecture, 2> kRoberta = {{{"RobertaModel", false}, {"RobertaForMaskedLM", false}}};
constexpr std::array<Architecture, 2> kXlmRoberta = {{{"XLMRobertaModel", false}, {"XLMRobertaForMaskedLM", false}}};
constexpr std::array<Architecture, 2> kDistilBert = {{{"DistilBertModel", false}, {"DistilBertForMaskedLM", false}}};

constexpr std::array<FixedSetting, 3> kGpt2Fixed = {
    {{"scale_attn_weights", "true"}, {"scale_attn_by_inverse_layer_idx", "false"}, {"add_cross_attention", "false"}}};
constexpr std::array<FixedSetting, 3> kBertFixed = {
    {{"is_decoder", "false"}, {"add_cross_attention", "false"}, {"position_embedding_type", "\"absolute\""}}};

constexpr std::array<FixedSetting, 4> kRobertaFixed = {{{"is_decoder", "false"},
                                                        {"add_cross_attention", "false"},
                                                        {"position_embedding_type", "\"absolute\""},
                                                        {"pad_token_id", "1"}}};

constexpr WindowRule kQwenWindow = {.isRead = true,
                                    .otherwise = 4096,
                                    .enabledBy = "use_sliding_window",
                                    .firstLayer = "max_window_layers",
                                    .firstLayerOtherwise = 28};

constexpr Family kBertFamily = {.name = "bert",
                                .modelType = "bert",
                                .architectures = kBert,
                                .keys = {.normEps = "layer_norm_eps"},
                                .norm = NormFamily::LayerNorm,
                                .normPlace = NormPlace::AfterBlock,
                                .normEps = 1e-12,
                                .activation = Activation::Gelu,
                                .gatedMlp = false,
                                .context = 512,
                                .ropeTheta = 0.0,
                                .tokenTypes = true,
                                .embeddingNorm = true,
                                .attentionBias = {"", true},
                                .attentionOutBias = {"", true},
                                .mlpBias = {"", true},
                                .causal = false,
                                .fixed = kBertFixed,
                                .tensors = kBertTensors};

constexpr Family robertaFamily(std::string_view name, std::span<const Architecture> architectures) {
    Family family = kBertFamily;
    family.name = family.modelType = name;
    family.architectures = architectures;
    family.firstPosition = 2;
    family.fixed = kRobertaFixed;
    family.tensors = kRobertaTensors;
    return family;
}

constexpr Family distilBertFamily() {
    Family family = kBertFamily;
    family.name = family.modelType = "distilbert";
    family.architectures = kDistilBert;
    family.keys = {.hidden = "dim",
                   .layers = "n_layers",
                   .heads = "n_heads",
                   .neurons = "hidden_dim",
                   .activation = "activation",
                   .normEps = ""};
    family.tokenTypes = false;
    family.fixed = {};
    family.tensors = kDistilBertTensors;
    return family;
}

// What holds when config.json is silent is what the configuration classes of transformers say.
constexpr std::array<Family, 9> kFamilies = {{
    {.name = "llama",
     .modelType = "llama",
     .architectures = kLlama,
     .attentionBias = {"attention_bias", false},
     .attentionOutBias = {"attention_bias", false},
     .mlpBias = {"mlp_bias", false},
     .tensors = kLlamaTensors},
    {.name = "mistral",
     .modelType = "mistral",
     .architectures = kMistral,
     .kvHeads = 8,
     .context = 131072,
     .window = {.isRead = true, .otherwise = 4096},
     .tensors = kLlamaTensors},
    {.name = "qwen2",
     .modelType = "qwen2",
     .architectures = kQwen2,
     .kvHeads = 32,
     .context = 32768,
     .attentionBias = {"", true},
     .window = kQwenWindow,
     .tensors = kLlamaTensors},
    {.name = "qwen3",
     .modelType = "qwen3",
     .architectures = kQwen3,
     .headDim = 128,
     .kvHeads = 32,
     .context = 32768,
     .attentionBias = {"attention_bias", false},
     .attentionOutBias = {"attention_bias", false},
     .queryKeyNorm = true,
     .window = kQwenWindow,
     .tensors = kQwen3Tensors},
    {.name = "gpt2",
     .modelType = "gpt2",
     .architectures = kGpt2,
     .keys = {.hidden = "n_embd",
              .layers = "n_layer",
              .heads = "n_head",
              .neurons = "n_inner",
              .context = "n_positions",
              .activation = "activation_function",
              .normEps = "layer_norm_epsilon"},
     .norm = NormFamily::LayerNorm,
     .normEps = 1e-5,
     .activation = Activation::GeluTanh,
     .gatedMlp = false,
     .neuronsPerHidden = 4,
     .context = 1024,
     .ropeTheta = 0.0,
     .tiedEmbeddings = true,
     .attentionBias = {"", true},
     .attentionOutBias = {"", true},
     .mlpBias = {"", true},
     .transposedLinears = true,
     .fixed = kGpt2Fixed,
     .tensors = kGpt2Tensors},
    kBertFamily,
    robertaFamily("roberta", kRoberta),
    robertaFamily("xlm-roberta", kXlmRoberta),
    distilBertFamily(),
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

std::string knownArchitectures() {
    std::string list;
    for (const Family& family : kFamilies)
        for (const Architecture& architecture : family.architectures)
            list += (list.empty() ? "" : ", ") + std::string(architecture.name);
    return list;
}

}  // namespace espalier
