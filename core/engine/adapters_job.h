// SPDX-License-Identifier: GPL-3.0-or-later
// The job that brings many adapters in: some dozens at a time, the disk being waited for once for each such batch. What
// fails fails alone. Stopped, it stops between two batches, and goes on from there; what has come in stays, also when
// the job is cancelled.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/engine.h"
#include "core/engine/job_queue.h"

namespace espalier {

// paths: folders of adapters, or folders that hold such folders.
struct AdaptersArguments {
    std::string base;  // id of the model
    std::string tenant;
    std::vector<std::string> paths;
};
Json toJson(const AdaptersArguments& arguments);
Result<AdaptersArguments> adaptersArgumentsFromJson(const Json& json);  // error corrupt_file names the key
// The equivalent command line, quoted for a shell; baseName: the base as people name it.
std::string adaptersCommand(FileSystem& files, const AdaptersArguments& arguments, std::string_view baseName);

// What the job asks of the engine.
struct AdapterImporter {
    std::function<std::vector<Result<AdapterRecord>>(std::span<const AdapterImport>)> import;
    std::function<bool(const std::string& path)> isHere;  // an adapter of this base came from there
    // Once, at the end; reasons: a sentence for each that failed.
    std::function<void(std::size_t imported, const std::vector<std::string>& reasons)> done;
};

// Result: {"model", "imported": count, "failed": [{"path", "message"}]}. Errors: not_found when the folders hold no
// adapter; that of the first when none came in.
std::unique_ptr<Job> makeAdaptersJob(FileSystem& files, AdaptersArguments arguments, AdapterImporter importer);

}  // namespace espalier
