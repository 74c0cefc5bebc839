// SPDX-License-Identifier: GPL-3.0-or-later
// LayerTable: what each layer of a model has: heads, neurons, bytes. Layers differ in pruned models.
#pragma once

#include "ui/bridge/answers.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class LayerTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Layer, Heads, KvHeads, Neurons, Tensors, Size };
    explicit LayerTable(QObject* parent = nullptr);

    void setInspection(const ModelInspection& inspection);
    void clear();

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    struct Row {
        qint64 heads, kvHeads, neurons, tensors, bytes;
    };
    std::vector<Row> m_rows;
};

}  // namespace espalier::ui
