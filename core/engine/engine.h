// SPDX-License-Identifier: GPL-3.0-or-later
// Engine: the facade. Owns the workspace, the device, the loaded models and the jobs; the daemon, espalierctl in
// process and the tests all stand on it. Commands go down through a bounded mailbox, events and snapshots come up.
//
// Threads: every public function may be called from any thread and none blocks on the device, except where it says
// "waits". Inside: the engine thread (backend, pools, scheduler, serving tick), a worker for jobs, the store thread
// (the only SQLite writer).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file_system.h"
#include "core/compute/backend.h"
#include "core/engine/messages.h"
#include "core/engine/tenants.h"
#include "core/models/transformer.h"
#include "core/serving/isolation_check.h"
#include "core/serving/request.h"
#include "core/tokenizer/text_model.h"

namespace espalier {

struct EngineOptions {
    Path workspace;
    bool readOnly = false;            // share the workspace lock: commands that only read
    std::int64_t poolBytes = 0;       // KV pool per loaded model; 0: an eighth of free memory, at most 4 GiB
    std::int64_t memoryBudget = 0;    // weights + pools of all loaded models; 0: 80 % of free memory
    std::int64_t hostCacheBytes = 0;  // adapters kept ready in host memory; 0: 1 GiB
    bool prefetch = true;             // adapters of waiting requests, ahead of their turn
    std::int32_t maxBatchTokens = 256;
    std::int32_t maxSequences = 64;  // running at once, per model
    std::int32_t maxWaiting = 1024;  // beyond: busy
    DType kvType = DType::F32;
    bool prefixCache = true;
    std::vector<std::string> preload;        // models to load at start; one that cannot be read is named in the log
    LogLevel stderrLog = LogLevel::Warning;  // lines from here on also go to standard error
};

struct ImportRequest {
    std::string path = {};
    std::string name = {};  // empty: the folder's name
    bool link = false;      // use the files in place instead of copying
    bool allowNonFinite = false;
    std::string quantize = {};  // "q8_0" or "q4_0": rounded on the way; empty: as it is
};

struct AdapterImport {
    std::string path = {};    // a folder of PEFT or AdapterHub
    std::string base = {};    // the model it changes
    std::string name = {};    // empty: the folder's name
    std::string tenant = {};  // whose it is, see AdapterRecord; empty: everyone's
};

// Everyone sees what is everyone's; the owner, who may be named or not, sees all.
bool isVisibleTo(const AdapterRecord& adapter, std::string_view tenant);

struct IsolationRequest {
    std::string model = {};                  // name or id
    std::vector<std::string> adapters = {};  // references; none: the first kMostIsolated of the model
    std::function<void(double)> progress = {};
    std::stop_token stop = {};
};
constexpr std::size_t kMostIsolated = 4;

// What IsolationCheck found, and in which arithmetic.
struct IsolationReport {
    std::string model, device, computeMode, kv;
    std::vector<std::string> adapters;  // names
    std::vector<IsolationScene> scenes;
    bool passed() const;
};

struct ProbedTensor {
    std::string name;
    std::string role;  // what it is to the model: "query, key, value", "not used"
    std::vector<std::int64_t> shape;
    std::string dtype;
    std::int64_t bytes = 0;
};

// What an import would do, before anything is copied.
struct ImportProbe {
    std::string path, suggestedName, family, architecture, dtype, licence;
    std::string tokenizer;  // for people: "byte-level BPE, 4,096"
    bool hasChatTemplate = false;
    std::string chatFormat;  // of the template: "ChatML", "custom"; empty without one
    std::vector<ProbedTensor> tensors;
    std::int64_t parameters = 0, bytes = 0;
    std::int32_t context = 0, layers = 0;
    std::int64_t freeBytes = 0;
    std::vector<std::string> warnings;
};

class Subscription {  // ends when destroyed; no call arrives after that
public:
    virtual ~Subscription() = default;
};

class Engine {
public:
    // Opens or creates the workspace, takes its lock (error locked names who holds it), marks jobs that a crash left
    // running as interrupted, removes half-made imports. A model or adapter whose files are damaged or resist stops
    // nobody: the log names it, and a damaged model says so in its warnings. Errors: locked, database, io_error,
    // not_found for a name in preload.
    static Result<std::unique_ptr<Engine>> open(const EngineOptions& options, Backend& backend, FileSystem& files,
                                                Clock& clock);
    virtual ~Engine() = default;  // cancels what runs, joins every thread, releases the lock

    // catalog
    virtual std::vector<ModelRecord> models() const = 0;  // not in the bin, by name
    virtual std::vector<ModelRecord> bin() const = 0;
    virtual Result<ModelRecord> findModel(std::string_view nameOrId) const = 0;  // not_found lists the known names
    virtual Result<void> removeModel(
        std::string_view nameOrId) = 0;  // into the bin; error busy while it answers requests
    virtual Result<void> restoreModel(std::string_view id) = 0;
    virtual Result<void> emptyBin() = 0;  // deletes the files; one that resists is the error, the others go
    virtual Result<void> renameModel(std::string_view nameOrId, std::string_view name) = 0;
    virtual Result<std::shared_ptr<const TensorSource>> tensors(std::string_view nameOrId) const = 0;
    virtual Result<std::shared_ptr<const TextModel>> text(std::string_view nameOrId) const = 0;  // cached

    // adapters. A reference is "base:name", or an id, or a name that only one adapter has. Importing and reloading wait
    // for the work: reading, checking every value, copying.
    virtual std::vector<AdapterRecord> adapters(std::string_view model = {}) const = 0;  // of bases not in the bin
    // For a tenant other than the owner, adapters of other tenants are not there; nor are they in what errors name.
    virtual Result<AdapterRecord> findAdapter(std::string_view reference, std::string_view tenant = {}) const = 0;
    // One answer for each, in their order; the disk is waited for once for hundreds. Stopped, what has come in stays
    // and the rest is cancelled. An adapter of a tenant is also added to the models that it may use, when these are
    // limited (a warning of the record where that fails). Errors: those of readAdapterFolder and, for a base or tenant
    // that is not there, not_found; non_finite, already_exists; too_large, the tenant's list is full; cancelled.
    virtual std::vector<Result<AdapterRecord>> importAdapters(std::span<const AdapterImport> requests,
                                                              const std::stop_token& stop = {}) = 0;
    Result<AdapterRecord> importAdapter(const AdapterImport& request, const std::stop_token& stop = {}) {
        return std::move(importAdapters({&request, 1}, stop).front());
    }
    // The same for many as a job: `paths` are folders of adapters or folders that hold such folders, each adapter under
    // its folder's name. Errors: not_found, invalid_argument without a path; the job's are those of makeAdaptersJob.
    virtual Result<std::int64_t> startAdapterImport(std::string_view base, std::string_view tenant,
                                                    std::vector<std::string> paths) = 0;
    // The files again, from `path` or from where they came: a new version when they changed. What runs goes on with the
    // version it began with.
    virtual Result<AdapterRecord> reloadAdapter(std::string_view reference, const std::string& path = {},
                                                const std::stop_token& stop = {}) = 0;
    // What runs with it runs to its end. Its name goes from the models that tenants may use, as it does when its base
    // is deleted for good.
    virtual Result<void> removeAdapter(std::string_view reference) = 0;

    // jobs
    virtual Result<ImportProbe> probeImport(const Path& path) const = 0;
    virtual Result<std::int64_t> startImport(const ImportRequest& request) = 0;
    virtual Result<std::int64_t> startScan(std::string_view model) = 0;    // NaN scan and tensor norms
    virtual Result<std::int64_t> startVerify(std::string_view model) = 0;  // digest again
    virtual std::vector<JobRecord> jobs() const = 0;                       // newest first
    virtual Result<JobRecord> job(std::int64_t id) const = 0;
    virtual Result<void> cancelJob(std::int64_t id) = 0;
    virtual Result<void> pauseJob(std::int64_t id) = 0;
    virtual Result<void> resumeJob(std::int64_t id) = 0;  // paused or interrupted
    // Ended, paused or interrupted: removes its row and leftovers.
    virtual Result<void> discardJob(std::int64_t id) = 0;
    virtual Result<JobRecord> waitJob(std::int64_t id) = 0;  // waits until it is neither queued nor running

    // serving. The model is loaded at first use while the budget allows, evicting idle models if it must. An engine
    // opens in the state Serving.
    //
    // model: a model's name or id, or a reference to an adapter: then the request runs with that adapter on its base.
    // The only door: limits of the request's tenant (an empty name is the owner's) are checked here, once for a call
    // when request.call is set. Gives the request its id and returns. Errors, the sink never being called: not_found,
    // draining (also when serving is stopped), busy, context_overflow, invalid_argument, unsupported, those of
    // Tenants::admit. After that the sink gets chunks, exactly one
    // of them with finish set; what only the loaded model can tell (loading failed, the pool is too small) comes as
    // that chunk: finish failed, with the error.
    virtual Result<RequestId> submit(std::string_view model, Request request) = 0;
    virtual void cancel(RequestId id) = 0;                         // unknown ids: no effect
    virtual Result<void> loadModel(std::string_view model) = 0;    // starts loading
    virtual Result<void> unloadModel(std::string_view model) = 0;  // starts unloading; its requests end as cancelled
    // Draining refuses new requests and becomes Stopped when the last one ends; Stopped cancels what runs. Loaded
    // models stay loaded.
    virtual Result<void> setServing(ServeState state) = 0;
    virtual ServeState serving() const = 0;

    virtual Tenants& tenants() = 0;

    // Serves requests of its own between everybody's steps and compares bits (core/serving/isolation_check.h); waits.
    // Takes device memory for its pages beside the pools. A difference is no error, it is in the report. Errors:
    // not_found, invalid_argument (an adapter of another base), pool_exhausted, draining, cancelled, those of loading.
    virtual Result<IsolationReport> checkIsolation(const IsolationRequest& request) = 0;

    // watching
    virtual std::shared_ptr<const Snapshot> snapshot() const = 0;
    virtual std::vector<HistoryPoint> history(std::int64_t seconds) const = 0;
    // Events after `sequence`, if the ring still holds them (error not_found: start over with a snapshot).
    virtual Result<std::vector<NumberedEvent>> eventsAfter(std::int64_t sequence) const = 0;
    virtual std::int64_t lastSequence() const = 0;
    using EventSink = std::function<void(const NumberedEvent&)>;  // any thread; must neither block nor call the engine
    virtual std::unique_ptr<Subscription> subscribe(EventSink sink) = 0;
    virtual void log(std::string_view level, std::string_view source, std::string_view text) = 0;
    virtual std::vector<LogRecord> newestLog(std::size_t count) const = 0;  // oldest of them first; survives a restart

    // What the engine thread sees at its next tick; each waits for that, one step at most. Errors: busy, draining;
    // pageMap also not_found when the model is not on the device. Requires: most > 0, mostCells > 0.
    virtual Result<RequestList> requests(std::int32_t most) const = 0;
    virtual Result<PageMap> pageMap(std::string_view model, std::int32_t mostCells) const = 0;
    virtual Result<std::vector<StepRecord>> steps(std::int32_t most) const = 0;

    virtual const Backend& backend() const = 0;
    virtual const EngineOptions& options() const = 0;
};

}  // namespace espalier
