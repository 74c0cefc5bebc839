// SPDX-License-Identifier: GPL-3.0-or-later
// The identity of a model: one SHA-256 over its tensors and the files that say what it computes, the same for a copy, a
// link, one safetensors file or many. The hashed bytes, integers little endian, text as str = u64 length, then its
// bytes:
//
//   "espalier-model-digest-2\n"
//   u64 number of files, then for each file, sorted by name (bytes):
//       str name ("config.json", "1_Pooling/config.json"), 32 bytes SHA-256 of the content
//   u64 number of tensors, then for each tensor, sorted by name (bytes):
//       str name, str dtype ("bf16", as dtypeName spells it), u64 rank, u64 x rank shape, 32 bytes SHA-256 of the data
//
// Of a GGUF model a "file" called "gguf" are the keys of its first shard, everything before the tensor list (those that
// say how it is split, too), beside the files of its folder when a folder was given. Its tensors have the names of the
// family table and their bytes as the file stores them.
//
// Version 1 left out the files that say how an encoder pools; models imported by it keep their digests.
//
// Parts may be fed in any order as they are hashed, so that an importer hashes while it copies.
// Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

#include "core/base/hash.h"
#include "core/formats/tensor_source.h"

namespace espalier {

using Sha256Digest = std::array<std::uint8_t, 32>;

constexpr int kDigestVersion = 2;

class ModelDigest {
public:
    // Requires: each name is fed once.
    void addTensor(const TensorEntry& tensor, const Sha256Digest& data);
    void addFile(std::string_view name, const Sha256Digest& content);
    std::string finish(int version = kDigestVersion) const;  // "sha256:" and 64 lower-case digits

private:
    struct Tensor {
        DType dtype;
        std::vector<std::int64_t> shape;
        Sha256Digest data;
    };
    std::map<std::string, Tensor, std::less<>> m_tensors;
    std::map<std::string, Sha256Digest, std::less<>> m_files;
};

constexpr std::string_view kGgufKeys = "gguf";

// Files below a folder that say what its model computes (config, tokenizer, pooling); an importer copies them too.
bool isDigestFile(std::string_view name);
bool isDigestFile(std::string_view name, int version);
bool isStageFolder(std::string_view name);  // "1_Pooling": whose config.json is such a file

// The digest of a folder or GGUF file as it stands; reads everything. `progress` gets the bytes of tensors hashed so
// far.
// Errors: io_error, cancelled.
Result<std::string> digestModel(FileSystem& files, const Path& path, const TensorSource& tensors, std::stop_token stop,
                                const std::function<void(std::int64_t doneBytes)>& progress);

}  // namespace espalier
