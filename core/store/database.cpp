// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/database.h"

#include <sqlite3.h>

namespace espalier {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Error sqliteError(sqlite3* connection, const std::string& file, std::string_view doing) {
    const int code = connection ? sqlite3_errcode(connection) : SQLITE_NOMEM;
    std::string message =
        file + ": " + std::string(doing) + ": " + (connection ? sqlite3_errmsg(connection) : "out of memory");
    switch (code & 0xff) {
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            message += "; the file is damaged and was left as it is: put back a copy, or choose another workspace";
            break;
        case SQLITE_FULL:
            return fail(ErrorCode::DiskFull, std::move(message), file);
        case SQLITE_BUSY:
            message += "; another program is using the workspace";
            break;
        default:
            break;
    }
    return fail(ErrorCode::Database, std::move(message), file);
}

void bindAll(sqlite3_stmt* statement, std::span<const SqlValue> values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const int index = static_cast<int>(i) + 1;
        const SqlValue& value = values[i];
        if (const auto* integer = std::get_if<std::int64_t>(&value))
            sqlite3_bind_int64(statement, index, *integer);
        else if (const auto* real = std::get_if<double>(&value))
            sqlite3_bind_double(statement, index, *real);
        else if (const auto* text = std::get_if<std::string>(&value))
            sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
        else
            sqlite3_bind_null(statement, index);
    }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
    sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* connection, std::unique_ptr<sqlite3_stmt, Finalize> statement, std::string file)
    : m_connection(connection), m_statement(std::move(statement)), m_file(std::move(file)) {}

Result<bool> Statement::step() {
    const int code = sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return sqliteError(m_connection, m_file, sqlite3_sql(m_statement.get()));
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(m_statement.get(), column);
}

double Statement::real(int column) const {
    return sqlite3_column_double(m_statement.get(), column);
}

std::string Statement::text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_statement.get(), column));
    if (!bytes) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_statement.get(), column))};
}

bool Statement::isNull(int column) const {
    return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* connection) const {
    sqlite3_close_v2(connection);
}

Database::Database(std::unique_ptr<sqlite3, Close> connection, std::string file)
    : m_connection(std::move(connection)), m_file(std::move(file)) {}

Error Database::error(std::string_view doing) const {
    return sqliteError(m_connection.get(), m_file, doing);
}

Result<Database> Database::open(const Path& file, Access access) {
    sqlite3* raw = nullptr;
    // A reader of a WAL database needs to write the shared index, so it opens for writing and promises not to.
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (access == Access::Write ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
    std::unique_ptr<sqlite3, Close> connection(raw);
    Database database(std::move(connection), file.string());
    if (code != SQLITE_OK) return database.error("opening");
    sqlite3_extended_result_codes(raw, 1);
    sqlite3_busy_timeout(raw, kBusyTimeoutMs);
    TRY(database.execute("PRAGMA foreign_keys=ON"));
    if (access == Access::Read) {
        TRY(database.execute("PRAGMA query_only=ON"));
    } else {
        TRY(database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL"));
    }
    return database;
}

Result<int> Database::schemaVersion() {
    TRY_ASSIGN(auto table, prepare("SELECT 1 FROM sqlite_master WHERE type='table' AND name='schema_migrations'"));
    TRY_ASSIGN(const bool hasTable, table.step());
    if (!hasTable) return 0;
    TRY_ASSIGN(auto newest, prepare("SELECT COALESCE(MAX(version), 0) FROM schema_migrations"));
    TRY(newest.step());
    return static_cast<int>(newest.integer(0));
}

Result<void> Database::migrate(std::span<const Migration> migrations, std::int64_t unixMilliseconds) {
    TRY_ASSIGN(const int version, schemaVersion());
    const int known = static_cast<int>(migrations.size());
    if (version > known)
        return fail(ErrorCode::Database,
                    m_file + " has schema " + std::to_string(version) + ", this program knows " +
                        std::to_string(known) + ": it was written by a newer version; update this one",
                    m_file);
    for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(version))) {
        TRY(execute("BEGIN IMMEDIATE"));
        const auto apply = [&]() -> Result<void> {
            TRY(
                execute("CREATE TABLE IF NOT EXISTS schema_migrations("
                        "version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT"));
            TRY(execute(migration.sql));
            TRY(run("INSERT INTO schema_migrations(version, name, applied_at) VALUES(?,?,?)",
                    {std::int64_t{migration.version}, std::string(migration.name), unixMilliseconds}));
            return execute("COMMIT");
        };
        if (auto applied = apply(); !applied) {
            (void)execute("ROLLBACK");
            return std::move(applied).error().context("bringing the schema to version " +
                                                      std::to_string(migration.version));
        }
    }
    return {};
}

Result<void> Database::checkIntegrity() {
    TRY_ASSIGN(auto check, prepare("PRAGMA quick_check(1)"));
    TRY(check.step());
    if (check.text(0) == "ok") return {};
    return fail(ErrorCode::Database,
                m_file + ": " + check.text(0) +
                    "; the file is damaged and was left as it is: put back a copy, or choose another workspace",
                m_file);
}

Result<Statement> Database::prepare(std::string_view sql, std::span<const SqlValue> values) {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(m_connection.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr) != SQLITE_OK)
        return error(sql);
    std::unique_ptr<sqlite3_stmt, Statement::Finalize> statement(raw);  // before anything can fail to be allocated
    CHECK(sqlite3_bind_parameter_count(raw) == static_cast<int>(values.size()));
    bindAll(raw, values);
    return Statement(m_connection.get(), std::move(statement), m_file);
}

Result<void> Database::execute(std::string_view sql) {
    if (sqlite3_exec(m_connection.get(), std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return error(sql.substr(0, sql.find('(')));
    return {};
}

Result<void> Database::run(std::string_view sql, std::initializer_list<SqlValue> values) {
    TRY_ASSIGN(auto statement, prepare(sql, std::span(values.begin(), values.size())));
    TRY(statement.step());
    return {};
}

std::int64_t Database::lastInsertedId() const {
    return sqlite3_last_insert_rowid(m_connection.get());
}

bool Database::isInTransaction() const {
    return sqlite3_get_autocommit(m_connection.get()) == 0;
}

std::int64_t Database::changedRows() const {
    return sqlite3_changes64(m_connection.get());
}

}  // namespace espalier
