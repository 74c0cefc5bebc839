// SPDX-License-Identifier: GPL-3.0-or-later
// TenantDayTable: tenants by the tokens they used today, most first; those that used none are left out.
#pragma once

#include "core/engine/tenants.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class TenantDayTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Share, Tokens };  // share: of the one that used most
    explicit TenantDayTable(QObject* parent = nullptr);

    void setTenants(const std::vector<TenantRecord>& tenants);
    qint64 tokensOfAll() const;
    QString nameAt(int row) const;
    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    struct Row {
        QString name;
        qint64 tokens = 0, limit = 0;  // 0: none
    };
    std::vector<Row> m_rows;
};

}  // namespace espalier::ui
