// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/record_table.h"

namespace espalier::ui {

RecordTable::RecordTable(std::vector<Column> columns, QObject* parent)
    : QAbstractTableModel(parent), m_columns(std::move(columns)) {}

int RecordTable::columnCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_columns.size());
}

QVariant RecordTable::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const Column& column = m_columns[std::size_t(index.column())];
    switch (role) {
        case Qt::TextAlignmentRole:
            return int((column.isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        case Qt::AccessibleTextRole:
            return QString(column.name + QLatin1Char(' ') +
                           cell(index.row(), index.column(), Qt::DisplayRole).toString());
        case SortRole: {
            const QVariant value = cell(index.row(), index.column(), SortRole);
            return value.isValid() ? value : cell(index.row(), index.column(), Qt::DisplayRole);
        }
        case Qt::DisplayRole:
        case Qt::ToolTipRole:
            return cell(index.row(), index.column(), role);
        default:
            return role > SortRole && role <= IdRole ? cell(index.row(), index.column(), role) : QVariant();
    }
}

QVariant RecordTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
    const Column& column = m_columns[std::size_t(section)];
    if (role == Qt::DisplayRole || role == Qt::ToolTipRole) return column.name;  // a narrow head is cut
    if (role == Qt::TextAlignmentRole)
        return int((column.isNumber ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    return {};
}

void RecordTable::rowChanged(int row) {
    emit dataChanged(index(row, 0), index(row, columnCount() - 1));
}

}  // namespace espalier::ui
