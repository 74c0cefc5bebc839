// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tenant_day_table.h"

#include <algorithm>
#include <functional>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {

TenantDayTable::TenantDayTable(QObject* parent)
    : RecordTable({{tr("Tenant")}, {tr("Share")}, {tr("Tokens today"), true}}, parent) {}

void TenantDayTable::setTenants(const std::vector<TenantRecord>& tenants) {
    std::vector<Row> rows;
    for (const TenantRecord& tenant : tenants)
        if (tenant.today.tokens() > 0)
            rows.push_back({text(tenant.name), tenant.today.tokens(), tenant.limits.tokensPerDay});
    std::ranges::stable_sort(rows, std::greater<>(), &Row::tokens);
    const bool isSameOrder = std::ranges::equal(rows, m_rows, {}, &Row::name, &Row::name);
    if (!isSameOrder) beginResetModel();
    m_rows = std::move(rows);
    if (!isSameOrder)
        endResetModel();
    else if (!m_rows.empty())
        emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

qint64 TenantDayTable::tokensOfAll() const {
    qint64 sum = 0;
    for (const Row& row : m_rows) sum += row.tokens;
    return sum;
}

QString TenantDayTable::nameAt(int row) const {
    return m_rows[std::size_t(row)].name;
}

int TenantDayTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_rows.size());
}

QVariant TenantDayTable::cell(int row, int column, int role) const {
    const Row& of = m_rows[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return column == Name ? of.name : column == Tokens ? formatShort(double(of.tokens)) : QString();
        case Qt::ToolTipRole:
            if (column == Tokens && of.limit > 0)
                return tr("%1 of %2").arg(formatCount(of.tokens), formatCount(of.limit));
            return column == Tokens ? formatCount(of.tokens) : QString();
        case AmountRole:
            return column == Share ? QVariant(double(of.tokens) / double(m_rows.front().tokens)) : QVariant();
        case StrongRole:
            return column == Tokens;
        case IdRole:
            return of.name;
        default:
            return {};
    }
}

}  // namespace espalier::ui
