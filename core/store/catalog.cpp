// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/catalog.h"

namespace espalier {
namespace {

constexpr std::string_view kModelColumns =
    "id, name, digest, family, licence, parameters, bytes, dtype, source, folder, linked, has_tokenizer, "
    "has_template, context, imported_at, removed_at, warnings, spec, parts, derived_from";

CatalogRow readModel(const Statement& row) {
    CatalogRow model;
    int column = 0;
    for (std::string* text : {&model.id, &model.name, &model.digest, &model.family, &model.licence})
        *text = row.text(column++);
    model.parameters = row.integer(column++);
    model.bytes = row.integer(column++);
    for (std::string* text : {&model.dtype, &model.source, &model.folder}) *text = row.text(column++);
    for (bool* flag : {&model.linked, &model.hasTokenizer, &model.hasTemplate}) *flag = row.integer(column++) != 0;
    model.context = row.integer(column++);
    model.importedAt = row.integer(column++);
    if (!row.isNull(column)) model.removedAt = row.integer(column);
    ++column;
    for (std::string* text : {&model.warnings, &model.spec, &model.parts, &model.derivedFrom})
        *text = row.text(column++);
    return model;
}

Result<std::vector<CatalogRow>> queryModels(Database& database, std::string_view rest,
                                            std::vector<SqlValue> values = {}) {
    TRY_ASSIGN(auto rows,
               database.prepare("SELECT " + std::string(kModelColumns) + " FROM models " + std::string(rest), values));
    std::vector<CatalogRow> models;
    for (;;) {
        TRY_ASSIGN(const bool found, rows.step());
        if (!found) return models;
        models.push_back(readModel(rows));
    }
}

// The clear sentence instead of SQLite's "UNIQUE constraint failed".
Result<void> refuseTakenName(Database& database, std::string_view id, std::string_view name) {
    TRY_ASSIGN(const auto taken, queryModels(database, "WHERE name=? AND id<>? AND removed_at IS NULL",
                                             {std::string(name), std::string(id)}));
    if (taken.empty()) return {};
    return fail(ErrorCode::AlreadyExists,
                "the name \"" + std::string(name) + "\" belongs to model " + taken[0].id + "; choose another",
                std::string(name));
}

Result<void> insert(Database& database, const CatalogRow& row) {
    TRY_ASSIGN(const auto same, queryModels(database, "WHERE digest=?", {row.digest}));
    if (!same.empty())
        return fail(ErrorCode::AlreadyExists,
                    "this model is already here as \"" + same[0].name + "\" (" + same[0].id + ")" +
                        (same[0].removedAt ? ", in the bin: restore it" : ""),
                    same[0].name);
    TRY(refuseTakenName(database, row.id, row.name));
    return database.run(
        "INSERT INTO models(" + std::string(kModelColumns) + ") VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        {row.id,
         row.name,
         row.digest,
         row.family,
         row.licence,
         row.parameters,
         row.bytes,
         row.dtype,
         row.source,
         row.folder,
         std::int64_t{row.linked},
         std::int64_t{row.hasTokenizer},
         std::int64_t{row.hasTemplate},
         row.context,
         row.importedAt,
         sqlOptional(row.removedAt),
         row.warnings,
         row.spec,
         row.parts,
         row.derivedFrom});
}

Result<void> write(Writer* writer, Writer::Write change) {
    if (!writer) return fail(ErrorCode::Locked, "the workspace is open for reading only");
    return writer->write(std::move(change));
}

}  // namespace

Result<std::vector<CatalogRow>> Catalog::all() const {
    return m_readers.read([](Database& database) { return queryModels(database, "ORDER BY name, id"); });
}

Result<std::optional<CatalogRow>> Catalog::byDigest(std::string_view digest) const {
    return m_readers.read([&](Database& database) -> Result<std::optional<CatalogRow>> {
        TRY_ASSIGN(auto rows, queryModels(database, "WHERE digest=?", {std::string(digest)}));
        if (rows.empty()) return std::optional<CatalogRow>();
        return std::optional(std::move(rows[0]));
    });
}

Result<void> Catalog::add(const CatalogRow& row) {
    return write(m_writer, [&row](Database& database) { return insert(database, row); });
}

Result<void> Catalog::setRemoved(std::string_view id, std::optional<std::int64_t> removedAt) {
    return write(m_writer, [&](Database& database) -> Result<void> {
        if (!removedAt) {
            TRY_ASSIGN(const auto rows, queryModels(database, "WHERE id=?", {std::string(id)}));
            if (!rows.empty()) TRY(refuseTakenName(database, id, rows[0].name));
        }
        return database.run("UPDATE models SET removed_at=? WHERE id=?", {sqlOptional(removedAt), std::string(id)});
    });
}

Result<void> Catalog::rename(std::string_view id, std::string_view name) {
    return write(m_writer, [&](Database& database) -> Result<void> {
        TRY(refuseTakenName(database, id, name));
        return database.run("UPDATE models SET name=? WHERE id=?", {std::string(name), std::string(id)});
    });
}

Result<bool> Catalog::eraseRemoved(std::string_view id, std::span<const TenantRow> tenants) {
    bool isErased = false;
    TRY(write(m_writer, [&](Database& database) -> Result<void> {
        TRY(database.run("DELETE FROM models WHERE id=? AND removed_at IS NOT NULL", {std::string(id)}));
        isErased = database.changedRows() == 1;
        return isErased ? updateTenants(database, tenants) : Result<void>();
    }));
    return isErased;
}

}  // namespace espalier
