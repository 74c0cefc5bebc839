// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/gguf_model.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/formats/gguf_architecture.h"

namespace espalier {
namespace {

constexpr std::int64_t kMaxParts = 4096;
constexpr std::uint64_t kMaxHeaders = 2 * kMaxGgufHeader;  // of all parts together

std::string padded(std::int64_t number) {
    std::string digits = std::to_string(number);
    return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

std::optional<std::int64_t> fiveDigits(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size() || text.size() != 5) return std::nullopt;
    return number;
}

Error corrupt(const Path& file, const std::string& problem) {
    return fail(ErrorCode::CorruptFile, file.filename().string() + ": " + problem, file.filename().string());
}

// What "split.*" says; count 1: one whole file.
struct Split {
    std::int64_t number = 1;
    std::int64_t count = 1;
    std::optional<std::int64_t> tensors;
};
Result<Split> splitOf(const GgufFile& file) {
    const GgufKeys keys(file.header, file.head, file.open.path.filename().string());
    Split split;
    TRY_ASSIGN(const auto count, keys.integer("split.count", 0, kMaxParts));
    TRY_ASSIGN(const auto number, keys.integer("split.no", 0, kMaxParts - 1));
    TRY_ASSIGN(split.tensors, keys.integer("split.tensors.count", 0, INT32_MAX));
    if (!count || *count <= 1) return split;
    split.count = *count;
    split.number = number.value_or(0) + 1;
    const auto name = shardNameOf(file.open.path);
    if (name && name->number == split.number && name->count == split.count) return split;
    return corrupt(file.open.path, "its keys say it is part " + std::to_string(split.number) + " of " +
                                       std::to_string(split.count) + "; a part is found by a name that ends in -" +
                                       padded(split.number) + "-of-" + padded(split.count) + ".gguf");
}

Result<GgufFile> openShard(FileSystem& files, const Path& given, const ShardName& name, std::int64_t number) {
    const Path path = given.parent_path() / name.at(number);
    auto opened = openGgufFile(files, path);
    if (!opened && opened.error().code == ErrorCode::NotFound)
        return fail(ErrorCode::NotFound,
                    "the part " + name.at(number) + " is missing in " + given.parent_path().string() + "; " +
                        given.filename().string() + " is one of " + std::to_string(name.count),
                    name.at(number));
    TRY_ASSIGN(GgufFile file, std::move(opened));
    TRY_ASSIGN(const Split split, splitOf(file));
    if (split.count != name.count)
        return corrupt(path, "must be part " + std::to_string(number) + " of " + std::to_string(name.count) +
                                 " by its name, its keys say it is one of " + std::to_string(split.count));
    return file;
}

// All parts. Only the first keeps its keys: the model reads no others, and each may be as large as a header can be.
Result<std::vector<GgufFile>> openParts(FileSystem& files, const Path& given) {
    std::vector<GgufFile> shards;
    TRY_ASSIGN(GgufFile file, openGgufFile(files, given));
    TRY_ASSIGN(const Split split, splitOf(file));
    if (split.count == 1) {
        shards.push_back(std::move(file));
        return shards;
    }
    file = {};
    const ShardName name = *shardNameOf(given);
    std::uint64_t headers = 0, tensors = 0;
    for (std::int64_t number = 1; number <= split.count; ++number) {
        TRY_ASSIGN(GgufFile shard, openShard(files, given, name, number));
        headers += shard.head.size();
        tensors += shard.header.tensors.size();
        if (headers > kMaxHeaders || tensors > kMaxGgufTensors)
            return fail(ErrorCode::TooLarge,
                        name.at(number) + ": the parts up to this one have " + std::to_string(tensors) +
                            " tensors and " + std::to_string(headers) + " bytes of headers; at most " +
                            std::to_string(kMaxGgufTensors) + " and " + std::to_string(kMaxHeaders) + " are read",
                        name.at(number));
        if (number > 1) {
            shard.head = std::vector<std::byte>();
            shard.header.keys.clear();
        }
        shards.push_back(std::move(shard));
    }
    if (split.tensors && static_cast<std::uint64_t>(*split.tensors) != tensors)
        return corrupt(given, "split.tensors.count announces " + std::to_string(*split.tensors) +
                                  " tensors, the parts hold " + std::to_string(tensors));
    return shards;
}

// Of a file that this program wrote.
Result<ArchSpec> specBeside(FileSystem& files, const Path& file) {
    const Path config = file.parent_path() / "config.json";
    auto text = files.readText(config, kMaxModelConfigBytes);
    if (!text)
        return std::move(text).error().context(file.filename().string() +
                                               " holds the weights of the config.json that belongs beside it");
    TRY_ASSIGN(const Json json, parseJson(*text, "config.json"));
    TRY_ASSIGN(ArchSpec spec, archSpecFromConfig(json, "config.json"));
    spec.transposedLinears = false;
    return spec;
}

}  // namespace

std::string ShardName::at(std::int64_t other) const {
    return stem + "-" + padded(other) + "-of-" + padded(count) + ".gguf";
}

std::optional<ShardName> shardNameOf(const Path& file) {
    constexpr std::size_t kEnding = 15;  // -00001-of-00003
    const std::string name = file.stem().string();
    if (file.extension() != ".gguf" || name.size() <= kEnding) return std::nullopt;
    const std::string_view ending = std::string_view(name).substr(name.size() - kEnding);
    const auto number = fiveDigits(ending.substr(1, 5));
    const auto count = fiveDigits(ending.substr(10, 5));
    if (ending[0] != '-' || ending.substr(6, 4) != "-of-" || !number || !count || *number < 1 || *number > *count)
        return std::nullopt;
    return ShardName{name.substr(0, name.size() - kEnding), *number, *count};
}

Result<std::optional<Path>> findGguf(FileSystem& files, const Path& path) {
    TRY_ASSIGN(const FileEntry status, files.stat(path));
    if (!status.isDirectory) return path.extension() == ".gguf" ? std::optional(path) : std::optional<Path>();
    for (const char* name : {"model.safetensors", "model.safetensors.index.json"})
        if (files.exists(path / name)) return std::optional<Path>();
    TRY_ASSIGN(const auto entries, files.list(path));
    std::set<std::string> models;  // first shards and whole files
    for (const FileEntry& entry : entries) {
        if (!entry.isRegular || entry.path.extension() != ".gguf") continue;
        const auto shard = shardNameOf(entry.path);
        const bool isPart = shard && files.exists(path / shard->at(1));
        models.insert(isPart ? shard->at(1) : entry.path.filename().string());
    }
    if (models.empty()) return std::optional<Path>();
    if (models.size() == 1) return std::optional(path / *models.begin());
    std::string list;
    for (const std::string& name : models) list += (list.empty() ? "" : ", ") + name;
    return fail(ErrorCode::InvalidArgument,
                path.string() + " holds several GGUF models: give the file you mean (" + list.substr(0, 400) + ")",
                path.string());
}

Result<GgufFile> openFirstGgufShard(FileSystem& files, const Path& file) {
    TRY_ASSIGN(GgufFile opened, openGgufFile(files, file));
    TRY_ASSIGN(const Split split, splitOf(opened));
    if (split.number == 1) return opened;
    return openShard(files, file, *shardNameOf(file), 1);
}

Result<GgufModel> openGgufModel(FileSystem& files, const Path& file) {
    TRY_ASSIGN(std::vector<GgufFile> shards, openParts(files, file));
    GgufModel model;
    std::vector<TensorEntry> tensors;
    std::vector<OpenFile> open;
    for (GgufFile& shard : shards) {
        model.shards.push_back({shard.open.path, shard.header.keysEnd});
        std::ranges::copy(shard.header.tensors, std::back_inserter(tensors));
    }
    std::ranges::stable_sort(tensors, {}, &TensorEntry::name);
    const auto twin = std::ranges::adjacent_find(tensors, {}, &TensorEntry::name);
    if (twin != tensors.end())
        return fail(ErrorCode::CorruptFile,
                    "the tensor " + twin->name + " stands in " + twin->file.filename().string() + " and in " +
                        std::next(twin)->file.filename().string(),
                    twin->location());
    const GgufKeys keys(shards[0].header, shards[0].head, shards[0].open.path.filename().string());
    TRY_ASSIGN(const auto licence, keys.string("general.license"));
    model.licence = licence.value_or("").substr(0, 100);
    TRY_ASSIGN(const auto architecture, keys.string("general.architecture"));
    if (architecture == kEspalierArchitecture) {
        TRY_ASSIGN(model.spec, specBeside(files, file));
        model.isOfFolder = true;
    } else {
        TRY_ASSIGN(GgufArchitecture read, readGgufArchitecture(keys, tensors));
        TRY(renameGgufTensors(read, tensors));
        model.spec = std::move(read.spec);
    }
    for (GgufFile& shard : shards) open.push_back(std::move(shard.open));
    model.tensors = makeFileTensors(std::move(tensors), std::move(open));
    TRY(readRopeFactors(*model.tensors, model.spec));
    return model;
}

}  // namespace espalier
