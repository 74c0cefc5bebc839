// SPDX-License-Identifier: GPL-3.0-or-later
// A GGUF file as a model: its shards as one TensorSource under the names of the family table, and the ArchSpec its keys
// give. Thread: any; values.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/formats/arch_spec.h"
#include "core/formats/gguf.h"

namespace espalier {

// The GGUF file a path means: the path itself, or in a folder without safetensors weights the only GGUF model (its
// first shard; a file that is called a shard and stands alone is one whole file). Nothing: the path is a folder of
// another kind. Error invalid_argument: several models; give the file.
Result<std::optional<Path>> findGguf(FileSystem& files, const Path& path);

struct GgufShard {
    Path path;
    std::uint64_t keysEnd = 0;  // of the first shard, what its digest covers beside tensors
};

struct GgufModel {
    std::unique_ptr<TensorSource> tensors;
    ArchSpec spec;
    std::string licence;  // "general.license"
    std::vector<GgufShard> shards;
    bool isOfFolder = false;  // this program wrote it: the config.json beside it decides, so the model is the folder
};

// `file`: any shard ("name-00002-of-00003.gguf" finds the others beside it). Errors: those of readGgufHeader;
// not_found names the missing shard; unsupported names the architecture and lists those that are read.
Result<GgufModel> openGgufModel(FileSystem& files, const Path& file);

// The file whose keys count: `file`, or the first shard of its set.
Result<GgufFile> openFirstGgufShard(FileSystem& files, const Path& file);

// "llama-00001-of-00003.gguf" is part 1 of 3 of "llama".
struct ShardName {
    std::string stem;
    std::int64_t number = 0;  // from 1
    std::int64_t count = 0;
    std::string at(std::int64_t other) const;
};
std::optional<ShardName> shardNameOf(const Path& file);

}  // namespace espalier
