// SPDX-License-Identifier: GPL-3.0-or-later
// Notifier: tells the desktop that a job ended while the window is not in front, and, when the window closes, what goes
// on without it. Through the desktop's notification service, without waiting for it; never a window of our own.
//
// Owner: Session. Thread: Qt.
#pragma once

#include <QHash>
#include <QObject>
#include <functional>

#include "ui/models/workspace.h"

namespace espalier::ui {

// Shows a title and a sentence; false: nobody is there to show it.
using ShowNotification = std::function<bool(const QString& title, const QString& sentence)>;
bool showOnDesktop(const QString& title, const QString& sentence);

class Notifier : public QObject {
    Q_OBJECT
public:
    // `inFront` says whether the person looks at the window: then nothing is told.
    Notifier(Workspace& workspace, ShowNotification show, std::function<bool()> inFront, QObject* parent = nullptr);
    void setEnabled(bool enabled) { m_enabled = enabled; }
    void sayWhatGoesOn();  // at closing

private:
    void follow(const JobRecord& job);

    Workspace& m_workspace;
    ShowNotification m_show;
    std::function<bool()> m_inFront;
    QHash<qint64, JobState> m_states;
    bool m_enabled = true;
};

}  // namespace espalier::ui
