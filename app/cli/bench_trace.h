// SPDX-License-Identifier: GPL-3.0-or-later
// A published workload (core/serving/workload.h) replayed in real time against one model: adapters by the thousand in
// folders of their own, a host memory and a pool that hold a part of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

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
};

class TraceBench {
public:
    // Writes the folders; they go with this. Errors: io_error, disk_full, those of makeWorkload.
    static Result<std::unique_ptr<TraceBench>> make(Session& session, Backend& backend, Transformer& transformer,
                                                    TraceBenchOptions options);
    ~TraceBench();
    TraceBench(const TraceBench&) = delete;

    enum class Pass {
        Hot,         // the pool is larger by all adapters of the trace, and they are in it
        Prefetch,    // adapters come ahead of their turn
        NoPrefetch,  // when their turn has come
    };
    // What was measured, as keys of a row. Errors: those of a request, cancelled.
    Result<Json> replay(Pass pass);

private:
    struct Source;
    struct Run;
    TraceBench(Session& session, Backend& backend, Transformer& transformer, TraceBenchOptions options)
        : m_session(session), m_backend(backend), m_transformer(transformer), m_options(std::move(options)) {}
    Result<void> writeFolders();
    Request requestOf(std::size_t number) const;

    Session& m_session;
    Backend& m_backend;
    Transformer& m_transformer;
    const TraceBenchOptions m_options;
    Path m_folder;
    std::vector<WorkloadRequest> m_trace;
    std::vector<std::shared_ptr<const Source>> m_sources;  // by adapter
    std::int64_t m_setBytes = 0;  // of the adapters that the trace names, as tiles
    std::int32_t m_setPages = 0, m_distinct = 0;
};

}  // namespace espalier::cli
