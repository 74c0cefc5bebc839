// SPDX-License-Identifier: GPL-3.0-or-later
// Family: one row per model family that config.json may name. A row says how the file spells things and what holds when
// it is silent; the ArchSpec made from it carries everything the Transformer needs. A new family is a new row.
// Thread: any; constant data.
#pragma once

#include <span>
#include <string_view>

#include "core/formats/arch_spec.h"

namespace espalier {

// Whether a group of projections has biases: a key of config.json, or a constant when the key is empty.
struct BiasRule {
    std::string_view key;
    bool otherwise = false;
};

// Tensor names of a folder. Names of a layer follow `layer` + index + "."; projections get ".weight" and ".bias".
struct TensorNames {
    std::string_view embedding;
    std::string_view layer;
    std::string_view attentionNorm;
    std::string_view query;
    std::string_view key;
    std::string_view value;
    std::string_view attentionOut;
    std::string_view mlpNorm;
    std::string_view gate;
    std::string_view up;
    std::string_view down;
    std::string_view finalNorm;
    std::string_view lmHead;
};

struct Family {
    std::string_view name;          // ArchSpec::family
    std::string_view modelType;     // "model_type", asked when "architectures" is absent
    std::string_view architecture;  // an entry of "architectures"
    NormFamily norm;
    std::string_view normEpsKey;
    double normEps;
    Activation activation;  // when "hidden_act" is absent
    bool gatedMlp;
    double ropeTheta;
    bool tiedEmbeddings;        // when "tie_word_embeddings" is absent
    BiasRule attentionBias;     // q, k, v
    BiasRule attentionOutBias;  // o
    BiasRule mlpBias;
    TensorNames tensors;
};

std::span<const Family> knownFamilies();
const Family* familyNamed(std::string_view name);  // by Family::name; nullptr when unknown

}  // namespace espalier
