// SPDX-License-Identifier: GPL-3.0-or-later
// The engine, serving: from the name of a model or adapter to a request of the serving thread, and looks at that
// thread.
#include <algorithm>

#include "core/engine/isolation_run.h"
#include "core/engine/local_engine.h"
#include "core/serving/kv_cache.h"

namespace espalier {

Result<ModelToServe> LocalEngine::modelToServe(std::string_view nameOrId) const {
    ModelToServe model;
    TRY_ASSIGN(model.record, m_shelf.find(nameOrId));
    TRY_ASSIGN(model.text, m_shelf.text(model.record));
    return model;
}

// Unless a model has this very name, it may be a reference to an adapter.
Result<ModelToServe> LocalEngine::resolve(std::string_view reference, Request& request) {
    const auto model = m_shelf.find(reference);
    if (model) return modelToServe(reference);
    const auto adapter = m_adapters.find(reference, request.tenant);
    if (!adapter) {
        const bool isUnknown = adapter.error().code == ErrorCode::NotFound;
        return isUnknown && reference.find(':') == std::string_view::npos ? model.error() : adapter.error();
    }
    TRY_ASSIGN(ModelToServe base, modelToServe(adapter->baseId));
    request.adapter = sourceOf(*adapter, base.record);
    request.adapterName = adapter->name;
    return base;
}

std::shared_ptr<const AdapterSource> LocalEngine::sourceOf(const AdapterRecord& adapter,
                                                           const ModelRecord& base) const {
    return m_adapters.source(adapter, base.spec, layerPageBytes(m_backend, base.spec, m_options.kvType));
}

Result<RequestId> LocalEngine::submit(std::string_view model, Request request) {
    TRY_ASSIGN(ModelToServe served, resolve(model, request));
    const RequestId id{++m_lastRequest};
    request.id = id;
    if (!request.call) {
        const std::string name = request.adapter ? served.record.name + ":" + request.adapterName : served.record.name;
        TRY_ASSIGN(request.call, m_tenants->admit({request.tenant, name, 1, std::ssize(request.prompt)}));
    }
    TRY(m_tenants->begin(request));
    const std::shared_ptr<TenantCall> call = request.call;
    auto submitted = m_serving->submit(std::move(served), std::move(request));
    if (submitted) return id;
    Tenants::abandon(call, id);
    return std::move(submitted).error();
}

Result<void> LocalEngine::loadModel(std::string_view model) {
    TRY_ASSIGN(ModelToServe served, modelToServe(model));
    return m_serving->load(std::move(served));
}

Result<void> LocalEngine::unloadModel(std::string_view model) {
    TRY_ASSIGN(const ModelRecord record, m_shelf.find(model));
    return m_serving->unload(record.id);
}

Result<RequestList> LocalEngine::requests(std::int32_t most) const {
    return m_serving->ask<RequestList>([most](const ModelHost& host) { return host.requests(most); });
}

Result<PageMap> LocalEngine::pageMap(std::string_view model, std::int32_t mostCells) const {
    TRY_ASSIGN(const ModelRecord record, m_shelf.find(model));
    return m_serving->ask<PageMap>(
        [&record, mostCells](const ModelHost& host) { return host.pageMap(record, mostCells); });
}

Result<std::vector<StepRecord>> LocalEngine::steps(std::int32_t most) const {
    return m_serving->ask<std::vector<StepRecord>>(
        [most](const ModelHost& host) { return host.steps(static_cast<std::size_t>(most)); });
}

Result<std::vector<AdapterRecord>> LocalEngine::adaptersToCheck(const IsolationRequest& request,
                                                                const ModelRecord& base) const {
    std::vector<AdapterRecord> chosen;
    for (const std::string& reference : request.adapters) {
        const bool isPlain = reference.find(':') == std::string::npos && !reference.starts_with("a-");
        TRY_ASSIGN(AdapterRecord adapter, m_adapters.find(isPlain ? base.name + ":" + reference : reference));
        if (adapter.baseId != base.id)
            return fail(ErrorCode::InvalidArgument, "\"" + reference + "\" is no adapter of " + base.name, "adapters");
        if (std::ranges::find(chosen, adapter.id, &AdapterRecord::id) == chosen.end())
            chosen.push_back(std::move(adapter));
    }
    if (!request.adapters.empty()) return chosen;
    chosen = m_adapters.adapters(base.id);
    if (chosen.size() > kMostIsolated) chosen.resize(kMostIsolated);
    return chosen;
}

Result<IsolationReport> LocalEngine::checkIsolation(const IsolationRequest& request) {
    TRY_ASSIGN(const ModelToServe model, modelToServe(request.model));
    TRY_ASSIGN(const auto adapters, adaptersToCheck(request, model.record));
    IsolationReport report{
        model.record.name, m_backend.device().name, "f32", std::string(dtypeName(m_options.kvType)), {}, {}};
    std::vector<IsolationSubject> subjects{{model.record.name, nullptr}};
    for (const AdapterRecord& adapter : adapters) {
        auto image = sourceOf(adapter, model.record)->read();
        if (!image) return std::move(image).error().context("adapter \"" + adapter.name + "\" of " + adapter.base);
        report.adapters.push_back(adapter.name);
        subjects.push_back({model.record.name + ":" + adapter.name, std::move(*image)});
    }
    IsolationCheck check(std::move(subjects), m_options.kvType);
    TRY(runIsolation(*m_serving, model, RequestId{++m_lastRequest}, check, request));
    report.scenes = check.scenes();
    return report;
}

Result<void> LocalEngine::setServing(ServeState state) {
    m_serving->setServing(state);
    return {};
}

}  // namespace espalier
