// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/workspace.h"

#include <QDateTime>
#include <QDir>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/api/protocol.h"
#include "core/api/tenant_protocol.h"
#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kHistorySeconds = 3600;
constexpr int kSamplesPerSecond = 10;
constexpr int kLogLines = 500;
constexpr std::size_t kMetrics = std::size_t(Metric::Count);
constexpr double kShareSpan = 60;      // seconds that hit share and preemptions look back
constexpr double kSampleApart = 1.5;   // a point of the daemon's history fills a hole wider than this around it
constexpr qsizetype kMarkLength = 80;  // letters of a log line over a plot

using Metrics = std::array<double, kMetrics>;

struct CacheCounters {
    double lookups = 0, hits = 0, preempted = 0;  // since the daemon started
    double adapterLookups = 0, adapterHits = 0;
};

CacheCounters countersOf(const Snapshot& s) {
    const auto of = [&](const char* name) {
        const auto found = s.counters.find(name);
        return found == s.counters.end() ? 0.0 : found->second;
    };
    const double found = of("adapter_found_total_pool");
    return {of("prefix_cache_queries_total"), of("prefix_cache_hits_total"), of("num_preemptions_total"),
            found + of("adapter_found_total_host") + of("adapter_found_total_disk"), found};
}

CacheCounters countersOf(const HistoryPoint& p) {
    return {p.prefixQueries, p.prefixHits, p.preemptions, p.adapterLookups, p.adapterHits};
}

// A snapshot and a point of the history name what they share alike.
template <class Source>
Metrics metricsOf(const Source& s) {
    const CacheCounters counters = countersOf(s);
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
            measured(s.tpotMs, s.tpotMs.p99),
            s.processorShare,
            double(s.residentBytes),
            counters.lookups,
            counters.hits,
            kGap,
            counters.preempted,
            kGap,
            s.swapInBytesPerS,
            s.swapOutBytesPerS,
            counters.adapterLookups,
            counters.adapterHits,
            kGap};
}

double& at(Metrics& metrics, Metric metric) {
    return metrics[std::size_t(metric)];
}

// What grew over the last minute. A counter that fell began again with the daemon.
double growth(const SampleRing& ring, int from, Metric metric, double now) {
    const double before = ring.value(from, int(metric));
    return std::isnan(before) || before > now ? now : now - before;
}

// Appends a sample with the metrics that follow from those before it.
void appendWithShares(SampleRing& ring, double x, Metrics metrics) {
    const int from = ring.lowerBound(x - kShareSpan);
    if (from < ring.size()) {
        const auto share = [&](Metric all, Metric found) {
            const double lookups = growth(ring, from, all, at(metrics, all));
            return lookups > 0 ? std::min(100.0, 100 * growth(ring, from, found, at(metrics, found)) / lookups) : kGap;
        };
        const double span = std::max(1.0, std::min(kShareSpan, x - ring.x(from)));
        at(metrics, Metric::HitShare) = share(Metric::Lookups, Metric::Hits);
        at(metrics, Metric::AdapterHitShare) = share(Metric::AdapterLookups, Metric::AdapterHits);
        at(metrics, Metric::PreemptedPerMin) =
            growth(ring, from, Metric::Preempted, at(metrics, Metric::Preempted)) * kShareSpan / span;
    }
    ring.append(x, metrics);
}

QString originOf(const EngineClient& engine) {
    return engine.isForeign() ? engine.address().url.toString() : engine.folder();
}

Metrics noMetrics() {
    Metrics gap;
    gap.fill(kGap);
    return gap;
}

}  // namespace

Workspace::Workspace(EngineClient& engine, QObject* parent)
    : QObject(parent),
      m_engine(engine),
      m_origin(originOf(engine)),
      m_history(int(kMetrics), kHistorySeconds * kSamplesPerSecond) {
    connect(&engine, &EngineClient::linkChanged, this, &Workspace::followOrigin);
    connect(&engine, &EngineClient::attached, this, &Workspace::readEverything);
    connect(&engine, &EngineClient::snapshotArrived, this, &Workspace::take);
    connect(&engine, &EngineClient::snapshotPassed, this, &Workspace::remember);
    connect(&engine, &EngineClient::jobChanged, this, [this](const JobRecord& job) {
        markJob(job);
        m_jobs.update(job);
        emit jobsChanged();
    });
    connect(&engine, &EngineClient::modelChanged, this, &Workspace::markModel);
    connect(&engine, &EngineClient::modelChanged, this, &Workspace::refreshModels);
    connect(&engine, &EngineClient::modelChanged, this, &Workspace::refreshAdapters);
    connect(&engine, &EngineClient::adapterChanged, this, &Workspace::refreshAdapters);
    connect(&engine, &EngineClient::tenantChanged, this, &Workspace::refreshTenants);
    connect(&engine, &EngineClient::serveChanged, this, [this](const ServeChanged& change) {
        m_marks.add({now(), MarkKind::Serve, markOf(change.state).word});
    });
    connect(&engine, &EngineClient::logged, this, [this](const LogRecord& record) {
        m_log.append(record);
        markLog(record);
        emit logChanged();
    });
    connect(&engine, &EngineClient::misread, this, &Workspace::noteMisread);
    if (engine.isAttached()) readEverything();  // made anew beside a connection that goes on
}

QString Workspace::name() const {
    const QString folder = m_engine.workspace();
    const QString last = QDir(folder).dirName();
    return last.isEmpty() ? folder : last;
}

// An answer that is taken when there is one; that there is none is said where the list would stand.
template <class T, class Take>
EngineClient::Answer<T> Workspace::taken(const QString& failure, Take take) {
    return [this, failure, take](Result<T> answer) {
        if (answer)
            take(std::move(*answer));
        else if (answer.error().code != ErrorCode::Cancelled)
            emit readFailed(failure, answer.error());
    };
}

bool Workspace::Reading::begin() {
    if (isUnderWay) isWantedAgain = true;
    return !std::exchange(isUnderWay, true);
}

bool Workspace::Reading::end() {
    isUnderWay = false;
    return std::exchange(isWantedAgain, false);
}

template <class T>
EngineClient::Answer<T> Workspace::andAgain(Reading Workspace::*reading, void (Workspace::*refresh)(),
                                            EngineClient::Answer<T> answer) {
    return [this, reading, refresh, answer = std::move(answer)](Result<T> result) {
        const bool isWanted = (this->*reading).end();
        answer(std::move(result));
        if (isWanted) (this->*refresh)();
    };
}

void Workspace::refreshModels() {
    if (!m_readingModels.begin()) return;
    using Models = std::vector<ModelRecord>;
    m_engine.models(true, this, taken<Models>(tr("The bin was not read"), [this](Models models) {
                        m_bin.setModels(std::move(models));
                        emit modelsChanged();
                    }));
    m_engine.models(false, this,
                    andAgain<Models>(&Workspace::m_readingModels, &Workspace::refreshModels,
                                     taken<Models>(tr("The list of models was not read"), [this](Models models) {
                                         m_models.setModels(std::move(models));
                                         countTenants();
                                         m_hasModels = true;
                                         emit modelsChanged();
                                     })));
}

void Workspace::refreshAdapters() {
    if (m_engine.access() == Access::Guest || !m_readingAdapters.begin()) return;
    using Adapters = std::vector<AdapterRecord>;
    m_engine.adapters(
        this, andAgain<Adapters>(&Workspace::m_readingAdapters, &Workspace::refreshAdapters,
                                 taken<Adapters>(tr("The list of adapters was not read"), [this](Adapters adapters) {
                                     m_adapters = std::move(adapters);
                                     emit adaptersChanged();
                                 })));
}

void Workspace::refreshTenants() {
    if (!m_engine.isAttached() || m_engine.access() == Access::Guest || !m_readingTenants.begin()) return;
    m_engine.call(
        QStringLiteral("tenants"), Json::object(), this,
        andAgain<Json>(&Workspace::m_readingTenants, &Workspace::refreshTenants, [this](const Result<Json>& answer) {
            if (!answer) return;
            std::vector<TenantRecord> tenants;
            for (const Json& entry : answer->value("tenants", Json::array()))
                if (auto tenant = tenantFromJson(entry)) tenants.push_back(std::move(*tenant));
            m_tenants.setTenants(std::move(tenants));
            countTenants();
            m_hasTenants = true;
            emit tenantsChanged();
        }));
}

// Of each model: who is let in, to it or to one of its adapters. The owner is no tenant of theirs.
void Workspace::countTenants() {
    QHash<QString, int> counts;
    for (const ModelRecord& model : m_models.models()) {
        const auto isOfModel = [&](const std::string& name) {
            return name == model.name || name.starts_with(model.name + ":");
        };
        counts[text(model.id)] = int(std::ranges::count_if(m_tenants.tenants(), [&](const TenantRecord& tenant) {
            return tenant.name != kOwner && !tenant.revokedAt &&
                   (tenant.limits.models.empty() || std::ranges::any_of(tenant.limits.models, isOfModel));
        }));
    }
    m_models.setTenants(counts);
}

// Asked when somebody shows a snapshot, so that no timer of its own wakes the window.
void Workspace::refreshMachine(qint64 oldestMs) {
    if (!m_snapshot || m_isAskingMachine || !m_engine.isAttached()) return;
    if (m_machine && std::abs(m_snapshot->at - m_machineAsked) < oldestMs) return;
    m_isAskingMachine = true;
    m_machineAsked = m_snapshot->at;
    m_engine.call(QStringLiteral("machine"), Json::object(), this, [this](const Result<Json>& answer) {
        if (!answer && answer.error().code == ErrorCode::Cancelled) return;  // it was another machine
        m_isAskingMachine = false;
        const auto stats = answer ? machineFromJson(*answer) : Result<MachineStats>(answer.error());
        m_machine = stats ? *stats : MachineStats();  // not known
        emit machineChanged();
    });
}

void Workspace::discardJob(qint64 id, QObject* guard, std::function<void(const Error&)> refused) {
    const QPointer<QObject> alive(guard);
    m_engine.call(QStringLiteral("job-discard"), {{"id", id}}, this,
                  [this, id, alive, refused = std::move(refused)](const Result<Json>& answer) {
                      if (!answer) {
                          if (alive && refused) refused(answer.error());
                          return;
                      }
                      m_jobs.remove(id);
                      emit jobsChanged();
                  });
}

void Workspace::readEverything() {
    m_readingModels = m_readingAdapters =
        m_readingTenants = {};  // what a server before may still answer is nothing to wait for
    refreshModels();
    if (m_engine.access() != Access::Guest) return readLists();
    m_snapshot.reset();
    m_bin.setModels({});
    m_loaded.setModels({});
    m_jobs.setJobs({});
    m_log.setRecords({});
    m_adapters.clear();
    emit adaptersChanged();
    emit jobsChanged();
    emit logChanged();
    emit snapshotChanged();
}

void Workspace::readLists() {
    using Jobs = std::vector<JobRecord>;
    using Log = std::vector<LogRecord>;
    using Points = std::vector<HistoryPoint>;
    refreshAdapters();
    refreshTenants();
    m_engine.jobs(this, taken<Jobs>(tr("The list of jobs was not read"), [this](Jobs jobs) {
                      m_jobs.setJobs(std::move(jobs));
                      emit jobsChanged();
                  }));
    m_engine.log(kLogLines, this, taken<Log>(tr("The log was not read"), [this](Log records) {
                     for (const LogRecord& record : m_log.catchUp(std::move(records))) markLog(record);
                     emit logChanged();
                 }));
    m_engine.history(
        kHistorySeconds, this,
        taken<Points>(tr("The history of the plots was not read"), [this](const Points& points) { backfill(points); }));
}

// The rest was taken: a line in the log is enough.
void Workspace::noteMisread(const QString& what, const Error& error) {
    const QString line = tr("Left out of \"%1\": %2").arg(what, text(error.message));
    m_log.append({qint64(now() * 1000), "warning", LogTable::kWorkbench, line.toStdString()});
    emit logChanged();
}

// What is known of a workspace stays while its daemon is away; that of another one goes at once.
void Workspace::followOrigin() {
    const QString origin = originOf(m_engine);
    if (origin == m_origin) return;
    m_origin = origin;
    m_history.clear();
    m_marks.clear();
    m_snapshot = nullptr;
    m_models.setModels({});
    m_bin.setModels({});
    m_loaded.setModels({});
    m_jobs.setJobs({});
    m_log.setRecords({});
    m_adapters.clear();
    m_tenants.setTenants({});
    m_tenants.setUsage({}, 0);
    m_machine.reset();
    m_isAskingMachine = false;
    m_hasModels = m_hasTenants = false;
    emit left();
    emit modelsChanged();
    emit adaptersChanged();
    emit tenantsChanged();
    emit jobsChanged();
    emit logChanged();
    emit snapshotChanged();
}

double Workspace::now() const {
    return double(m_snapshot ? m_snapshot->at : QDateTime::currentMSecsSinceEpoch()) / 1000.0;
}

void Workspace::markChanges(const Snapshot& before, const Snapshot& now) {
    const double x = double(now.at) / 1000.0;
    if (before.startedAt != now.startedAt) {
        // Nobody measured while there was no daemon, however short that was.
        m_history.append((m_history.lastX() + x) / 2, noMetrics());
        m_marks.add({x, MarkKind::Serve, tr("Engine restarted")});
        return;
    }
    const double preempted = countersOf(now).preempted - countersOf(before).preempted;
    if (preempted > 0)
        m_marks.add({x, MarkKind::Preemption, counted(qint64(preempted), tr("%1 preemption"), tr("%1 preemptions"))});
}

void Workspace::markModel(const ModelChanged& change) {
    if (change.change != "loaded" && change.change != "unloaded") return;
    QString name = text(change.id);
    for (const ModelRecord& model : m_models.models())
        if (model.id == change.id) name = text(model.name);
    m_marks.add(
        {now(), MarkKind::Model, change.change == "loaded" ? tr("%1 loaded").arg(name) : tr("%1 unloaded").arg(name)});
}

void Workspace::markJob(const JobRecord& job) {
    const JobRecord* known = m_jobs.find(job.id);
    if (job.state == JobState::Running && (!known || known->state != JobState::Running))
        m_marks.add({now(), MarkKind::Job, titleOf(job)});
}

void Workspace::markLog(const LogRecord& record) {
    if (record.level != "error") return;
    QString line = text(record.text);
    if (line.size() > kMarkLength) line = line.left(kMarkLength - 1) + QChar(0x2026);
    m_marks.add({double(record.at) / 1000.0, MarkKind::Error, tr("Error: %1").arg(line)});
}

// In plots and marks; what is shown of it follows with the newest.
void Workspace::remember(const std::shared_ptr<const Snapshot>& snapshot) {
    if (m_snapshot && !m_history.isEmpty()) markChanges(*m_snapshot, *snapshot);
    m_snapshot = snapshot;
    appendWithShares(m_history, double(snapshot->at) / 1000.0, metricsOf(*snapshot));
}

void Workspace::take(const std::shared_ptr<const Snapshot>& snapshot) {
    remember(snapshot);
    m_loaded.setModels(snapshot->models);
    QStringList loaded;
    for (const LoadedModel& model : snapshot->models) loaded << text(model.name);
    m_models.setLoaded(loaded);
    // Between two job events the snapshot is what moves the progress.
    for (const JobRecord& job : snapshot->jobs) {
        const JobRecord* known = m_jobs.find(job.id);
        if (known && known->state == job.state && isActive(job)) m_jobs.update(job);
    }
    emit snapshotChanged();
}

// Fills what was not seen here (before attaching, while the connection was lost) from what the daemon remembers.
void Workspace::backfill(const std::vector<HistoryPoint>& points) {
    SampleRing merged(int(kMetrics), kHistorySeconds * kSamplesPerSecond);
    Metrics values{};
    int seen = 0;
    const auto takeSeenUntil = [&](double x) {
        for (; seen < m_history.size() && m_history.x(seen) <= x; ++seen) {
            for (int k = 0; k < int(kMetrics); ++k) values[std::size_t(k)] = m_history.value(seen, k);
            appendWithShares(merged, m_history.x(seen), values);
        }
    };
    for (const HistoryPoint& point : points) {
        const double x = double(point.at) / 1000.0;
        takeSeenUntil(x);
        const int nearest = m_history.nearest(x);
        if (nearest >= 0 && std::abs(m_history.x(nearest) - x) < kSampleApart) continue;
        appendWithShares(merged, x, metricsOf(point));
    }
    takeSeenUntil(std::numeric_limits<double>::infinity());
    m_history = std::move(merged);
}

}  // namespace espalier::ui
