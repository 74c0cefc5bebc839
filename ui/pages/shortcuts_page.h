// SPDX-License-Identifier: GPL-3.0-or-later
// ShortcutsPage: every command of the registry with its place and its keys, searchable.
#pragma once

#include "ui/pages/page.h"

class QSortFilterProxyModel;
class QStandardItemModel;

namespace espalier::ui {

class ShortcutsPage : public Page {
    Q_OBJECT
public:
    ShortcutsPage(Workspace& workspace, Actions& actions);
    QLineEdit* filterField() const override { return m_filter; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    QStandardItemModel* m_model;
    QSortFilterProxyModel* m_filtered;
    QLineEdit* m_filter;
};

}  // namespace espalier::ui
