// SPDX-License-Identifier: GPL-3.0-or-later
// Workspace: what the workbench knows about the daemon it is attached to. Tables and the history of the plots, filled
// at attach and kept true by events and snapshots. Pages read it; what they change goes to EngineClient.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QObject>
#include <memory>
#include <optional>

#include "core/engine/machine_stats.h"
#include "ui/bridge/engine_client.h"
#include "ui/models/event_marks.h"
#include "ui/models/job_table.h"
#include "ui/models/loaded_table.h"
#include "ui/models/log_table.h"
#include "ui/models/model_table.h"
#include "ui/models/sample_ring.h"
#include "ui/models/tenant_table.h"

namespace espalier::ui {

// Columns of Workspace::history(). Memory in bytes, stacked in this order.
enum class Metric {
    Weights,
    Training,
    KvRunning,
    KvCached,
    Adapters,
    DomainRows,
    Work,
    Free,
    Prefill,
    Decode,
    Running,
    Waiting,
    TtftP50,
    TtftP95,
    TtftP99,
    TpotP50,
    TpotP95,
    TpotP99,
    Processor,  // cores of the daemon
    Resident,   // bytes of the daemon
    Lookups,    // tokens looked up in the prefix cache, since the daemon started
    Hits,       // of these, found
    HitShare,   // per cent over the last minute
    Preempted,  // since the daemon started
    PreemptedPerMin,
    SwapIn,  // bytes/s into the pool, and given up there
    SwapOut,
    AdapterLookups,   // requests with an adapter, since the daemon started
    AdapterHits,      // of these, that found it in the pool
    AdapterHitShare,  // per cent over the last minute
    Count
};

class Workspace : public QObject {
    Q_OBJECT
public:
    explicit Workspace(EngineClient& engine, QObject* parent = nullptr);

    EngineClient& engine() const { return m_engine; }
    ModelTable& models() { return m_models; }
    ModelTable& bin() { return m_bin; }
    JobTable& jobs() { return m_jobs; }
    LogTable& log() { return m_log; }
    LoadedTable& loaded() { return m_loaded; }
    TenantTable& tenants() { return m_tenants; }
    bool hasTenantList() const { return m_hasTenants; }
    const SampleRing& history() const { return m_history; }        // x: Unix seconds
    EventMarks& marks() { return m_marks; }                        // over the same time
    const Snapshot* snapshot() const { return m_snapshot.get(); }  // null before the first one
    bool hasModelList() const { return m_hasModels; }
    const std::vector<AdapterRecord>& adapters() const { return m_adapters; }  // by base, then name

    const QString& origin() const { return m_origin; }  // the folder or address whose things are held
    QString name() const;                               // the folder's last part, or the host
    // Memory, processors and disk of the daemon's machine; none: not asked yet; empty: not known. They change slowly,
    // so whoever shows them asks, with how old they may be.
    const std::optional<MachineStats>& machine() const { return m_machine; }
    void refreshMachine(qint64 oldestMs);
    void refreshModels();
    void refreshAdapters();
    void refreshTenants();
    // `refused` is called when the daemon does not do it, unless its guard is gone by then.
    void discardJob(qint64 id, QObject* guard = nullptr, std::function<void(const Error&)> refused = {});

signals:
    void left();             // another workspace or server was chosen: nothing of the one before is known any more
    void snapshotChanged();  // snapshot() is null after another workspace or server was chosen
    void modelsChanged();
    void adaptersChanged();
    void tenantsChanged();
    void jobsChanged();
    void logChanged();
    void machineChanged();
    void readFailed(const QString& what, const espalier::Error& error);  // a list of the daemon that is not shown

private:
    // A list that is being read; what changes meanwhile is one more reading, however much it is.
    struct Reading {
        bool isUnderWay = false, isWantedAgain = false;
        bool begin();  // false: it is under way
        bool end();    // whether to begin again
    };
    template <class T>
    EngineClient::Answer<T> andAgain(Reading Workspace::*reading, void (Workspace::*refresh)(),
                                     EngineClient::Answer<T> answer);
    void readEverything();
    void readLists();
    template <class T, class Take>
    EngineClient::Answer<T> taken(const QString& failure, Take take);
    void take(const std::shared_ptr<const Snapshot>& snapshot);
    void remember(const std::shared_ptr<const Snapshot>& snapshot);
    void backfill(const std::vector<HistoryPoint>& points);
    void followOrigin();
    void countTenants();
    void markChanges(const Snapshot& before, const Snapshot& now);
    void markModel(const ModelChanged& change);
    void markJob(const JobRecord& job);
    void markLog(const LogRecord& record);
    void noteMisread(const QString& what, const Error& error);
    double now() const;

    EngineClient& m_engine;
    QString m_origin;
    ModelTable m_models, m_bin;
    JobTable m_jobs;
    LogTable m_log;
    LoadedTable m_loaded;
    std::vector<AdapterRecord> m_adapters;
    TenantTable m_tenants;
    SampleRing m_history;
    EventMarks m_marks;
    std::shared_ptr<const Snapshot> m_snapshot;
    bool m_hasModels = false, m_hasTenants = false;
    std::optional<MachineStats> m_machine;
    qint64 m_machineAsked = 0;  // time of the snapshot it was asked with
    bool m_isAskingMachine = false;
    Reading m_readingModels, m_readingAdapters, m_readingTenants;
};

}  // namespace espalier::ui
