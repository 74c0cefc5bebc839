// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layer_table.h"

#include <array>

#include "ui/models/format.h"
#include "ui/models/tensor_name.h"

namespace espalier::ui {

LayerTable::LayerTable(QObject* parent)
    : RecordTable({{tr("Layer"), true},
                   {tr("Heads"), true},
                   {tr("KV heads"), true},
                   {tr("Neurons"), true},
                   {tr("Tensors"), true},
                   {tr("Size"), true}},
                  parent) {}

void LayerTable::setInspection(const ModelInspection& inspection) {
    beginResetModel();
    m_rows.clear();
    for (const LayerSpec& layer : inspection.record.spec.layers)
        m_rows.push_back({layer.heads, layer.kvHeads, layer.neurons, 0, 0});
    for (const TensorFact& tensor : inspection.tensors) {
        const auto layer = layerOf(tensor.name);
        if (!layer || layer->number >= int(m_rows.size())) continue;
        Row& row = m_rows[std::size_t(layer->number)];
        ++row.tensors;
        row.bytes += tensor.bytes;
    }
    endResetModel();
}

void LayerTable::clear() {
    beginResetModel();
    m_rows.clear();
    endResetModel();
}

int LayerTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_rows.size());
}

QVariant LayerTable::cell(int row, int column, int role) const {
    const Row& layer = m_rows[std::size_t(row)];
    const std::array<qint64, 6> values{row, layer.heads, layer.kvHeads, layer.neurons, layer.tensors, layer.bytes};
    const qint64 value = values[std::size_t(column)];
    if (role == Qt::DisplayRole) return column == Size ? formatBytes(value) : formatCount(value);
    if (role == SortRole || role == IdRole) return role == SortRole ? qlonglong(value) : qlonglong(row);
    return {};
}

}  // namespace espalier::ui
