// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <map>

#include "core/base/json.h"
#include "core/formats/packed_weights.h"
#include "core/formats/safetensors.h"
#include "core/formats/tensor_source.h"

namespace espalier {
namespace {

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::uint64_t kMaxIndexBytes = 64u << 20;
constexpr std::uint64_t kMaxConfigBytes = 4u << 20;
constexpr std::size_t kMaxShards = 4096;

// Several shards as one list. Entries are copies; each remembers which shard's entry holds the bytes.
class ShardedSource final : public TensorSource {
public:
    explicit ShardedSource(std::vector<std::unique_ptr<TensorSource>> shards) : m_shards(std::move(shards)) {
        std::vector<std::pair<const TensorSource*, const TensorEntry*>> all;
        for (const auto& shard : m_shards)
            for (const TensorEntry& entry : shard->tensors()) all.emplace_back(shard.get(), &entry);
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second->name < b.second->name; });
        for (const auto& [shard, entry] : all) {
            m_tensors.push_back(*entry);
            m_origins.emplace_back(shard, entry);
        }
    }

    const std::vector<TensorEntry>& tensors() const override { return m_tensors; }

    const TensorEntry* find(std::string_view name) const override {
        const auto found =
            std::lower_bound(m_tensors.begin(), m_tensors.end(), name,
                             [](const TensorEntry& entry, std::string_view key) { return entry.name < key; });
        return found != m_tensors.end() && found->name == name ? &*found : nullptr;
    }

    std::span<const std::byte> bytes(const TensorEntry& entry) const override {
        const auto index = &entry - m_tensors.data();
        CHECK(index >= 0 && static_cast<std::size_t>(index) < m_tensors.size());
        const auto& [shard, origin] = m_origins[static_cast<std::size_t>(index)];
        return shard->bytes(*origin);
    }

private:
    std::vector<std::unique_ptr<TensorSource>> m_shards;
    std::vector<TensorEntry> m_tensors;
    std::vector<std::pair<const TensorSource*, const TensorEntry*>> m_origins;  // of m_tensors
};

// tensor name -> shard file name, as the index says.
using WeightMap = std::map<std::string, std::string, std::less<>>;

// A name that cannot lead out of the folder.
bool isPlainFileName(const std::string& name) {
    return !name.empty() && name != "." && name != ".." &&
           name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

Result<WeightMap> readIndex(FileSystem& files, const Path& path) {
    const std::string where = path.filename().string();
    TRY_ASSIGN(const std::string text, files.readText(path, kMaxIndexBytes));
    TRY_ASSIGN(const Json index, parseJson(text, where, {.depth = 8, .bytes = kMaxIndexBytes}));
    const auto found = index.is_object() ? index.find("weight_map") : index.end();
    if (!index.is_object() || found == index.end() || !found->is_object())
        return fail(ErrorCode::CorruptFile, where + ": \"weight_map\" must be an object", where);
    WeightMap shards;
    for (const auto& [name, shard] : found->items()) {
        if (!shard.is_string() || !isPlainFileName(shard.get_ref<const std::string&>()))
            return fail(ErrorCode::CorruptFile,
                        where + ": the shard of " + name + " must be the name of a file in the folder, found " +
                            dumpJson(shard),
                        where);
        shards.emplace_hint(shards.end(), name, shard.get<std::string>());
    }
    return shards;
}

// Every tensor where the index says, none in two shards.
Result<void> checkShards(const WeightMap& index, const std::map<std::string, const TensorSource*>& shards) {
    const std::string where(kIndexFile);
    for (const auto& [tensor, shard] : index)
        if (!shards.at(shard)->find(tensor))
            return fail(ErrorCode::MissingTensor,
                        shard + ": the tensor " + tensor + " is missing; the index says it is here",
                        shard + ": " + tensor);
    std::map<std::string_view, std::string_view> seen;
    for (const auto& [shard, source] : shards)
        for (const TensorEntry& entry : source->tensors()) {
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
    std::vector<std::unique_ptr<TensorSource>> sources;
    std::map<std::string, const TensorSource*> byName;
    for (const auto& [tensor, shard] : index) {
        if (byName.contains(shard)) continue;
        if (byName.size() == kMaxShards)
            return fail(ErrorCode::TooLarge,
                        std::string(kIndexFile) + ": names more than " + std::to_string(kMaxShards) + " shards",
                        std::string(kIndexFile));
        auto opened = openSafetensors(files, folder / shard);
        if (!opened && opened.error().code == ErrorCode::NotFound)
            return fail(ErrorCode::NotFound,
                        "the shard " + shard + " is missing in " + folder.string() + "; " + std::string(kIndexFile) +
                            " says it holds " + tensor,
                        shard);
        TRY_ASSIGN(auto source, std::move(opened));
        byName.emplace(shard, source.get());
        sources.push_back(std::move(source));
    }
    TRY(checkShards(index, byName));
    return std::unique_ptr<TensorSource>(new ShardedSource(std::move(sources)));
}

// The sentence for a folder that holds no safetensors weights: what it holds instead, and what to do.
Result<std::unique_ptr<TensorSource>> explainNoWeights(FileSystem& files, const Path& folder) {
    static constexpr std::array<std::string_view, 5> kPickleSuffixes = {".bin", ".pt", ".pth", ".ckpt", ".pkl"};
    TRY_ASSIGN(const auto entries, files.list(folder));
    for (const FileEntry& entry : entries) {
        const std::string suffix = entry.path.extension().string();
        if (!entry.isRegular ||
            std::find(kPickleSuffixes.begin(), kPickleSuffixes.end(), suffix) == kPickleSuffixes.end())
            continue;
        const std::string name = entry.path.filename().string();
        return fail(
            ErrorCode::Unsupported,
            name +
                ": pickle weights are not read, because a pickle can run any code; save the model as safetensors "
                "first (transformers: from_pretrained(...).save_pretrained(..., safe_serialization=True))",
            name);
    }
    return fail(ErrorCode::NotFound,
                folder.string() + " holds neither " + std::string(kSingleFile) + " nor " + std::string(kIndexFile),
                folder.string());
}

// True when the file is there; a link loop or a folder without permission is an error, not an absence.
Result<bool> isPresent(FileSystem& files, const Path& path) {
    auto status = files.stat(path);
    if (status) return true;
    if (status.error().code == ErrorCode::NotFound) return false;
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

Result<std::unique_ptr<TensorSource>> openModelFolder(FileSystem& files, const Path& folder) {
    TRY_ASSIGN(const FileEntry status, files.stat(folder));
    if (!status.isDirectory)
        return fail(ErrorCode::InvalidArgument, folder.string() + " is not a folder", folder.string());
    const Path configPath = folder / "config.json";
    TRY_ASSIGN(const bool hasConfig, isPresent(files, configPath));
    if (hasConfig) {
        TRY_ASSIGN(const std::string text, files.readText(configPath, kMaxConfigBytes));
        TRY_ASSIGN(const Json config, parseJson(text, "config.json"));
        TRY(refusePackedConfig(config, "config.json"));
    }
    TRY_ASSIGN(auto source, openWeights(files, folder));
    TRY(refusePackedTensors(*source));
    return source;
}

}  // namespace espalier
