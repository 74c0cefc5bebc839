// SPDX-License-Identifier: GPL-3.0-or-later
// The engine, jobs: what is asked before one, what each kind is made of, what is said at its end.
#include "core/base/shell_text.h"
#include "core/engine/import_job.h"
#include "core/engine/import_report.h"
#include "core/engine/local_engine.h"
#include "core/engine/model_files.h"
#include "core/engine/model_jobs.h"
#include "core/engine/quantized_file.h"

namespace espalier {

Result<ImportProbe> LocalEngine::probeImport(const Path& path) const {
    TRY_ASSIGN(const ModelFiles model, readModelFiles(m_files, path));
    ImportProbe probe;
    probe.path = model.path.string();
    probe.suggestedName = model.suggestedName;
    probe.family = model.spec.family;
    probe.architecture = model.spec.architecture;
    probe.dtype = model.dtype;
    probe.licence = model.licence;
    probe.tokenizer = model.tokenizer;
    probe.hasChatTemplate = model.hasChatTemplate;
    probe.chatFormat = chatFormatOf(model.chatTemplate);
    TRY_ASSIGN(const auto tensors, openModelFolder(m_files, model.path));
    probe.tensors = probedTensors(model.spec, *tensors);
    probe.parameters = model.parameters;
    probe.bytes = static_cast<std::int64_t>(model.allBytes());
    probe.context = model.spec.context;
    probe.layers = static_cast<std::int32_t>(model.spec.layers.size());
    TRY_ASSIGN(const std::uint64_t freeBytes, m_files.freeBytes(m_workspace->folder()));
    probe.freeBytes = static_cast<std::int64_t>(freeBytes);
    probe.warnings = model.warnings;
    if (!model.leftOut.empty()) {
        std::string names;
        for (const std::string& name : model.leftOut) names += (names.empty() ? "" : ", ") + name;
        probe.warnings.push_back("not copied: " + names);
    }
    return probe;
}

Result<std::int64_t> LocalEngine::startImport(const ImportRequest& request) {
    if (request.path.empty()) return fail(ErrorCode::InvalidArgument, "no path was given", "path");
    const Path path = std::filesystem::absolute(request.path).lexically_normal();
    TRY(m_files.stat(path));
    if (!request.name.empty()) {
        TRY(checkModelName(request.name));
        if (const auto taken = m_shelf.find(request.name))
            return fail(ErrorCode::AlreadyExists,
                        "the name \"" + request.name + "\" belongs to model " + taken->id + "; choose another",
                        request.name);
    }
    if (!request.quantize.empty()) {
        TRY(quantizationNamed(request.quantize));
        if (request.link)
            return fail(ErrorCode::InvalidArgument, "a linked model is used as it is: quantise a copy, without --link",
                        "quantize");
    }
    const ImportArguments arguments{path.string(), request.name, request.link, request.allowNonFinite,
                                    request.quantize};
    const std::string name = request.name.empty() ? suggestedModelName(path) : request.name;
    return m_jobs->add("import", "Import " + name, importCommand(arguments), toJson(arguments));
}

Result<std::int64_t> LocalEngine::startModelJob(std::string_view kind, std::string_view verb, std::string_view model) {
    TRY_ASSIGN(const ModelRecord record, m_shelf.find(model));
    return m_jobs->add(kind, std::string(verb) + " " + record.name,
                       "espalierctl " + std::string(kind) + " " + shellQuoted(record.name), {{"model", record.id}});
}

Result<std::unique_ptr<Job>> LocalEngine::makeJob(std::int64_t id, std::string_view kind, const Json& arguments) {
    if (kind == "import") {
        TRY_ASSIGN(auto parsed, importArgumentsFromJson(arguments));
        return makeImportJob(*m_workspace, m_files, m_clock, id, std::move(parsed), [this](const std::string& modelId) {
            (void)reloadShelf();
            m_events.publish(ModelChanged{modelId, "imported"});
        });
    }
    if (kind == "adapters") {
        TRY_ASSIGN(auto parsed, adaptersArgumentsFromJson(arguments));
        AdapterImporter importer = importerFor(parsed);
        return makeAdaptersJob(m_files, std::move(parsed), std::move(importer));
    }
    TRY_ASSIGN(std::string model, JsonReader(arguments, "the job's arguments").string("model"));
    if (kind == "scan") return makeScanJob(*m_workspace, m_files, std::move(model));
    if (kind == "verify") return makeVerifyJob(*m_workspace, m_files, std::move(model));
    return fail(ErrorCode::Unsupported, "this version knows no job of kind \"" + std::string(kind) + "\"");
}

void LocalEngine::jobChanged(const JobRecord& job) {
    m_events.publish(job);
    if (job.state == JobState::Running || job.state == JobState::Queued) return;
    if (job.kind == "adapters" && job.state == JobState::Finished) return;  // logAdapters says what came of it
    const std::string ending = job.title + " is " + std::string(jobStateName(job.state));
    log(job.error ? "error" : "info", job.kind, job.error ? ending + ": " + job.error->message : ending);
}

}  // namespace espalier
