// SPDX-License-Identifier: GPL-3.0-or-later
// CaseStore: the saved prompts of a workspace, in its file cases.json. They live beside the models they try, so that
// everyone who works in the workspace has them, whichever machine the workbench runs on. What a case holds beyond id
// and name belongs to the workbench and is kept as it came.
//
// Owner: LocalControl. Thread: any. Every change is written whole, next to the file and renamed over it.
#pragma once

#include <mutex>

#include "core/base/file_system.h"
#include "core/base/json.h"

namespace espalier {

class CaseStore {
public:
    static constexpr std::size_t kMostCases = 1000;
    static constexpr std::size_t kMostBytes = 256 << 10;  // of one case

    // Requires: files outlives the object. Reads nothing yet.
    CaseStore(FileSystem& files, const Path& workspace) : m_files(files), m_file(workspace / "cases.json") {}

    // {cases: [...]}, oldest first. Error corrupt_file when the file is not what this wrote.
    Result<Json> list();
    // arguments.case, with or without an id; the answer has one. Errors: invalid_argument, too_large, not_found for an
    // id that is not there.
    Result<Json> save(const Json& arguments);
    // {removed: case}. Error not_found.
    Result<Json> remove(const Json& arguments);

private:
    Result<Json> read();
    Result<void> write(const Json& cases);

    FileSystem& m_files;
    const Path m_file;
    std::mutex m_mutex;
};

}  // namespace espalier
