// SPDX-License-Identifier: GPL-3.0-or-later
// What an import and a verification learn from the bytes of a model's file in one reading: the SHA-256 of each part of
// the digest, and which tensors hold NaN or infinity. The caller's thread reads and writes, a second one hashes and
// counts; memory is a few megabytes.
//
// Free functions. Thread: any; everything that touches the disk, and `progress`, stays on the caller's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/engine/model_files.h"

namespace espalier {

struct NonFiniteTensor {
    std::string name;
    std::int64_t nan = 0;
    std::int64_t infinite = 0;
};
Json toJson(const std::vector<NonFiniteTensor>& tensors);
Result<std::vector<NonFiniteTensor>> nonFiniteFromJson(const Json& json, std::string_view where);

struct FileDigest {
    std::vector<DigestPart> parts;
    std::vector<NonFiniteTensor> nonFinite;  // only those that hold some
};

// Reads one file through, and writes it to `target` when one is given (next to it first, synced, then renamed: a file
// under its own name is whole). Never maps, so a file cut short meanwhile is an error, not a fault.
// Errors: cancelled; io_error when the file is not what readModelFiles saw; what reading and writing give.
Result<FileDigest> digestModelFile(FileSystem& files, const Path& folder, const ModelFile& file,
                                   const std::optional<Path>& target, std::stop_token stop,
                                   const std::function<void(std::uint64_t newBytes)>& progress);

// Error io_error: the file is not what readModelFiles saw.
Result<void> checkUnchanged(FileSystem& files, const Path& path, const ModelFile& file);

// io_error of a file that changes while it is read.
Error sourceChanged(const Path& path);

}  // namespace espalier
