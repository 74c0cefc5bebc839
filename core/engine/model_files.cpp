// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "core/formats/family.h"
#include "core/formats/generation_config.h"
#include "core/formats/gguf_architecture.h"
#include "core/formats/gguf_model.h"
#include "core/models/transformer.h"
#include "core/tokenizer/text_model.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxSideFileBytes = 256ull << 20;
constexpr std::uint64_t kMaxTextBytes = 16ull << 20;
constexpr std::size_t kMaxNameLength = 96;

// Beside what makes the digest: files that describe the model to people or to other programs.
constexpr std::array<std::string_view, 2> kKeptFiles = {"model.safetensors.index.json",
                                                        "config_sentence_transformers.json"};
constexpr std::array<std::string_view, 7> kKeptStems = {"README",    "LICENSE",       "LICENCE",   "NOTICE",
                                                        "tokenizer", "chat_template", "USE_POLICY"};

bool isKept(std::string_view name) {
    if (isDigestFile(name) || std::ranges::find(kKeptFiles, name) != kKeptFiles.end()) return true;
    return std::ranges::any_of(kKeptStems, [&](std::string_view stem) { return name.starts_with(stem); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
    return text;
}

template <class Visit>  // bool(line): false stops
void eachLine(std::string_view text, const Visit& visit) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (!visit(text.substr(0, end))) return;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
}

// The value of `license:` between the two "---" lines a model card begins with.
std::string licenceOfCard(std::string_view card) {
    if (!card.starts_with("---")) return {};
    std::string licence;
    int fences = 0;
    eachLine(card, [&](std::string_view line) {
        line = trimmed(line);
        if (line == "---") return ++fences < 2;
        for (const std::string_view key : {"license:", "licence:"})
            if (line.starts_with(key)) licence = trimmed(line.substr(key.size()));
        return true;
    });
    if (licence.size() > 1 && (licence.front() == '"' || licence.front() == '\''))
        licence = licence.substr(1, licence.size() - 2);
    return licence.substr(0, 100);
}

std::string licenceOf(FileSystem& files, const Path& folder, const std::vector<ModelFile>& present) {
    if (const auto card = files.readText(folder / "README.md", kMaxTextBytes))
        if (auto licence = licenceOfCard(*card); !licence.empty()) return licence;
    for (const ModelFile& file : present) {
        if (!file.name.starts_with("LICENSE") && !file.name.starts_with("LICENCE")) continue;
        const auto text = files.readText(folder / file.name, kMaxTextBytes);
        if (!text) continue;
        std::string first;
        eachLine(*text, [&](std::string_view line) {
            first = trimmed(line).substr(0, 100);
            return first.empty();
        });
        return first;
    }
    return {};
}

// The folder of the model, links resolved, and in `path` what the readers take. The name of a GGUF file is kept even
// when it is a link: in a cache of downloads the file behind it has none.
Result<void> resolve(FileSystem& files, const Path& path, ModelFiles& model) {
    if (path.empty()) return fail(ErrorCode::InvalidArgument, "no path was given");
    TRY_ASSIGN(const FileEntry entry, files.stat(path));
    if (!entry.isDirectory && path.extension() != ".gguf")
        return fail(
            ErrorCode::InvalidArgument,
            path.string() + " is a file; give a .gguf file or the folder that holds config.json and the weights",
            path.string());
    std::error_code cause;
    model.folder =
        std::filesystem::canonical(entry.isDirectory ? path : std::filesystem::absolute(path).parent_path(), cause);
    if (cause) return fail(ErrorCode::IoError, path.string() + ": " + cause.message(), path.string());
    model.path = entry.isDirectory ? model.folder : model.folder / path.filename();
    return {};
}

Result<Json> readJson(FileSystem& files, const Path& file) {
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxModelConfigBytes));
    return parseJson(text, file.filename().string());
}

std::map<Path, std::vector<DigestSlice>> slicesByFile(const std::vector<TensorEntry>& tensors) {
    std::map<Path, std::vector<DigestSlice>> files;
    for (const TensorEntry& entry : tensors)
        files[entry.file].push_back(
            {entry.name, entry.offset, entry.offset + static_cast<std::uint64_t>(entry.bytes), entry.dtype});
    // An empty tensor lies before its neighbour.
    for (auto& [file, slices] : files)
        std::ranges::sort(slices, {}, [](const DigestSlice& slice) { return std::pair(slice.begin, slice.end); });
    return files;
}

// The type of the weights, or "mixed"; integers are buffers that some folders keep beside them. Of a quantised model
// the types of its blocks, the one with most bytes first: "q4_k+q6_k".
std::string dtypeOf(const std::vector<TensorEntry>& tensors) {
    std::map<DType, std::int64_t> plain, blocks;
    for (const TensorEntry& tensor : tensors) {
        if (isBlock(tensor.dtype)) blocks[tensor.dtype] += tensor.bytes;
        if (tensor.dtype == DType::F32 || tensor.dtype == DType::BF16 || tensor.dtype == DType::F16)
            plain[tensor.dtype] += tensor.bytes;
    }
    if (blocks.empty())
        return plain.empty() ? "" : plain.size() > 1 ? "mixed" : std::string(dtypeName(plain.begin()->first));
    std::vector<std::pair<std::int64_t, DType>> bySize;
    for (const auto& [dtype, bytes] : blocks) bySize.emplace_back(-bytes, dtype);
    std::ranges::sort(bySize);
    std::string names;
    for (const auto& [bytes, dtype] : bySize) names += (names.empty() ? "" : "+") + std::string(dtypeName(dtype));
    return names;
}

// Sorts what the folder holds into files that matter and files that stay behind.
Result<void> collectFiles(FileSystem& files, ModelFiles& model) {
    auto weights = slicesByFile(model.tensors);
    const auto take = [&](const FileEntry& entry) -> Result<void> {
        std::string name = entry.path.lexically_relative(model.folder).generic_string();
        ModelFile file{name, entry.bytes, entry.modifiedNs, {}};
        if (const auto slices = weights.find(entry.path); slices != weights.end()) {
            file.slices = std::move(slices->second);
        } else if (entry.bytes > kMaxSideFileBytes) {
            return fail(ErrorCode::TooLarge,
                        name + " has " + std::to_string(entry.bytes) + " bytes, at most " +
                            std::to_string(kMaxSideFileBytes) + " are read",
                        name);
        } else if (isDigestFile(name)) {
            file.slices = {{"", 0, entry.bytes, DType::U8}};
        }
        model.files.push_back(std::move(file));
        return {};
    };
    const auto stageConfig = [&](const FileEntry& entry, const std::string& name) -> std::optional<FileEntry> {
        if (!entry.isDirectory || !isStageFolder(name)) return std::nullopt;
        const auto config = files.stat(entry.path / "config.json");
        return config && config->isRegular ? std::optional(*config) : std::nullopt;
    };
    TRY_ASSIGN(const auto entries, files.list(model.folder));
    for (const FileEntry& entry : entries) {
        const std::string name = entry.path.filename().string();
        if (entry.isRegular && (weights.contains(entry.path) || isKept(name))) {
            TRY(take(entry));
        } else if (const auto config = stageConfig(entry, name)) {
            TRY(take(*config));
        } else {
            model.leftOut.push_back(name + (entry.isDirectory ? "/" : ""));
        }
    }
    return {};
}

// Of a GGUF file its shards and nothing beside them; of a folder with one what any folder brings.
Result<void> collectGgufFiles(FileSystem& files, const std::vector<GgufShard>& shards, ModelFiles& model) {
    if (model.path == model.folder) {
        TRY(collectFiles(files, model));
    } else {
        auto slices = slicesByFile(model.tensors);
        for (const GgufShard& shard : shards) {
            TRY_ASSIGN(const FileEntry entry, files.stat(shard.path));
            model.files.push_back(
                {shard.path.filename().string(), entry.bytes, entry.modifiedNs, std::move(slices[shard.path])});
        }
    }
    for (ModelFile& file : model.files)
        if (file.name == shards.front().path.filename().string())
            file.slices.insert(file.slices.begin(), {"", 0, shards.front().keysEnd, DType::U8});
    return {};
}

Result<void> readWeights(const TensorSource& source, ModelFiles& model) {
    TRY_ASSIGN(WeightReport weights, checkWeights(model.spec, source));
    model.tensors = source.tensors();
    model.parameters = weights.parameters;
    model.tensorBytes = weights.bytes;
    std::ranges::move(weights.warnings, std::back_inserter(model.warnings));
    model.dtype = dtypeOf(model.tensors);
    return {};
}

Result<void> readText(FileSystem& files, ModelFiles& model) {
    TRY_ASSIGN(const TextModel text, loadTextModel(files, model.path));
    model.hasTokenizer = text.tokenizer != nullptr;
    model.tokenizer = text.kind;
    model.hasChatTemplate = text.chatTemplate != nullptr;
    model.chatTemplate = text.chatTemplateSource;
    if (!text.tokenizer)
        model.warnings.push_back("the model has no tokenizer: it takes token ids and gives token ids");
    else if (text.tokenizer->vocabularySize() > model.spec.vocabulary)
        model.warnings.push_back("the tokenizer has ids up to " + std::to_string(text.tokenizer->vocabularySize() - 1) +
                                 ", the embedding has " + std::to_string(model.spec.vocabulary) +
                                 " rows: ids beyond it are an error when used");
    return {};
}

}  // namespace

std::uint64_t ModelFiles::allBytes() const {
    std::uint64_t sum = 0;
    for (const ModelFile& file : files) sum += file.bytes;
    return sum;
}

namespace {

Result<void> readGeneration(FileSystem& files, ModelFiles& model) {
    if (model.path != model.folder || !files.exists(model.folder / "generation_config.json")) return {};
    TRY_ASSIGN(const Json generation, readJson(files, model.folder / "generation_config.json"));
    TRY_ASSIGN(const GenerationDefaults defaults,
               mergeGenerationConfig(generation, "generation_config.json", model.spec));
    model.warnings = defaults.warnings;
    return {};
}

Result<void> readFolder(FileSystem& files, ModelFiles& model) {
    if (!files.exists(model.folder / "config.json"))
        return fail(ErrorCode::NotFound, model.folder.string() + " has no config.json: it is not a model folder",
                    model.folder.string());
    TRY_ASSIGN(const Json config, readJson(files, model.folder / "config.json"));
    TRY_ASSIGN(model.spec, archSpecFromConfig(config, "config.json"));
    TRY(readGeneration(files, model));
    TRY_ASSIGN(const auto source, openModelFolder(files, model.folder));
    TRY(readWeights(*source, model));
    TRY(collectFiles(files, model));
    model.licence = licenceOf(files, model.folder, model.files);
    return {};
}

// Weights that this program wrote mean the folder they lie in, where the config.json is.
Result<void> takeFolder(FileSystem& files, const GgufModel& gguf, ModelFiles& model) {
    TRY_ASSIGN(const auto weights, findGguf(files, model.folder));
    if (weights != gguf.shards.front().path)
        return fail(ErrorCode::InvalidArgument,
                    model.path.filename().string() + " belongs to the config.json beside it, but the folder " +
                        model.folder.string() + " holds other weights, too: import the folder without those",
                    model.path.string());
    model.path = model.folder;
    model.suggestedName = suggestedModelName(model.folder);
    return {};
}

Error missingInGguf(const Path& file, const ArchSpec& spec, Error error) {
    const std::string name = file.filename().string();
    return fail(ErrorCode::MissingTensor,
                name + ": the tensor " + ggufTensorName(*familyNamed(spec.family), error.where) + " is missing", name);
}

Result<void> readGguf(FileSystem& files, const Path& file, ModelFiles& model) {
    TRY_ASSIGN(const GgufModel gguf, openGgufModel(files, file));
    if (gguf.isOfFolder && model.path != model.folder) TRY(takeFolder(files, gguf, model));
    model.spec = gguf.spec;
    TRY(readGeneration(files, model));
    auto weights = readWeights(*gguf.tensors, model);
    if (!weights && weights.error().code == ErrorCode::MissingTensor && !gguf.isOfFolder)
        return missingInGguf(file, model.spec, std::move(weights).error());
    TRY(std::move(weights));
    TRY(collectGgufFiles(files, gguf.shards, model));
    model.licence = gguf.licence.empty() ? licenceOf(files, model.folder, model.files) : gguf.licence;
    return {};
}

}  // namespace

Result<ModelFiles> readModelFiles(FileSystem& files, const Path& path) {
    ModelFiles model;
    TRY(resolve(files, path, model));
    model.suggestedName = suggestedModelName(model.path);
    TRY_ASSIGN(const auto gguf, findGguf(files, model.path));
    TRY(gguf ? readGguf(files, *gguf, model) : readFolder(files, model));
    TRY(readText(files, model));
    return model;
}

Json toJson(const std::vector<DigestPart>& parts) {
    Json list = Json::array();
    for (const DigestPart& part : parts)
        list.push_back({{"file", part.file}, {"tensor", part.tensor}, {"sha256", hex(part.sha256)}});
    return list;
}

Result<std::vector<DigestPart>> digestPartsFromJson(const Json& json, std::string_view where) {
    std::vector<DigestPart> parts;
    for (const Json& item : json) {
        const JsonReader reader(item, std::string(where));
        DigestPart& part = parts.emplace_back();
        TRY_ASSIGN(part.file, reader.string("file"));
        TRY_ASSIGN(part.tensor, reader.string("tensor"));
        TRY_ASSIGN(const std::string digits, reader.string("sha256"));
        const auto nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
        const bool isHex = digits.size() == 64 && std::ranges::all_of(digits, [](char c) {
                               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                           });
        if (!isHex) return reader.wrong("sha256", "64 hexadecimal digits");
        for (std::size_t i = 0; i < part.sha256.size(); ++i)
            part.sha256[i] = static_cast<std::uint8_t>(nibble(digits[2 * i]) * 16 + nibble(digits[2 * i + 1]));
    }
    return parts;
}

Result<std::string> combineDigest(const ModelFiles& model, const std::vector<DigestPart>& parts, int version) {
    std::map<std::string_view, const TensorEntry*> entries;
    for (const TensorEntry& entry : model.tensors) entries[entry.name] = &entry;
    ModelDigest digest;
    std::size_t tensors = 0;
    for (const DigestPart& part : parts) {
        if (part.isWholeFile()) {
            const bool isGguf = part.file.ends_with(".gguf");
            if (isGguf || isDigestFile(part.file, version))
                digest.addFile(isGguf ? std::string(kGgufKeys) : part.file, part.sha256);
        } else if (const auto found = entries.find(part.tensor); found != entries.end()) {
            digest.addTensor(*found->second, part.sha256);
            ++tensors;
        }
    }
    if (tensors != model.tensors.size())
        return fail(ErrorCode::Internal, "the digest covers " + std::to_string(tensors) + " of " +
                                             std::to_string(model.tensors.size()) + " tensors");
    return digest.finish(version);
}

namespace {

bool isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

}  // namespace

Result<void> checkModelName(std::string_view name) {
    const std::string quoted = "the model name \"" + std::string(name.substr(0, kMaxNameLength)) + "\" ";
    if (name.empty()) return fail(ErrorCode::InvalidArgument, "a model name cannot be empty");
    if (name.size() > kMaxNameLength)
        return fail(ErrorCode::InvalidArgument, quoted + "... has " + std::to_string(name.size()) +
                                                    " characters, at most " + std::to_string(kMaxNameLength) +
                                                    " are allowed");
    if (!std::ranges::all_of(name, isNameCharacter))
        return fail(ErrorCode::InvalidArgument, quoted + "may hold only letters, digits, '.', '_' and '-'");
    if (name.front() == '.' || name.front() == '-')
        return fail(ErrorCode::InvalidArgument, quoted + "may not start with '" + name.front() + "'");
    return {};
}

std::string modelNameWith(std::string_view name, std::string_view suffix) {
    return std::string(name.substr(0, kMaxNameLength - suffix.size())) + std::string(suffix);
}

std::string modelNameFrom(std::string_view text) {
    std::string name;
    for (const char c : text.substr(0, kMaxNameLength)) name += isNameCharacter(c) ? c : '-';
    const std::size_t first = name.find_first_not_of(".-");
    name = first == std::string::npos ? "" : name.substr(first);
    return name.empty() ? "model" : name;
}

// A cache of downloads names its folders models--maker--name/snapshots/<revision>.
std::string suggestedModelName(const Path& given) {
    const Path path = given.has_filename() ? given : given.parent_path();
    if (path.extension() == ".gguf") {
        const auto shard = shardNameOf(path);
        return modelNameFrom(shard ? shard->stem : path.stem().string());
    }
    const Path snapshots = path.parent_path();
    const std::string repository = snapshots.parent_path().filename().string();
    if (snapshots.filename() == "snapshots" && repository.starts_with("models--"))
        return modelNameFrom(repository.substr(repository.rfind("--") + 2));
    return modelNameFrom(path.filename().string());
}

}  // namespace espalier
