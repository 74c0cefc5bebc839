// SPDX-License-Identifier: GPL-3.0-or-later
// ImportDialog: what a folder or file holds, shown before anything is copied: facts, warnings, each tensor with its
// role; then how and under which name it will be imported. The import itself is a job; the dialog is gone by then.
#pragma once

#include <QDialog>

#include "ui/models/probe_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QCheckBox;
class QFileDialog;
class QGridLayout;
class QLineEdit;

namespace espalier::ui {

class DropOverlay;
class TableView;

// The folder a dropped or chosen path stands for: a part of a model ("config.json", "*.safetensors") means its folder.
QString importPathOf(const QString& path);

class ImportDialog : public QDialog {
    Q_OBJECT
public:
    ImportDialog(Workspace& workspace, const QString& path, QWidget* parent);

signals:
    void started(qint64 job);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void browseFolder();
    void browseFile();
    void choose(QFileDialog* dialog);
    void probe();
    void show(const ImportProbe& probe);
    void showFit();
    void showMapping(bool shown);
    void start();
    QLayout* form();
    QWidget* facts();
    QWidget* mapping();
    void fitHeight();

    Workspace& m_workspace;
    QLineEdit *m_path, *m_name;
    SegmentedSwitch *m_mode, *m_precision;
    QCheckBox* m_allowNonFinite;
    TextLabel* m_state;
    std::vector<TextLabel*> m_values;
    ProbeTable m_tensors;
    QPushButton* m_fold = nullptr;
    TableView* m_table = nullptr;
    QWidget *m_facts, *m_mapping;
    QLabel* m_warnings;
    ErrorStrip* m_error;
    QPushButton* m_import;
    DropOverlay* m_drop = nullptr;
    QString m_suggested;  // the name the last probe proposed
    qint64 m_bytes = 0, m_freeBytes = 0;
    QString m_architecture;
    bool m_isKnown = false;  // the probe answered and nothing has changed since
    int m_probeNumber = 0;
};

}  // namespace espalier::ui
