// SPDX-License-Identifier: GPL-3.0-or-later
// A folder with an adapter read against the base it shall change: LoRA as PEFT saves it (adapter_config.json and
// adapter_model.safetensors), or a bottleneck adapter as AdapterHub does (adapter_config.json and adapter.safetensors;
// bottleneck_folder.h). What this gives fits: every tensor has its place in the base, the shape that it says and a type
// that tiles can hold, and all that the configuration names is there. Values are looked at by the importer
// (NonFiniteScan).
//
// Thread: any.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/adapters/lora_config.h"
#include "core/adapters/lora_target.h"
#include "core/formats/tensor_source.h"

namespace espalier {

inline constexpr std::string_view kAdapterConfigFile = "adapter_config.json";
inline constexpr std::string_view kAdapterWeightsFile = "adapter_model.safetensors";

// One projection, or the embedding, with its two matrices.
struct LoraPair {
    LoraTarget target;
    std::int32_t rank = 0;
    float scale = 1.0f;
    std::string a, b;                               // names of the tensors: [rank, inputs], [outputs, rank]
    std::optional<ActivationKind> activation = {};  // of a bottleneck adapter, which has biases too:
    std::string aBias = {}, bBias = {};             // [rank], [outputs]
};

// A tensor of the base itself that PEFT saved with the adapter: of the embedding or the head, in their shape. Nothing
// is computed with it, but who imports the adapter sees whether it was trained on another table than the base's.
struct BaseCopy {
    std::string tensor;
    bool isEmbedding = false;
};

struct AdapterSpec {
    std::string kind = "lora";         // or "bottleneck"
    std::int32_t rank = 0;             // the largest of its projections
    std::vector<std::string> targets;  // "embed_tokens", "q_proj", ..., "lm_head": each once, in that order
    DType dtype = DType::F32;          // of its tiles: as stored, f32 where tensors differ
    std::int64_t bytes = 0;            // of its tensors as stored
    std::vector<LoraPair> pairs;       // in the order of computing: the embedding, the layers, the head
    BottleneckInput bottleneckInput = BottleneckInput::Addend;
    std::vector<BaseCopy> baseCopies;
    std::string baseModel;  // what it says that it was trained on
    std::vector<std::string> warnings;
};

struct AdapterFolder {
    AdapterSpec spec;
    std::string configText;
    std::string weightsFile;
    std::unique_ptr<TensorSource> tensors;
};

// Errors: not_found, corrupt_file, shape_mismatch, missing_tensor, unsupported, too_large; each names the file and the
// tensor or key, what was expected and found. Requires: base.family is known.
Result<AdapterFolder> readAdapterFolder(FileSystem& files, const Path& folder, const ArchSpec& base);

// The checks alone, of either kind, for files that are elsewhere (and for fuzzing).
Result<AdapterSpec> checkAdapter(std::string_view configText, const TensorSource& tensors, const ArchSpec& base);

// The identity of an adapter: SHA-256 over its configuration as found and its tensors (ModelDigest), "sha256:...".
// Reads everything; `seen` gets it piece by piece, a tensor after the other. Errors: io_error, cancelled.
using TensorPieceVisitor = std::function<void(const TensorEntry& tensor, std::span<const std::byte> piece)>;
Result<std::string> digestAdapter(const AdapterFolder& adapter, std::stop_token stop,
                                  const TensorPieceVisitor& seen = {});

}  // namespace espalier
