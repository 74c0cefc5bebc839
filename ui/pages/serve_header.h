// SPDX-License-Identifier: GPL-3.0-or-later
// ServeHeader: start, stop and drain; the server's state; where it is reached, by whom and with which key;
// figures, of which the last is there once requests named adapters.
#pragma once

#include "ui/pages/page.h"

namespace espalier::ui {

class KeyField;

class ServeHeader : public HeaderBar {
    Q_OBJECT
public:
    ServeHeader(Workspace& workspace, Actions& actions);
    void setNarrow(bool narrow);

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* addressRow();
    void showSnapshot();
    void showNoSnapshot();
    void showHits();
    void showAddress();

    Workspace& m_workspace;
    Actions& m_actions;
    QPushButton* m_toggle;
    Badge* m_badge;
    TextLabel *m_uptime, *m_url = nullptr, *m_exposure = nullptr;
    KeyField* m_key = nullptr;
    QToolButton* m_address = nullptr;
    Figure *m_running, *m_waiting, *m_decode, *m_ttft, *m_tpot, *m_hits;
    QFrame *m_lastLine, *m_hitsLine;
    bool m_isNarrow = false;
};

}  // namespace espalier::ui
