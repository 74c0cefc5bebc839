// SPDX-License-Identifier: GPL-3.0-or-later
// LocalEngine: the Engine of this process. It wires the shelves, the tenants, the jobs and the serving thread together;
// what takes more than a line is in the file of its concept, as named below.
//
// Owner: who called Engine::open. Thread: any, see engine.h.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/engine/adapter_shelf.h"
#include "core/engine/adapters_job.h"
#include "core/engine/engine.h"
#include "core/engine/event_log.h"
#include "core/engine/job_queue.h"
#include "core/engine/model_shelf.h"
#include "core/engine/serving_thread.h"
#include "core/engine/watch.h"
#include "core/engine/workspace.h"

namespace espalier {

// Members are in the order in which they come up; the reverse is the shutdown:
//   1. serving: new commands are refused, a load on its way stops, every open request gets its last chunk, the models
//      leave the device; the engine thread ends
//   2. jobs: the running one is told to stop and becomes interrupted; its thread ends
//   3. tenants: what was counted goes to the database
//   4. events, snapshots: nobody publishes any more; subscriptions may outlive the engine
//   5. workspace: what is queued for the database is committed, the lock is given back
class LocalEngine final : public Engine {
public:
    LocalEngine(std::unique_ptr<Workspace> workspace, const EngineOptions& options, Backend& backend, FileSystem& files,
                Clock& clock);
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
    // engine.cpp
    Result<void> reloadShelf();
    void tellLostWrites();

    // engine_models.cpp
    Result<void> deleteModel(const ModelRecord& model);

    // engine_adapters.cpp
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

    // engine_jobs.cpp
    Result<std::int64_t> startModelJob(std::string_view kind, std::string_view verb, std::string_view model);
    Result<std::unique_ptr<Job>> makeJob(std::int64_t id, std::string_view kind, const Json& arguments);
    void jobChanged(const JobRecord& job);

    // engine_serving.cpp
    Result<ModelToServe> modelToServe(std::string_view nameOrId) const;
    Result<ModelToServe> resolve(std::string_view reference, Request& request);
    Result<std::vector<AdapterRecord>> adaptersToCheck(const IsolationRequest& request, const ModelRecord& base) const;
    std::shared_ptr<const AdapterSource> sourceOf(const AdapterRecord& adapter, const ModelRecord& base) const;

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
    std::int64_t m_toldLostWrites = 0;  // the engine thread alone
    std::unique_ptr<Tenants> m_tenants;
    std::unique_ptr<JobQueue> m_jobs;
    std::unique_ptr<ServingThread> m_serving;
};

}  // namespace espalier
