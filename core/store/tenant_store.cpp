// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/tenant_store.h"

namespace espalier {
namespace {

std::optional<std::int64_t> optionalInteger(const Statement& row, int column) {
    return row.isNull(column) ? std::nullopt : std::optional(row.integer(column));
}

Result<void> insertKey(Database& database, const KeyRow& row) {
    return database.run(
        "INSERT INTO tenant_keys(id, tenant, hash, prefix, created_at, revoked_at, last_used_at) VALUES(?,?,?,?,?,?,?)",
        {row.id, row.tenant, row.hash, row.prefix, row.createdAt, sqlOptional(row.revokedAt),
         sqlOptional(row.lastUsedAt)});
}

Result<void> setRevoked(Database& database, const std::string& id, std::optional<std::int64_t> at) {
    return database.run("UPDATE tenant_keys SET revoked_at=? WHERE id=?", {sqlOptional(at), id});
}

Result<void> addUsage(Database& database, const UsageRow& row) {
    return database.run(
        "INSERT INTO tenant_usage(tenant, hour, requests, refused, prompt_tokens, cached_tokens, generated_tokens) "
        "VALUES(?,?,?,?,?,?,?) ON CONFLICT(tenant, hour) DO UPDATE SET requests=requests+excluded.requests, "
        "refused=refused+excluded.refused, prompt_tokens=prompt_tokens+excluded.prompt_tokens, "
        "cached_tokens=cached_tokens+excluded.cached_tokens, "
        "generated_tokens=generated_tokens+excluded.generated_tokens",
        {row.tenant, row.hour, row.requests, row.refused, row.promptTokens, row.cachedTokens, row.generatedTokens});
}

}  // namespace

Result<void> updateTenants(Database& database, std::span<const TenantRow> rows) {
    for (const TenantRow& row : rows)
        TRY(database.run(
            "UPDATE tenants SET weight=?, max_concurrency=?, requests_per_minute=?, tokens_per_minute=?, "
            "tokens_per_day=?, kv_pages=?, first_token_ms=?, expires_at=?, models=?, revoked_at=? WHERE name=?",
            {row.weight, row.maxConcurrency, row.requestsPerMinute, row.tokensPerMinute, row.tokensPerDay, row.kvPages,
             row.firstTokenMs, row.expiresAt, row.models, sqlOptional(row.revokedAt), row.name}));
    return {};
}

Result<void> TenantStore::write(Writer::Write change) {
    if (!m_writer) return fail(ErrorCode::Locked, "the workspace is open for reading only");
    return m_writer->write(std::move(change));
}

Result<std::vector<TenantRow>> TenantStore::tenants() const {
    return m_readers.read([](Database& database) -> Result<std::vector<TenantRow>> {
        TRY_ASSIGN(auto rows,
                   database.prepare("SELECT name, weight, max_concurrency, requests_per_minute, "
                                    "tokens_per_minute, tokens_per_day, kv_pages, first_token_ms, "
                                    "expires_at, models, created_at, revoked_at FROM tenants ORDER BY name"));
        std::vector<TenantRow> tenants;
        for (;;) {
            TRY_ASSIGN(const bool found, rows.step());
            if (!found) return tenants;
            TenantRow& row = tenants.emplace_back();
            row.name = rows.text(0);
            row.weight = rows.real(1);
            int column = 2;
            for (std::int64_t* limit : {&row.maxConcurrency, &row.requestsPerMinute, &row.tokensPerMinute,
                                        &row.tokensPerDay, &row.kvPages, &row.firstTokenMs, &row.expiresAt})
                *limit = rows.integer(column++);
            row.models = rows.text(column++);
            row.createdAt = rows.integer(column++);
            row.revokedAt = optionalInteger(rows, column);
        }
    });
}

Result<void> TenantStore::add(const TenantRow& row) {
    return write([&row](Database& database) -> Result<void> {
        TRY(database.run(
            "INSERT INTO tenants(name, weight, max_concurrency, requests_per_minute, tokens_per_minute, "
            "tokens_per_day, kv_pages, first_token_ms, expires_at, models, created_at, revoked_at) "
            "VALUES(?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(name) DO NOTHING",
            {row.name, row.weight, row.maxConcurrency, row.requestsPerMinute, row.tokensPerMinute, row.tokensPerDay,
             row.kvPages, row.firstTokenMs, row.expiresAt, row.models, row.createdAt, sqlOptional(row.revokedAt)}));
        if (database.changedRows() > 0) return {};
        return fail(ErrorCode::AlreadyExists, "there is a tenant \"" + row.name + "\" already", row.name);
    });
}

Result<void> TenantStore::update(const TenantRow& row) {
    return write([&row](Database& database) { return updateTenants(database, {&row, 1}); });
}

Result<std::vector<KeyRow>> TenantStore::keys() const {
    return m_readers.read([](Database& database) -> Result<std::vector<KeyRow>> {
        TRY_ASSIGN(auto rows, database.prepare("SELECT id, tenant, hash, prefix, created_at, revoked_at, last_used_at "
                                               "FROM tenant_keys ORDER BY created_at, rowid"));
        std::vector<KeyRow> keys;
        for (;;) {
            TRY_ASSIGN(const bool found, rows.step());
            if (!found) return keys;
            KeyRow& row = keys.emplace_back();
            int column = 0;
            for (std::string* text : {&row.id, &row.tenant, &row.hash, &row.prefix}) *text = rows.text(column++);
            row.createdAt = rows.integer(column++);
            row.revokedAt = optionalInteger(rows, column++);
            row.lastUsedAt = optionalInteger(rows, column);
        }
    });
}

Result<void> TenantStore::addKey(const KeyRow& row) {
    return write([&row](Database& database) { return insertKey(database, row); });
}

Result<void> TenantStore::setKeyRevoked(std::string_view id, std::optional<std::int64_t> at) {
    return write([id = std::string(id), at](Database& database) { return setRevoked(database, id, at); });
}

Result<void> TenantStore::replaceKey(std::string_view id, std::int64_t at, const KeyRow& row) {
    return write([id = std::string(id), at, &row](Database& database) -> Result<void> {
        TRY(setRevoked(database, id, at));
        return insertKey(database, row);
    });
}

Result<std::vector<UsageRow>> TenantStore::usage(const UsageQuery& query) const {
    return m_readers.read([&query](Database& database) -> Result<std::vector<UsageRow>> {
        const SqlValue values[] = {query.bucketMs, query.from, query.to, query.tenant};
        TRY_ASSIGN(auto rows,
                   database.prepare("SELECT tenant, hour - hour % ?1 AS bucket, SUM(requests), SUM(refused), "
                                    "SUM(prompt_tokens), SUM(cached_tokens), SUM(generated_tokens) FROM tenant_usage "
                                    "WHERE hour >= ?2 AND hour < ?3 AND (?4 = '' OR tenant = ?4) "
                                    "GROUP BY tenant, bucket ORDER BY tenant, bucket",
                                    values));
        std::vector<UsageRow> usage;
        for (;;) {
            TRY_ASSIGN(const bool found, rows.step());
            if (!found) return usage;
            UsageRow& row = usage.emplace_back();
            row.tenant = rows.text(0);
            int column = 1;
            for (std::int64_t* number :
                 {&row.hour, &row.requests, &row.refused, &row.promptTokens, &row.cachedTokens, &row.generatedTokens})
                *number = rows.integer(column++);
        }
    });
}

Result<void> TenantStore::count(std::vector<UsageRow> more,
                                std::vector<std::pair<std::string, std::int64_t>> keysUsed) {
    if (!m_writer) return fail(ErrorCode::Locked, "the workspace is open for reading only");
    return m_writer->post([more = std::move(more), keysUsed = std::move(keysUsed)](Database& database) -> Result<void> {
        for (const UsageRow& row : more) TRY(addUsage(database, row));
        for (const auto& [id, at] : keysUsed)
            TRY(database.run("UPDATE tenant_keys SET last_used_at=? WHERE id=?", {at, id}));
        return {};
    });
}

Result<void> TenantStore::trimUsage(std::int64_t before) {
    return write(
        [before](Database& database) { return database.run("DELETE FROM tenant_usage WHERE hour < ?", {before}); });
}

void TenantStore::flush() {
    if (m_writer) m_writer->flush();
}

}  // namespace espalier
