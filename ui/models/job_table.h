// SPDX-License-Identifier: GPL-3.0-or-later
// JobTable: the jobs of the workspace, newest first. A job that changes updates its row in place.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"
#include "ui/shell/icons.h"

namespace espalier::ui {

struct StateMark {
    QString icon, word;
    Tone tone = Tone::Secondary;
};
StateMark markOf(JobState state);
StateMark markOf(ServeState state);
QString timeLeft(const JobRecord& job);  // "5 h 14 min", "–"
bool needsYou(const JobRecord& job);     // failed or interrupted
QString titleOf(const JobRecord& job);   // "Import tiny"
bool isActive(const JobRecord& job);     // queued, running or paused

// What the daemon takes for a job as it stands.
struct JobControls {
    bool pause = false, resume = false, cancel = false, discard = false;
};
JobControls controlsOf(const JobRecord& job);

class JobTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Title, Kind, State, Progress, Rate, Left };
    explicit JobTable(QObject* parent = nullptr);

    void setJobs(std::vector<JobRecord> jobs);  // rows that stay are kept in place
    void update(const JobRecord& job);
    void remove(qint64 id);
    const std::vector<JobRecord>& jobs() const { return m_jobs; }
    const JobRecord* find(qint64 id) const;

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<JobRecord> m_jobs;  // by falling id
};

}  // namespace espalier::ui
