// SPDX-License-Identifier: GPL-3.0-or-later
// TensorTree: the tensors of a model under the layer they belong to ("model.layers.0.mlp.up_proj.weight" is
// "mlp.up_proj" of layers.0); what belongs to no layer stands at the top. Norms and values that are not finite are
// those of the last scan.
#pragma once

#include <QAbstractItemModel>

#include "ui/bridge/engine_client.h"
#include "ui/shell/icons.h"

namespace espalier::ui {

class TensorTree : public QAbstractItemModel {
    Q_OBJECT
public:
    enum Column { Name, Shape, Type, Size, Norm, ColumnCount };
    explicit TensorTree(QObject* parent = nullptr);

    void setTensors(std::vector<TensorFact> tensors);  // of the same model: what is open and chosen stays so
    int tensorCount() const { return int(m_tensors.size()); }

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Node {
        QString name;               // as shown
        int tensor = -1;            // -1: a layer
        std::vector<int> children;  // tensors of a layer
        std::vector<QString> childNames;
        qint64 bytes = 0;
        int layer = -1;  // its number; -1: none
    };
    // The internal id of a top node is 0, of a child 1 + the row of its parent.
    const TensorFact* tensorAt(const QModelIndex& index) const;
    QString nameAt(const QModelIndex& index) const;

    std::vector<TensorFact> m_tensors;
    std::vector<Node> m_nodes;
};

}  // namespace espalier::ui
