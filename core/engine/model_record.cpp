// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/model_record.h"

namespace espalier {

Result<ModelRecord> modelRecordOf(const CatalogRow& row) {
    ModelRecord record;
    record.id = row.id;
    record.name = row.name;
    record.digest = row.digest;
    record.family = row.family;
    record.licence = row.licence;
    record.parameters = row.parameters;
    record.bytes = row.bytes;
    record.dtype = row.dtype;
    record.source = row.source;
    record.folder = row.folder;
    record.linked = row.linked;
    record.derivedFrom = row.derivedFrom;
    record.hasTokenizer = row.hasTokenizer;
    record.hasChatTemplate = row.hasTemplate;
    record.context = static_cast<std::int32_t>(row.context);
    record.importedAt = row.importedAt;
    record.removedAt = row.removedAt;
    const std::string where = "catalog row of " + row.name;
    TRY_ASSIGN(const Json warnings, parseJson(row.warnings, where));
    for (const Json& warning : warnings)
        if (warning.is_string()) record.warnings.push_back(warning.get<std::string>());
    TRY_ASSIGN(const Json spec, parseJson(row.spec, where));
    TRY_ASSIGN(record.spec, archSpecFromJson(spec, where));
    return record;
}

std::string modelIdOf(std::string_view digest) {
    constexpr std::string_view kPrefix = "sha256:";
    CHECK(digest.starts_with(kPrefix));
    return "m-" + std::string(digest.substr(kPrefix.size(), 12));
}

}  // namespace espalier
