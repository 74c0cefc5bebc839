// SPDX-License-Identifier: GPL-3.0-or-later
// The engine, its models: the catalog, the bin, their files.
#include <set>

#include "core/engine/local_engine.h"
#include "core/engine/model_files.h"

namespace espalier {

Result<void> LocalEngine::removeModel(std::string_view nameOrId) {
    TRY_ASSIGN(const ModelRecord model, m_shelf.find(nameOrId));
    if (const std::int32_t open = m_serving->openRequests(model.id); open > 0)
        return fail(ErrorCode::Busy, "\"" + model.name + "\" is answering " + std::to_string(open) +
                                         " requests: unload it or wait for them");
    TRY(m_workspace->catalog().setRemoved(model.id, m_clock.unixMilliseconds()));
    TRY(reloadShelf());
    (void)m_serving->unload(model.id);  // overrun: it stays in memory until something needs the room
    m_events.publish(ModelChanged{model.id, "removed"});
    log("audit", "catalog", "\"" + model.name + "\" (" + model.id + ") was put into the bin");
    return {};
}

Result<void> LocalEngine::restoreModel(std::string_view id) {
    TRY_ASSIGN(const ModelRecord model, m_shelf.findInBin(id));
    TRY(m_workspace->catalog().setRemoved(model.id, std::nullopt));
    TRY(reloadShelf());
    m_events.publish(ModelChanged{model.id, "restored"});
    log("audit", "catalog", "\"" + model.name + "\" (" + model.id + ") was restored");
    return {};
}

Result<void> LocalEngine::emptyBin() {
    Result<void> first;  // that failed; the others go
    for (const ModelRecord& model : m_shelf.bin())
        if (auto deleted = deleteModel(model); !deleted && first) first = std::move(deleted);
    TRY(reloadShelf());
    return first;
}

// The folder steps aside, the row goes, then the files: after a crash in between, tidyModelFolders finishes or undoes
// it.
Result<void> LocalEngine::deleteModel(const ModelRecord& model) {
    const Path folder = m_workspace->modelFolder(model.id), aside = m_workspace->removedFolder(model.id);
    const bool hasFolder = !model.linked && m_files.exists(folder);
    const auto erase = [&](std::span<const AdapterRow> adapters) -> Result<bool> {
        if (hasFolder) TRY(setAside(m_files, folder, aside));
        std::set<std::string> names;  // but those of a model that took its name, with an adapter of that name, too
        for (const AdapterRow& adapter : adapters)
            if (const std::string name = model.name + ":" + adapter.name; !m_adapters.find(name)) names.insert(name);
        auto erased = m_tenants->disallow(names, [&](std::span<const TenantRow> tenants) {
            return m_workspace->catalog().eraseRemoved(model.id, tenants);
        });
        if (hasFolder && !(erased && *erased)) TRY(m_files.rename(aside, folder));
        return erased;
    };
    TRY_ASSIGN(const bool isErased, m_adapters.deleteBase(model.id, erase));
    if (!isErased) return {};  // restored in this moment
    if (hasFolder) TRY(m_files.removeTree(aside));
    log("audit", "catalog", "\"" + model.name + "\" (" + model.id + ") was deleted");
    return {};
}

Result<void> LocalEngine::renameModel(std::string_view nameOrId, std::string_view name) {
    TRY_ASSIGN(const ModelRecord model, m_shelf.find(nameOrId));
    TRY(checkModelName(name));
    TRY(m_workspace->catalog().rename(model.id, name));
    TRY(reloadShelf());
    m_serving->rename(model.id, std::string(name));
    m_events.publish(ModelChanged{model.id, "renamed"});
    log("audit", "catalog", "\"" + model.name + "\" (" + model.id + ") is now \"" + std::string(name) + "\"");
    return {};
}

Result<std::shared_ptr<const TensorSource>> LocalEngine::tensors(std::string_view nameOrId) const {
    TRY_ASSIGN(const ModelRecord model, m_shelf.find(nameOrId));
    TRY_ASSIGN(auto source, openModelFolder(m_files, model.folder));
    return std::shared_ptr<const TensorSource>(std::move(source));
}

Result<std::shared_ptr<const TextModel>> LocalEngine::text(std::string_view nameOrId) const {
    TRY_ASSIGN(const ModelRecord model, m_shelf.find(nameOrId));
    return m_shelf.text(model);
}

}  // namespace espalier
