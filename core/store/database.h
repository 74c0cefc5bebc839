// SPDX-License-Identifier: GPL-3.0-or-later
// Database: one SQLite connection with its settings, its numbered migrations and typed statements. Every error is
// `database`, names the file and SQLite's own sentence. A damaged or newer file is refused, never repaired, never
// deleted.
//
// Owner: the Writer has the only connection that writes; Readers lend connections that cannot. Thread: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/file_system.h"
#include "core/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace espalier {

// One step of the schema. Numbers are consecutive from 1 and never change their meaning; a step runs in one
// transaction together with the row that records it.
struct Migration {
    int version = 0;
    std::string_view name;
    std::string_view sql;
};
std::span<const Migration> workspaceMigrations();

// A value to bind: null, integer, real, text (copied).
using SqlValue = std::variant<std::nullptr_t, std::int64_t, double, std::string>;
inline SqlValue sqlOptional(const std::optional<std::int64_t>& value) {
    return value ? SqlValue(*value) : SqlValue(nullptr);
}

// A prepared statement on its way through its rows. Lives no longer than its Database.
class Statement {
public:
    Statement(Statement&&) noexcept = default;
    Statement& operator=(Statement&&) noexcept = default;

    Result<bool> step();  // true: a row is there to read
    std::int64_t integer(int column) const;
    double real(int column) const;
    std::string text(int column) const;  // empty for null
    bool isNull(int column) const;

private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };
    Statement(sqlite3* connection, std::unique_ptr<sqlite3_stmt, Finalize> statement, std::string file);

    sqlite3* m_connection = nullptr;
    std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
    std::string m_file;
};

class Database {
public:
    enum class Access : std::uint8_t { Write, Read };

    // Write creates the file when it is absent; WAL, foreign keys, 5 s busy timeout. synchronous FULL: a commit is on
    // the disk when it returns (NORMAL may lose the newest ones in a power failure), and the Writer commits in batches.
    static Result<Database> open(const Path& file, Access access);
    Database(Database&&) noexcept = default;
    Database& operator=(Database&&) noexcept = default;

    // The number of the last migration that ran, 0 for an empty file.
    Result<int> schemaVersion();
    // Runs what is missing, in order. Error database when the file was written by a newer version.
    Result<void> migrate(std::span<const Migration> migrations, std::int64_t unixMilliseconds);
    // SQLite's own check of the file's structure. Error database says that the file was left as it is.
    Result<void> checkIntegrity();

    Result<Statement> prepare(std::string_view sql, std::span<const SqlValue> values = {});
    // Runs statements that give no rows; several may follow each other when nothing is bound.
    Result<void> execute(std::string_view sql);
    Result<void> run(std::string_view sql, std::initializer_list<SqlValue> values);
    std::int64_t lastInsertedId() const;
    std::int64_t changedRows() const;  // by the last run()
    bool isInTransaction() const;

private:
    struct Close {
        void operator()(sqlite3* connection) const;
    };
    Database(std::unique_ptr<sqlite3, Close> connection, std::string file);
    Error error(std::string_view doing) const;

    std::unique_ptr<sqlite3, Close> m_connection;
    std::string m_file;
};

}  // namespace espalier
