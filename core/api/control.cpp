// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/control.h"

#include <unistd.h>

#include "core/api/case_store.h"
#include "core/api/json_fields.h"
#include "core/api/operations.h"
#include "core/api/protocol.h"
#include "core/api/version.h"

namespace espalier {
namespace {

// Operations on one model or one job, by the argument that names it.
template <class Act>
auto onModel(Act act) {
    return [act](const Json& arguments, const CallOptions&) -> Result<Json> {
        TRY_ASSIGN(const std::string model, JsonFields(arguments).requiredString("model"));
        return act(model);
    };
}

template <class Act>
auto onJob(Engine& engine, Act act) {
    return [&engine, act](const Json& arguments, const CallOptions&) -> Result<Json> {
        const JsonFields fields(arguments);
        TRY_ASSIGN(const auto id, fields.integer("id", 0, INT64_MAX));
        if (!id) return fields.wrong("id", "the number of a job");
        TRY_ASSIGN(JobRecord before, engine.job(*id));
        TRY(act(*id));
        const auto after = engine.job(*id);
        return toJson(after ? *after : before);  // a discarded job is shown as it was
    };
}

Result<Json> setServing(Engine& engine, ServeState state) {
    TRY(engine.setServing(state));
    return Json{{"state", serveStateName(engine.serving())}};
}

Result<Json> asJob(Result<std::int64_t> started) {
    if (!started) return std::move(started).error();
    return Json{{"job", *started}};
}

}  // namespace

LocalControl::LocalControl(const ModelAccess& models, const Clock& clock, ControlHost host) {
    Engine& engine = models.engine();
    const auto of = [&models](Result<Json> (*operation)(const ModelAccess&, const Json&)) {
        return [&models, operation](const Json& arguments, const CallOptions&) { return operation(models, arguments); };
    };
    const auto longOf = [&models](Result<Json> (*operation)(const ModelAccess&, const Json&, const CallOptions&)) {
        return [&models, operation](const Json& arguments, const CallOptions& options) {
            return operation(models, arguments, options);
        };
    };
    const auto timed = [&models, &clock](Result<Json> (*operation)(const ModelAccess&, const Clock&, const Json&)) {
        return [&models, &clock, operation](const Json& arguments, const CallOptions&) {
            return operation(models, clock, arguments);
        };
    };
    auto& on = m_operations;
    on["hello"] = [&engine, host](const Json&, const CallOptions&) -> Result<Json> {
        return Json{{"version", kVersion},
                    {"protocol", kProtocolVersion},
                    {"pid", ::getpid()},
                    {"started_at", host.startedAt},
                    {"workspace", engine.options().workspace.string()},
                    {"url", host.url}};
    };
    on["status"] = [&models, &clock, host](const Json&, const CallOptions&) { return statusOf(models, clock, host); };

    on["models"] = of(listModels);
    on["inspect"] = of(inspectModel);
    on["card"] = of(modelCard);
    on["probe"] = of(probeImport);
    on["import"] = of(startImport);
    on["remove"] = onModel([&engine](const std::string& model) -> Result<Json> {
        TRY_ASSIGN(const ModelRecord record, engine.findModel(model));
        TRY(engine.removeModel(model));
        return Json{{"removed", record.name}, {"id", record.id}};
    });
    on["restore"] = [&engine](const Json& arguments, const CallOptions&) -> Result<Json> {
        TRY_ASSIGN(const std::string id, JsonFields(arguments).requiredString("id"));
        TRY(engine.restoreModel(id));
        TRY_ASSIGN(const ModelRecord record, engine.findModel(id));
        return toJson(record);
    };
    on["rename"] = [&engine](const Json& arguments, const CallOptions&) -> Result<Json> {
        TRY_ASSIGN(const std::string model, JsonFields(arguments).requiredString("model"));
        TRY_ASSIGN(const std::string name, JsonFields(arguments).requiredString("name"));
        TRY(engine.renameModel(model, name));
        TRY_ASSIGN(const ModelRecord record, engine.findModel(name));
        return toJson(record);
    };
    on["empty-bin"] = [&engine](const Json&, const CallOptions&) -> Result<Json> {
        const std::size_t deleted = engine.bin().size();
        TRY(engine.emptyBin());
        return Json{{"deleted", deleted}};
    };
    on["load"] = onModel([&engine](const std::string& model) -> Result<Json> {
        TRY(engine.loadModel(model));
        return Json{{"loading", model}};
    });
    on["unload"] = onModel([&engine](const std::string& model) -> Result<Json> {
        TRY(engine.unloadModel(model));
        return Json{{"unloaded", model}};
    });
    on["scan"] = onModel([&engine](const std::string& model) { return asJob(engine.startScan(model)); });
    on["verify"] = onModel([&engine](const std::string& model) { return asJob(engine.startVerify(model)); });

    on["adapters"] = of(listAdapters);
    on["adapter-import"] = longOf(importAdapter);
    on["adapters-import"] = longOf(importAdapters);
    on["adapter-show"] = of(showAdapter);
    on["adapter-reload"] = longOf(reloadAdapter);
    on["adapter-remove"] = of(removeAdapter);
    on["isolation-check"] = longOf(checkIsolation);

    on["machine"] = [&models](const Json&, const CallOptions&) { return machineOf(models); };

    on["jobs"] = [&models](const Json&, const CallOptions&) { return listJobs(models); };
    on["job"] = onJob(engine, [](std::int64_t) { return Result<void>(); });
    on["job-cancel"] = onJob(engine, [&engine](std::int64_t id) { return engine.cancelJob(id); });
    on["job-pause"] = onJob(engine, [&engine](std::int64_t id) { return engine.pauseJob(id); });
    on["job-resume"] = onJob(engine, [&engine](std::int64_t id) { return engine.resumeJob(id); });
    on["job-discard"] = onJob(engine, [&engine](std::int64_t id) { return engine.discardJob(id); });
    on["job-wait"] = [&models](const Json& arguments, const CallOptions& options) {
        return waitForJob(models, arguments, options.stop);
    };

    on["tokenize"] = of(tokenizeText);
    on["detokenize"] = of(detokenizeIds);
    on["template"] = of(renderTemplate);
    on["generate"] = longOf(generate);
    on["perplexity"] = longOf(perplexity);
    on["embed"] = longOf(embed);

    on["tenants"] = of(listTenants);
    on["tenant"] = of(showTenant);
    on["tenant-create"] = timed(createTenant);
    on["tenant-limit"] = timed(limitTenant);
    on["tenant-revoke"] = of(revokeTenant);
    on["tenant-restore"] = of(restoreTenant);
    on["key-create"] = of(createKey);
    on["key-rotate"] = of(rotateKey);
    on["key-revoke"] = of(revokeKey);
    on["key-restore"] = of(restoreKey);
    on["usage"] = timed(tenantUsage);

    const auto cases = std::make_shared<CaseStore>(models.files(), engine.options().workspace);
    const bool readOnly = engine.options().readOnly;
    const auto writing = [readOnly](auto act) {
        return [readOnly, act](const Json& arguments, const CallOptions&) -> Result<Json> {
            if (readOnly) return fail(ErrorCode::Locked, "the workspace is open for reading only");
            return act(arguments);
        };
    };
    on["cases"] = [cases](const Json&, const CallOptions&) { return cases->list(); };
    on["case-save"] = writing([cases](const Json& arguments) { return cases->save(arguments); });
    on["case-remove"] = writing([cases](const Json& arguments) { return cases->remove(arguments); });

    const auto serve = [&engine](ServeState state) {
        return [&engine, state](const Json&, const CallOptions&) { return setServing(engine, state); };
    };
    on["serve-start"] = serve(ServeState::Serving);
    on["serve-stop"] = serve(ServeState::Stopped);
    on["serve-drain"] = serve(ServeState::Draining);
    on["requests"] = of(listRequests);
    on["request-cancel"] = of(cancelRequest);
    on["pages"] = of(pageMapOf);
    on["steps"] = of(listSteps);
    on["history"] = of(history);
    on["log"] = of(newestLog);
    on["shutdown"] = [host](const Json&, const CallOptions&) -> Result<Json> {
        if (!host.shutdown) return fail(ErrorCode::Unsupported, "no daemon runs here");
        host.shutdown();
        return Json::object();
    };
}

Result<Json> LocalControl::call(std::string_view operation, const Json& arguments, const CallOptions& options) {
    const auto found = m_operations.find(operation);
    if (found == m_operations.end())
        return fail(ErrorCode::NotFound, "there is no operation \"" + std::string(operation) + "\"");
    if (!arguments.is_object()) return fail(ErrorCode::InvalidArgument, "the arguments must be a JSON object");
    return found->second(arguments, options);
}

}  // namespace espalier
