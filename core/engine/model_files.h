// SPDX-License-Identifier: GPL-3.0-or-later
// ModelFiles: a folder or GGUF file from outside, understood before a byte of it is copied. Which files matter, which
// stay behind, what the model is, and where in each file the bytes lie that make its digest. Import, verify and the
// import dialog's preview all start here.
//
// Plain values and free functions. Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_system.h"
#include "core/base/json.h"
#include "core/formats/arch_spec.h"
#include "core/formats/digest.h"
#include "core/formats/tensor_source.h"

namespace espalier {

// Bytes [begin, end) of a file that the digest knows under a name: a tensor, or (no tensor) the whole side file.
// Of a GGUF file the slice without a name is its keys. Readers refuse tensors whose name is empty.
struct DigestSlice {
    std::string tensor;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    DType dtype = DType::U8;  // of the tensor
};

struct ModelFile {
    std::string name;  // below the folder: "config.json", "1_Pooling/config.json"
    std::uint64_t bytes = 0;
    std::int64_t modifiedNs = 0;
    std::vector<DigestSlice> slices;  // ascending, disjoint; none for files the digest does not cover (README)
};

struct ModelFiles {
    Path folder;  // absolute, links resolved; where `files` are
    Path path;    // what the readers take: the folder, or a GGUF file in it
    std::string suggestedName;
    ArchSpec spec;
    std::vector<TensorEntry> tensors;
    std::int64_t parameters = 0;
    std::int64_t tensorBytes = 0;
    std::string dtype;    // "bf16", or "mixed"
    std::string licence;  // from the model card's front matter, else the first line of a licence file, else empty
    bool hasTokenizer = false;
    std::string tokenizer;  // for people
    bool hasChatTemplate = false;
    std::string chatTemplate;          // its source
    std::vector<ModelFile> files;      // by name
    std::vector<std::string> leftOut;  // names that are neither copied nor read
    std::vector<std::string> warnings;

    std::uint64_t allBytes() const;
};

// Reads headers and small files only: config, tensor names, shapes and dtypes, tokenizer, chat template, licence.
// Errors: those of the readers; not_found and unsupported say what the folder lacks or holds instead.
Result<ModelFiles> readModelFiles(FileSystem& files, const Path& path);

// A digest part as it is kept with a model: which bytes had which SHA-256.
struct DigestPart {
    std::string file;
    std::string tensor;  // empty: the whole file
    Sha256Digest sha256{};

    bool isWholeFile() const { return tensor.empty(); }
    bool operator==(const DigestPart&) const = default;
};
Json toJson(const std::vector<DigestPart>& parts);
Result<std::vector<DigestPart>> digestPartsFromJson(const Json& json, std::string_view where);

// The digest of the parts of all files; equal to digestModel() of the folder. Error internal: a part is missing.
Result<std::string> combineDigest(const ModelFiles& model, const std::vector<DigestPart>& parts,
                                  int version = kDigestVersion);

// Names are unique in a workspace and safe in paths, URLs and "model:adapter": letters, digits, '.', '_', '-', not
// starting with a dot or dash, at most 96.
Result<void> checkModelName(std::string_view name);
std::string modelNameFrom(std::string_view text);  // the nearest valid name
// Both, the name cut where they would be too long. Requires: a suffix of at most 16 characters that a name may hold.
std::string modelNameWith(std::string_view name, std::string_view suffix);
std::string suggestedModelName(const Path& path);  // from the folder's or GGUF file's name

}  // namespace espalier
