// SPDX-License-Identifier: GPL-3.0-or-later
// FakeEngine: an Engine without weights. It has one model, "fake", whose tokens are bytes; requests are answered from a
// script by a thread of its own, so that HTTP tests can be slow, busy, endless or broken at will.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "core/engine/engine.h"

namespace espalier::test {

struct FakeScript {
    std::string answer = "Hello, world";  // one chunk per byte
    std::chrono::milliseconds pause{0};   // before each chunk
    bool hold = false;                    // nothing comes until cancel or release()
    std::size_t endlessBytes = 0;         // > 0: chunks of this size until cancelled
    std::optional<Error> refusal = {};    // submit fails with it
    std::int32_t refusedFrom = 0;         // ... from this submission on
    std::optional<Error> failure = {};    // the request fails with it
    std::int32_t failedChoice = -1;       // >= 0: only this choice of a call does, held or not
};

class FakeEngine final : public Engine {
public:
    explicit FakeEngine(Path workspace);
    ~FakeEngine() override;

    void set(FakeScript script);
    void release();  // ends a hold
    void publish(Event event);
    std::vector<Request> submitted() const;                      // without sinks
    int cancelled() const;                                       // requests cancelled before their end
    int imports() const;                                         // of adapters, that wait
    bool waitUntil(const std::function<bool()>& reached) const;  // polls for up to 10 s

    std::vector<ModelRecord> models() const override { return {m_model}; }
    std::vector<ModelRecord> bin() const override { return {}; }
    Result<ModelRecord> findModel(std::string_view nameOrId) const override;
    Result<void> removeModel(std::string_view nameOrId) override;
    Result<void> restoreModel(std::string_view) override { return {}; }
    Result<void> emptyBin() override { return {}; }
    Result<void> renameModel(std::string_view, std::string_view) override { return {}; }
    Result<std::shared_ptr<const TensorSource>> tensors(std::string_view nameOrId) const override;
    Result<std::shared_ptr<const TextModel>> text(std::string_view nameOrId) const override;

    std::vector<AdapterRecord> adapters(std::string_view) const override { return {}; }
    Result<AdapterRecord> findAdapter(std::string_view reference, std::string_view) const override {
        return noAdapter(reference);
    }
    // Held by the script: until stopped or released.
    std::vector<Result<AdapterRecord>> importAdapters(std::span<const AdapterImport> requests,
                                                      const std::stop_token& stop) override;
    Result<std::int64_t> startAdapterImport(std::string_view, std::string_view, std::vector<std::string>) override {
        return 1;
    }
    Result<AdapterRecord> reloadAdapter(std::string_view reference, const std::string&,
                                        const std::stop_token&) override {
        return noAdapter(reference);
    }
    Result<void> removeAdapter(std::string_view reference) override { return noAdapter(reference); }
    Result<IsolationReport> checkIsolation(const IsolationRequest& request) override {
        return noAdapter(request.model);
    }

    Result<ImportProbe> probeImport(const Path& path) const override;
    Result<std::int64_t> startImport(const ImportRequest& request) override;
    Result<std::int64_t> startScan(std::string_view) override { return 1; }
    Result<std::int64_t> startVerify(std::string_view) override { return 1; }
    std::vector<JobRecord> jobs() const override;
    Result<JobRecord> job(std::int64_t id) const override;
    Result<void> cancelJob(std::int64_t id) override;
    Result<void> pauseJob(std::int64_t) override { return {}; }
    Result<void> resumeJob(std::int64_t) override { return {}; }
    Result<void> discardJob(std::int64_t) override { return {}; }
    Result<JobRecord> waitJob(std::int64_t id) override { return job(id); }

    Result<RequestId> submit(std::string_view model, Request request) override;
    void cancel(RequestId id) override;
    Tenants& tenants() override { return *m_tenants; }  // kept in memory only
    Result<void> loadModel(std::string_view) override { return {}; }
    Result<void> unloadModel(std::string_view) override { return {}; }
    Result<void> setServing(ServeState state) override;
    ServeState serving() const override;

    std::shared_ptr<const Snapshot> snapshot() const override;
    std::vector<HistoryPoint> history(std::int64_t seconds) const override;
    Result<std::vector<NumberedEvent>> eventsAfter(std::int64_t sequence) const override;
    std::int64_t lastSequence() const override;
    std::unique_ptr<Subscription> subscribe(EventSink sink) override;
    void log(std::string_view level, std::string_view source, std::string_view text) override;
    std::vector<LogRecord> newestLog(std::size_t count) const override;
    Result<RequestList> requests(std::int32_t most) const override;
    Result<PageMap> pageMap(std::string_view model, std::int32_t mostCells) const override;
    Result<std::vector<StepRecord>> steps(std::int32_t most) const override;

    const Backend& backend() const override;
    const EngineOptions& options() const override { return m_options; }

private:
    static Error noAdapter(std::string_view reference) {
        return fail(ErrorCode::NotFound, "there is no adapter \"" + std::string(reference) + "\"");
    }
    struct Running {
        Request request;
        std::size_t sent = 0;
        bool cancelled = false;
    };
    class Listener;
    void work(std::stop_token stop);
    bool advance(Running& running, const FakeScript& script);
    Chunk lastChunk(const Running& running, FinishReason reason) const;

    EngineOptions m_options;
    ModelRecord m_model;
    std::shared_ptr<const TextModel> m_text;
    std::unique_ptr<Backend> m_backend;
    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    FakeScript m_script;
    std::vector<Request> m_submitted;
    std::vector<Running> m_arrived;
    std::vector<RequestId> m_toCancel;
    int m_cancelled = 0, m_runningCount = 0, m_imports = 0;
    ServeState m_state = ServeState::Serving;
    std::vector<NumberedEvent> m_events;
    std::map<int, EventSink> m_sinks;
    int m_nextSink = 0;
    JobRecord m_job;
    SystemClock m_clock;
    std::unique_ptr<Tenants> m_tenants;
    std::jthread m_thread;
};

}  // namespace espalier::test
