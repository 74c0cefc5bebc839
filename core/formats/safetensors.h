// SPDX-License-Identifier: GPL-3.0-or-later
// The safetensors container, read strictly. One file:
//
//   byte 0      u64 little endian: N, the length of the header (2 <= N <= kMaxSafetensorsHeader, 8 + N <= file size)
//   byte 8      N bytes of JSON: {"name": {"dtype": "BF16", "shape": [4, 6], "data_offsets": [begin, end]}, ...},
//               and optionally "__metadata__": {"key": "string", ...}; it starts with '{' and may end in spaces
//   byte 8+N    the data: offsets count from here; the tensors cover it without overlap, hole or trailing byte
//
// Thread: any; no state.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/formats/tensor_source.h"

namespace espalier {

constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;  // what the published reader allows
constexpr std::size_t kMaxSafetensors = 1 << 16;              // tensors of a model, as of GGUF files
constexpr std::size_t kMaxSafetensorsName = 512;              // bytes, as of GGUF files

// The header of a file of `fileBytes`, checked; entries sorted by name. `head` is the whole file, or its first 8 + N
// bytes. `file` is put into the entries and names the file in messages. Errors: corrupt_file (structure), unsupported
// (an element type that is not read), too_large.
Result<std::vector<TensorEntry>> readSafetensorsHeader(std::span<const std::byte> head, std::uint64_t fileBytes,
                                                       const Path& file);

// Opens, reads the header and nothing more.
struct SafetensorsFile {
    std::vector<TensorEntry> tensors;
    OpenFile open;
};
Result<SafetensorsFile> openSafetensorsFile(FileSystem& files, const Path& file);

}  // namespace espalier
