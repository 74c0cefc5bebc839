// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/job_table.h"

#include <QCoreApplication>
#include <algorithm>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

const QString kNothing = QStringLiteral("–");

QString kindOf(const JobRecord& job) {
    if (job.kind == "import") return QCoreApplication::translate("JobKind", "Import");
    if (job.kind == "scan") return QCoreApplication::translate("JobKind", "Scan");
    if (job.kind == "adapters") return QCoreApplication::translate("JobKind", "Adapters");
    if (job.kind == "verify") return QCoreApplication::translate("JobKind", "Verification");
    return text(job.kind);  // of a newer daemon
}

QString cellText(const JobRecord& job, int column) {
    const bool moving = job.state == JobState::Running || job.state == JobState::Paused;
    switch (column) {
        case JobTable::Title:
            return titleOf(job);
        case JobTable::Kind:
            return kindOf(job);
        case JobTable::State:
            return markOf(job.state).word;
        case JobTable::Progress:
            return moving ? QStringLiteral("%1 %").arg(qRound(job.progress * 100)) : kNothing;
        case JobTable::Rate:
            if (job.state != JobState::Running || job.bytesPerS <= 0) return kNothing;
            return formatBytes(qint64(job.bytesPerS)) + QStringLiteral("/s");
        default:
            return timeLeft(job);
    }
}

auto findJob(auto& jobs, qint64 id) {
    return std::find_if(jobs.begin(), jobs.end(), [id](const JobRecord& job) { return job.id == id; });
}

}  // namespace

// The engine names a job by a verb and the model: the verb in this window's language.
QString titleOf(const JobRecord& job) {
    const QString title = text(job.title);
    const auto named = [&](const char* verb, const QString& pattern) {
        const QLatin1String begin(verb);
        return title.startsWith(begin) ? pattern.arg(title.mid(begin.size())) : QString();
    };
    for (const QString& ours :
         {named("Import adapters for ", QCoreApplication::translate("JobKind", "Import adapters for %1")),
          named("Import ", QCoreApplication::translate("JobKind", "Import %1")),
          named("Scan ", QCoreApplication::translate("JobKind", "Scan %1")),
          named("Verify ", QCoreApplication::translate("JobKind", "Verify %1"))})
        if (!ours.isEmpty()) return ours;
    return title;
}

StateMark markOf(JobState state) {
    switch (state) {
        case JobState::Queued:
            return {QStringLiteral("clock"), QCoreApplication::translate("JobState", "Queued"), Tone::Secondary};
        case JobState::Running:
            return {QStringLiteral("circle-play"), QCoreApplication::translate("JobState", "Running"), Tone::Accent};
        case JobState::Paused:
            return {QStringLiteral("circle-pause"), QCoreApplication::translate("JobState", "Paused"), Tone::Text};
        case JobState::Interrupted:
            return {QStringLiteral("rotate-ccw"), QCoreApplication::translate("JobState", "Interrupted"), Tone::Warn};
        case JobState::Finished:
            return {QStringLiteral("circle-check"), QCoreApplication::translate("JobState", "Finished"),
                    Tone::Secondary};
        case JobState::Failed:
            return {QStringLiteral("circle-x"), QCoreApplication::translate("JobState", "Failed"), Tone::Error};
        case JobState::Cancelled:
            break;
    }
    return {QStringLiteral("circle-minus"), QCoreApplication::translate("JobState", "Cancelled"), Tone::Secondary};
}

StateMark markOf(ServeState state) {
    switch (state) {
        case ServeState::Serving:
            return {QStringLiteral("circle-play"), QCoreApplication::translate("ServeState", "Serving"), Tone::Accent};
        case ServeState::Draining:
            return {QStringLiteral("clock"), QCoreApplication::translate("ServeState", "Draining"), Tone::Warn};
        case ServeState::Stopped:
            break;
    }
    return {QStringLiteral("circle-minus"), QCoreApplication::translate("ServeState", "Stopped"), Tone::Secondary};
}

QString timeLeft(const JobRecord& job) {
    return job.state == JobState::Running && job.etaS >= 0 ? formatDuration(job.etaS) : kNothing;
}

bool needsYou(const JobRecord& job) {
    return job.state == JobState::Failed || job.state == JobState::Interrupted;
}

bool isActive(const JobRecord& job) {
    return job.state == JobState::Queued || job.state == JobState::Running || job.state == JobState::Paused;
}

// A scan or a check begins again from its first byte: a pause would only lose what it has done.
JobControls controlsOf(const JobRecord& job) {
    const bool moves = job.state == JobState::Queued || job.state == JobState::Running;
    const bool rests = job.state == JobState::Paused || job.state == JobState::Interrupted;
    return {.pause = job.state == JobState::Running && (job.kind == "import" || job.kind == "adapters"),
            .resume = rests,
            .cancel = moves,
            .discard = !moves};
}

JobTable::JobTable(QObject* parent)
    : RecordTable(
          {{tr("Job")}, {tr("Kind")}, {tr("State")}, {tr("Progress")}, {tr("Rate"), true}, {tr("Time left"), true}},
          parent) {}

void JobTable::setJobs(std::vector<JobRecord> jobs) {
    std::vector<qint64> gone;
    for (const JobRecord& job : m_jobs)
        if (findJob(jobs, job.id) == jobs.end()) gone.push_back(job.id);
    for (const qint64 id : gone) remove(id);
    for (const JobRecord& job : jobs) update(job);
}

void JobTable::update(const JobRecord& job) {
    const auto at =
        std::find_if(m_jobs.begin(), m_jobs.end(), [&](const JobRecord& known) { return known.id <= job.id; });
    const int row = int(at - m_jobs.begin());
    if (at != m_jobs.end() && at->id == job.id) {
        *at = job;
        rowChanged(row);
        return;
    }
    beginInsertRows({}, row, row);
    m_jobs.insert(at, job);
    endInsertRows();
}

void JobTable::remove(qint64 id) {
    const auto at = findJob(m_jobs, id);
    if (at == m_jobs.end()) return;
    const int row = int(at - m_jobs.begin());
    beginRemoveRows({}, row, row);
    m_jobs.erase(at);
    endRemoveRows();
}

const JobRecord* JobTable::find(qint64 id) const {
    const auto at = findJob(m_jobs, id);
    return at == m_jobs.end() ? nullptr : &*at;
}

int JobTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_jobs.size());
}

QVariant JobTable::cell(int row, int column, int role) const {
    const JobRecord& job = m_jobs[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return cellText(job, column);
        case Qt::ToolTipRole:
            if (job.error) return text(job.error->message);
            return column == Title ? text(job.command) : text(job.step);
        case IconRole:
            return column == State ? QVariant(markOf(job.state).icon) : QVariant();
        case ToneRole:
            return column == State ? QVariant(int(markOf(job.state).tone)) : QVariant();
        case ShareRole:
            if (column != Progress || (job.state != JobState::Running && job.state != JobState::Paused)) return {};
            return job.progress;
        case StrongRole:
            return column == Title;
        case IdRole:
            return qlonglong(job.id);
        default:
            return {};
    }
}

}  // namespace espalier::ui
