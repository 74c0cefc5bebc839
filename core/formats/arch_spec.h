// SPDX-License-Identifier: GPL-3.0-or-later
// ArchSpec: what differs between model families, as plain data. The Transformer reads nothing else about a model.
// Layers carry their own head and neuron counts, because pruned models differ from layer to layer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/tensor/dtype.h"

namespace espalier {

constexpr std::uint64_t kMaxModelConfigBytes = 4u << 20;  // of a config.json or generation_config.json

enum class NormFamily : std::uint8_t { RmsNorm, LayerNorm };
enum class Activation : std::uint8_t { Silu, Gelu, GeluTanh, Relu };
enum class RopeScaling : std::uint8_t { None, Linear, Llama3 };
enum class NormPlace : std::uint8_t {
    BeforeBlock,  // x += block(norm(x)), and a last norm after all layers
    AfterBlock    // x = norm(x + block(x)), no last norm (the original transformer; BERT)
};

struct RopeSpec {
    double theta = 10000.0;
    std::int32_t rotaryDim = 0;
    RopeScaling scaling = RopeScaling::None;
    double factor = 1.0;
    // Llama 3.1 (the published rope_type "llama3"): wavelengths between the two bounds are interpolated.
    double lowFrequencyFactor = 1.0;
    double highFrequencyFactor = 4.0;
    std::int32_t originalContext = 8192;
    std::vector<float> factors;  // [rotaryDim / 2] or none: every frequency is divided by its own (GGUF's rope_freqs)

    bool operator==(const RopeSpec&) const = default;
};

struct LayerSpec {
    std::int32_t heads = 0;
    std::int32_t kvHeads = 0;  // divides heads
    std::int32_t neurons = 0;  // MLP width
    std::int32_t window = 0;   // a token sees the last `window` tokens, itself included; 0: all before it

    bool operator==(const LayerSpec&) const = default;
};

struct ArchSpec {
    std::string family;        // "llama"
    std::string architecture;  // as the file says: "LlamaForCausalLM"
    std::int32_t vocabulary = 0;
    std::int32_t hidden = 0;
    std::int32_t headDim = 0;
    std::int32_t context = 0;  // positions the model was made for
    std::vector<LayerSpec> layers;
    NormFamily norm = NormFamily::RmsNorm;  // a LayerNorm has a bias
    NormPlace normPlace = NormPlace::BeforeBlock;
    double normEps = 1e-5;
    Activation activation = Activation::Silu;
    bool gatedMlp = true;
    RopeSpec rope;                   // rotaryDim 0: positions are not rotated
    bool learnedPositions = false;   // a table of vectors, one per position, added to the embedding
    std::int32_t firstPosition = 0;  // its row of position 0; the table has firstPosition + context rows
    std::int32_t tokenTypes = 0;     // rows of a table of segment vectors, added too; 0: none
    bool embeddingNorm = false;      // a norm over that sum
    bool tiedEmbeddings = false;
    bool attentionBias = false;     // q, k, v
    bool attentionOutBias = false;  // o
    bool mlpBias = false;
    bool queryKeyNorm = false;       // RMSNorm of every head of q and k, before they are rotated
    bool causal = true;              // false: every token sees the whole text (an encoder), so it is one chunk
    bool lmHead = true;              // false: gives hidden states only, no logits
    bool transposedLinears = false;  // projections lie in the files as [in, out]
    DType dtype = DType::F32;        // as the file declares; tensors may differ
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
