// SPDX-License-Identifier: GPL-3.0-or-later
#include <unistd.h>

#include "app/cli/commands.h"
#include "app/cli/sample.h"

namespace espalier::cli {
namespace {

struct ImportOptions {
    std::string path, name, quantize;
    bool link = false, allowNonFinite = false, dryRun = false;
};
struct InspectOptions {
    std::string model;
    bool tensors = false;
};
struct ModelOptions {
    std::string model;
};
struct ModelsOptions {
    bool bin = false;
};
struct RenameOptions {
    std::string model, name;
};
struct SampleOptions {
    std::string folder;
};

std::string text(const Json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "-";
    return found->is_string() ? found->get<std::string>() : dumpJson(*found);
}

std::vector<std::string> modelRow(const Json& model) {
    return {text(model, "name"),
            text(model, "family"),
            countText(model.value("parameters", 0.0)),
            bytesText(model.value("bytes", 0.0)),
            text(model, "dtype"),
            text(model, "context"),
            text(model, "id")};
}

void showModels(const Console& console, const Json& models) {
    std::vector<std::vector<std::string>> rows{{"NAME", "FAMILY", "PARAMETERS", "BYTES", "TYPE", "CONTEXT", "ID"}};
    for (const Json& model : models) rows.push_back(modelRow(model));
    console.table(rows);
}

void showModel(const Console& console, const Json& model) {
    if (console.json)
        console.document(model);
    else
        showModels(console, Json::array({model}));
}

// What an import would find, without importing.
Result<void> showProbe(Session& session, const std::string& path) {
    TRY_ASSIGN(const Json probe, session.call(Use::Read, "probe", {{"path", path}}));
    const Console& console = session.console();
    if (console.json) {
        console.document(probe);
        return {};
    }
    const bool hasTemplate = probe.value("has_chat_template", false);
    console.table({{"name", text(probe, "suggested_name")},
                   {"family", text(probe, "family") + " (" + text(probe, "architecture") + ")"},
                   {"parameters", countText(probe.value("parameters", 0.0))},
                   {"bytes", bytesText(probe.value("bytes", 0.0))},
                   {"type", text(probe, "dtype")},
                   {"context", text(probe, "context")},
                   {"tokenizer", text(probe, "tokenizer")},
                   {"chat template", hasTemplate ? text(probe, "chat_format") : "none"},
                   {"licence", text(probe, "licence")},
                   {"free on disk", bytesText(probe.value("free_bytes", 0.0))}});
    std::vector<std::vector<std::string>> rows{{"TENSOR", "ROLE", "SHAPE", "TYPE", "BYTES"}};
    for (const Json& tensor : probe.value("tensors", Json::array()))
        rows.push_back({text(tensor, "name"), text(tensor, "role"), dumpJson(tensor["shape"]), text(tensor, "dtype"),
                        bytesText(tensor.value("bytes", 0.0))});
    console.table(rows);
    for (const Json& warning : probe.value("warnings", Json::array()))
        console.note("warning: " + warning.get<std::string>());
    return {};
}

Result<void> runImport(Session& session, const ImportOptions& options) {
    if (options.dryRun) return showProbe(session, std::filesystem::absolute(options.path).string());
    Json arguments{{"path", std::filesystem::absolute(options.path).string()},
                   {"link", options.link},
                   {"allow_nonfinite", options.allowNonFinite}};
    if (!options.name.empty()) arguments["name"] = options.name;
    if (!options.quantize.empty()) arguments["quantize"] = options.quantize;
    TRY_ASSIGN(const Json model, importModel(session, arguments));
    for (const Json& warning : model.value("warnings", Json::array()))
        session.console().note("warning: " + warning.get<std::string>());
    showModel(session.console(), model);
    return {};
}

Result<void> runModels(Session& session, const ModelsOptions& options) {
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "models", {{"bin", options.bin}}));
    if (session.console().json)
        session.console().document(answer["models"]);
    else
        showModels(session.console(), answer["models"]);
    return {};
}

Result<void> runInspect(Session& session, const InspectOptions& options) {
    TRY_ASSIGN(const Json answer,
               session.call(Use::Read, "inspect", {{"model", options.model}, {"tensors", options.tensors}}));
    if (session.console().json) {
        session.console().document(answer);
        return {};
    }
    const Json& memory = answer["memory"];
    session.console().text(dumpJson(answer["config"], 2) + "\n");
    session.console().table({{"parameters", countText(answer.value("parameters", 0.0))},
                             {"stored", bytesText(answer.value("bytes", 0.0))},
                             {"weights in memory", bytesText(memory.value("weights_bytes", 0.0))},
                             {"KV per token", bytesText(memory.value("kv_bytes_per_token", 0.0))},
                             {"one answer", speedText(answer["speed"])}});
    std::vector<std::vector<std::string>> rows;
    for (const Json& tensor : answer.value("tensors", Json::array()))
        rows.push_back({text(tensor, "name"), dumpJson(tensor["shape"]), text(tensor, "dtype"),
                        bytesText(tensor.value("bytes", 0.0))});
    session.console().table(rows);
    return {};
}

Result<void> runRemove(Session& session, const ModelOptions& options) {
    TRY_ASSIGN(const Json answer, session.call(Use::Write, "remove", {{"model", options.model}}));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text("removed " + text(answer, "removed") + " (it is in the bin)\n");
    return {};
}

Result<void> runRestore(Session& session, const ModelOptions& options) {
    TRY_ASSIGN(const Json model, session.call(Use::Write, "restore", {{"id", options.model}}));
    showModel(session.console(), model);
    return {};
}

Result<void> runRename(Session& session, const RenameOptions& options) {
    TRY_ASSIGN(const Json model,
               session.call(Use::Write, "rename", {{"model", options.model}, {"name", options.name}}));
    showModel(session.console(), model);
    return {};
}

Result<void> runEmptyBin(Session& session, const NoOptions&) {
    TRY_ASSIGN(const Json answer, session.call(Use::Write, "empty-bin", Json::object()));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text(text(answer, "deleted") + " deleted for good\n");
    return {};
}

// The result of a job over every weight of a model.
Result<Json> resultOf(Session& session, std::string_view operation, const std::string& model) {
    TRY_ASSIGN(const Json started, session.call(Use::Write, operation, {{"model", model}}));
    TRY_ASSIGN(Json job, session.followJob(started.value("job", std::int64_t{0}), OnStop::CancelJob));
    return std::move(job["result"]);
}

Result<void> runScan(Session& session, const ModelOptions& options) {
    TRY_ASSIGN(const Json found, resultOf(session, "scan", options.model));
    const std::int64_t nan = found.value("nan", std::int64_t{0}), infinite = found.value("infinite", std::int64_t{0});
    if (nan + infinite > 0) session.foundWrong();
    if (session.console().json) {
        session.console().document(found);
        return {};
    }
    std::vector<std::vector<std::string>> rows{{"TENSOR", "NORM", "LARGEST", "NAN", "INFINITE"}};
    for (const Json& tensor : found.value("tensors", Json::array()))
        rows.push_back({text(tensor, "name"), text(tensor, "norm"), text(tensor, "largest"), text(tensor, "nan"),
                        text(tensor, "infinite")});
    session.console().table(rows);
    session.console().text(std::to_string(nan) + " NaN, " + std::to_string(infinite) + " infinite\n");
    return {};
}

Result<void> runVerify(Session& session, const ModelOptions& options) {
    TRY_ASSIGN(const Json found, resultOf(session, "verify", options.model));
    if (session.console().json)
        session.console().document(found);
    else
        session.console().text("every file is what was imported: " + text(found, "digest") + "\n");
    return {};
}

Result<void> runSample(Session& session, const SampleOptions& options) {
    TRY_ASSIGN(const Json made, makeSampleWorkspace(session, options.folder));
    if (session.console().json)
        session.console().document(made);
    else
        session.console().text("sample workspace at " + text(made, "workspace") + "\n");
    return {};
}

}  // namespace

void addModelCommands(Commands& commands) {
    auto [import, importOptions] =
        commands.add<ImportOptions>("import", "Bring a model folder or GGUF file into the workspace",
                                    "espalierctl import ~/models/tiny-llama --name tiny", runImport);
    import
        ->add_option("path", importOptions->path,
                     "A Hugging Face folder with safetensors, or a .gguf file (any part of a split one)")
        ->required();
    import->add_option("--name", importOptions->name, "What to call it (default: the folder's or file's name)");
    import->add_flag("--link", importOptions->link, "Use the files in place instead of copying them");
    import->add_flag("--dry-run", importOptions->dryRun, "Only show what would be imported: facts, tensors, warnings");
    import->add_option("--quantize", importOptions->quantize, "Store linear weights in blocks: q8_0 or q4_0");
    import->add_flag("--allow-nonfinite", importOptions->allowNonFinite, "Accept NaN and infinite weights");

    auto [models, modelsOptions] = commands.add<ModelsOptions>("models", "List the models of the workspace",
                                                               "espalierctl models --json", runModels);
    models->add_flag("--bin", modelsOptions->bin, "Those that were removed");

    auto [inspect, inspectOptions] = commands.add<InspectOptions>(
        "inspect", "Show a model's architecture, memory and tensors", "espalierctl inspect tiny --tensors", runInspect);
    inspect->add_option("model", inspectOptions->model, "Name or id")->required();
    inspect->add_flag("--tensors", inspectOptions->tensors, "List every tensor");

    const auto onModel = [&commands](const char* name, const char* what, auto run) {
        auto [command, options] =
            commands.add<ModelOptions>(name, what, std::string("espalierctl ") + name + " tiny", run);
        command->add_option("model", options->model, "Name or id")->required();
    };
    onModel("scan", "Read every weight: norms, NaN and infinite ones", runScan);
    onModel("verify", "Compute a model's digest again and compare", runVerify);
    onModel("remove", "Put a model into the bin", runRemove);
    onModel("restore", "Take a model out of the bin", runRestore);
    commands.add<NoOptions>("empty-bin", "Delete for good what lies in the bin", "espalierctl empty-bin", runEmptyBin);

    auto [rename, renameOptions] =
        commands.add<RenameOptions>("rename", "Give a model another name", "espalierctl rename tiny tiny-2", runRename);
    rename->add_option("model", renameOptions->model, "Name or id")->required();
    rename->add_option("name", renameOptions->name, "Its new name")->required();

    auto [sample, sampleOptions] = commands.add<SampleOptions>("sample", "Make the sample workspace",
                                                               "espalierctl sample ~/espalier-sample", runSample);
    sample->add_option("dir", sampleOptions->folder, "Folder of the new workspace")->required();
}

}  // namespace espalier::cli
