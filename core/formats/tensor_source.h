// SPDX-License-Identifier: GPL-3.0-or-later
// TensorSource: named tensors of a model on disk, whatever the format. Data is read piece by piece, never mapped: a
// file that somebody cuts short or takes away meanwhile is an error of the next read, not the end of the process.
// Thread: any, const.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_system.h"
#include "core/tensor/tensor_view.h"

namespace espalier {

struct TensorEntry {
    std::string name;
    DType dtype = DType::F32;
    std::vector<std::int64_t> shape;
    std::int64_t bytes = 0;
    Path file;
    std::uint64_t offset = 0;  // of the first byte, from the start of the file
    // > 0: the rows of each of so many heads lie with rotated pairs as neighbours, row 2i + a of a head in the file
    // being row a * rows / 2 + i of the model (GGUF "llama" and its query and key projections). Who packs reorders.
    std::int32_t pairedHeads = 0;
    std::string storedName = {};  // as the file says when it is not `name` (GGUF); else empty

    std::string location() const { return file.filename().string() + ": " + name; }  // for messages
    std::int64_t count() const;  // elements; the reader checked the product
};

class TensorSource {
public:
    virtual ~TensorSource() = default;
    virtual const std::vector<TensorEntry>& tensors() const = 0;  // sorted by name
    virtual const TensorEntry* find(std::string_view name) const = 0;
    // Raw bytes [offset, offset + into.size()) of the tensor: little endian, row-major. Requires: the entry is of this
    // source, the range inside it. Error io_error names the file and tensor when the file is not what it was.
    virtual Result<void> read(const TensorEntry& entry, std::uint64_t offset, std::span<std::byte> into) const = 0;
};

// All bytes of a tensor.
Result<std::vector<std::byte>> readTensor(const TensorSource& source, const TensorEntry& entry);

// The bytes of a tensor in order, in pieces that are whole elements or blocks, about a megabyte each.
// Errors: those of read(); cancelled; what `visit` gives.
Result<void> readInPieces(const TensorSource& source, const TensorEntry& entry, std::stop_token stop,
                          const std::function<Result<void>(std::span<const std::byte> piece)>& visit);

// Tensors that lie in one or several open files.
struct OpenFile {
    Path path;
    std::unique_ptr<ReadableFile> file;
};
// Requires: names differ, every entry's file is one of `files`.
std::unique_ptr<TensorSource> makeFileTensors(std::vector<TensorEntry> tensors, std::vector<OpenFile> files);

// One file, strict: header length capped, JSON capped, known dtypes, no overlap, no hole, no trailing byte, no
// duplicate name, checked arithmetic. Errors name file and tensor, what was expected and found.
Result<std::unique_ptr<TensorSource>> openSafetensors(FileSystem& files, const Path& file);

// A model as people keep it: a folder with model.safetensors, or model.safetensors.index.json and its shards (names
// inside the folder only, every tensor where the index says), or one GGUF model; or a GGUF file (any shard of a split
// one). Folders with pickle files only, GPTQ, AWQ, FP8 and others' packed weights are refused by name.
Result<std::unique_ptr<TensorSource>> openModelFolder(FileSystem& files, const Path& path);

}  // namespace espalier
