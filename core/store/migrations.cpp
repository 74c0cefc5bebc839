// SPDX-License-Identifier: GPL-3.0-or-later
// The schema of workspace.db, step by step. A step that has been released is never edited; what comes later is a new
// one. Times are Unix milliseconds; JSON columns hold one document.
#include <array>

#include "core/store/database.h"

namespace espalier {
namespace {

constexpr std::string_view kCatalog = R"sql(
CREATE TABLE models(
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    digest        TEXT NOT NULL UNIQUE,
    family        TEXT NOT NULL,
    licence       TEXT NOT NULL,
    parameters    INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    dtype         TEXT NOT NULL,
    source        TEXT NOT NULL,
    folder        TEXT NOT NULL,
    linked        INTEGER NOT NULL,
    has_tokenizer INTEGER NOT NULL,
    has_template  INTEGER NOT NULL,
    context       INTEGER NOT NULL,
    imported_at   INTEGER NOT NULL,
    removed_at    INTEGER,
    warnings      TEXT NOT NULL,
    spec          TEXT NOT NULL,
    parts         TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX models_by_name ON models(name) WHERE removed_at IS NULL;
)sql";

constexpr std::string_view kJobs = R"sql(
CREATE TABLE jobs(
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    kind          TEXT NOT NULL,
    title         TEXT NOT NULL,
    command       TEXT NOT NULL,
    arguments     TEXT NOT NULL,
    checkpoint    TEXT NOT NULL,
    state         TEXT NOT NULL,
    done_bytes    INTEGER NOT NULL,
    all_bytes     INTEGER NOT NULL,
    step          TEXT NOT NULL,
    error_code    TEXT NOT NULL,
    error_message TEXT NOT NULL,
    error_where   TEXT NOT NULL,
    result        TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER NOT NULL
) STRICT;
)sql";

constexpr std::string_view kRunLog = R"sql(
CREATE TABLE run_log(
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    level  TEXT NOT NULL,
    source TEXT NOT NULL,
    text   TEXT NOT NULL
) STRICT;
)sql";

constexpr std::string_view kDerivedModels = "ALTER TABLE models ADD COLUMN derived_from TEXT NOT NULL DEFAULT ''";

constexpr std::string_view kTenants = R"sql(
CREATE TABLE tenants(
    name                TEXT PRIMARY KEY,
    weight              REAL NOT NULL,
    max_concurrency     INTEGER NOT NULL,
    requests_per_minute INTEGER NOT NULL,
    tokens_per_minute   INTEGER NOT NULL,
    tokens_per_day      INTEGER NOT NULL,
    kv_pages            INTEGER NOT NULL,
    first_token_ms      INTEGER NOT NULL,
    expires_at          INTEGER NOT NULL,
    models              TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    revoked_at          INTEGER
) STRICT;
CREATE TABLE tenant_keys(
    id           TEXT PRIMARY KEY,
    tenant       TEXT NOT NULL REFERENCES tenants(name),
    hash         TEXT NOT NULL UNIQUE,
    prefix       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT;
CREATE TABLE tenant_usage(
    tenant           TEXT NOT NULL,
    hour             INTEGER NOT NULL,
    requests         INTEGER NOT NULL,
    refused          INTEGER NOT NULL,
    prompt_tokens    INTEGER NOT NULL,
    cached_tokens    INTEGER NOT NULL,
    generated_tokens INTEGER NOT NULL,
    PRIMARY KEY(tenant, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_usage_by_hour ON tenant_usage(hour);
)sql";

constexpr std::string_view kAdapters = R"sql(
CREATE TABLE adapters(
    id          TEXT PRIMARY KEY,
    base        TEXT NOT NULL REFERENCES models(id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    digest      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    targets     TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    dtype       TEXT NOT NULL,
    source      TEXT NOT NULL,
    trained_on  TEXT NOT NULL,
    imported_at INTEGER NOT NULL,
    warnings    TEXT NOT NULL,
    UNIQUE(base, name)
) STRICT;
)sql";

constexpr std::string_view kOwnedAdapters = "ALTER TABLE adapters ADD COLUMN tenant TEXT NOT NULL DEFAULT ''";

constexpr std::array kMigrations = {
    Migration{1, "catalog of models", kCatalog},
    Migration{2, "jobs", kJobs},
    Migration{3, "run log", kRunLog},
    Migration{4, "models made of models", kDerivedModels},
    Migration{5, "tenants, their keys and their use", kTenants},
    Migration{6, "adapters", kAdapters},
    Migration{7, "adapters of tenants", kOwnedAdapters},
};

}  // namespace

std::span<const Migration> workspaceMigrations() {
    return kMigrations;
}

}  // namespace espalier
