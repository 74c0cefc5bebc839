// SPDX-License-Identifier: GPL-3.0-or-later
// ProbeTable: the tensors an import found, each with what it is to the model. What is not used stands first.
#pragma once

#include "core/engine/engine.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class ProbeTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Role, Shape, Type, Size };
    explicit ProbeTable(QObject* parent = nullptr);

    void setTensors(std::vector<ProbedTensor> tensors);
    int unusedCount() const { return m_unused; }

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<ProbedTensor> m_tensors;
    int m_unused = 0;
};

}  // namespace espalier::ui
