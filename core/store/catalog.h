// SPDX-License-Identifier: GPL-3.0-or-later
// Catalog: the models of a workspace, those in use and those in the bin. Names are unique among the models in use,
// digests among all. Rows are plain columns; what the store does not understand (spec, warnings, parts) it keeps as
// JSON text.
//
// Owner: Workspace. Thread: any; changes wait for the Writer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/readers.h"
#include "core/store/tenant_store.h"
#include "core/store/writer.h"

namespace espalier {

struct CatalogRow {
    std::string id, name, digest, family, licence;
    std::int64_t parameters = 0;
    std::int64_t bytes = 0;
    std::string dtype, source, folder;
    bool linked = false;
    bool hasTokenizer = false;
    bool hasTemplate = false;
    std::int64_t context = 0;
    std::int64_t importedAt = 0;
    std::optional<std::int64_t> removedAt;
    std::string warnings;     // JSON array of sentences
    std::string spec;         // JSON of the ArchSpec
    std::string parts;        // JSON array of {file, tensor, sha256}: what the digest was made of
    std::string derivedFrom;  // digest of the model it was quantised from, or nothing

    bool operator==(const CatalogRow&) const = default;
};

class Catalog {
public:
    // writer: null for a workspace opened to be read only; changes are then error locked.
    Catalog(Readers& readers, Writer* writer) : m_readers(readers), m_writer(writer) {}

    Result<std::vector<CatalogRow>> all() const;  // by name, the bin included
    Result<std::optional<CatalogRow>> byDigest(std::string_view digest) const;

    Result<void> add(const CatalogRow& row);  // error already_exists names the row in the way
    Result<void> setRemoved(std::string_view id, std::optional<std::int64_t> removedAt);  // already_exists: name taken
    Result<void> rename(std::string_view id, std::string_view name);                      // already_exists
    // With its adapters. `tenants` are updated in the same transaction. false: it is not in the bin (any more), and
    // nothing has changed.
    Result<bool> eraseRemoved(std::string_view id, std::span<const TenantRow> tenants = {});

private:
    Readers& m_readers;
    Writer* m_writer;
};

}  // namespace espalier
