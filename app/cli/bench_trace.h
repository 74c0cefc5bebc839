// SPDX-License-Identifier: GPL-3.0-or-later
// A published workload (core/serving/workload.h) replayed in real time against one model: adapters by the thousand in
// folders of their own, a host memory and a pool that hold a part of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/bench_breakdown.h"
#include "app/cli/session.h"
#include "core/models/transformer.h"
#include "core/serving/workload.h"

namespace espalier::cli {

struct TraceBenchOptions {
    WorkloadOptions workload;
    std::vector<std::int32_t> ranks = {8};  // adapter i has ranks[i % size]
    DType adapterType = DType::BF16;
    std::string adapterTargets = "attention";
    std::int64_t poolBytes = 0, hostBytes = 0;
    DType kvType = DType::F32;
    std::int32_t tenants = 1;  // adapter i is of tenant i % tenants
};

// How a trace is replayed: as the engine is, or without one thing that it does.
struct TraceSetup {
    bool isHot = false;        // the pool is larger by all adapters of the trace, and they are in it
    bool isOnHost = false;     // all adapters of the trace are in host memory, none in the pool
    bool prefetch = true;      // adapters come ahead of their turn
    double adaptersAlone = 0;  // part of the pool that adapters alone may have, KV the rest; 0: whoever needs it
    bool isFirstComeFirstServed = false;
    std::int32_t poolPages = 0;   // 0: those of poolBytes
    std::int32_t sequences = 32;  // running at once
};

class TraceBench {
public:
    // Writes the folders; they go with this. times: what backend and transformer keep, when they are the timed ones.
    // Errors: io_error, disk_full, those of makeWorkload.
    static Result<std::unique_ptr<TraceBench>> make(Session& session, Backend& backend, Transformer& transformer,
                                                    TraceBenchOptions options, StepTimes* times = nullptr);
    ~TraceBench();
    TraceBench(const TraceBench&) = delete;

    // What was measured, as keys of a row. Errors: those of a request, cancelled.
    Result<Json> replay(const TraceSetup& setup);
    // 32 answers of the base at once; withAdapters: in a loop that has served every adapter before and keeps as many of
    // them as it can. Only the answers are measured.
    Result<Json> serveBase(bool withAdapters, std::int32_t answerTokens);

    std::int32_t setPages() const { return m_setPages; }  // of the adapters that the trace names

private:
    struct Source;
    struct Run;
    TraceBench(Session& session, Backend& backend, Transformer& transformer, TraceBenchOptions options,
               StepTimes* times)
        : m_session(session),
          m_backend(backend),
          m_transformer(transformer),
          m_options(std::move(options)),
          m_times(times) {}
    Result<void> writeFolders();
    Request requestOf(std::size_t number) const;
    Result<void> finishAll(Run& run);
    Result<void> warm(Run& run, const TraceSetup& setup);  // not measured
    std::vector<std::size_t> firstOfEach() const;          // requests: the first of each adapter

    Session& m_session;
    Backend& m_backend;
    Transformer& m_transformer;
    const TraceBenchOptions m_options;
    StepTimes* const m_times;
    Path m_folder;
    std::vector<WorkloadRequest> m_trace;
    std::vector<std::shared_ptr<const Source>> m_sources;  // by adapter
    std::int64_t m_setBytes = 0;                           // of the adapters that the trace names, as tiles
    std::int32_t m_setPages = 0, m_distinct = 0;
};

}  // namespace espalier::cli
