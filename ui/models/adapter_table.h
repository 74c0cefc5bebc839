// SPDX-License-Identifier: GPL-3.0-or-later
// AdapterTable: the adapters of one model. Rows that stay keep their place and selection; a reload changes a row, also
// its id.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class AdapterTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Rank, Targets, Size, Version, Tenant };
    explicit AdapterTable(QObject* parent = nullptr);

    void setAdapters(std::vector<AdapterRecord> adapters);  // by name
    const AdapterRecord& at(int row) const { return m_adapters[std::size_t(row)]; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<AdapterRecord> m_adapters;
};

}  // namespace espalier::ui
