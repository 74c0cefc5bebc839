// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/job_row.h"

#include <QBoxLayout>
#include <algorithm>

#include "ui/models/error_words.h"
#include "ui/models/format.h"

namespace espalier::ui {
namespace {

QString whyOf(const JobRecord& job) {
    if (job.state == JobState::Interrupted)
        return JobRow::tr(
            "The engine ended while this ran. Resume goes on with the next file; Discard removes what is "
            "there of it.");
    if (!job.error) return {};
    const QString advice = adviceFor(*job.error);
    const QString message = wordsOf(*job.error);
    return advice.isEmpty() ? message : message + QLatin1Char('\n') + advice;
}

}  // namespace

JobRow::JobRow(Workspace& workspace, qint64 id)
    : m_workspace(workspace),
      m_id(id),
      m_badge(new Badge),
      m_title(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_step(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_percent(new TextLabel({}, text_size::kTable, QFont::DemiBold)),
      m_left(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)),
      m_bar(new ProgressBar),
      m_pause(smallButton(tr("Pause"))),
      m_resume(smallButton(tr("Resume"), QStringLiteral("play"))),
      m_cancel(smallButton(tr("Cancel"))),
      m_discard(smallButton(tr("Discard"))),
      m_why(paragraph({}, text_size::kCaption)),
      m_refusal(new ErrorStrip) {
    for (TextLabel* label : {m_percent, m_left}) label->setElide(Qt::ElideNone);
    m_bar->setFixedWidth(scaled(120));
    setLayout(column({row({m_badge, LayoutItem(column({m_title, m_step}, 0), 1), m_bar, m_percent, m_left, m_pause,
                           m_resume, m_cancel, m_discard},
                          8, {11, 4, 8, 4}),
                      row({LayoutItem(m_why, 1)}, 0, {11, 0, 11, 6}), row({LayoutItem(m_refusal, 1)}, 0, {8, 0, 8, 6}),
                      horizontalLine()},
                     0));
    connect(m_pause, &QPushButton::clicked, this,
            [this] { act(QStringLiteral("job-pause"), tr("The job was not paused")); });
    connect(m_resume, &QPushButton::clicked, this,
            [this] { act(QStringLiteral("job-resume"), tr("The job was not resumed")); });
    connect(m_cancel, &QPushButton::clicked, this,
            [this] { act(QStringLiteral("job-cancel"), tr("The job was not cancelled")); });
    connect(m_discard, &QPushButton::clicked, this, [this] {
        m_refusal->clear();
        m_workspace.discardJob(
            m_id, this, [this](const Error& error) { m_refusal->showError(tr("The job was not discarded"), error); });
    });
}

void JobRow::act(const QString& operation, const QString& failure) {
    m_refusal->clear();
    m_workspace.engine().call(operation, {{"id", m_id}}, this, [this, failure](const Result<Json>& answer) {
        if (!answer) m_refusal->showError(failure, answer.error());
    });
}

void JobRow::show(const JobRecord& job) {
    const bool moving = job.state == JobState::Running || job.state == JobState::Queued;
    const JobControls can = controlsOf(job);
    const StateMark mark = markOf(job.state);
    m_badge->show(mark.icon, mark.word, mark.tone);
    m_badge->setVisible(!moving);
    m_title->setText(titleOf(job));
    m_step->setText(job.state == JobState::Queued ? tr("Waiting for its turn") : text(job.step));
    m_step->setVisible(job.state != JobState::Failed);
    m_bar->setShare(job.progress);
    m_bar->setAccessibleName(titleOf(job));
    m_percent->setText(QStringLiteral("%1 %").arg(qRound(job.progress * 100)));
    QString left = job.etaS >= 0 ? tr("%1 left").arg(formatDuration(job.etaS)) : formatBytes(job.doneBytes);
    if (job.bytesPerS > 0) left.prepend(tr("%1/s · ").arg(formatBytes(qint64(job.bytesPerS))));
    m_left->setText(left);
    m_left->setVisible(job.state == JobState::Running);
    m_bar->setVisible(moving || can.resume);
    m_percent->setVisible(moving || can.resume);
    m_pause->setVisible(can.pause);
    m_resume->setVisible(can.resume);
    m_cancel->setVisible(can.cancel);
    m_discard->setVisible(can.discard);
    const QString why = whyOf(job);
    if (m_why->text() != why) m_why->setText(why);
    m_why->setVisible(!why.isEmpty());
    setVisible(true);
}

void showJobRows(QBoxLayout* list, Workspace& workspace, const std::vector<const JobRecord*>& jobs) {
    std::vector<JobRow*> kept;
    for (int i = list->count() - 1; i >= 0; --i) {
        auto* row = qobject_cast<JobRow*>(list->itemAt(i)->widget());
        if (!row) continue;
        const bool stays =
            std::any_of(jobs.begin(), jobs.end(), [&](const JobRecord* job) { return job->id == row->id(); });
        if (stays) {
            kept.push_back(row);
            continue;
        }
        list->removeWidget(row);
        row->hide();
        row->deleteLater();
    }
    for (int i = 0; i < int(jobs.size()); ++i) {
        const JobRecord* job = jobs[std::size_t(i)];
        const auto found = std::find_if(kept.begin(), kept.end(), [&](JobRow* row) { return row->id() == job->id; });
        JobRow* row = found == kept.end() ? new JobRow(workspace, job->id) : *found;
        if (list->indexOf(row) != i) {
            list->removeWidget(row);
            list->insertWidget(i, row);
        }
        row->show(*job);
    }
}

}  // namespace espalier::ui
