// SPDX-License-Identifier: GPL-3.0-or-later
// The engine, its start, its end and its log.
#include "core/engine/engine.h"

#include <algorithm>
#include <utility>

#include "core/engine/import_job.h"
#include "core/engine/local_engine.h"

namespace espalier {
namespace {

constexpr std::int64_t kLargestDefaultPool = std::int64_t{4} << 30;
constexpr std::int64_t kDefaultHostCache = std::int64_t{1} << 30;

EngineOptions withDefaults(EngineOptions options, const Backend& backend) {
    const std::int64_t available = backend.device().freeBytes;
    if (options.memoryBudget <= 0) options.memoryBudget = available / 5 * 4;
    if (options.poolBytes <= 0) options.poolBytes = std::min(available / 8, kLargestDefaultPool);
    if (options.hostCacheBytes <= 0) options.hostCacheBytes = kDefaultHostCache;
    return options;
}

}  // namespace

LocalEngine::LocalEngine(std::unique_ptr<Workspace> workspace, const EngineOptions& options, Backend& backend,
                         FileSystem& files, Clock& clock)
    : m_options(withDefaults(options, backend)),
      m_backend(backend),
      m_files(files),
      m_clock(clock),
      m_workspace(std::move(workspace)),
      m_shelf(*m_workspace, files),
      m_adapters(*m_workspace, files, m_shelf),
      m_logRing(clock, options.stderrLog) {}

Result<void> LocalEngine::reloadShelf() {
    TRY_ASSIGN(const auto damaged, m_shelf.reload());
    for (const std::string& sentence : damaged) log("error", "catalog", sentence);
    return m_adapters.reload();
}

Result<void> LocalEngine::start() {
    if (!m_options.readOnly) {
        TRY_ASSIGN(const auto ofModels, tidyModelFolders(*m_workspace, m_files));
        TRY_ASSIGN(const auto ofAdapters, m_adapters.tidy());
        for (const auto* sentences : {&ofModels, &ofAdapters})
            for (const std::string& sentence : *sentences) log("warning", "catalog", sentence);
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
        tellLostWrites();
    };
    callbacks.publish = [this](Event event) { m_events.publish(std::move(event)); };
    callbacks.log = [this](std::string_view level, std::string text) { log(level, "serve", text); };
    callbacks.jobs = [this](std::int64_t endedAfter) { return m_jobs->newsSince(endedAfter); };
    m_serving = std::make_unique<ServingThread>(m_backend, m_files, m_clock, m_options, m_watch, std::move(callbacks));
    for (const std::string& name : m_options.preload) {
        TRY_ASSIGN(const ModelRecord model, m_shelf.find(name));
        if (const auto loading = loadModel(model.id); !loading)
            log("error", "serve", "\"" + model.name + "\" is not loaded: " + loading.error().message);
    }
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

// Not into the database, which would lose that too.
void LocalEngine::tellLostWrites() {
    const Writer::FailedPosts lost = m_workspace->lostWrites();
    if (lost.count == m_toldLostWrites) return;
    const std::int64_t more = lost.count - std::exchange(m_toldLostWrites, lost.count);
    m_events.publish(m_logRing.append(
        LogLevel::Error, "store",
        std::to_string(more) + (more == 1 ? " write was lost: " : " writes were lost: ") + lost.newest.message));
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

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, Backend& backend, FileSystem& files,
                                             Clock& clock) {
    const auto access = options.readOnly ? Workspace::Access::Read : Workspace::Access::Write;
    TRY_ASSIGN(auto workspace, Workspace::open(options.workspace, access, files, clock));
    auto engine = std::make_unique<LocalEngine>(std::move(workspace), options, backend, files, clock);
    TRY(engine->start());
    return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace espalier
