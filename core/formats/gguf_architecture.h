// SPDX-License-Identifier: GPL-3.0-or-later
// What the keys of a GGUF file say about the model, in the house's terms: they are spelled as a config.json and go
// through the same family table. Tensor names become those of the table.
//
// How llama.cpp's converter stores some families differs from their folders, and is undone by marks, never by changing
// a value: "llama" has the rows of query and key heads reordered (TensorEntry::pairedHeads); "gpt2" has its projections
// as [out, in], like everyone else. Thread: any; no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/formats/arch_spec.h"
#include "core/formats/family.h"
#include "core/formats/gguf.h"

namespace espalier {

// Files that this program wrote: the tensors of the config.json beside them under its names, projections as [out, in].
constexpr std::string_view kEspalierArchitecture = "espalier";

struct GgufArchitecture {
    ArchSpec spec;
    const Family* family = nullptr;
    bool pairedRows = false;
};

// `tensors`: of all shards, sorted by name, as the file names them. Errors: unsupported names the architecture, rope
// scaling or the like and what is read; corrupt_file names the key.
Result<GgufArchitecture> readGgufArchitecture(const GgufKeys& keys, const std::vector<TensorEntry>& tensors);

// From the file's names ("blk.0.attn_q.weight") to those of the family table; unknown ones stay as they are.
Result<void> renameGgufTensors(const GgufArchitecture& architecture, std::vector<TensorEntry>& tensors);

// The way back, for messages; a name that GGUF does not spell stays.
std::string ggufTensorName(const Family& family, std::string_view name);

// "rope_freqs.weight" divides the frequencies of the spec (how GGUF stores the llama3 scaling).
Result<void> readRopeFactors(const TensorSource& tensors, ArchSpec& spec);

}  // namespace espalier
