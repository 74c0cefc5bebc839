// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterCatalog: the adapters of a workspace. A name is unique among the adapters of one base; replacing an adapter's
// weights gives its row a new id, digest and version under the same name. Plain columns; targets and warnings are JSON
// text.
//
// Owner: Workspace. Thread: any; changes wait for the Writer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/store/readers.h"
#include "core/store/tenant_store.h"
#include "core/store/writer.h"

namespace espalier {

struct AdapterRow {
    std::string id, base, name, digest, kind;  // base: id of a model
    std::int64_t version = 1;
    std::int64_t rank = 0;
    std::string targets;  // JSON array of names
    std::int64_t bytes = 0;
    std::string dtype, source, trainedOn;
    std::int64_t importedAt = 0;
    std::string warnings;  // JSON array of sentences
    std::string tenant;    // whose it is; empty: everyone's

    bool operator==(const AdapterRow&) const = default;
};

struct AdapterChange {
    AdapterRow row;
    std::string replaced = {};  // id of the row in whose place it comes; empty: a new name
};

class AdapterCatalog {
public:
    // writer: null for a workspace opened to be read only; changes are then error locked.
    AdapterCatalog(Readers& readers, Writer* writer) : m_readers(readers), m_writer(writer) {}

    Result<std::vector<AdapterRow>> all() const;  // by base, then name
    // All of them, or none. Errors: already_exists, the name is taken; not_found, what a row replaces is gone.
    Result<void> put(std::span<const AdapterChange> changes);
    // `tenants` are updated in the same transaction. false: it was not there, and nothing has changed.
    Result<bool> erase(std::string_view id, std::span<const TenantRow> tenants = {});

private:
    Result<void> write(Writer::Write change);

    Readers& m_readers;
    Writer* m_writer;
};

}  // namespace espalier
