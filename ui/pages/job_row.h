// SPDX-License-Identifier: GPL-3.0-or-later
// JobRow: one job where its matter is shown. While it runs: step, bar, rate, time left, Cancel. When it was paused,
// interrupted or failed: why, what to do, Resume, Discard. What the daemon refuses stands in the row.
#pragma once

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

namespace espalier::ui {

class JobRow : public QWidget {
    Q_OBJECT
public:
    JobRow(Workspace& workspace, qint64 id);
    void show(const JobRecord& job);
    qint64 id() const { return m_id; }

private:
    void act(const QString& operation, const QString& failure);

    Workspace& m_workspace;
    const qint64 m_id;
    Badge* m_badge;
    TextLabel *m_title, *m_step, *m_percent, *m_left;
    ProgressBar* m_bar;
    QPushButton *m_pause, *m_resume, *m_cancel, *m_discard;
    QLabel* m_why;
    ErrorStrip* m_refusal;
};

// Makes the rows of a column layout those of `jobs`, in that order; rows that stay are kept.
void showJobRows(QBoxLayout* list, Workspace& workspace, const std::vector<const JobRecord*>& jobs);

}  // namespace espalier::ui
