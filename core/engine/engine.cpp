// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/engine.h"

#include <algorithm>
#include <atomic>

#include "core/base/shell_text.h"
#include "core/engine/adapter_shelf.h"
#include "core/engine/adapters_job.h"
#include "core/engine/event_log.h"
#include "core/engine/import_job.h"
#include "core/engine/import_report.h"
#include "core/engine/isolation_run.h"
#include "core/engine/job_queue.h"
#include "core/engine/model_files.h"
#include "core/engine/model_jobs.h"
#include "core/engine/model_shelf.h"
#include "core/engine/quantized_file.h"
#include "core/engine/serving_thread.h"
#include "core/engine/watch.h"
#include "core/engine/workspace.h"
#include "core/serving/kv_cache.h"

namespace espalier {
namespace {

constexpr std::int64_t kLargestDefaultPool = std::int64_t{4} << 30;
constexpr std::int64_t kDefaultHostCache = std::int64_t{1} << 30;
constexpr std::size_t kNamedReasons = 3;  // of adapters that failed, in one line of the log

EngineOptions withDefaults(EngineOptions options, const Backend& backend) {
    const std::int64_t available = backend.device().freeBytes;
    if (options.memoryBudget <= 0) options.memoryBudget = available / 5 * 4;
    if (options.poolBytes <= 0) options.poolBytes = std::min(available / 8, kLargestDefaultPool);
    if (options.hostCacheBytes <= 0) options.hostCacheBytes = kDefaultHostCache;
    return options;
}

// Members are in the order in which they come up; the reverse is the shutdown:
//   1. serving: new commands are refused, a load on its way stops, every open request gets its last chunk, the models
//      leave the device; the engine thread ends
//   2. jobs: the running one is told to stop and becomes interrupted; its thread ends
//   3. events, snapshots: nobody publishes any more; subscriptions may outlive the engine
//   4. tenants: what was counted goes to the database
//   5. workspace: what is queued for the database is committed, the lock is given back
class LocalEngine final : public Engine {
public:
    LocalEngine(std::unique_ptr<Workspace> workspace, const EngineOptions& options, Backend& backend, FileSystem& files,
                Clock& clock)
        : m_options(withDefaults(options, backend)),
          m_backend(backend),
          m_files(files),
          m_clock(clock),
          m_workspace(std::move(workspace)),
          m_shelf(*m_workspace, files),
          m_adapters(*m_workspace, files, m_shelf),
          m_logRing(clock, options.stderrLog) {}
    Result<void> start();

    std::vector<ModelRecord> models() const override { return m_shelf.models(); }
    std::vector<ModelRecord> bin() const override { return m_shelf.bin(); }
    Result<ModelRecord> findModel(std::string_view nameOrId) const override { return m_shelf.find(nameOrId); }
    Result<void> removeModel(std::string_view nameOrId) override;
    Result<void> restoreModel(std::string_view id) override;
    Result<void> emptyBin() override;
    Result<void> renameModel(std::string_view nameOrId, std::string_view name) override;
    Result<std::shared_ptr<const TensorSource>> tensors(std::string_view nameOrId) const override;
    Result<std::shared_ptr<const TextModel>> text(std::string_view nameOrId) const override;

    std::vector<AdapterRecord> adapters(std::string_view model) const override;
    Result<AdapterRecord> findAdapter(std::string_view reference, std::string_view tenant) const override {
        return m_adapters.find(reference, tenant);
    }
    std::vector<Result<AdapterRecord>> importAdapters(std::span<const AdapterImport> requests,
                                                      const std::stop_token& stop) override;
    Result<std::int64_t> startAdapterImport(std::string_view base, std::string_view tenant,
                                            std::vector<std::string> paths) override;
    Result<AdapterRecord> reloadAdapter(std::string_view reference, const std::string& path,
                                        const std::stop_token& stop) override;
    Result<void> removeAdapter(std::string_view reference) override;

    Result<ImportProbe> probeImport(const Path& path) const override;
    Result<std::int64_t> startImport(const ImportRequest& request) override;
    Result<std::int64_t> startScan(std::string_view model) override { return startModelJob("scan", "Scan", model); }
    Result<std::int64_t> startVerify(std::string_view model) override {
        return startModelJob("verify", "Verify", model);
    }
    std::vector<JobRecord> jobs() const override { return m_jobs->jobs(); }
    Result<JobRecord> job(std::int64_t id) const override { return m_jobs->job(id); }
    Result<void> cancelJob(std::int64_t id) override {
        return writable([&] { return m_jobs->cancel(id); });
    }
    Result<void> pauseJob(std::int64_t id) override {
        return writable([&] { return m_jobs->pause(id); });
    }
    Result<void> resumeJob(std::int64_t id) override {
        return writable([&] { return m_jobs->resume(id); });
    }
    Result<void> discardJob(std::int64_t id) override {
        return writable([&] { return m_jobs->discard(id); });
    }
    Result<JobRecord> waitJob(std::int64_t id) override { return m_jobs->wait(id); }

    Result<RequestId> submit(std::string_view model, Request request) override;
    void cancel(RequestId id) override { m_serving->cancel(id); }
    Tenants& tenants() override { return *m_tenants; }
    Result<void> loadModel(std::string_view model) override;
    Result<void> unloadModel(std::string_view model) override;
    Result<void> setServing(ServeState state) override;
    ServeState serving() const override { return m_serving->serving(); }

    std::shared_ptr<const Snapshot> snapshot() const override { return m_watch.snapshot(); }
    std::vector<HistoryPoint> history(std::int64_t seconds) const override { return m_watch.history(seconds); }
    Result<std::vector<NumberedEvent>> eventsAfter(std::int64_t sequence) const override {
        return m_events.after(sequence);
    }
    std::int64_t lastSequence() const override { return m_events.lastSequence(); }
    std::unique_ptr<Subscription> subscribe(EventSink sink) override { return m_events.subscribe(std::move(sink)); }
    void log(std::string_view level, std::string_view source, std::string_view text) override;
    std::vector<LogRecord> newestLog(std::size_t count) const override;

    Result<RequestList> requests(std::int32_t most) const override;
    Result<PageMap> pageMap(std::string_view model, std::int32_t mostCells) const override;
    Result<std::vector<StepRecord>> steps(std::int32_t most) const override;
    Result<IsolationReport> checkIsolation(const IsolationRequest& request) override;

    const Backend& backend() const override { return m_backend; }
    const EngineOptions& options() const override { return m_options; }

private:
    Result<std::int64_t> startModelJob(std::string_view kind, std::string_view verb, std::string_view model);
    Result<std::unique_ptr<Job>> makeJob(std::int64_t id, std::string_view kind, const Json& arguments);
    Result<ModelToServe> modelToServe(std::string_view nameOrId) const;
    Result<ModelToServe> resolve(std::string_view reference, Request& request);
    Result<std::vector<AdapterRecord>> adaptersToCheck(const IsolationRequest& request, const ModelRecord& base) const;
    std::shared_ptr<const AdapterSource> sourceOf(const AdapterRecord& adapter, const ModelRecord& base) const {
        return m_adapters.source(adapter, base.spec, layerPageBytes(m_backend, base.spec, m_options.kvType));
    }
    Result<AdapterArrival> arrivalOf(const AdapterImport& request) const;
    using LimitsByTenant = std::map<std::string, TenantLimits>;
    Result<void> checkRoom(const AdapterArrival& arrival, LimitsByTenant& wanted) const;
    std::vector<Result<AdapterRecord>> bringAdapters(std::span<const AdapterImport> requests,
                                                     const std::stop_token& stop);
    AdapterImporter importerFor(const AdaptersArguments& arguments);
    void logAdapters(const std::string& base, std::size_t imported, const std::vector<std::string>& reasons);
    void adapterChanged(const AdapterRecord& adapter, std::string_view change);
    void publishAdapter(const AdapterRecord& adapter, std::string_view change);
    void logAdapter(const AdapterRecord& adapter, std::string_view change);
    Result<void> reloadShelf();
    Result<void> deleteModel(const ModelRecord& model);
    void jobChanged(const JobRecord& job);

    template <class Action>
    Result<void> writable(const Action& action) const {
        if (m_options.readOnly) return fail(ErrorCode::Locked, "the workspace is open for reading only");
        return action();
    }

    const EngineOptions m_options;
    Backend& m_backend;
    FileSystem& m_files;
    Clock& m_clock;
    std::unique_ptr<Workspace> m_workspace;
    mutable ModelShelf m_shelf;
    AdapterShelf m_adapters;
    LogRing m_logRing;
    EventLog m_events;
    Watch m_watch;
    std::atomic<std::uint64_t> m_lastRequest = 0;
    std::unique_ptr<Tenants> m_tenants;
    std::unique_ptr<JobQueue> m_jobs;
    std::unique_ptr<ServingThread> m_serving;
};

Result<void> LocalEngine::reloadShelf() {
    TRY_ASSIGN(const auto unreadable, m_shelf.reload());
    for (const std::string& sentence : unreadable) log("error", "catalog", sentence);
    return m_adapters.reload();
}

Result<void> LocalEngine::start() {
    if (!m_options.readOnly) {
        TRY_ASSIGN(const auto unknown, tidyModelFolders(*m_workspace, m_files));
        for (const std::string& path : unknown)
            log("warning", "catalog", path + " is not in the catalog: import it, or remove it by hand");
        TRY_ASSIGN(const auto sentences, m_adapters.tidy());
        for (const std::string& sentence : sentences) log("warning", "catalog", sentence);
        TRY(m_workspace->jobLog().trimLog(kRunLogRows));
        TRY(m_workspace->jobLog().trimEndedJobs(kEndedJobs));
    }
    TRY(reloadShelf());
    TRY_ASSIGN(m_tenants, Tenants::open(&m_workspace->tenantStore(), m_clock,
                                        {[this](TenantChanged change) { m_events.publish(std::move(change)); },
                                         [this](std::string text) { log("audit", "tenants", text); },
                                         [this](RequestId id) { m_serving->cancel(id); }}));
    // Jobs that waited begin here, and may be about adapters of tenants.
    TRY_ASSIGN(m_jobs, JobQueue::open(
                           m_workspace->jobLog(), m_clock,
                           [this](std::int64_t id, std::string_view kind, const Json& arguments) {
                               return makeJob(id, kind, arguments);
                           },
                           [this](const JobRecord& job) { jobChanged(job); }, !m_options.readOnly));
    ServingThread::Callbacks callbacks;
    callbacks.tenants = [this](std::vector<TenantLoad>& rows, const Tenants::PlaceOf& placeOf) {
        m_tenants->fill(rows, placeOf);
        m_tenants->flush();
    };
    callbacks.publish = [this](Event event) { m_events.publish(std::move(event)); };
    callbacks.log = [this](std::string_view level, std::string text) { log(level, "serve", text); };
    callbacks.jobs = [this](std::int64_t endedAfter) { return m_jobs->newsSince(endedAfter); };
    m_serving = std::make_unique<ServingThread>(m_backend, m_files, m_clock, m_options, m_watch, std::move(callbacks));
    for (const std::string& name : m_options.preload) TRY(loadModel(name));
    return {};
}

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
    Result<void> deleted;
    for (const ModelRecord& model : m_shelf.bin())
        if (deleted = deleteModel(model); !deleted) break;
    TRY(reloadShelf());
    return deleted;
}

// The folder steps aside, the row goes, then the files: after a crash in between, tidyModelFolders finishes or undoes
// it.
Result<void> LocalEngine::deleteModel(const ModelRecord& model) {
    const Path folder = m_workspace->modelFolder(model.id), aside = m_workspace->removedFolder(model.id);
    const bool hasFolder = !model.linked && m_files.exists(folder);
    const auto erase = [&]() -> Result<bool> {
        if (hasFolder) TRY(setAside(m_files, folder, aside));
        auto erased = m_workspace->catalog().eraseRemoved(model.id);
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
    TRY(m_adapters.remove(adapter));
    m_serving->retireAdapter(adapter.baseId, adapter.digest, MoveCause::Unload);
    adapterChanged(adapter, "removed");
    if (adapter.tenant.empty()) return {};
    if (const auto done = m_tenants->disallow(adapter.tenant, adapter.base + ":" + adapter.name); !done)
        log("warning", "tenants",
            "\"" + adapter.name + "\" stays in the models of its tenant: " + done.error().message);
    return {};
}

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

void LocalEngine::log(std::string_view level, std::string_view source, std::string_view text) {
    const bool isAudit = level == "audit";
    LogRecord record = m_logRing.append(isAudit ? LogLevel::Info : logLevelFromName(level), source, text);
    // Audit entries are kept as such; to those who watch they are information.
    if (record.level != logLevelName(LogLevel::Debug))
        m_workspace->jobLog().append({record.at, isAudit ? "audit" : record.level, record.source, record.text});
    m_events.publish(std::move(record));
}

std::vector<LogRecord> LocalEngine::newestLog(std::size_t count) const {
    std::vector<LogRecord> records;
    const auto limit = static_cast<std::int64_t>(std::min<std::size_t>(count, kRunLogRows));
    const auto rows = m_workspace->jobLog().log(limit);
    if (!rows) return records;
    for (const LogRow& row : *rows)
        records.push_back({row.at, row.level == "audit" ? "info" : row.level, row.source, row.text});
    return records;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, Backend& backend, FileSystem& files,
                                             Clock& clock) {
    const auto access = options.readOnly ? Workspace::Access::Read : Workspace::Access::Write;
    TRY_ASSIGN(auto workspace, Workspace::open(options.workspace, access, files, clock));
    auto engine = std::make_unique<LocalEngine>(std::move(workspace), options, backend, files, clock);
    TRY(engine->start());
    return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace espalier
