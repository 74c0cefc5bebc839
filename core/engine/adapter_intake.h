// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterIntake: folders of adapters on their way into the workspace. Each is copied, and what lies there then is
// checked: against its base, against the source, value by value. The disk is waited for once for all of them. What is
// not kept in the end leaves nothing behind, whatever went wrong, and nothing that a row names is written over.
//
// Owner: AdapterShelf, while it holds its lock. Thread: the caller's.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/adapters/adapter_folder.h"
#include "core/engine/model_record.h"
#include "core/engine/workspace.h"

namespace espalier {

// One folder that is to become an adapter.
struct AdapterArrival {
    Path source;  // of a reload also empty: where the adapter came from
    ModelRecord base;
    std::string name;
    std::string tenant = {};  // whose it is
    bool isReload = false;    // the next version of that tenant's adapter of this name
};

// Adapters, one id a line, whose rows are yet to come or about to go: after a crash, the folder of one that has no row
// is removed. One file for many, durable before what it speaks of and removed after it.
Result<void> noteUnlisted(FileSystem& files, const Path& note, std::span<const std::string> ids);
Result<std::vector<std::string>> readUnlisted(FileSystem& files, const Path& note);

class AdapterIntake {
public:
    AdapterIntake(Workspace& workspace, FileSystem& files) : m_workspace(workspace), m_files(files) {}
    AdapterIntake(const AdapterIntake&) = delete;
    ~AdapterIntake();

    // Copies one, as the next version of `replaced` when that is not null. nullopt: it is what it would replace, whose
    // files were mended where they had to be. Errors: those of readAdapterFolder; already_exists; non_finite; io_error,
    // disk_full, cancelled; those of the base's files, where they are compared with what came along.
    Result<std::optional<AdapterRow>> take(const AdapterArrival& arrival, const AdapterRecord* replaced,
                                           std::int64_t now, const std::stop_token& stop);
    Result<void> place();  // under their own names, and durable
    void keep();           // rows name them now
    void forget();         // what they replaced was removed

private:
    struct Taken {
        std::string id, replaced;  // replaced: an id, or empty
        bool isPlaced = false;     // what lies under its own name came from here
    };
    // What was copied, as it lies there.
    Result<AdapterSpec> copy(const AdapterFolder& adapter, const Path& source, const ModelRecord& base,
                             const std::string& id, const std::string& digest, const std::stop_token& stop);
    Result<void> refuseListed(const std::string& id) const;
    Result<void> copyInto(const Path& folder, const AdapterFolder& adapter, const Path& source);
    Result<void> settle(const std::string& id);
    bool holds(const std::string& id, const ArchSpec& base, const std::string& digest) const;
    Path note() const { return m_workspace.unlistedAdapters("arriving"); }

    Workspace& m_workspace;
    FileSystem& m_files;
    std::vector<Taken> m_taken;  // no row names them yet
};

}  // namespace espalier
