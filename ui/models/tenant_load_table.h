// SPDX-License-Identifier: GPL-3.0-or-later
// TenantLoadTable: the tenants that use the engine now, from the newest snapshot, by name, with what the registry says
// of their weight and their day. Rows stay where they are while their tenant does. Memory is in one unit for all.
#pragma once

#include <map>

#include "core/engine/messages.h"
#include "core/engine/tenants.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class TenantLoadTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Adapter, Where, Weight, Running, Waiting, Rate, Share, Ttft, Tpot, Memory, Today, Refused };
    explicit TenantLoadTable(QObject* parent = nullptr);

    // Tenants in any order; records by name, those that are not in it have neither weight nor day.
    void setTenants(std::vector<TenantLoad> tenants, const std::vector<TenantRecord>& records = {});

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    double share(const TenantLoad& tenant) const;
    QString textOf(const TenantLoad& tenant, int column) const;

    struct Standing {
        double weight = 1;
        std::int64_t tokens = 0, limit = 0;  // of the day; 0: no limit
    };
    const Standing* standingOf(const TenantLoad& tenant) const;  // null: not in the registry
    QString memoryText(std::int64_t bytes) const;
    QString tipOf(const TenantLoad& tenant, int column) const;

    std::vector<TenantLoad> m_tenants;
    std::map<std::string, Standing> m_standings;
    double m_rate = 0;              // of all
    std::int64_t m_mostMemory = 0;  // of one
};

}  // namespace espalier::ui
