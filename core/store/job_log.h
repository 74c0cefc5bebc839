// SPDX-License-Identifier: GPL-3.0-or-later
// JobLog: jobs that outlive the process, and the run log (what happened, in order, audit entries included). The store
// keeps states and kinds as the words the engine gives it.
//
// Owner: Workspace. Thread: any; changes wait for the Writer, log rows do not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/store/readers.h"
#include "core/store/writer.h"

namespace espalier {

struct JobRow {
    std::int64_t id = 0;  // given by add()
    std::string kind, title, command;
    std::string arguments;   // JSON, frozen when queued
    std::string checkpoint;  // JSON of what is done, written by the job; empty: nothing
    std::string state;
    std::int64_t doneBytes = 0;
    std::int64_t allBytes = 0;
    std::string step;
    std::string errorCode, errorMessage, errorWhere;  // empty: none
    std::string result;                               // JSON
    std::int64_t createdAt = 0;
    std::int64_t endedAt = 0;

    bool operator==(const JobRow&) const = default;
};

struct LogRow {
    std::int64_t at = 0;
    std::string level, source, text;

    bool operator==(const LogRow&) const = default;
};

constexpr std::int64_t kRunLogRows = 50000;  // older ones are dropped when the workspace is opened
constexpr std::int64_t kEndedJobs = 500;     // likewise

class JobLog {
public:
    JobLog(Readers& readers, Writer* writer) : m_readers(readers), m_writer(writer) {}

    Result<std::vector<JobRow>> jobs() const;     // oldest first
    Result<std::int64_t> add(const JobRow& row);  // the new id; row.id is ignored
    Result<void> update(const JobRow& row);       // everything but kind, arguments and createdAt
    Result<void> erase(std::int64_t id);
    Result<void> trimEndedJobs(std::int64_t keep);

    void append(LogRow row);                                    // does not wait; dropped when the writer is overrun
    Result<std::vector<LogRow>> log(std::int64_t limit) const;  // the newest `limit`, oldest first
    Result<void> trimLog(std::int64_t keep);

private:
    Result<void> write(Writer::Write change);

    Readers& m_readers;
    Writer* m_writer;
};

}  // namespace espalier
