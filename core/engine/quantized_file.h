// SPDX-License-Identifier: GPL-3.0-or-later
// Quantising on import: every file of weights becomes one GGUF file with the same tensors, rounded as gguf.quants
// rounds, piece by piece, so that memory holds a few megabytes (a tensor that must be transposed, whole).
//
// Which tensors: the projections of every layer, the embedding and the vocabulary projection, where a row is whole
// blocks of 32. With q4_0 the vocabulary projection (the embedding, when it serves as one) becomes Q8_0, as llama.cpp
// keeps it at more bits than the rest. Norms, biases, tables of positions and token types stay as they are.
//
// A folder's tensors keep their names and the folder its config.json: the file says general.architecture "espalier",
// which means just that; its projections lie as [out, in] whatever the family. A GGUF model keeps its keys and names.
//
// Thread: any.
#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/file_digest.h"

namespace espalier {

// "q8_0" or "q4_0". Errors: invalid_argument; unsupported ("nf4": it comes with training).
Result<DType> quantizationNamed(std::string_view name);

struct QuantizePlan {
    DType type = DType::Q8_0;
    struct Change {
        DType type = DType::Q8_0;
        bool transposed = false;  // lies as [in, out]
    };
    std::map<std::string, Change, std::less<>> changes;       // by the tensor's name in the model
    std::map<std::string, std::string, std::less<>> targets;  // file of weights -> what it becomes
    // File of weights -> its tensors that are written, as places in ModelFiles::tensors.
    std::map<std::string, std::vector<std::size_t>, std::less<>> tensors;

    bool isWeights(std::string_view file) const { return targets.contains(file); }
};
// Error unsupported: the model holds block types already.
Result<QuantizePlan> planQuantization(FileSystem& files, const ModelFiles& model, DType type);

// Of the file that `file` becomes, without its header.
std::uint64_t quantizedBytes(const ModelFiles& model, const QuantizePlan& plan, std::string_view file);

// What was read and what was written; each makes a digest.
struct QuantizedFile {
    std::vector<DigestPart> sourceParts;
    std::vector<DigestPart> parts;
    std::vector<NonFiniteTensor> nonFinite;  // of what was written
};
// Writes folder / targets[file] (next to it first, synced, then renamed). Errors: non_finite names the tensor, when it
// holds NaN or infinity and when its values are beyond what the type can scale;
// cancelled; io_error when the file is not what readModelFiles saw; what reading and writing give.
Result<QuantizedFile> quantizeFile(FileSystem& files, const ModelFiles& model, const QuantizePlan& plan,
                                   const ModelFile& file, const Path& folder, std::stop_token stop,
                                   const std::function<void(std::uint64_t readBytes)>& progress);

}  // namespace espalier
