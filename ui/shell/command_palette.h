// SPDX-License-Identifier: GPL-3.0-or-later
// CommandPalette: every action of the registry, found by typing parts of its name (Ctrl+K).
#pragma once

#include <QFrame>
#include <QPointer>

#include "ui/shell/actions.h"

class QLineEdit;
class QSortFilterProxyModel;
class QStandardItemModel;

namespace espalier::ui {

class TableView;

class CommandPalette : public QFrame {
    Q_OBJECT
public:
    CommandPalette(Actions& actions, QWidget* parent);
    void open();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    void fill();
    void run();
    void step(int by);

    Actions& m_actions;
    QLineEdit* m_search;
    QStandardItemModel* m_model;
    QSortFilterProxyModel* m_filtered;
    TableView* m_list;
    QPointer<QWidget> m_before;
};

}  // namespace espalier::ui
