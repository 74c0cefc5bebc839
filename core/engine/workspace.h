// SPDX-License-Identifier: GPL-3.0-or-later
// Workspace: one folder with everything Espalier keeps, and the lock that says who may change it.
//
//   workspace.db           catalog, jobs, run log (core/store)
//   machine.json           how fast this machine reads and multiplies (speed_record.h)
//   lock                   held with flock: exclusively by who may write, shared by readers; names its writer
//   models/<id>/           one model each; models/.partial-<job>/ is an import on its way, models/.removed-<id>/ a
//                          deletion
//   adapters/<id>/         one adapter each; .partial-<id>/ and .removed-<id>/ as above
//   domains/ runs/
//
// Owner: Engine. Thread: any (the members guard themselves).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/file_system.h"
#include "core/store/adapter_catalog.h"
#include "core/store/catalog.h"
#include "core/store/job_log.h"
#include "core/store/tenant_store.h"

namespace espalier {

inline constexpr std::string_view kPartialPrefix = ".partial-", kRemovedPrefix = ".removed-",
                                  kUnlistedPrefix = ".unlisted-";

// A folder on its way out steps aside, under a name that says so: what is left there of an earlier one goes first, and
// the folder is back under its own name when this fails.
Result<void> setAside(FileSystem& files, const Path& folder, const Path& aside);

// Sentences for the log, of what a start finds in models/ and adapters/ and leaves there.
std::string stillThere(const Error& why);
std::string notInCatalog(const Path& folder);

class Workspace {
public:
    enum class Access : std::uint8_t { Write, Read };

    // Creates what is missing (folders 0700) and brings the schema up to date. Read shares the lock; where the schema
    // has to be created or changed first, it takes the lock alone for that moment.
    // Errors: locked names who holds it; database; io_error.
    static Result<std::unique_ptr<Workspace>> open(const Path& folder, Access access, FileSystem& files, Clock& clock);
    ~Workspace();  // commits what is queued, then gives the lock back
    Workspace(const Workspace&) = delete;

    const Path& folder() const { return m_folder; }
    Path modelFolder(std::string_view id) const { return m_folder / "models" / id; }
    Path partialFolder(std::int64_t job) const {
        return m_folder / "models" / withPrefix(kPartialPrefix, std::to_string(job));
    }
    Path removedFolder(std::string_view id) const { return m_folder / "models" / withPrefix(kRemovedPrefix, id); }

    Path adapterFolder(std::string_view id) const { return m_folder / "adapters" / id; }
    Path partialAdapterFolder(std::string_view id) const {
        return m_folder / "adapters" / withPrefix(kPartialPrefix, id);
    }

    Path removedAdapterFolder(std::string_view id) const {
        return m_folder / "adapters" / withPrefix(kRemovedPrefix, id);
    }
    // Names adapters whose rows are yet to come, or about to go: noteUnlisted in adapter_intake.h.
    Path unlistedAdapters(std::string_view why) const {
        return m_folder / "adapters" / withPrefix(kUnlistedPrefix, why);
    }

    Catalog& catalog() { return m_catalog; }
    AdapterCatalog& adapters() { return m_adapters; }
    JobLog& jobLog() { return m_jobLog; }
    TenantStore& tenantStore() { return m_tenantStore; }
    void flush();  // waits until every queued write is committed
    Writer::FailedPosts lostWrites() const { return m_writer ? m_writer->failedPosts() : Writer::FailedPosts(); }

private:
    static std::string withPrefix(std::string_view prefix, std::string_view rest) {
        return std::string(prefix) += rest;
    }
    class Lock;
    Workspace(Path folder, std::unique_ptr<Lock> lock, std::unique_ptr<Writer> writer);

    const Path m_folder;
    std::unique_ptr<Lock> m_lock;
    std::unique_ptr<Writer> m_writer;  // null: read only
    Readers m_readers;
    Catalog m_catalog;
    AdapterCatalog m_adapters;
    JobLog m_jobLog;
    TenantStore m_tenantStore;
};

}  // namespace espalier
