// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/workspace.h"

#include <QDir>
#include <array>

namespace espalier::ui {
namespace {

constexpr int kHistorySeconds = 3600;
constexpr int kSamplesPerSecond = 10;
constexpr int kLogLines = 500;
constexpr std::size_t kMetrics = std::size_t(Metric::Count);

// A snapshot and a point of the history name what they share alike.
template <class Source>
std::array<double, kMetrics> metricsOf(const Source& s) {
    const auto measured = [](const Percentiles& p, double value) { return p.samples > 0 ? value : kGap; };
    return {double(s.memory.weights),
            double(s.memory.training),
            double(s.memory.kvRunning),
            double(s.memory.kvCached),
            double(s.memory.adapters),
            double(s.memory.domainRows),
            double(s.memory.workspace),
            double(s.memory.free),
            s.prefillTokensPerS,
            s.decodeTokensPerS,
            double(s.running),
            double(s.waiting),
            measured(s.ttftMs, s.ttftMs.p50),
            measured(s.ttftMs, s.ttftMs.p95),
            measured(s.ttftMs, s.ttftMs.p99),
            measured(s.tpotMs, s.tpotMs.p50),
            measured(s.tpotMs, s.tpotMs.p95),
            measured(s.tpotMs, s.tpotMs.p99)};
}

}  // namespace

Workspace::Workspace(EngineClient& engine, QObject* parent)
    : QObject(parent), m_engine(engine), m_history(int(kMetrics), kHistorySeconds * kSamplesPerSecond) {
    connect(&engine, &EngineClient::attached, this, [this](bool fresh) {
        if (fresh) m_history.clear();
        readEverything();
    });
    connect(&engine, &EngineClient::snapshotArrived, this, &Workspace::take);
    connect(&engine, &EngineClient::jobChanged, this, [this](const JobRecord& job) {
        m_jobs.update(job);
        emit jobsChanged();
    });
    connect(&engine, &EngineClient::modelChanged, this, &Workspace::refreshModels);
    connect(&engine, &EngineClient::logged, this, [this](const LogRecord& record) {
        m_log.append(record);
        emit logChanged();
    });
    if (engine.isAttached()) readEverything();  // made anew beside a connection that goes on
}

QString Workspace::name() const {
    const QString folder = m_engine.workspace();
    const QString last = QDir(folder).dirName();
    return last.isEmpty() ? folder : last;
}

void Workspace::refreshModels() {
    m_engine.models(false, this, [this](Result<std::vector<ModelRecord>> models) {
        if (!models) return;
        m_models.setModels(std::move(*models));
        m_hasModels = true;
        emit modelsChanged();
    });
    m_engine.models(true, this, [this](Result<std::vector<ModelRecord>> models) {
        if (!models) return;
        m_bin.setModels(std::move(*models));
        emit modelsChanged();
    });
}

void Workspace::discardJob(qint64 id) {
    m_engine.call(QStringLiteral("job-discard"), {{"id", id}}, this, [this, id](const Result<Json>& answer) {
        if (!answer) return;
        m_jobs.remove(id);
        emit jobsChanged();
    });
}

void Workspace::readEverything() {
    refreshModels();
    if (m_engine.access() == Access::Guest) {
        m_snapshot.reset();
        m_bin.setModels({});
        m_jobs.setJobs({});
        m_log.setRecords({});
        return;
    }
    m_engine.jobs(this, [this](Result<std::vector<JobRecord>> jobs) {
        if (!jobs) return;
        m_jobs.setJobs(std::move(*jobs));
        emit jobsChanged();
    });
    m_engine.log(kLogLines, this, [this](Result<std::vector<LogRecord>> records) {
        if (!records) return;
        m_log.setRecords(std::move(*records));
        emit logChanged();
    });
    m_engine.history(kHistorySeconds, this, [this](const Result<std::vector<HistoryPoint>>& points) {
        if (points) backfill(*points);
    });
}

void Workspace::take(const std::shared_ptr<const Snapshot>& snapshot) {
    m_snapshot = snapshot;
    m_history.append(double(snapshot->at) / 1000.0, metricsOf(*snapshot));
    m_loaded.setModels(snapshot->models);
    // Between two job events the snapshot is what moves the progress.
    for (const JobRecord& job : snapshot->jobs) {
        const JobRecord* known = m_jobs.find(job.id);
        if (known && known->state == job.state && isActive(job)) m_jobs.update(job);
    }
    emit snapshotChanged();
}

void Workspace::backfill(const std::vector<HistoryPoint>& points) {
    // Snapshots may have arrived first; what the daemon remembers goes before them.
    SampleRing merged(int(kMetrics), kHistorySeconds * kSamplesPerSecond);
    for (const HistoryPoint& point : points) {
        if (!m_history.isEmpty() && double(point.at) / 1000.0 >= m_history.x(0)) break;
        merged.append(double(point.at) / 1000.0, metricsOf(point));
    }
    std::array<double, kMetrics> values{};
    for (int i = 0; i < m_history.size(); ++i) {
        for (int k = 0; k < int(kMetrics); ++k) values[std::size_t(k)] = m_history.value(i, k);
        merged.append(m_history.x(i), values);
    }
    m_history = std::move(merged);
}

}  // namespace espalier::ui
