// SPDX-License-Identifier: GPL-3.0-or-later
// ImportCheckpoint: what an import has done, as the job log keeps it between two runs: the files that are whole under
// their own names, what was learned from their bytes, and where the model goes. Plain values. Thread: any.
#pragma once

#include <string>
#include <vector>

#include "core/engine/file_digest.h"

namespace espalier {

struct ImportCheckpoint {
    struct File {
        std::string name;
        std::uint64_t bytes = 0;
        std::int64_t modifiedNs = 0;
        std::vector<DigestPart> parts;
        std::vector<DigestPart> sourceParts;  // of what was read, when it was quantised
        std::vector<NonFiniteTensor> nonFinite;
    };
    std::vector<File> files;
    std::string derivedFrom;  // digest of the model that was quantised
    std::string placed;       // the model's id, once its folder may be under its final name and its row in the catalog

    const File* find(const ModelFile& file) const;  // as it was when it was read; nullptr when it changed since
};

Json toJson(const ImportCheckpoint& done);
// Null is an import that has done nothing. Error corrupt_file names the key; what earlier builds did not write is
// empty.
Result<ImportCheckpoint> importCheckpointFromJson(const Json& json);

}  // namespace espalier
