// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layer_table.h"

#include <QRegularExpression>
#include <array>

#include "ui/models/format.h"

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
    // The number after "layers.", "h." or "blk.": how the families spell it.
    static const QRegularExpression layerOf(QStringLiteral("(?:^|\\.)(?:layers?|h|blk)\\.(\\d+)\\."));
    beginResetModel();
    m_rows.clear();
    for (const LayerSpec& layer : inspection.record.spec.layers)
        m_rows.push_back({layer.heads, layer.kvHeads, layer.neurons, 0, 0});
    for (const TensorFact& tensor : inspection.tensors) {
        const auto match = layerOf.match(tensor.name);
        if (!match.hasMatch()) continue;
        const qlonglong index = match.captured(1).toLongLong();
        if (index >= qlonglong(m_rows.size())) continue;
        Row& row = m_rows[std::size_t(index)];
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
