// SPDX-License-Identifier: GPL-3.0-or-later
// The engine, adapters: how they come in, one or many, for whom, and how they go.
#include <algorithm>

#include "core/engine/local_engine.h"
#include "core/engine/model_files.h"

namespace espalier {

constexpr std::size_t kNamedReasons = 3;  // of adapters that failed, in one line of the log

std::vector<AdapterRecord> LocalEngine::adapters(std::string_view model) const {
    if (model.empty()) return m_adapters.adapters();
    const auto base = m_shelf.find(model);
    return base ? m_adapters.adapters(base->id) : std::vector<AdapterRecord>();
}

void LocalEngine::adapterChanged(const AdapterRecord& adapter, std::string_view change) {
    publishAdapter(adapter, change);
    logAdapter(adapter, change);
}

void LocalEngine::publishAdapter(const AdapterRecord& adapter, std::string_view change) {
    m_events.publish(AdapterChanged{adapter.base, adapter.name, adapter.digest, std::string(change)});
}

void LocalEngine::logAdapter(const AdapterRecord& adapter, std::string_view change) {
    log("audit", "catalog",
        "\"" + adapter.name + "\" of " + adapter.base + " was " + std::string(change) + " (version " +
            std::to_string(adapter.version) + ", " + adapter.digest + ")");
}

Result<AdapterArrival> LocalEngine::arrivalOf(const AdapterImport& request) const {
    TRY(writable([] { return Result<void>(); }));
    if (request.path.empty()) return fail(ErrorCode::InvalidArgument, "no path was given", "path");
    AdapterArrival arrival;
    arrival.source = std::filesystem::absolute(request.path).lexically_normal();
    TRY_ASSIGN(arrival.base, m_shelf.find(request.base));
    arrival.name = request.name.empty() ? suggestedModelName(arrival.source) : request.name;
    TRY(checkModelName(arrival.name));
    if (request.tenant != kOwner) arrival.tenant = request.tenant;
    if (!arrival.tenant.empty()) TRY(m_tenants->limitsOf(arrival.tenant));
    return arrival;
}

// That the list of models which its tenant may use takes this one too. wanted: these lists, with all that came before.
Result<void> LocalEngine::checkRoom(const AdapterArrival& arrival, LimitsByTenant& wanted) const {
    if (arrival.tenant.empty()) return {};
    if (!wanted.contains(arrival.tenant)) {
        TRY_ASSIGN(wanted[arrival.tenant], m_tenants->limitsOf(arrival.tenant));
    }
    TenantLimits& limits = wanted[arrival.tenant];
    const std::string name = arrival.base.name + ":" + arrival.name;
    if (mayUse(limits, name)) return {};
    if (limits.models.size() >= kMostTenantModels)
        return fail(ErrorCode::TooLarge,
                    "the list of models that tenant \"" + arrival.tenant + "\" may use is full: allow \"" +
                        arrival.base.name + ":*\" in place of single adapters",
                    "tenant");
    limits.models.push_back(name);
    return {};
}

// One line in the log for many; whoever watches them hears of each.
std::vector<Result<AdapterRecord>> LocalEngine::importAdapters(std::span<const AdapterImport> requests,
                                                               const std::stop_token& stop) {
    auto answers = bringAdapters(requests, stop);
    if (answers.size() == 1) {
        if (answers[0]) logAdapter(*answers[0], "imported");
        return answers;
    }
    std::map<std::string, std::size_t> imported;  // by base
    std::map<std::string, std::vector<std::string>> reasons;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const std::string& base = answers[i] ? answers[i]->base : requests[i].base;
        imported[base] += answers[i].has_value();
        if (!answers[i]) reasons[base].push_back(answers[i].error().message);
    }
    for (const auto& [base, count] : imported) logAdapters(base, count, reasons[base]);
    return answers;
}

void LocalEngine::logAdapters(const std::string& base, std::size_t imported, const std::vector<std::string>& reasons) {
    const auto counted = [](std::size_t count) {
        return std::to_string(count) + (count == 1 ? " adapter was " : " adapters were ");
    };
    if (imported > 0) log("audit", "catalog", counted(imported) + "imported into " + base);
    if (reasons.empty()) return;
    std::string sentence = counted(reasons.size()) + "not imported into " + base + ": ";
    for (std::size_t i = 0; i < std::min(reasons.size(), kNamedReasons); ++i)
        sentence += (i > 0 ? "; " : "") + reasons[i];
    if (reasons.size() > kNamedReasons) sentence += "; and " + std::to_string(reasons.size() - kNamedReasons) + " more";
    log("warning", "catalog", sentence);
}

Result<std::int64_t> LocalEngine::startAdapterImport(std::string_view base, std::string_view tenant,
                                                     std::vector<std::string> paths) {
    TRY(writable([] { return Result<void>(); }));
    if (paths.empty()) return fail(ErrorCode::InvalidArgument, "no path was given", "paths");
    TRY_ASSIGN(const ModelRecord model, m_shelf.find(base));
    if (!tenant.empty() && tenant != kOwner) TRY(m_tenants->limitsOf(tenant));
    for (std::string& path : paths) {
        path = std::filesystem::absolute(path).lexically_normal().string();
        TRY(m_files.stat(path));
    }
    const AdaptersArguments arguments{model.id, std::string(tenant), std::move(paths)};
    return m_jobs->add("adapters", "Import adapters for " + model.name, adaptersCommand(m_files, arguments, model.name),
                       toJson(arguments));
}

AdapterImporter LocalEngine::importerFor(const AdaptersArguments& arguments) {
    AdapterImporter importer;
    importer.import = [this](std::span<const AdapterImport> requests) { return bringAdapters(requests, {}); };
    importer.isHere = [this, base = arguments.base](const std::string& path) {
        const auto known = m_adapters.adapters(base);
        return std::ranges::find(known, path, &AdapterRecord::source) != known.end();
    };
    importer.done = [this, base = arguments.base](std::size_t imported, const std::vector<std::string>& reasons) {
        const auto model = m_shelf.find(base);
        logAdapters(model ? model->name : base, imported, reasons);
    };
    return importer;
}

std::vector<Result<AdapterRecord>> LocalEngine::bringAdapters(std::span<const AdapterImport> requests,
                                                              const std::stop_token& stop) {
    std::vector<Result<AdapterRecord>> answers;
    std::vector<AdapterArrival> arrivals;
    std::vector<std::size_t> places;  // of the arrivals among the answers
    LimitsByTenant wanted;
    for (const AdapterImport& request : requests) {
        auto arrival = arrivalOf(request);
        if (arrival)
            if (auto room = checkRoom(*arrival, wanted); !room) arrival = std::move(room).error();
        answers.push_back(arrival ? Result<AdapterRecord>(AdapterRecord()) : std::move(arrival).error());
        if (!arrival) continue;
        places.push_back(answers.size() - 1);
        arrivals.push_back(std::move(*arrival));
    }
    auto brought = m_adapters.bring(arrivals, m_clock.unixMilliseconds(), stop);
    std::map<std::string, std::vector<std::size_t>> added;  // answers, by tenant
    for (std::size_t i = 0; i < brought.size(); ++i) {
        Result<AdapterRecord>& answer = answers[places[i]];
        if (!brought[i]) {
            answer = std::move(brought[i]).error().context("importing adapter \"" + arrivals[i].name + "\"");
            continue;
        }
        answer = std::move(brought[i]->record);
        publishAdapter(*answer, "imported");
        if (!answer->tenant.empty()) added[answer->tenant].push_back(places[i]);
    }
    for (const auto& [tenant, mine] : added) {
        std::vector<std::string> names;
        for (const std::size_t place : mine) names.push_back(answers[place]->base + ":" + answers[place]->name);
        if (const auto allowed = m_tenants->allow(tenant, names); !allowed)
            for (const std::size_t place : mine)
                answers[place]->warnings.push_back("tenant \"" + tenant +
                                                   "\" may not use it yet: " + allowed.error().message);
    }
    return answers;
}

Result<AdapterRecord> LocalEngine::reloadAdapter(std::string_view reference, const std::string& path,
                                                 const std::stop_token& stop) {
    TRY(writable([] { return Result<void>(); }));
    TRY_ASSIGN(const AdapterRecord known, m_adapters.find(reference));
    TRY_ASSIGN(const ModelRecord base, m_shelf.find(known.baseId));
    const Path source = path.empty() ? Path() : std::filesystem::absolute(path).lexically_normal();
    const AdapterArrival arrival{source, base, known.name, known.tenant, true};
    auto brought = std::move(m_adapters.bring({&arrival, 1}, m_clock.unixMilliseconds(), stop).front());
    if (!brought) return std::move(brought).error().context("reloading adapter \"" + known.name + "\"");
    if (!brought->replaced.empty()) {
        m_serving->retireAdapter(base.id, brought->replaced, MoveCause::Reload);
        adapterChanged(brought->record, "reloaded");
    }
    return std::move(brought->record);
}

Result<void> LocalEngine::removeAdapter(std::string_view reference) {
    TRY(writable([] { return Result<void>(); }));
    TRY_ASSIGN(const AdapterRecord adapter, m_adapters.find(reference));
    TRY(m_adapters.remove(adapter, [&] {
        return m_tenants->disallow({adapter.base + ":" + adapter.name}, [&](std::span<const TenantRow> tenants) {
            return m_workspace->adapters().erase(adapter.id, tenants);
        });
    }));
    m_serving->retireAdapter(adapter.baseId, adapter.digest, MoveCause::Unload);
    adapterChanged(adapter, "removed");
    return {};
}

}  // namespace espalier
