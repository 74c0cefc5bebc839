// SPDX-License-Identifier: GPL-3.0-or-later
// AdaptersPanel: the adapters of one model: import from a folder of PEFT or AdapterHub, reload after its files changed,
// remove. What was removed last can be brought back from where it was imported.
#pragma once

#include "ui/models/adapter_table.h"
#include "ui/models/workspace.h"
#include "ui/widgets/panel.h"

class QStackedLayout;

namespace espalier::ui {

class TableView;

class AdaptersPanel : public QWidget {
    Q_OBJECT
public:
    explicit AdaptersPanel(Workspace& workspace);
    void show(const ModelRecord* model);  // null: none
    // Brings folders in for the model shown: one at once, several and folders of folders as a job. A failure shows as a
    // strip here. Requires: a model is shown.
    void import(const QStringList& folders);
    void chooseFolder();  // asks which one to bring in
    bool hasChosen() const { return chosen() != nullptr; }
    void reloadChosen();
    void removeChosen();

signals:
    void choiceChanged();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    QWidget* toolRow();
    QWidget* removedRow();
    void bringBack();
    void call(const QString& operation, const Json& arguments, const QString& failure,
              std::function<void(const Json&)> done = {});
    void importMany(const QStringList& folders);
    void finish(const JobRecord& job);
    void showAdapters();
    void refreshButtons();
    const AdapterRecord* chosen() const;

    Workspace& m_workspace;
    std::string m_model, m_modelName;
    AdapterTable m_adapters;
    TableView* m_table;
    TextLabel* m_busy = nullptr;
    QPushButton *m_import = nullptr, *m_reload = nullptr, *m_remove = nullptr;
    TextLabel* m_removedText = nullptr;
    QWidget* m_removedRow = nullptr;
    std::optional<AdapterRecord> m_removed;
    ErrorStrip* m_error;
    QStackedLayout* m_stack = nullptr;
    int m_calls = 0;             // under way
    std::vector<qint64> m_jobs;  // started here, for the model shown
};

}  // namespace espalier::ui
