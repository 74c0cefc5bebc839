// SPDX-License-Identifier: GPL-3.0-or-later
// TensorSource: named tensors of a model on disk, whatever the format. Data is mapped, not read: a view is valid while
// the source lives. Thread: any, const.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
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
    std::string location() const { return file.filename().string() + ": " + name; }  // for messages
};

class TensorSource {
public:
    virtual ~TensorSource() = default;
    virtual const std::vector<TensorEntry>& tensors() const = 0;  // sorted by name
    virtual const TensorEntry* find(std::string_view name) const = 0;
    // The raw bytes, little endian, row-major. Requires: the entry is of this source.
    virtual std::span<const std::byte> bytes(const TensorEntry& entry) const = 0;
};

// One file, strict: header length capped, JSON capped, known dtypes, no overlap, no hole, no trailing byte, no duplicate
// name, checked arithmetic. Errors name file and tensor, what was expected and found.
Result<std::unique_ptr<TensorSource>> openSafetensors(FileSystem& files, const Path& file);

// A model folder: model.safetensors, or model.safetensors.index.json with its shards (names inside the folder only,
// every tensor where the index says). Folders with pickle files only, GPTQ, AWQ and FP8 are refused by name.
Result<std::unique_ptr<TensorSource>> openModelFolder(FileSystem& files, const Path& folder);

}  // namespace espalier
