// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/probe_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

bool isUsed(const ProbedTensor& tensor) {
    return tensor.role != "not used";
}

}  // namespace

ProbeTable::ProbeTable(QObject* parent)
    : RecordTable({{tr("Tensor")}, {tr("Role")}, {tr("Shape"), true}, {tr("Type")}, {tr("Size"), true}}, parent) {}

void ProbeTable::setTensors(std::vector<ProbedTensor> tensors) {
    beginResetModel();
    m_tensors = std::move(tensors);
    const auto used = std::stable_partition(m_tensors.begin(), m_tensors.end(),
                                            [](const ProbedTensor& tensor) { return !isUsed(tensor); });
    m_unused = int(used - m_tensors.begin());
    endResetModel();
}

int ProbeTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_tensors.size());
}

QVariant ProbeTable::cell(int row, int column, int role) const {
    const ProbedTensor& tensor = m_tensors[std::size_t(row)];
    if (role == ToneRole) return !isUsed(tensor) && column <= Role ? QVariant(int(Tone::Warn)) : QVariant();
    if (role == Qt::ToolTipRole) return text(tensor.name);
    if (role == IdRole) return row;
    if (role != Qt::DisplayRole) return {};
    switch (column) {
        case Name:
            return text(tensor.name);
        case Role:
            return text(tensor.role);
        case Shape: {
            QStringList extents;
            for (const std::int64_t extent : tensor.shape) extents << formatCount(extent);
            return extents.join(QStringLiteral(" × "));
        }
        case Type:
            return text(tensor.dtype);
        default:
            return formatBytes(tensor.bytes);
    }
}

}  // namespace espalier::ui
