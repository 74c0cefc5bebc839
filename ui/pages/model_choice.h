// SPDX-License-Identifier: GPL-3.0-or-later
// ModelChoice: which models and adapters a tenant may use, as a list to check, with rank and size. None checked is all
// of them; one entry stands for every adapter of a base, those that come later too ("base:*" on the wire).
#pragma once

#include <string>
#include <vector>

#include "ui/models/workspace.h"
#include "ui/widgets/controls.h"

class QLineEdit;
class QListWidget;

namespace espalier::ui {

class ModelChoice : public QWidget {
    Q_OBJECT
public:
    explicit ModelChoice(Workspace& workspace);
    void show(const std::vector<std::string>& allowed);
    void takeFocus();  // the list, at its first entry

signals:
    void edited(const std::vector<std::string>& allowed);

private:
    struct Choice {
        QString pattern, name, rank, size;  // as the limits say it, and as it reads
        bool operator==(const Choice&) const = default;
    };
    std::vector<Choice> offered() const;
    void fill();
    void showChecks();
    void filter();
    void takeChecks();

    Workspace& m_workspace;
    std::vector<std::string> m_allowed;
    std::vector<Choice> m_offered;
    TextLabel* m_count;
    QLineEdit* m_filter;
    QListWidget* m_list;
    bool m_isShowing = false;
};

}  // namespace espalier::ui
