// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/formats/digest.h"

#include <algorithm>

#include "core/formats/gguf_model.h"

namespace espalier {
namespace {

constexpr std::uint64_t kMaxSideFileBytes = 256ull << 20;
constexpr std::string_view kMagic = "espalier-model-digest-";
constexpr std::string_view kPoolingFile = "sentence_bert_config.json";
constexpr std::array<std::string_view, 15> kSideFiles = {"config.json",
                                                         "generation_config.json",
                                                         "tokenizer.json",
                                                         "tokenizer_config.json",
                                                         "special_tokens_map.json",
                                                         "added_tokens.json",
                                                         "chat_template.jinja",
                                                         "chat_template.json",
                                                         "tokenizer.model",
                                                         "spiece.model",
                                                         "sentencepiece.bpe.model",
                                                         "vocab.json",
                                                         "merges.txt",
                                                         "vocab.txt",
                                                         "modules.json"};

void putNumber(Sha256& hash, std::uint64_t value) {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(value >> (8 * i));
    hash.update(bytes);
}

void putText(Sha256& hash, std::string_view text) {
    putNumber(hash, text.size());
    hash.update(text);
}

}  // namespace

void ModelDigest::addTensor(const TensorEntry& tensor, const Sha256Digest& data) {
    CHECK(m_tensors.emplace(tensor.name, Tensor{tensor.dtype, tensor.shape, data}).second);
}

void ModelDigest::addFile(std::string_view name, const Sha256Digest& content) {
    CHECK(m_files.emplace(name, content).second);
}

std::string ModelDigest::finish(int version) const {
    Sha256 hash;
    hash.update(std::string(kMagic) + std::to_string(version) + "\n");
    putNumber(hash, m_files.size());
    for (const auto& [name, content] : m_files) {
        putText(hash, name);
        hash.update(std::as_bytes(std::span(content)));
    }
    putNumber(hash, m_tensors.size());
    for (const auto& [name, tensor] : m_tensors) {
        putText(hash, name);
        putText(hash, dtypeName(tensor.dtype));
        putNumber(hash, tensor.shape.size());
        for (const std::int64_t size : tensor.shape) putNumber(hash, static_cast<std::uint64_t>(size));
        hash.update(std::as_bytes(std::span(tensor.data)));
    }
    return "sha256:" + hash.finishHex();
}

bool isStageFolder(std::string_view name) {
    return name.size() > 2 && name[0] >= '0' && name[0] <= '9' && name[1] == '_' &&
           name.find('/') == std::string_view::npos;
}

bool isDigestFile(std::string_view name, int version) {
    if (std::ranges::find(kSideFiles, name) != kSideFiles.end()) return true;
    if (version < 2) return false;
    constexpr std::string_view kConfig = "/config.json";
    return name == kPoolingFile ||
           (name.ends_with(kConfig) && isStageFolder(name.substr(0, name.size() - kConfig.size())));
}

bool isDigestFile(std::string_view name) {
    return isDigestFile(name, kDigestVersion);
}

namespace {

Result<void> addFiles(FileSystem& files, const Path& folder, const Path& below, ModelDigest& digest) {
    TRY_ASSIGN(const auto entries, files.list(folder / below));
    for (const FileEntry& entry : entries) {
        const Path name = below / entry.path.filename();
        if (entry.isDirectory && below.empty() && isStageFolder(name.string()))
            TRY(addFiles(files, folder, name, digest));
        if (!entry.isRegular || !isDigestFile(name.generic_string())) continue;
        TRY_ASSIGN(const std::string content, files.readText(entry.path, kMaxSideFileBytes));
        Sha256 hash;
        hash.update(content);
        digest.addFile(name.generic_string(), hash.finish());
    }
    return {};
}

}  // namespace

Result<std::string> digestModel(FileSystem& files, const Path& path, const TensorSource& tensors, std::stop_token stop,
                                const std::function<void(std::int64_t doneBytes)>& progress) {
    ModelDigest digest;
    TRY_ASSIGN(const auto gguf, findGguf(files, path));
    if (gguf) {
        TRY_ASSIGN(const GgufFile first, openFirstGgufShard(files, *gguf));
        Sha256 hash;
        hash.update(std::span(first.head).first(first.header.keysEnd));
        digest.addFile(kGgufKeys, hash.finish());
    }
    if (gguf != path) TRY(addFiles(files, path, {}, digest));  // of a file it alone, whatever lies beside it
    std::int64_t done = 0;
    for (const TensorEntry& entry : tensors.tensors()) {
        Sha256 hash;
        TRY(readInPieces(tensors, entry, stop, [&](std::span<const std::byte> piece) -> Result<void> {
            hash.update(piece);
            done += static_cast<std::int64_t>(piece.size());
            if (progress) progress(done);
            return {};
        }));
        digest.addTensor(entry, hash.finish());
    }
    return digest.finish();
}

}  // namespace espalier
