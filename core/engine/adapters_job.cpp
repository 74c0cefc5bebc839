// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/adapters_job.h"

#include <algorithm>

#include "core/adapters/adapter_folder.h"
#include "core/base/shell_text.h"

namespace espalier {
namespace {

constexpr std::size_t kBatch = 64;

// How far an import has come; also its checkpoint.
struct Progress {
    std::vector<std::string> paths;  // of adapters, in their order
    std::size_t at = 0;              // of these, done
    std::size_t imported = 0;
    Json failed = Json::array();
};

Json toJson(const Progress& progress) {
    return {
        {"paths", progress.paths}, {"at", progress.at}, {"imported", progress.imported}, {"failed", progress.failed}};
}

Result<std::vector<std::string>> textsOf(const JsonReader& reader, const char* key) {
    const Json* list = reader.find(key);
    if (!list || !list->is_array()) return reader.wrong(key, "a list of texts");
    std::vector<std::string> texts;
    for (const Json& item : *list) {
        if (!item.is_string()) return reader.wrong(key, "a list of texts");
        texts.push_back(item.get<std::string>());
    }
    return texts;
}

Result<Progress> progressFromJson(const Json& json) {
    const JsonReader reader(json, "the job's checkpoint");
    Progress progress;
    TRY_ASSIGN(progress.paths, textsOf(reader, "paths"));
    const auto count = static_cast<std::int64_t>(progress.paths.size());
    TRY_ASSIGN(const std::int64_t at, reader.integer("at", 0, count));
    TRY_ASSIGN(const std::int64_t imported, reader.integer("imported", 0, count));
    progress.at = static_cast<std::size_t>(at);
    progress.imported = static_cast<std::size_t>(imported);
    if (const Json* failed = reader.find("failed"); failed && failed->is_array()) progress.failed = *failed;
    return progress;
}

bool isAdapter(FileSystem& files, const Path& folder) {
    return files.exists(folder / kAdapterConfigFile);
}

class AdaptersJob final : public Job {
public:
    AdaptersJob(FileSystem& files, AdaptersArguments arguments, AdapterImporter importer)
        : m_files(files), m_arguments(std::move(arguments)), m_importer(std::move(importer)) {}

    Result<Json> run(JobContext& context) override {
        Progress progress;
        const bool isResumed = !context.checkpoint().is_null();
        if (isResumed) {
            TRY_ASSIGN(progress, progressFromJson(context.checkpoint()));
        } else {
            TRY_ASSIGN(progress.paths, folders());
            TRY(context.saveCheckpoint(toJson(progress)));
        }
        // Between a batch and its checkpoint the process may have ended: then the batch is here already.
        if (isResumed) progress.imported += passHere(progress);
        const std::vector<std::int64_t> sizes = sizesOf(progress.paths);
        std::int64_t all = 0, done = 0;
        for (const std::int64_t bytes : sizes) all += bytes;
        for (std::size_t i = 0; i < progress.at; ++i) done += sizes[i];
        while (progress.at < progress.paths.size()) {
            context.report(done, all,
                           std::to_string(progress.at) + " of " + std::to_string(progress.paths.size()) + " adapters");
            if (context.stop().stop_requested()) return fail(ErrorCode::Cancelled, "the import was stopped");
            const std::size_t end = std::min(progress.paths.size(), progress.at + kBatch);
            bringUntil(end, progress);
            for (; progress.at < end; ++progress.at) done += sizes[progress.at];
            TRY(context.saveCheckpoint(toJson(progress)));
        }
        context.report(all, all, {});
        if (progress.imported == 0 && m_firstError) return *m_firstError;
        std::vector<std::string> reasons;
        for (const Json& one : progress.failed)
            reasons.push_back(one.is_object() ? one.value("message", std::string()) : std::string());
        m_importer.done(progress.imported, reasons);
        return Json{{"model", m_arguments.base}, {"imported", progress.imported}, {"failed", progress.failed}};
    }
    void discard(const Json&) override {}  // nothing is half there

private:
    Result<std::vector<std::string>> folders() const {
        std::vector<std::string> found;
        for (const std::string& path : m_arguments.paths) {
            if (isAdapter(m_files, path)) {
                found.push_back(path);
                continue;
            }
            TRY_ASSIGN(const auto entries, m_files.list(path));
            const std::size_t before = found.size();
            for (const FileEntry& entry : entries)
                if (entry.isDirectory && isAdapter(m_files, entry.path)) found.push_back(entry.path.string());
            if (found.size() == before)
                return fail(
                    ErrorCode::NotFound,
                    path + " is no adapter and holds none: an adapter folder has an " + std::string(kAdapterConfigFile),
                    path);
        }
        return found;
    }

    // Steps over what the run before brought in without writing it down; how many these are.
    std::size_t passHere(Progress& progress) const {
        const std::size_t left = std::min(progress.paths.size() - progress.at, kBatch);
        const std::span batch = std::span(progress.paths).subspan(progress.at, left);
        const auto rest = std::stable_partition(batch.begin(), batch.end(), m_importer.isHere);
        const auto here = static_cast<std::size_t>(rest - batch.begin());
        progress.at += here;
        return here;
    }

    std::vector<std::int64_t> sizesOf(const std::vector<std::string>& paths) const {
        std::vector<std::int64_t> sizes;
        for (const std::string& path : paths) {
            std::int64_t bytes = 0;
            if (const auto entries = m_files.list(path))
                for (const FileEntry& entry : *entries) bytes += static_cast<std::int64_t>(entry.bytes);
            sizes.push_back(bytes);
        }
        return sizes;
    }

    void bringUntil(std::size_t end, Progress& progress) {
        std::vector<AdapterImport> requests;
        for (std::size_t i = progress.at; i < end; ++i)
            requests.push_back({.path = progress.paths[i], .base = m_arguments.base, .tenant = m_arguments.tenant});
        const auto answers = m_importer.import(requests);
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (answers[i]) {
                ++progress.imported;
                continue;
            }
            if (!m_firstError) m_firstError = answers[i].error();
            progress.failed.push_back({{"path", requests[i].path}, {"message", answers[i].error().message}});
        }
    }

    FileSystem& m_files;
    const AdaptersArguments m_arguments;
    const AdapterImporter m_importer;
    std::optional<Error> m_firstError;
};

}  // namespace

Json toJson(const AdaptersArguments& arguments) {
    return {{"model", arguments.base}, {"tenant", arguments.tenant}, {"paths", arguments.paths}};
}

Result<AdaptersArguments> adaptersArgumentsFromJson(const Json& json) {
    const JsonReader reader(json, "the job's arguments");
    AdaptersArguments arguments;
    TRY_ASSIGN(arguments.base, reader.string("model"));
    TRY_ASSIGN(arguments.tenant, reader.stringOr("tenant", {}));
    TRY_ASSIGN(arguments.paths, textsOf(reader, "paths"));
    return arguments;
}

std::string adaptersCommand(FileSystem& files, const AdaptersArguments& arguments, std::string_view baseName) {
    std::string command = "espalierctl adapter import";
    bool areAdapters = true;
    for (const std::string& path : arguments.paths) {
        command += " " + shellQuoted(path);
        areAdapters &= isAdapter(files, path);
    }
    if (!areAdapters) command += " --all";
    command += " -m " + shellQuoted(baseName);
    if (!arguments.tenant.empty()) command += " --tenant " + shellQuoted(arguments.tenant);
    return command;
}

std::unique_ptr<Job> makeAdaptersJob(FileSystem& files, AdaptersArguments arguments, AdapterImporter importer) {
    return std::make_unique<AdaptersJob>(files, std::move(arguments), std::move(importer));
}

}  // namespace espalier
