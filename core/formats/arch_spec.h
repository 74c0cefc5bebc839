// SPDX-License-Identifier: GPL-3.0-or-later
// ArchSpec: what differs between model families, as plain data. The Transformer reads nothing else about a model. Layers
// carry their own head and neuron counts, because pruned models differ from layer to layer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tensor/dtype.h"

namespace espalier {

enum class NormFamily : std::uint8_t { RmsNorm, LayerNorm };
enum class Activation : std::uint8_t { Silu, Gelu, GeluTanh, Relu };
enum class RopeScaling : std::uint8_t { None, Linear, Llama3 };

struct RopeSpec {
    double theta = 10000.0;
    std::int32_t rotaryDim = 0;
    RopeScaling scaling = RopeScaling::None;
    double factor = 1.0;
    // Llama 3.1 (the published rope_type "llama3"): wavelengths between the two bounds are interpolated.
    double lowFrequencyFactor = 1.0;
    double highFrequencyFactor = 4.0;
    std::int32_t originalContext = 8192;

    bool operator==(const RopeSpec&) const = default;
};

struct LayerSpec {
    std::int32_t heads = 0;
    std::int32_t kvHeads = 0;  // divides heads
    std::int32_t neurons = 0;  // MLP width

    bool operator==(const LayerSpec&) const = default;
};

struct ArchSpec {
    std::string family;         // "llama"
    std::string architecture;   // as the file says: "LlamaForCausalLM"
    std::int32_t vocabulary = 0;
    std::int32_t hidden = 0;
    std::int32_t headDim = 0;
    std::int32_t context = 0;   // positions the model was made for
    std::vector<LayerSpec> layers;
    NormFamily norm = NormFamily::RmsNorm;
    double normEps = 1e-5;
    Activation activation = Activation::Silu;
    bool gatedMlp = true;
    RopeSpec rope;
    bool tiedEmbeddings = false;
    bool attentionBias = false;    // q, k, v
    bool attentionOutBias = false; // o
    bool mlpBias = false;
    DType dtype = DType::F32;      // as the file declares; tensors may differ
    std::vector<std::int32_t> bosIds;
    std::vector<std::int32_t> eosIds;

    bool operator==(const ArchSpec&) const = default;
};

// Hugging Face config.json -> ArchSpec, both spellings (rope_theta / rope_scaling / torch_dtype and rope_parameters /
// dtype). Errors: unsupported names the architecture and lists the known ones, or names the activation, rope type or
// quantisation; corrupt_file names the key, what was expected and found.
Result<ArchSpec> archSpecFromConfig(const Json& config, std::string_view where);

// The normalised form `espalierctl inspect` prints and the workspace stores; archSpecFromJson reads it back.
Json toJson(const ArchSpec& spec);
Result<ArchSpec> archSpecFromJson(const Json& json, std::string_view where);

}  // namespace espalier
