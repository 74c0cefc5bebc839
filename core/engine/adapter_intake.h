// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterIntake: folders of adapters on their way into the workspace. Each is read and checked against its base,
// copied, and what lies there then is read once more; the disk is waited for once for all of them. What is not kept in
// the end leaves nothing behind, whatever went wrong.
//
// Owner: AdapterShelf, while it holds its lock. Thread: the caller's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/adapters/adapter_folder.h"
#include "core/engine/model_record.h"
#include "core/engine/workspace.h"

namespace espalier {

// One folder that is to become an adapter.
struct AdapterArrival {
    Path source;
    ModelRecord base;
    std::string name;
    std::optional<AdapterRecord> replaced = {};  // whose next version this is; the tenant stays
    std::string tenant = {};
};

class AdapterIntake {
public:
    AdapterIntake(Workspace& workspace, FileSystem& files) : m_workspace(workspace), m_files(files) {}
    AdapterIntake(const AdapterIntake&) = delete;
    ~AdapterIntake();

    // Copies one. nullopt: it is what it would replace. Errors: those of readAdapterFolder; non_finite; io_error,
    // disk_full.
    Result<std::optional<AdapterRow>> take(const AdapterArrival& arrival, std::int64_t now);
    Result<void> flush();  // what was taken is durable
    void keep() { m_taken.clear(); }

private:
    Result<void> copyInto(const Path& folder, const AdapterFolder& adapter, const Path& source);

    Workspace& m_workspace;
    FileSystem& m_files;
    std::vector<Path> m_taken;  // folders that nothing names yet
};

}  // namespace espalier
