// SPDX-License-Identifier: GPL-3.0-or-later
// Family: one row per model family that config.json may name. A row says how the file spells things and what holds when
// it is silent; the ArchSpec made from it carries everything the Transformer needs. A new family is a new row.
// Thread: any; constant data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/formats/arch_spec.h"

namespace espalier {

// An entry of "architectures".
struct Architecture {
    std::string_view name;
    bool lmHead = true;
};

// Keys of config.json; the Llama spellings unless a family says otherwise.
struct ConfigKeys {
    std::string_view hidden = "hidden_size";
    std::string_view layers = "num_hidden_layers";
    std::string_view heads = "num_attention_heads";
    std::string_view neurons = "intermediate_size";
    std::string_view context = "max_position_embeddings";
    std::string_view activation = "hidden_act";
    std::string_view normEps = "rms_norm_eps";
};

// Whether a group of projections has biases: a key of config.json, or a constant when the key is empty.
struct BiasRule {
    std::string_view key = {};
    bool otherwise = false;
};

// Which layers have a sliding window. "sliding_window" gives its size, null none.
struct WindowRule {
    bool isRead = false;               // false: the family has no windows, whatever the file says
    std::int32_t otherwise = 0;        // when "sliding_window" is absent
    std::string_view enabledBy = {};   // a key that must be true for any window; empty: always
    std::string_view firstLayer = {};  // a key: layers from this one on; empty: all
    std::int32_t firstLayerOtherwise = 0;
};

// A key that changes the model in a way not supported unless it has this value (as JSON) or is absent.
struct FixedSetting {
    std::string_view key;
    std::string_view value;
};

// Tensor names of a folder. Names of a layer follow `layer` + index + "."; projections get ".weight" and ".bias".
// An empty name: the family has no such tensor.
struct TensorNames {
    std::string_view prefix = {};  // the beginning of the names below that some folders leave out
    std::string_view embedding = {};
    std::string_view positions = {};
    std::string_view tokenTypes = {};
    std::string_view embeddingNorm = {};
    std::string_view layer = {};
    std::string_view attentionNorm = {};
    std::string_view query = {};  // without key and value: all three in one, q first
    std::string_view key = {};
    std::string_view value = {};
    std::string_view queryNorm = {};
    std::string_view keyNorm = {};
    std::string_view attentionOut = {};
    std::string_view mlpNorm = {};
    std::string_view gate = {};
    std::string_view up = {};
    std::string_view down = {};
    std::string_view finalNorm = {};
    std::string_view lmHead = {};
    std::string_view pooler = {};  // a layer over the first token that no embedding uses; it may be absent
};

struct Family {
    std::string_view name;                        // ArchSpec::family
    std::string_view modelType;                   // "model_type", asked when "architectures" is absent
    std::span<const Architecture> architectures;  // the first is meant when "architectures" is absent
    ConfigKeys keys = {};
    NormFamily norm = NormFamily::RmsNorm;
    NormPlace normPlace = NormPlace::BeforeBlock;
    double normEps = 1e-6;  // when its key is absent; so with the values below
    Activation activation = Activation::Silu;
    bool gatedMlp = true;
    std::int32_t headDim = 0;           // 0: hidden / heads
    std::int32_t kvHeads = 0;           // 0: as many as heads
    std::int32_t neuronsPerHidden = 0;  // neurons = this x hidden; 0: the key must be there
    std::int32_t context = 2048;
    double ropeTheta = 10000.0;  // 0: not rotated; learned positions instead
    std::int32_t firstPosition = 0;
    bool tokenTypes = false;  // "type_vocab_size" of them
    bool embeddingNorm = false;
    bool tiedEmbeddings = false;     // when "tie_word_embeddings" is absent
    BiasRule attentionBias = {};     // q, k, v
    BiasRule attentionOutBias = {};  // o
    BiasRule mlpBias = {};
    bool queryKeyNorm = false;
    bool causal = true;
    bool transposedLinears = false;
    WindowRule window = {};
    std::span<const FixedSetting> fixed = {};
    TensorNames tensors = {};
};

std::span<const Family> knownFamilies();
const Family* familyNamed(std::string_view name);  // by Family::name; nullptr when unknown
std::string knownArchitectures();                  // "LlamaForCausalLM, ...", for messages

}  // namespace espalier
