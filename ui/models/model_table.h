// SPDX-License-Identifier: GPL-3.0-or-later
// ModelTable: the models of the workspace, or of its bin. Fed whole; rows that stay keep their place and selection.
#pragma once

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class ModelTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Family, Parameters, Size, Type, Digest, Licence };
    explicit ModelTable(QObject* parent = nullptr);

    void setModels(std::vector<ModelRecord> models);
    const std::vector<ModelRecord>& models() const { return m_models; }
    const ModelRecord* find(const QString& id) const;
    qint64 totalBytes() const;

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<ModelRecord> m_models;
};

}  // namespace espalier::ui
