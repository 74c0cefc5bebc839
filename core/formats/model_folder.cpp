// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <map>

#include "core/base/json.h"
#include "core/formats/arch_spec.h"
#include "core/formats/gguf_model.h"
#include "core/formats/packed_weights.h"
#include "core/formats/safetensors.h"
#include "core/formats/tensor_source.h"

namespace espalier {
namespace {

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::uint64_t kMaxIndexBytes = 64u << 20;
constexpr std::size_t kMaxShards = 4096;
constexpr std::size_t kMaxShardName = 255;  // bytes, as a folder allows

// tensor name -> shard file name, as the index says.
using WeightMap = std::map<std::string, std::string, std::less<>>;

// A name that cannot lead out of the folder.
bool isPlainFileName(const std::string& name) {
    return !name.empty() && name.size() <= kMaxShardName && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

Result<WeightMap> readIndex(FileSystem& files, const Path& path) {
    const std::string where = path.filename().string();
    TRY_ASSIGN(const std::string text, files.readText(path, kMaxIndexBytes));
    TRY_ASSIGN(const Json index, parseJson(text, where, {.depth = 8, .bytes = kMaxIndexBytes}));
    const auto found = index.is_object() ? index.find("weight_map") : index.end();
    if (!index.is_object() || found == index.end() || !found->is_object())
        return fail(ErrorCode::CorruptFile, where + ": \"weight_map\" must be an object", where);
    if (found->size() > kMaxSafetensors)
        return fail(ErrorCode::TooLarge,
                    where + ": lists " + std::to_string(found->size()) + " tensors, at most " +
                        std::to_string(kMaxSafetensors) + " are read",
                    where);
    WeightMap shards;
    for (const auto& [name, shard] : found->items()) {
        if (name.empty() || name.size() > kMaxSafetensorsName)
            return fail(ErrorCode::CorruptFile,
                        where + ": the name of a tensor has " + std::to_string(name.size()) + " bytes; expected 1 to " +
                            std::to_string(kMaxSafetensorsName),
                        where);
        if (!shard.is_string() || !isPlainFileName(shard.get_ref<const std::string&>()))
            return fail(
                ErrorCode::CorruptFile,
                where + ": the shard of " + name + " must be the name of a file in the folder, found " + brief(shard),
                where);
        shards.emplace_hint(shards.end(), name, shard.get<std::string>());
    }
    return shards;
}

// Every tensor where the index says, none in two shards.
Result<void> checkShards(const WeightMap& index, const std::map<std::string, std::vector<TensorEntry>>& shards) {
    const std::string where(kIndexFile);
    for (const auto& [tensor, shard] : index)
        if (!std::ranges::binary_search(shards.at(shard), tensor, {}, &TensorEntry::name))
            return fail(ErrorCode::MissingTensor,
                        shard + ": the tensor " + tensor + " is missing; the index says it is here",
                        shard + ": " + tensor);
    std::map<std::string_view, std::string_view> seen;
    for (const auto& [shard, tensors] : shards)
        for (const TensorEntry& entry : tensors) {
            const auto [first, isNew] = seen.emplace(entry.name, shard);
            if (!isNew)
                return fail(
                    ErrorCode::CorruptFile,
                    "the tensor " + entry.name + " stands in " + std::string(first->second) + " and in " + shard,
                    entry.location());
        }
    return {};
}

Result<std::unique_ptr<TensorSource>> openShards(FileSystem& files, const Path& folder) {
    TRY_ASSIGN(const WeightMap index, readIndex(files, folder / kIndexFile));
    std::vector<OpenFile> open;
    std::map<std::string, std::vector<TensorEntry>> shards;
    std::size_t listed = 0;
    for (const auto& [tensor, shard] : index) {
        if (shards.contains(shard)) continue;
        if (shards.size() == kMaxShards)
            return fail(ErrorCode::TooLarge,
                        std::string(kIndexFile) + ": names more than " + std::to_string(kMaxShards) + " shards",
                        std::string(kIndexFile));
        auto opened = openSafetensorsFile(files, folder / shard);
        if (!opened && opened.error().code == ErrorCode::NotFound)
            return fail(ErrorCode::NotFound,
                        "the shard " + shard + " is missing in " + folder.string() + "; " + std::string(kIndexFile) +
                            " says it holds " + tensor,
                        shard);
        TRY_ASSIGN(SafetensorsFile file, std::move(opened));
        listed += file.tensors.size();
        if (listed > kMaxSafetensors)
            return fail(ErrorCode::TooLarge,
                        shard + ": the shards up to this one list " + std::to_string(listed) + " tensors, at most " +
                            std::to_string(kMaxSafetensors) + " are read",
                        shard);
        shards.emplace(shard, std::move(file.tensors));
        open.push_back(std::move(file.open));
    }
    TRY(checkShards(index, shards));
    std::vector<TensorEntry> tensors;
    for (auto& [shard, entries] : shards) std::ranges::move(entries, std::back_inserter(tensors));
    return makeFileTensors(std::move(tensors), std::move(open));
}

// Weights of other kinds by the ends of their files' names: what they are and what to do.
struct OtherWeights {
    std::string_view suffix;
    std::string_view sentence;
};
constexpr std::string_view kPickle =
    "pickle weights are not read, because a pickle can run any code; save the model as safetensors first "
    "(transformers: from_pretrained(...).save_pretrained(..., safe_serialization=True))";
constexpr std::string_view kOtherFramework =
    "weights of this framework are not read; save the model as safetensors with transformers "
    "(from_pretrained(..., from_tf=True or from_flax=True).save_pretrained(...))";
constexpr std::array<OtherWeights, 10> kOtherWeights = {
    {{".bin", kPickle},
     {".pt", kPickle},
     {".pth", kPickle},
     {".ckpt", kPickle},
     {".pkl", kPickle},
     {".h5", kOtherFramework},
     {".msgpack", kOtherFramework},
     {".onnx", "ONNX graphs are not read; import the folder of safetensors that it was exported from"},
     {".ggml", "GGML files are older than GGUF and not read; convert the original model to GGUF"},
     {".npz", "NumPy archives are not read; save the model as safetensors first"}}};

// The sentence for a folder that holds no safetensors weights: what it holds instead, and what to do.
Result<std::unique_ptr<TensorSource>> explainNoWeights(FileSystem& files, const Path& folder) {
    TRY_ASSIGN(const auto entries, files.list(folder));
    for (const FileEntry& entry : entries) {
        const std::string suffix = entry.path.extension().string();
        const auto other = std::ranges::find(kOtherWeights, suffix, &OtherWeights::suffix);
        if (!entry.isRegular || other == kOtherWeights.end()) continue;
        const std::string name = entry.path.filename().string();
        return fail(ErrorCode::Unsupported, name + ": " + std::string(other->sentence), name);
    }
    return fail(ErrorCode::NotFound,
                folder.string() + " holds neither " + std::string(kSingleFile) + " nor " + std::string(kIndexFile) +
                    " nor a .gguf file",
                folder.string());
}

// True when the file is there; a link that leads nowhere, a loop or a folder without permission is an error, not an
// absence.
Result<bool> isPresent(FileSystem& files, const Path& path) {
    auto status = files.stat(path);
    if (status) return true;
    if (status.error().code == ErrorCode::NotFound && !files.exists(path)) return false;
    if (status.error().code == ErrorCode::NotFound)
        return fail(ErrorCode::NotFound,
                    path.filename().string() + " is a link to a file that is not there; was a download cut short?",
                    path.string());
    return std::move(status).error();
}

Result<std::unique_ptr<TensorSource>> openWeights(FileSystem& files, const Path& folder) {
    TRY_ASSIGN(const bool single, isPresent(files, folder / kSingleFile));
    if (single) return openSafetensors(files, folder / kSingleFile);
    TRY_ASSIGN(const bool sharded, isPresent(files, folder / kIndexFile));
    if (sharded) return openShards(files, folder);
    return explainNoWeights(files, folder);
}

}  // namespace

Result<std::unique_ptr<TensorSource>> openModelFolder(FileSystem& files, const Path& path) {
    TRY_ASSIGN(const auto gguf, findGguf(files, path));
    if (gguf) {
        TRY_ASSIGN(GgufModel model, openGgufModel(files, *gguf));
        return std::move(model.tensors);
    }
    const Path& folder = path;
    TRY_ASSIGN(const FileEntry status, files.stat(folder));
    if (!status.isDirectory)
        return fail(ErrorCode::InvalidArgument, folder.string() + " is neither a folder nor a .gguf file",
                    folder.string());
    const Path configPath = folder / "config.json";
    TRY_ASSIGN(const bool hasConfig, isPresent(files, configPath));
    if (hasConfig) {
        TRY_ASSIGN(const std::string text, files.readText(configPath, kMaxModelConfigBytes));
        TRY_ASSIGN(const Json config, parseJson(text, "config.json"));
        TRY(refusePackedConfig(config, "config.json"));
    }
    TRY_ASSIGN(auto source, openWeights(files, folder));
    TRY(refusePackedTensors(*source));
    return source;
}

}  // namespace espalier
