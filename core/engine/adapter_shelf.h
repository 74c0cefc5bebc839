// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterShelf: the adapters of the workspace as the engine reads them. Records are read once and shared until
// something changes; their tiles are read by whoever serves them, through the source that a request carries.
//
// Owner: Engine. Thread: any.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/adapters/lora_image.h"
#include "core/base/turn_lock.h"
#include "core/engine/adapter_intake.h"
#include "core/engine/model_shelf.h"

namespace espalier {

struct AdapterBrought {
    AdapterRecord record;
    std::string replaced = {};  // digest of the version in whose place it came; empty: a new name, or nothing changed
};

class AdapterShelf {
public:
    AdapterShelf(Workspace& workspace, FileSystem& files, const ModelShelf& models)
        : m_workspace(workspace), m_files(files), m_models(models) {}

    Result<void> reload();  // reads the catalog again

    // Of bases in use, by base and name; all when `baseId` is empty.
    std::vector<AdapterRecord> adapters(std::string_view baseId = {}) const;
    // "base:name", an id, or a name that only one adapter has. Errors: not_found lists the known names of the base;
    // invalid_argument: several bases have one of that name. What `tenant` may not see is not there for it.
    Result<AdapterRecord> find(std::string_view reference, std::string_view tenant = {}) const;

    // For requests: its tiles come for pages of this size. Reading it: errors of readAdapterFolder, of makeLoraImage,
    // and corrupt_file when the files are not those that were imported. It may be read until the shelf is gone.
    std::shared_ptr<const AdapterSource> source(const AdapterRecord& adapter, const ArchSpec& base,
                                                std::vector<std::int64_t> pageBytes) const;

    // Brings folders in, each as version 1 of a new name or as the next version of what has its name then, whose id is
    // gone after that; the same adapter only gets its files mended. One answer for each, in their order: what fails
    // leaves nothing behind and the others go on. Some at a time: other changes get their turn in between, and once
    // stopped the rest is cancelled. Errors: those of AdapterIntake; already_exists; not_found, the base or what would
    // be reloaded is gone.
    std::vector<Result<AdapterBrought>> bring(std::span<const AdapterArrival> arrivals, std::int64_t now,
                                              const std::stop_token& stop = {});
    // `erase` deletes its row, or says false. Errors: those of `erase`; not_found, it is gone; io_error.
    Result<void> remove(const AdapterRecord& adapter, const std::function<Result<bool>()>& erase);

    // Around the deletion of a base for good: `erase` deletes its row, which takes the rows of these adapters along, or
    // says false; their files follow, and none comes in meanwhile. Errors: those of `erase`; io_error.
    using EraseBase = std::function<Result<bool>(std::span<const AdapterRow> adapters)>;
    Result<bool> deleteBase(std::string_view baseId, const EraseBase& erase);

    // After a crash: what says of itself that it is unfinished or being deleted, or is noted as unlisted, is removed,
    // or kept while its row is there. Gives sentences for the log: of folders that no row names, and of what could not
    // be tidied. Errors: database; io_error when the folder of all cannot be listed.
    Result<std::vector<std::string>> tidy();

private:
    using Records = std::vector<std::shared_ptr<const AdapterRecord>>;  // by base and name
    class FolderSource;
    std::shared_ptr<const Records> records() const;
    void keep(std::shared_ptr<const Records> records);  // needs no memory: a change of the catalog is behind it
    void bringTogether(std::span<const AdapterArrival> arrivals, std::int64_t now, const std::stop_token& stop,
                       std::vector<Result<AdapterBrought>>& answers);
    Result<void> refusal(const AdapterArrival& arrival, const AdapterRecord* there,
                         std::set<std::pair<std::string_view, std::string_view>>& arriving) const;
    Result<void> enter(std::span<const AdapterChange> changes, std::span<const AdapterRecord> made);
    Result<bool> leave(const AdapterRecord& adapter, const std::function<Result<bool>()>& erase);
    void discard(std::string_view id);
    // That the folder has this digest: computed when its files are read for the first time, or changed since.
    Result<void> verify(const std::string& id, const Path& path, const AdapterFolder& adapter,
                        const std::string& digest) const;

    Workspace& m_workspace;
    FileSystem& m_files;
    const ModelShelf& m_models;
    TurnLock m_changeMutex;    // one change of the catalog at a time; taken before the others
    std::mutex m_reloadMutex;  // what was read last is also what is kept; taken before m_mutex
    mutable std::mutex m_mutex;
    std::shared_ptr<const Records> m_records = std::make_shared<Records>();
    using Stamp = std::array<std::int64_t, 4>;        // sizes and times of the two files
    mutable std::map<std::string, Stamp> m_verified;  // by id
};

}  // namespace espalier
