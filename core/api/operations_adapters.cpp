// SPDX-License-Identifier: GPL-3.0-or-later
// Adapters: import, list, show, reload, remove; the isolation check.
#include "core/api/json_fields.h"
#include "core/api/operations.h"
#include "core/api/protocol.h"

namespace espalier {

Result<Json> listAdapters(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const auto model, JsonFields(arguments).string("model"));
    if (model) TRY(models.engine().findModel(*model));
    Json list = Json::array();
    for (const AdapterRecord& adapter : models.engine().adapters(model.value_or(""))) list.push_back(toJson(adapter));
    return Json{{"adapters", std::move(list)}};
}

Result<Json> importAdapter(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    AdapterImport request;
    TRY_ASSIGN(request.path, fields.requiredString("path"));
    TRY_ASSIGN(request.base, fields.requiredString("model"));
    TRY_ASSIGN(const auto name, fields.string("name"));
    request.name = name.value_or("");
    TRY_ASSIGN(const auto tenant, fields.string("tenant"));
    request.tenant = tenant.value_or("");
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().importAdapter(request, options.stop));
    return toJson(adapter);
}

Result<Json> importAdapters(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    AdapterImport common;
    TRY_ASSIGN(common.base, fields.requiredString("model"));
    TRY_ASSIGN(const auto tenant, fields.string("tenant"));
    common.tenant = tenant.value_or("");
    TRY_ASSIGN(const auto paths, fields.strings("paths", kMostAdaptersAtOnce));
    std::vector<AdapterImport> requests(paths.size(), common);
    for (std::size_t i = 0; i < paths.size(); ++i) requests[i].path = paths[i];
    TRY_ASSIGN(const bool asJob, fields.boolean("job", false));
    if (asJob) {
        TRY_ASSIGN(const std::int64_t job, models.engine().startAdapterImport(common.base, common.tenant, paths));
        return Json{{"job", job}};
    }
    const auto answers = models.engine().importAdapters(requests, options.stop);
    Json imported = Json::array(), failed = Json::array();
    for (std::size_t i = 0; i < paths.size(); ++i)
        if (answers[i])
            imported.push_back(toJson(*answers[i]));
        else
            failed.push_back({{"path", paths[i]}, {"error", toJson(answers[i].error())}});
    return Json{{"imported", std::move(imported)}, {"failed", std::move(failed)}};
}

Result<Json> showAdapter(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string reference, JsonFields(arguments).requiredString("adapter"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().findAdapter(reference));
    return toJson(adapter);
}

Result<Json> reloadAdapter(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const std::string reference, fields.requiredString("adapter"));
    TRY_ASSIGN(const auto path, fields.string("path"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().reloadAdapter(reference, path.value_or(""), options.stop));
    return toJson(adapter);
}

Result<Json> removeAdapter(const ModelAccess& models, const Json& arguments) {
    TRY_ASSIGN(const std::string reference, JsonFields(arguments).requiredString("adapter"));
    TRY_ASSIGN(const AdapterRecord adapter, models.engine().findAdapter(reference));
    TRY(models.engine().removeAdapter(adapter.id));
    return Json{{"removed", adapter.name}, {"base", adapter.base}, {"id", adapter.id}};
}

// Without a model: the only one, or the only one that has adapters.
static Result<std::string> modelToCheck(const Engine& engine, const std::optional<std::string>& named) {
    if (named) return *named;
    const auto models = engine.models();
    std::vector<std::string> adapted;
    for (const ModelRecord& model : models)
        if (!engine.adapters(model.id).empty()) adapted.push_back(model.name);
    if (models.size() == 1) return models[0].name;
    if (adapted.size() == 1) return adapted[0];
    return fail(ErrorCode::InvalidArgument,
                "\"model\" must name the model to check: there are " + std::to_string(models.size()), "model");
}

Result<Json> checkIsolation(const ModelAccess& models, const Json& arguments, const CallOptions& options) {
    const JsonFields fields(arguments);
    TRY_ASSIGN(const auto named, fields.string("model"));
    IsolationRequest request;
    TRY_ASSIGN(request.model, modelToCheck(models.engine(), named));
    if (fields.find("adapters")) {
        TRY_ASSIGN(request.adapters, fields.strings("adapters", 64));
    }
    request.stop = options.stop;
    TRY_ASSIGN(const IsolationReport report, models.engine().checkIsolation(request));
    Json scenes = Json::array();
    std::int64_t compared = 0;
    for (const IsolationScene& scene : report.scenes) {
        scenes.push_back(
            {{"name", scene.name}, {"passed", scene.passed}, {"compared", scene.compared}, {"detail", scene.detail}});
        compared += scene.compared;
    }
    return Json{{"passed", report.passed()},
                {"model", report.model},
                {"adapters", report.adapters},
                {"compute_mode", report.computeMode},
                {"kv", report.kv},
                {"device", report.device},
                {"compared", compared},
                {"scenes", std::move(scenes)}};
}

}  // namespace espalier
