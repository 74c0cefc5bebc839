// SPDX-License-Identifier: GPL-3.0-or-later
// IsolationStrip: starts the engine's isolation check and shows what it found, in place: passed or not, over how many
// answers, in which arithmetic, and each scene by name. Hidden until it is asked for.
#pragma once

#include "ui/models/workspace.h"
#include "ui/widgets/controls.h"

class QComboBox;

namespace espalier::ui {

class IsolationStrip : public QFrame {
    Q_OBJECT
public:
    explicit IsolationStrip(Workspace& workspace);
    void open();  // and start, where there is but one model; else the choice of the model takes the focus
    void cancel();
    bool isRunning() const { return !m_call.empty(); }

signals:
    void failed(const espalier::Error& error);  // no verdict
    void changed();                             // whether it runs

private:
    void start();
    void dismiss();
    void showModels();
    void showState();
    void showReport(const Json& report);

    Workspace& m_workspace;
    QComboBox* m_model;
    Badge* m_badge;
    TextLabel* m_text;
    QLabel* m_scenes;
    QPushButton *m_start, *m_cancel;
    std::string m_call;     // under way; empty: none
    bool m_isDone = false;  // its findings are shown
};

}  // namespace espalier::ui
