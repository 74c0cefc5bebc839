// SPDX-License-Identifier: GPL-3.0-or-later
// RecordTable: what the tables of the workbench share. A table names its columns and answers for a cell; alignment,
// headers and accessible names follow. CellDelegate draws what the roles below say beyond the text.
//
// Thread: Qt. Models are fed by Workspace and never touch the network.
#pragma once

#include <QAbstractTableModel>
#include <vector>

namespace espalier::ui {

enum CellRole {
    SortRole = Qt::UserRole,  // the value itself
    IconRole,                 // QString: an icon of the theme before the text
    ToneRole,                 // int: Tone of icon and text
    StrongRole,               // bool: Medium weight
    MonoRole,                 // bool
    ShareRole,                // double 0 to 1: a bar of progress before the text
    AmountRole,               // double 0 to 1: a bar that stands for an amount, beside others; alone in its cell
    TierRole,                 // int: AdapterTier, as a mark before the text
    IdRole,                   // what the row is
};

class RecordTable : public QAbstractTableModel {
    Q_OBJECT
public:
    struct Column {
        QString name;
        bool isNumber = false;
    };
    RecordTable(std::vector<Column> columns, QObject* parent);

    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

protected:
    // Requires: row and column are in range. Asked for DisplayRole, ToolTipRole and the roles above.
    virtual QVariant cell(int row, int column, int role) const = 0;
    void rowChanged(int row);

private:
    std::vector<Column> m_columns;
};

}  // namespace espalier::ui
