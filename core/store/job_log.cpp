// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/store/job_log.h"

#include <algorithm>

namespace espalier {

Result<void> JobLog::write(Writer::Write change) {
    if (!m_writer) return fail(ErrorCode::Locked, "the workspace is open for reading only");
    return m_writer->write(std::move(change));
}

Result<std::vector<JobRow>> JobLog::jobs() const {
    return m_readers.read([](Database& database) -> Result<std::vector<JobRow>> {
        TRY_ASSIGN(auto rows, database.prepare("SELECT id, kind, title, command, arguments, checkpoint, state, "
                                               "done_bytes, all_bytes, step, error_code, error_message, error_where, "
                                               "result, created_at, ended_at FROM jobs ORDER BY id"));
        std::vector<JobRow> jobs;
        for (;;) {
            TRY_ASSIGN(const bool found, rows.step());
            if (!found) return jobs;
            JobRow& job = jobs.emplace_back();
            int column = 0;
            job.id = rows.integer(column++);
            for (std::string* text : {&job.kind, &job.title, &job.command, &job.arguments, &job.checkpoint, &job.state})
                *text = rows.text(column++);
            job.doneBytes = rows.integer(column++);
            job.allBytes = rows.integer(column++);
            for (std::string* text : {&job.step, &job.errorCode, &job.errorMessage, &job.errorWhere, &job.result})
                *text = rows.text(column++);
            job.createdAt = rows.integer(column++);
            job.endedAt = rows.integer(column++);
        }
    });
}

Result<std::int64_t> JobLog::add(const JobRow& row) {
    std::int64_t id = 0;
    TRY(write([&](Database& database) -> Result<void> {
        TRY(database.run(
            "INSERT INTO jobs(kind, title, command, arguments, checkpoint, state, done_bytes, all_bytes, "
            "step, error_code, error_message, error_where, result, created_at, ended_at) "
            "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            {row.kind, row.title, row.command, row.arguments, row.checkpoint, row.state, row.doneBytes, row.allBytes,
             row.step, row.errorCode, row.errorMessage, row.errorWhere, row.result, row.createdAt, row.endedAt}));
        id = database.lastInsertedId();
        return {};
    }));
    return id;
}

Result<void> JobLog::update(const JobRow& row) {
    return write([&row](Database& database) {
        return database.run(
            "UPDATE jobs SET title=?, command=?, checkpoint=?, state=?, done_bytes=?, all_bytes=?, "
            "step=?, error_code=?, error_message=?, error_where=?, result=?, ended_at=? WHERE id=?",
            {row.title, row.command, row.checkpoint, row.state, row.doneBytes, row.allBytes, row.step, row.errorCode,
             row.errorMessage, row.errorWhere, row.result, row.endedAt, row.id});
    });
}

Result<void> JobLog::erase(std::int64_t id) {
    return write([id](Database& database) { return database.run("DELETE FROM jobs WHERE id=?", {id}); });
}

void JobLog::append(LogRow row) {
    if (!m_writer) return;
    (void)m_writer->post([row = std::move(row)](Database& database) {
        return database.run("INSERT INTO run_log(at, level, source, text) VALUES(?,?,?,?)",
                            {row.at, row.level, row.source, row.text});
    });
}

Result<std::vector<LogRow>> JobLog::log(std::int64_t limit) const {
    return m_readers.read([limit](Database& database) -> Result<std::vector<LogRow>> {
        const SqlValue values[] = {limit};
        TRY_ASSIGN(auto rows,
                   database.prepare("SELECT at, level, source, text FROM run_log ORDER BY id DESC LIMIT ?", values));
        std::vector<LogRow> records;
        for (;;) {
            TRY_ASSIGN(const bool found, rows.step());
            if (!found) break;
            records.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3)});
        }
        std::reverse(records.begin(), records.end());
        return records;
    });
}

Result<void> JobLog::trimEndedJobs(std::int64_t keep) {
    return write([keep](Database& database) {
        return database.run(
            "DELETE FROM jobs WHERE ended_at <> 0 AND id NOT IN "
            "(SELECT id FROM jobs WHERE ended_at <> 0 ORDER BY id DESC LIMIT ?)",
            {keep});
    });
}

Result<void> JobLog::trimLog(std::int64_t keep) {
    return write([keep](Database& database) {
        return database.run("DELETE FROM run_log WHERE id <= (SELECT COALESCE(MAX(id), 0) FROM run_log) - ?", {keep});
    });
}

}  // namespace espalier
