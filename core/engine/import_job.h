// SPDX-License-Identifier: GPL-3.0-or-later
// The import job: a model folder from outside becomes a model of the workspace.
//
//   read headers and small files -> free space -> copy into models/.partial-<job>/, hashing and looking for NaN on the
//   way (or in place, for a link; or quantising on the way) -> digest -> rename to models/<id>/ -> catalog row
//
// Every finished file is synced and noted in the checkpoint, so a job that was paused or killed goes on with the next
// file. A model is in the catalog only when its folder is whole; anything less belongs to the job and goes with it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/engine/job_queue.h"
#include "core/engine/workspace.h"

namespace espalier {

struct ImportArguments {
    std::string path;  // absolute
    std::string name;  // empty: the folder's name, with a number when it is taken
    bool link = false;
    bool allowNonFinite = false;
    std::string quantize = {};  // "q8_0", "q4_0" or nothing
};
Json toJson(const ImportArguments& arguments);
Result<ImportArguments> importArgumentsFromJson(const Json& json);
std::string importCommand(const ImportArguments& arguments);  // the equivalent command line, quoted for a shell

using ModelAdded = std::function<void(const std::string& id)>;

// `added` is called on the job's thread once the catalog has the model.
std::unique_ptr<Job> makeImportJob(Workspace& workspace, FileSystem& files, const Clock& clock, std::int64_t id,
                                   ImportArguments arguments, ModelAdded added);

// Tidies models/ after a crash: copies whose job is gone and folders whose deletion was under way are removed (or put
// back, when their row is still there). Anything else that the catalog does not know is left alone: it may be all that
// remains of a lost database. Gives sentences for the log: of that, and of what could not be tidied. Errors: database;
// io_error when the folder of all cannot be listed. Requires: no job is running.
Result<std::vector<std::string>> tidyModelFolders(Workspace& workspace, FileSystem& files);

}  // namespace espalier
