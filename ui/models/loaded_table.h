// SPDX-License-Identifier: GPL-3.0-or-later
// LoadedTable: the models on the device, from the newest snapshot. Updates in place.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class LoadedTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, State, Weights, Running, Waiting, PagesUsed, PagesCached, Pages, Pool };
    explicit LoadedTable(QObject* parent = nullptr);

    void setModels(const std::vector<LoadedModel>& models);

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<LoadedModel> m_models;
};

}  // namespace espalier::ui
