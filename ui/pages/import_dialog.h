// SPDX-License-Identifier: GPL-3.0-or-later
// ImportDialog: what a folder holds, shown before anything is copied, and under which name it will be imported. The
// import itself is a job; the dialog is gone by then.
#pragma once

#include <QDialog>

#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QCheckBox;
class QGridLayout;
class QLineEdit;

namespace espalier::ui {

class ImportDialog : public QDialog {
    Q_OBJECT
public:
    ImportDialog(Workspace& workspace, const QString& path, QWidget* parent);

signals:
    void started(qint64 job);

private:
    void browse();
    void probe();
    void show(const ImportProbe& probe);
    void start();
    QWidget* facts();

    Workspace& m_workspace;
    QLineEdit *m_path, *m_name;
    SegmentedSwitch* m_mode;
    QCheckBox* m_allowNonFinite;
    TextLabel* m_state;
    std::vector<TextLabel*> m_values;
    QWidget* m_facts;
    QLabel* m_warnings;
    ErrorStrip* m_error;
    QPushButton* m_import;
    int m_probeNumber = 0;
};

}  // namespace espalier::ui
