// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/sample.h"

#include "core/api/protocol.h"

namespace espalier::cli {
namespace {

constexpr const char* kSampleName = "sample";

// Beside an installed program, or in the sources it was built from.
Result<Path> sampleFolder(FileSystem& files) {
    std::error_code ignored;
    const Path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const Path candidates[]{program.parent_path().parent_path() / "share/espalier/sample/model",
                            Path(ESPALIER_SAMPLE_FOLDER)};
    for (const Path& folder : candidates)
        if (files.exists(folder / "config.json")) return folder;
    return fail(ErrorCode::NotFound,
                "the sample model is neither in " + candidates[0].string() + " nor in " + candidates[1].string() +
                    "; install the program again",
                candidates[0].string());
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
    if (!isThere) TRY(importModel(session, {{"path", source.string()}, {"name", kSampleName}}));
    TRY_ASSIGN(const Json after, session.call(Use::Write, "models", Json::object()));
    return Json{{"workspace", session.workspace().string()},
                {"models", after["models"]},
                {"tenants", Json::array()},
                {"adapters", Json::array()}};
}

}  // namespace espalier::cli
