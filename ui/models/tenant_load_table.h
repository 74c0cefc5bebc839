// SPDX-License-Identifier: GPL-3.0-or-later
// TenantLoadTable: the tenants that use the engine now, from the newest snapshot, by name. Rows stay where they are
// while their tenant does.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class TenantLoadTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Adapter, Where, Running, Waiting, Rate, Share, Ttft, Tpot, Memory, Refused };
    explicit TenantLoadTable(QObject* parent = nullptr);

    void setTenants(std::vector<TenantLoad> tenants);  // in any order
    QString nameAt(int row) const;

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    double share(const TenantLoad& tenant) const;
    QString textOf(const TenantLoad& tenant, int column) const;

    std::vector<TenantLoad> m_tenants;
    double m_rate = 0;  // of all
};

}  // namespace espalier::ui
