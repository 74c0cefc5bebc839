// SPDX-License-Identifier: GPL-3.0-or-later
// LinkStrip: stands above every page while there is no connection. Says what is lost, why, and when it is tried again;
// the page below keeps everything that was typed. Hidden while attached.
#pragma once

#include <QFrame>
#include <QTimer>

#include "ui/models/workspace.h"
#include "ui/shell/actions.h"

namespace espalier::ui {

class LinkStrip : public QFrame {
    Q_OBJECT
public:
    LinkStrip(Workspace& workspace, Actions& actions, QWidget* parent = nullptr);
    QString text() const;  // what it says, in lines

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();
    void showWait();

    Workspace& m_workspace;
    IconMark *m_lostMark, *m_failedMark;
    TextLabel *m_what, *m_wait;
    QLabel* m_why;
    QPushButton *m_retry, *m_start, *m_elsewhere;
    QTimer m_count;
    bool m_isError = false;
};

}  // namespace espalier::ui
