// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/import_checkpoint.h"

namespace espalier {

const ImportCheckpoint::File* ImportCheckpoint::find(const ModelFile& file) const {
    for (const File& one : files)
        if (one.name == file.name && one.bytes == file.bytes && one.modifiedNs == file.modifiedNs) return &one;
    return nullptr;
}

Json toJson(const ImportCheckpoint& done) {
    Json files = Json::array();
    for (const ImportCheckpoint::File& file : done.files)
        files.push_back({{"name", file.name},
                         {"bytes", file.bytes},
                         {"modified_ns", file.modifiedNs},
                         {"parts", toJson(file.parts)},
                         {"source_parts", toJson(file.sourceParts)},
                         {"non_finite", toJson(file.nonFinite)}});
    return {{"files", std::move(files)}, {"placed", done.placed}, {"derived_from", done.derivedFrom}};
}

Result<ImportCheckpoint> importCheckpointFromJson(const Json& json) {
    ImportCheckpoint done;
    if (json.is_null()) return done;
    const JsonReader reader(json, "the job's checkpoint");
    TRY_ASSIGN(done.placed, reader.string("placed"));
    TRY_ASSIGN(done.derivedFrom, reader.stringOr("derived_from", ""));
    const Json* files = reader.find("files");
    if (!files) return reader.wrong("files", "an array");
    for (const Json& item : *files) {
        const JsonReader entry(item, "the job's checkpoint");
        ImportCheckpoint::File& file = done.files.emplace_back();
        TRY_ASSIGN(file.name, entry.string("name"));
        TRY_ASSIGN(const std::int64_t bytes, entry.integer("bytes", 0, INT64_MAX));
        file.bytes = static_cast<std::uint64_t>(bytes);
        TRY_ASSIGN(file.modifiedNs, entry.integer("modified_ns", INT64_MIN, INT64_MAX));
        const Json* parts = entry.find("parts");
        if (!parts) return entry.wrong("parts", "an array");
        TRY_ASSIGN(file.parts, digestPartsFromJson(*parts, "the job's checkpoint"));
        if (const Json* source = entry.find("source_parts")) {
            TRY_ASSIGN(file.sourceParts, digestPartsFromJson(*source, "the job's checkpoint"));
        }
        if (const Json* nonFinite = entry.find("non_finite")) {
            TRY_ASSIGN(file.nonFinite, nonFiniteFromJson(*nonFinite, "the job's checkpoint"));
        }
    }
    return done;
}

}  // namespace espalier
