// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>

#include "core/formats/generation_config.h"
#include "core/models/transformer.h"
#include "core/tokenizer/text_model.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxSideFileBytes = 256ull << 20;
constexpr std::uint64_t kMaxTextBytes = 16ull << 20;
constexpr std::size_t kChunkBytes = 1u << 20;
constexpr std::size_t kMaxNameLength = 96;

// Beside what makes the digest: files that describe the model to people or say how to pool its outputs.
constexpr std::array<std::string_view, 4> kKeptFiles = {"model.safetensors.index.json", "sentence_bert_config.json",
                                                        "config_sentence_transformers.json", "modules.json"};
constexpr std::array<std::string_view, 7> kKeptStems = {"README",    "LICENSE",       "LICENCE",   "NOTICE",
                                                        "tokenizer", "chat_template", "USE_POLICY"};

bool isDigestFile(std::string_view name) {
    return std::ranges::find(modelSideFiles(), name) != modelSideFiles().end();
}

bool isKept(std::string_view name) {
    if (isDigestFile(name) || std::ranges::find(kKeptFiles, name) != kKeptFiles.end()) return true;
    return std::ranges::any_of(kKeptStems, [&](std::string_view stem) { return name.starts_with(stem); });
}

// "1_Pooling": how sentence encoders name the folders of their stages.
bool isStageFolder(std::string_view name) {
    return name.size() > 2 && std::isdigit(static_cast<unsigned char>(name[0])) && name[1] == '_';
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

Result<Path> resolveFolder(FileSystem& files, const Path& path) {
    if (path.empty()) return fail(ErrorCode::InvalidArgument, "no path was given");
    TRY_ASSIGN(const FileEntry entry, files.stat(path));
    if (!entry.isDirectory) {
        const bool isGguf = path.extension() == ".gguf";
        return fail(
            isGguf ? ErrorCode::Unsupported : ErrorCode::InvalidArgument,
            path.string() + (isGguf ? " is a GGUF file; this version imports folders with config.json and safetensors"
                                    : " is a file; give the folder that holds config.json and the weights"),
            path.string());
    }
    std::error_code cause;
    Path folder = std::filesystem::canonical(path, cause);
    if (cause) return fail(ErrorCode::IoError, path.string() + ": " + cause.message(), path.string());
    return folder;
}

Result<Json> readJson(FileSystem& files, const Path& file) {
    TRY_ASSIGN(const std::string text, files.readText(file, kMaxTextBytes));
    return parseJson(text, file.filename().string());
}

// Tensors of one file lie without holes up to its end (the reader made sure), so their order gives their offsets.
std::vector<DigestSlice> tensorSlices(const TensorSource& source, const Path& file, std::uint64_t fileBytes) {
    std::vector<const TensorEntry*> entries;
    for (const TensorEntry& entry : source.tensors())
        if (entry.file == file) entries.push_back(&entry);
    std::ranges::sort(entries, {}, [&](const TensorEntry* entry) {
        return std::pair(source.bytes(*entry).data(), entry->bytes);  // an empty tensor lies before its neighbour
    });
    std::uint64_t begin = fileBytes;
    for (const TensorEntry* entry : entries) begin -= static_cast<std::uint64_t>(entry->bytes);
    std::vector<DigestSlice> slices;
    for (const TensorEntry* entry : entries) {
        const std::uint64_t end = begin + static_cast<std::uint64_t>(entry->bytes);
        slices.push_back({entry->name, begin, end});
        begin = end;
    }
    return slices;
}

// Of the weights: integers are buffers that some folders keep beside them.
std::string dtypeOf(const std::vector<TensorEntry>& tensors) {
    std::string found;
    for (const TensorEntry& tensor : tensors) {
        if (tensor.dtype != DType::F32 && tensor.dtype != DType::BF16 && tensor.dtype != DType::F16) continue;
        const std::string_view name = dtypeName(tensor.dtype);
        if (!found.empty() && found != name) return "mixed";
        found = name;
    }
    return found;
}

// Sorts what the folder holds into files that matter and files that stay behind.
Result<void> collectFiles(FileSystem& files, const TensorSource& source, ModelFiles& model) {
    std::set<Path> weights;
    for (const TensorEntry& entry : source.tensors()) weights.insert(entry.file);
    const auto take = [&](const FileEntry& entry) -> Result<void> {
        std::string name = entry.path.lexically_relative(model.folder).generic_string();
        ModelFile file{name, entry.bytes, entry.modifiedNs, {}};
        if (weights.contains(entry.path)) {
            file.slices = tensorSlices(source, entry.path, entry.bytes);
        } else if (entry.bytes > kMaxSideFileBytes) {
            return fail(ErrorCode::TooLarge,
                        name + " has " + std::to_string(entry.bytes) + " bytes, at most " +
                            std::to_string(kMaxSideFileBytes) + " are read",
                        name);
        } else if (isDigestFile(name)) {
            file.slices = {{"", 0, entry.bytes}};
        }
        model.files.push_back(std::move(file));
        return {};
    };
    TRY_ASSIGN(const auto entries, files.list(model.folder));
    for (const FileEntry& entry : entries) {
        const std::string name = entry.path.filename().string();
        if (entry.isRegular && (weights.contains(entry.path) || isKept(name))) {
            TRY(take(entry));
        } else if (entry.isDirectory && isStageFolder(name) && files.exists(entry.path / "config.json")) {
            TRY_ASSIGN(const FileEntry config, files.stat(entry.path / "config.json"));
            TRY(take(config));
        } else {
            model.leftOut.push_back(name + (entry.isDirectory ? "/" : ""));
        }
    }
    return {};
}

Result<void> readText(FileSystem& files, ModelFiles& model) {
    TRY_ASSIGN(const TextModel text, loadTextModel(files, model.folder));
    model.hasTokenizer = text.tokenizer != nullptr;
    model.tokenizer = text.kind;
    model.hasChatTemplate = text.chatTemplate != nullptr;
    if (!text.tokenizer)
        model.warnings.push_back("the folder has neither tokenizer.json nor tokenizer.model: the model takes token ids and gives token ids");
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

Result<ModelFiles> readModelFiles(FileSystem& files, const Path& folder) {
    ModelFiles model;
    TRY_ASSIGN(model.folder, resolveFolder(files, folder));
    if (!files.exists(model.folder / "config.json"))
        return fail(ErrorCode::NotFound, model.folder.string() + " has no config.json: it is not a model folder",
                    model.folder.string());
    TRY_ASSIGN(const Json config, readJson(files, model.folder / "config.json"));
    TRY_ASSIGN(model.spec, archSpecFromConfig(config, "config.json"));
    if (files.exists(model.folder / "generation_config.json")) {
        TRY_ASSIGN(const Json generation, readJson(files, model.folder / "generation_config.json"));
        TRY(mergeGenerationConfig(generation, "generation_config.json", model.spec));
    }
    TRY_ASSIGN(const auto source, openModelFolder(files, model.folder));
    TRY_ASSIGN(WeightReport weights, checkWeights(model.spec, *source));
    model.tensors = source->tensors();
    model.parameters = weights.parameters;
    model.tensorBytes = weights.bytes;
    model.warnings = std::move(weights.warnings);
    model.dtype = dtypeOf(model.tensors);
    model.suggestedName = suggestedModelName(model.folder);
    TRY(readText(files, model));
    TRY(collectFiles(files, *source, model));
    model.licence = licenceOf(files, model.folder, model.files);
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

namespace {

// Feeds the bytes of a file in order to the slices they belong to.
class SliceHasher {
public:
    explicit SliceHasher(const ModelFile& file) : m_file(file) {}

    void feed(std::uint64_t offset, std::span<const std::byte> bytes) {
        const std::uint64_t end = offset + bytes.size();
        for (; m_next < m_file.slices.size(); ++m_next) {
            const DigestSlice& slice = m_file.slices[m_next];
            const std::uint64_t from = std::max(offset, slice.begin);
            const std::uint64_t to = std::min(end, slice.end);
            if (from < to) m_hash.update(bytes.subspan(from - offset, to - from));
            if (slice.end > end) return;
            m_parts.push_back({m_file.name, slice.tensor, m_hash.finish()});
            m_hash = Sha256();
        }
    }
    std::vector<DigestPart> take() {
        feed(m_file.bytes, {});  // slices of no bytes at the very end
        return std::move(m_parts);
    }

private:
    const ModelFile& m_file;
    std::size_t m_next = 0;
    Sha256 m_hash;
    std::vector<DigestPart> m_parts;
};

Error sourceChanged(const Path& path) {
    return fail(ErrorCode::IoError,
                path.string() + " was changed while it was being read; try again when it is complete", path.string());
}

Result<void> checkUnchanged(FileSystem& files, const Path& path, const ModelFile& file) {
    TRY_ASSIGN(const FileEntry now, files.stat(path));
    if (now.bytes != file.bytes || now.modifiedNs != file.modifiedNs) return sourceChanged(path);
    return {};
}

}  // namespace

Result<std::vector<DigestPart>> hashModelFile(FileSystem& files, const Path& folder, const ModelFile& file,
                                              const std::optional<Path>& target, std::stop_token stop,
                                              const std::function<void(std::uint64_t newBytes)>& progress) {
    const Path path = folder / file.name;
    TRY(checkUnchanged(files, path, file));
    TRY_ASSIGN(const auto reader, files.open(path));
    std::unique_ptr<WritableFile> writer;
    const Path unfinished = target ? target->string() + ".part" : "";
    if (target) {
        TRY_ASSIGN(writer, files.create(unfinished));
    }
    SliceHasher hasher(file);
    std::vector<std::byte> chunk(static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, file.bytes)));
    for (std::uint64_t offset = 0; offset < file.bytes; offset += chunk.size()) {
        if (stop.stop_requested()) return fail(ErrorCode::Cancelled, "reading " + path.string() + " was stopped");
        chunk.resize(static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), file.bytes - offset)));
        TRY_ASSIGN(const std::size_t got, reader->read(offset, chunk));
        if (got != chunk.size()) return sourceChanged(path);
        hasher.feed(offset, chunk);
        if (writer) TRY(writer->append(chunk));
        progress(chunk.size());
    }
    TRY(checkUnchanged(files, path, file));
    if (writer) {
        TRY(writer->sync());
        TRY(writer->close());
        TRY(files.rename(unfinished, *target));
    }
    return hasher.take();
}

Result<std::string> combineDigest(const ModelFiles& model, const std::vector<DigestPart>& parts) {
    std::map<std::string_view, const TensorEntry*> entries;
    for (const TensorEntry& entry : model.tensors) entries[entry.name] = &entry;
    ModelDigest digest;
    std::size_t tensors = 0;
    for (const DigestPart& part : parts) {
        if (part.tensor.empty()) {
            digest.addFile(part.file, part.sha256);
        } else if (const auto found = entries.find(part.tensor); found != entries.end()) {
            digest.addTensor(*found->second, part.sha256);
            ++tensors;
        }
    }
    if (tensors != model.tensors.size())
        return fail(ErrorCode::Internal, "the digest covers " + std::to_string(tensors) + " of " +
                                             std::to_string(model.tensors.size()) + " tensors");
    return digest.finish();
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

std::string modelNameFrom(std::string_view text) {
    std::string name;
    for (const char c : text.substr(0, kMaxNameLength)) name += isNameCharacter(c) ? c : '-';
    const std::size_t first = name.find_first_not_of(".-");
    name = first == std::string::npos ? "" : name.substr(first);
    return name.empty() ? "model" : name;
}

// A cache of downloads names its folders models--maker--name/snapshots/<revision>.
std::string suggestedModelName(const Path& folder) {
    const Path path = folder.has_filename() ? folder : folder.parent_path();
    const Path snapshots = path.parent_path();
    const std::string repository = snapshots.parent_path().filename().string();
    if (snapshots.filename() == "snapshots" && repository.starts_with("models--"))
        return modelNameFrom(repository.substr(repository.rfind("--") + 2));
    return modelNameFrom(path.filename().string());
}

}  // namespace espalier
