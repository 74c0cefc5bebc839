// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/sample.h"

#include <algorithm>

#include "core/api/protocol.h"

namespace espalier::cli {
namespace {

constexpr const char* kSampleName = "sample";

struct SampleAdapter {
    const char* name;
    const char* tenant;
};
constexpr SampleAdapter kAdapters[] = {
    {"gardener", "orchard-house"}, {"cook", "inn-kitchen"}, {"harbour-master", "harbour-office"}};

// Modest limits, so that each of them can be seen at work.
Json sampleTenants() {
    return {{{"tenant", "orchard-house"}, {"weight", 2.0}, {"max_concurrency", 8}, {"tokens_per_day", 500'000}},
            {{"tenant", "inn-kitchen"}, {"weight", 1.0}, {"max_concurrency", 4}, {"tokens_per_minute", 60'000}},
            {{"tenant", "harbour-office"}, {"weight", 1.0}, {"requests_per_minute", 600}, {"tokens_per_day", 200'000}}};
}

// Beside an installed program, or in the sources it was built from.
Result<Path> sampleFolder(FileSystem& files) {
    std::error_code ignored;
    const Path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const Path candidates[]{program.parent_path().parent_path() / "share/espalier/sample",
                            Path(ESPALIER_SAMPLE_FOLDER)};
    for (const Path& folder : candidates)
        if (files.exists(folder / "model/config.json")) return folder;
    return fail(ErrorCode::NotFound,
                "the sample model is neither in " + candidates[0].string() + " nor in " + candidates[1].string() +
                    "; install the program again",
                candidates[0].string());
}

Result<bool> isEmpty(Session& session, const char* operation, const char* list) {
    TRY_ASSIGN(const Json answer, session.call(Use::Write, operation, Json::object()));
    return answer[list].empty();
}

// Only where there are none yet: what somebody took away does not come back.
Result<void> addTenantsAndAdapters(Session& session, const Path& source) {
    TRY_ASSIGN(const bool noTenants, isEmpty(session, "tenants", "tenants"));
    for (Json tenant : sampleTenants()) {
        if (!noTenants) break;
        tenant["with_key"] = false;
        TRY(session.call(Use::Write, "tenant-create", tenant));
    }
    TRY_ASSIGN(const bool noAdapters, isEmpty(session, "adapters", "adapters"));
    for (const SampleAdapter& adapter : kAdapters) {
        if (!noAdapters) break;
        TRY(session.call(Use::Write, "adapter-import",
                         {{"path", (source / "adapters" / adapter.name).string()},
                          {"model", kSampleName},
                          {"name", adapter.name},
                          {"tenant", adapter.tenant}}));
    }
    return {};
}

}  // namespace

Result<Json> importModel(Session& session, const Json& arguments) {
    TRY_ASSIGN(const Json started, session.call(Use::Write, "import", arguments));
    TRY_ASSIGN(const Json job, session.followJob(started.value("job", std::int64_t{0}), OnStop::CancelJob));
    const std::string id = job["result"].value("model", "");
    TRY_ASSIGN(const Json answer, session.call(Use::Write, "models", Json::object()));
    for (const Json& model : answer["models"])
        if (model.value("id", "") == id) return model;
    return fail(ErrorCode::NotFound, "the imported model is not in the catalog any more", id);
}

Result<Json> makeSampleWorkspace(Session& outer, const std::string& folder) {
    TRY_ASSIGN(const Path source, sampleFolder(outer.files()));
    GlobalOptions options = outer.options();
    options.workspace = folder;
    TRY(outer.files().makeDirectories(folder));
    Session session(options, outer.console(), outer.stop());
    TRY_ASSIGN(const Json before, session.call(Use::Write, "models", Json::object()));
    bool isThere = false;
    for (const Json& model : before["models"]) isThere |= model.value("name", "") == kSampleName;
    if (!isThere) {
        TRY(importModel(session, {{"path", (source / "model").string()}, {"name", kSampleName}}));
        TRY(addTenantsAndAdapters(session, source));
    }
    Json made{{"workspace", session.workspace().string()}};
    for (const char* list : {"models", "tenants", "adapters"}) {
        TRY_ASSIGN(const Json answer, session.call(Use::Write, list, Json::object()));
        made[list] = answer[list];
    }
    return made;
}

}  // namespace espalier::cli
