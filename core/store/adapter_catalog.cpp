// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/adapter_catalog.h"

namespace espalier {
namespace {

constexpr std::string_view kAdapterColumns =
    "id, base, name, digest, kind, version, rank, targets, bytes, dtype, source, trained_on, imported_at, warnings, "
    "tenant";

AdapterRow readAdapter(const Statement& row) {
    AdapterRow adapter;
    int column = 0;
    for (std::string* text : {&adapter.id, &adapter.base, &adapter.name, &adapter.digest, &adapter.kind})
        *text = row.text(column++);
    adapter.version = row.integer(column++);
    adapter.rank = row.integer(column++);
    adapter.targets = row.text(column++);
    adapter.bytes = row.integer(column++);
    for (std::string* text : {&adapter.dtype, &adapter.source, &adapter.trainedOn}) *text = row.text(column++);
    adapter.importedAt = row.integer(column++);
    adapter.warnings = row.text(column++);
    adapter.tenant = row.text(column);
    return adapter;
}

Result<std::vector<AdapterRow>> queryAdapters(Database& database, std::string_view rest,
                                              std::vector<SqlValue> values = {}) {
    TRY_ASSIGN(
        auto rows,
        database.prepare("SELECT " + std::string(kAdapterColumns) + " FROM adapters " + std::string(rest), values));
    std::vector<AdapterRow> adapters;
    for (;;) {
        TRY_ASSIGN(const bool found, rows.step());
        if (!found) return adapters;
        adapters.push_back(readAdapter(rows));
    }
}

Result<void> insert(Database& database, const AdapterRow& row) {
    TRY_ASSIGN(const auto taken, queryAdapters(database, "WHERE base=? AND name=?", {row.base, row.name}));
    if (!taken.empty())
        return fail(ErrorCode::AlreadyExists,
                    "this base already has an adapter named \"" + row.name +
                        "\": reload it from its new files, remove it, or choose another name",
                    row.name);
    return database.run(
        "INSERT INTO adapters(" + std::string(kAdapterColumns) + ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        {row.id, row.base, row.name, row.digest, row.kind, row.version, row.rank, row.targets, row.bytes, row.dtype,
         row.source, row.trainedOn, row.importedAt, row.warnings, row.tenant});
}

}  // namespace

Result<void> AdapterCatalog::write(Writer::Write change) {
    if (!m_writer) return fail(ErrorCode::Locked, "the workspace is open for reading only");
    return m_writer->write(std::move(change));
}

Result<std::vector<AdapterRow>> AdapterCatalog::all() const {
    return m_readers.read([](Database& database) { return queryAdapters(database, "ORDER BY base, name"); });
}

Result<void> AdapterCatalog::put(std::span<const AdapterChange> changes) {
    return write([changes](Database& database) -> Result<void> {
        for (const auto& [row, replaced] : changes) {
            if (!replaced.empty()) {
                TRY(database.run("DELETE FROM adapters WHERE id=?", {replaced}));
                if (database.changedRows() != 1)
                    return fail(ErrorCode::NotFound, "adapter \"" + row.name + "\" was removed meanwhile", row.name);
            }
            TRY(insert(database, row));
        }
        return {};
    });
}

Result<bool> AdapterCatalog::erase(std::string_view id, std::span<const TenantRow> tenants) {
    bool isErased = false;
    TRY(write([&](Database& database) -> Result<void> {
        TRY(database.run("DELETE FROM adapters WHERE id=?", {std::string(id)}));
        isErased = database.changedRows() == 1;
        return isErased ? updateTenants(database, tenants) : Result<void>();
    }));
    return isErased;
}

}  // namespace espalier
