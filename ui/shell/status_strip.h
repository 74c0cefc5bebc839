// SPDX-License-Identifier: GPL-3.0-or-later
// StatusStrip: the sum of the docks and of the machine, always in sight. Jobs and Log open their dock.
#pragma once

#include <QWidget>

#include "ui/models/workspace.h"
#include "ui/shell/actions.h"

namespace espalier::ui {

class StatusStrip : public QWidget {
    Q_OBJECT
public:
    StatusStrip(Workspace& workspace, Actions& actions, QWidget* parent = nullptr);
    void setNarrow(bool narrow);
    void markLogRead();               // up to its last line
    void setLogReadUntil(qint64 at);  // Unix milliseconds
    qint64 logReadUntil() const { return m_readUntil; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void showJobs();
    void showLog();
    void showMachine();
    void showLink();

    Workspace& m_workspace;
    Badge *m_running, *m_logWorst;
    TextLabel *m_queued, *m_longest, *m_percent, *m_left, *m_processor, *m_memory, *m_memoryTotal;
    ProgressBar* m_bar;
    Badge* m_link;
    QWidget *m_longestPart, *m_processorPart, *m_machinePart;
    QToolButton* m_elsewhere;
    QPushButton* m_retry;
    qint64 m_readUntil = -1;  // Unix milliseconds of the newest line of the log that was read
    bool m_narrow = false;
};

}  // namespace espalier::ui
