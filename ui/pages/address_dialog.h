// SPDX-License-Identifier: GPL-3.0-or-later
// AddressDialog: from where the engine of this workspace is reached, and on which port. Another address needs another
// start of the engine, which the dialog does and says what it means.
#pragma once

#include <QDialog>

#include "ui/models/workspace.h"
#include "ui/shell/preferences.h"

class QLabel;
class QPushButton;
class QSpinBox;

namespace espalier::ui {

class ErrorStrip;
class SegmentedSwitch;

class AddressDialog : public QDialog {
    Q_OBJECT
public:
    AddressDialog(Workspace& workspace, PreferenceStore& preferences, QWidget* parent);

private:
    ListenAt chosen() const;
    void showChosen();
    void restart();

    Workspace& m_workspace;
    PreferenceStore& m_preferences;
    SegmentedSwitch* m_reach;
    QSpinBox* m_port;
    QLabel* m_meaning;
    ErrorStrip* m_error;
    QPushButton* m_restart;
};

}  // namespace espalier::ui
