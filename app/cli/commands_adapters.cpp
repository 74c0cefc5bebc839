// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/commands.h"
#include "core/adapters/adapter_folder.h"

namespace espalier::cli {
namespace {

struct AdapterImportOptions {
    std::vector<std::string> paths;
    std::string model, name, tenant;
    bool all = false;
};
struct ListOptions {
    std::string model;
};
struct IsolationOptions {
    std::string model;
    std::vector<std::string> adapters;
};
struct AdapterOptions {
    std::string adapter, path;
};

std::string targetsText(const Json& targets) {
    std::string text;
    for (const Json& name : targets) text += (text.empty() ? "" : ", ") + name.get<std::string>();
    return text;
}

std::string tenantText(const Json& adapter) {
    const std::string tenant = adapter.value("tenant", "");
    return tenant.empty() ? "-" : tenant;
}

void showAdapters(const Console& console, const Json& adapters) {
    std::vector<std::vector<std::string>> rows{
        {"NAME", "BASE", "KIND", "RANK", "TARGETS", "BYTES", "TYPE", "VERSION", "TENANT"}};
    for (const Json& adapter : adapters)
        rows.push_back({adapter.value("name", ""), adapter.value("base", ""), adapter.value("kind", ""),
                        dumpJson(adapter["rank"]), targetsText(adapter["targets"]),
                        bytesText(adapter.value("bytes", 0.0)), adapter.value("dtype", ""),
                        dumpJson(adapter["version"]), tenantText(adapter)});
    console.table(rows);
}

Result<void> showAdapter(Session& session, const Json& adapter) {
    for (const Json& warning : adapter.value("warnings", Json::array()))
        session.console().note("warning: " + warning.get<std::string>());
    if (session.console().json)
        session.console().document(adapter);
    else
        showAdapters(session.console(), Json::array({adapter}));
    return {};
}

// What is to come in: the folders that were named; with --all, of those that are no adapters the folders in them.
Result<std::vector<std::string>> foldersOf(Session& session, const AdapterImportOptions& options) {
    std::vector<std::string> folders;
    for (const std::string& named : options.paths) {
        const Path path = std::filesystem::absolute(named);
        if (!options.all || session.files().exists(path / kAdapterConfigFile)) {
            folders.push_back(path.string());
            continue;
        }
        TRY_ASSIGN(const auto entries, session.files().list(path));
        const std::size_t before = folders.size();
        for (const FileEntry& entry : entries)
            if (entry.isDirectory) folders.push_back(entry.path.string());
        if (folders.size() == before)
            return fail(ErrorCode::NotFound, named + " holds no folders: name a folder of adapter folders", named);
    }
    return folders;
}

// In batches: the disk is waited for once in each.
Result<void> importMany(Session& session, const AdapterImportOptions& options) {
    constexpr std::size_t kBatch = 256;
    TRY_ASSIGN(const std::vector<std::string> paths, foldersOf(session, options));
    const Console& console = session.console();
    Json imported = Json::array(), failed = Json::array();
    for (std::size_t begin = 0; begin < paths.size(); begin += kBatch) {
        const std::size_t end = std::min(paths.size(), begin + kBatch);
        Json arguments{{"paths", std::vector(paths.begin() + begin, paths.begin() + end)}, {"model", options.model}};
        if (!options.tenant.empty()) arguments["tenant"] = options.tenant;
        console.progress("importing", static_cast<double>(begin) / static_cast<double>(paths.size()));
        auto answer = session.call(Use::Write, "adapters-import", arguments);
        if (!answer) console.progressEnds();
        if (!answer) return std::move(answer).error();
        for (Json& one : (*answer)["imported"]) imported.push_back(std::move(one));
        for (Json& one : (*answer)["failed"]) failed.push_back(std::move(one));
        if (!session.stop().stop_requested()) continue;
        console.progressEnds();
        return fail(ErrorCode::Cancelled, "stopped; " + std::to_string(imported.size()) + " of " +
                                              std::to_string(paths.size()) + " adapters are imported");
    }
    console.progressEnds();
    if (!failed.empty()) session.foundWrong();
    if (console.json) {
        console.document({{"imported", std::move(imported)}, {"failed", std::move(failed)}});
        return {};
    }
    for (const Json& one : failed) console.note(one.value("path", "") + ": " + one["error"].value("message", ""));
    console.text(std::to_string(imported.size()) + " of " + std::to_string(paths.size()) + " adapters imported\n");
    return {};
}

Result<void> runAdapterImport(Session& session, const AdapterImportOptions& options) {
    if (options.all || options.paths.size() > 1) return importMany(session, options);
    Json arguments{{"path", std::filesystem::absolute(options.paths.front()).string()}, {"model", options.model}};
    if (!options.name.empty()) arguments["name"] = options.name;
    if (!options.tenant.empty()) arguments["tenant"] = options.tenant;
    TRY_ASSIGN(const Json adapter, session.call(Use::Write, "adapter-import", arguments));
    return showAdapter(session, adapter);
}

Result<void> runAdapterList(Session& session, const ListOptions& options) {
    Json arguments = Json::object();
    if (!options.model.empty()) arguments["model"] = options.model;
    TRY_ASSIGN(const Json answer, session.call(Use::Read, "adapters", arguments));
    if (session.console().json)
        session.console().document(answer["adapters"]);
    else
        showAdapters(session.console(), answer["adapters"]);
    return {};
}

Result<void> runAdapterShow(Session& session, const AdapterOptions& options) {
    TRY_ASSIGN(const Json adapter, session.call(Use::Read, "adapter-show", {{"adapter", options.adapter}}));
    if (session.console().json) return showAdapter(session, adapter);
    session.console().table({{"name", adapter.value("name", "")},
                             {"base", adapter.value("base", "")},
                             {"kind", adapter.value("kind", "") + ", rank " + dumpJson(adapter["rank"])},
                             {"targets", targetsText(adapter["targets"])},
                             {"bytes", bytesText(adapter.value("bytes", 0.0)) + ", " + adapter.value("dtype", "")},
                             {"version", dumpJson(adapter["version"])},
                             {"tenant", tenantText(adapter)},
                             {"digest", adapter.value("digest", "")},
                             {"trained on", adapter.value("trained_on", "")},
                             {"source", adapter.value("source", "")},
                             {"id", adapter.value("id", "")}});
    return {};
}

Result<void> runReload(Session& session, const AdapterOptions& options) {
    Json arguments{{"adapter", options.adapter}};
    if (!options.path.empty()) arguments["path"] = std::filesystem::absolute(options.path).string();
    TRY_ASSIGN(const Json adapter, session.call(Use::Write, "adapter-reload", arguments));
    return showAdapter(session, adapter);
}

Result<void> runAdapterRemove(Session& session, const AdapterOptions& options) {
    TRY_ASSIGN(const Json answer, session.call(Use::Write, "adapter-remove", {{"adapter", options.adapter}}));
    if (session.console().json)
        session.console().document(answer);
    else
        session.console().text("removed " + answer.value("base", "") + ":" + answer.value("removed", "") + "\n");
    return {};
}

std::string_view sceneText(std::string_view name) {
    constexpr std::pair<std::string_view, std::string_view> kScenes[]{
        {"crowd", "everyone at once"},
        {"ends", "each first and last"},
        {"base_beside", "the base beside adapters"},
        {"eviction", "after eviction and reuse of pages"},
        {"prefix_cache", "no prefix found across tenants and adapters"}};
    for (const auto& [scene, text] : kScenes)
        if (scene == name) return text;
    return name;
}

Result<void> runIsolationCheck(Session& session, const IsolationOptions& options) {
    Json arguments = Json::object();
    if (!options.model.empty()) arguments["model"] = options.model;
    if (!options.adapters.empty()) arguments["adapters"] = options.adapters;
    TRY_ASSIGN(const Json report, session.call(Use::Read, "isolation-check", arguments));
    const bool passed = report.value("passed", false);
    if (!passed) session.foundWrong();
    const Console& console = session.console();
    if (console.json) {
        console.document(report);
        return {};
    }
    std::vector<std::vector<std::string>> rows{{"SCENE", "ANSWERS", "RESULT"}};
    for (const Json& scene : report["scenes"])
        rows.push_back({std::string(sceneText(scene.value("name", ""))), dumpJson(scene["compared"]),
                        scene.value("passed", false) ? "same bits" : "DIFFERENT: " + scene.value("detail", "")});
    console.table(rows);
    std::string with = std::to_string(report["adapters"].size()) + " adapters";
    if (report["adapters"].empty()) with = "no adapters";
    console.text((passed ? "isolated: " : "NOT isolated: ") + report.value("model", "") + " with " + with +
                 ", compute " + report.value("compute_mode", "") + ", KV " + report.value("kv", "") + ", on " +
                 report.value("device", "") + "\n");
    return {};
}

}  // namespace

void addAdapterCommands(Commands& commands) {
    auto [adapter, none] = commands.add<NoOptions>("adapter", "Adapters of a model: import, list, show, reload, remove",
                                                   "espalierctl adapter list -m tiny",
                                                   [](Session&, const NoOptions&) -> Result<void> { return {}; });
    adapter->require_subcommand(1);

    auto [import, i] = commands.addTo<AdapterImportOptions>(
        *adapter, "import", "Bring an adapter into the workspace: LoRA of PEFT, bottleneck of AdapterHub",
        "espalierctl adapter import ~/lora/math -m tiny --name math", runAdapterImport);
    import
        ->add_option("path", i->paths,
                     "A folder with adapter_config.json and adapter_model.safetensors (PEFT) or adapter.safetensors "
                     "(AdapterHub); several come in together")
        ->required();
    import->add_option("-m,--model", i->model, "The base it changes: name or id")->required();
    auto* name = import->add_option("--name", i->name, "What to call it (default: the folder's name)");
    name->check([options = i](const std::string&) -> std::string {  // runs when the paths are known
        return options->paths.size() > 1 ? "several adapters come in under their folders' names" : "";
    });
    import->add_flag("--all", i->all, "Every folder in the ones named, each an adapter under its own name")
        ->excludes(name);
    import->add_option("--tenant", i->tenant, "Whose it is: no other tenant sees it (default: everyone's)");

    auto [list, l] = commands.addTo<ListOptions>(*adapter, "list", "List the adapters of the workspace",
                                                 "espalierctl adapter list --json", runAdapterList);
    list->add_option("-m,--model", l->model, "Only those of this base");

    const std::string what = "base:name, an id, or a name that only one base has";
    auto [show, s] = commands.addTo<AdapterOptions>(*adapter, "show", "Show one adapter",
                                                    "espalierctl adapter show tiny:math", runAdapterShow);
    show->add_option("adapter", s->adapter, what)->required();

    auto [reload, r] = commands.addTo<AdapterOptions>(
        *adapter, "reload", "Read its files again; what runs finishes on the old version",
        "espalierctl adapter reload tiny:math --path ~/lora/math-2", runReload);
    reload->add_option("adapter", r->adapter, what)->required();
    reload->add_option("--path", r->path, "From here (default: where it was imported from)");

    auto [remove, d] =
        commands.addTo<AdapterOptions>(*adapter, "remove", "Remove an adapter; what runs with it finishes",
                                       "espalierctl adapter remove tiny:math", runAdapterRemove);
    remove->add_option("adapter", d->adapter, what)->required();

    auto [check, c] = commands.add<IsolationOptions>(
        "isolation-check", "Show that nobody's answer depends on who else is served: same bits alone and among others",
        "espalierctl isolation-check -m tiny --adapter math --adapter law", runIsolationCheck);
    check->add_option("-m,--model", c->model, "The base: name or id (default: the only one)");
    check->add_option("--adapter", c->adapters, "One of its adapters; may be repeated (default: its first four)")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace espalier::cli
