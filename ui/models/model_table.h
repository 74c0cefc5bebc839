// SPDX-License-Identifier: GPL-3.0-or-later
// ModelTable: the models of the workspace, or of its bin. Fed whole; rows that stay keep their place and selection.
#pragma once

#include <QHash>
#include <QStringList>

#include "core/engine/messages.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

class ModelTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Family, Parameters, Size, Type, Digest, Licence, UsedBy, Where };
    explicit ModelTable(QObject* parent = nullptr);

    void setModels(std::vector<ModelRecord> models);
    // By id: how many tenants may use a model; names of those on the device.
    void setTenants(const QHash<QString, int>& counts);
    void setLoaded(const QStringList& names);
    const std::vector<ModelRecord>& models() const { return m_models; }
    const ModelRecord* find(const QString& id) const;
    qint64 totalBytes() const;

    int rowCount(const QModelIndex& parent = {}) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    QString cellText(const ModelRecord& model, int column) const;
    bool isLoaded(const ModelRecord& model) const;

    std::vector<ModelRecord> m_models;
    QHash<QString, int> m_tenants;
    QStringList m_loaded;
};

}  // namespace espalier::ui
