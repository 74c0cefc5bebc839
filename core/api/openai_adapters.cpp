// SPDX-License-Identifier: GPL-3.0-or-later
// Loading and unloading adapters, as vLLM's clients ask for it.
#include <algorithm>
#include <filesystem>

#include "core/api/json_fields.h"
#include "core/api/openai_call.h"

namespace espalier {
namespace {

// The base an adapter is loaded for: the one named, or the only one there is.
Result<std::string> baseFor(const OpenAiHost& host, const JsonFields& fields) {
    TRY_ASSIGN(const auto named, fields.string("base_model"));
    if (named) return *named;
    const auto models = host.models.engine().models();
    if (models.size() == 1) return models[0].name;
    return fail(
        ErrorCode::InvalidArgument,
        "\"base_model\" must name the model that the adapter changes: this server has " + std::to_string(models.size()),
        "base_model");
}

// What the path leads to, links followed, when that lies in a folder that adapters may be read from.
Result<std::string> allowedFolder(const OpenAiHost& host, const std::string& path) {
    if (!host.adapterFolders) return path;
    std::error_code failed;
    const Path real = std::filesystem::weakly_canonical(path, failed);
    for (const Path& folder : *host.adapterFolders) {
        if (failed) break;
        const auto differs = std::mismatch(folder.begin(), folder.end(), real.begin(), real.end());
        if (differs.first == folder.end()) return real.string();
    }
    return fail(ErrorCode::InvalidArgument,
                host.adapterFolders->empty()
                    ? "this server is open to the network and reads no adapters from its disk over HTTP: start it with "
                      "--adapter-folder DIR to allow the folders in DIR"
                    : "\"" + path +
                          "\" does not lie in a folder that this server reads adapters from (serve "
                          "--adapter-folder)",
                "lora_path");
}

}  // namespace

Result<std::string> loadAdapter(const OpenAiHost& host, const Json& body) {
    const JsonFields fields(body);
    AdapterImport request;
    TRY_ASSIGN(request.name, fields.requiredString("lora_name"));
    TRY_ASSIGN(const std::string path, fields.requiredString("lora_path"));
    TRY_ASSIGN(request.path, allowedFolder(host, path));
    TRY_ASSIGN(const bool inPlace, fields.boolean("load_inplace", false));
    TRY_ASSIGN(request.base, baseFor(host, fields));
    Engine& engine = host.models.engine();
    if (inPlace && engine.findAdapter(request.base + ":" + request.name)) {
        TRY(engine.reloadAdapter(request.base + ":" + request.name, request.path));
    } else {
        TRY(engine.importAdapter(request));
    }
    return "Success: LoRA adapter '" + request.name + "' added successfully.";
}

Result<std::string> unloadAdapter(const OpenAiHost& host, const Json& body) {
    const JsonFields fields(body);
    TRY_ASSIGN(const std::string name, fields.requiredString("lora_name"));
    TRY_ASSIGN(const auto base, fields.string("base_model"));
    TRY(host.models.engine().removeAdapter(base ? *base + ":" + name : name));
    return "Success: LoRA adapter '" + name + "' removed successfully.";
}

}  // namespace espalier
