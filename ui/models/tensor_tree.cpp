// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tensor_tree.h"

#include <QHash>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/models/record_table.h"
#include "ui/models/tensor_name.h"

namespace espalier::ui {
namespace {

QString shapeText(const TensorFact& tensor) {
    QStringList extents;
    for (const qint64 extent : tensor.shape) extents << formatCount(extent);
    return extents.join(QStringLiteral(" × "));
}

QString withoutSuffix(QString name) {
    if (name.endsWith(QLatin1String(".weight"))) name.chop(7);
    return name;
}

bool isNumber(int column) {
    return column == TensorTree::Shape || column == TensorTree::Size || column == TensorTree::Norm;
}

bool isBroken(const TensorFact* tensor) {
    return tensor && tensor->found && (tensor->found->nan > 0 || tensor->found->infinite > 0);
}

QString normText(const TensorFact* tensor) {
    if (!tensor || !tensor->found) return {};
    if (isBroken(tensor))
        return TensorTree::tr("%1 not finite").arg(formatCount(tensor->found->nan + tensor->found->infinite));
    return formatNumber(tensor->found->norm);
}

}  // namespace

TensorTree::TensorTree(QObject* parent) : QAbstractItemModel(parent) {}

void TensorTree::setTensors(std::vector<TensorFact> tensors) {
    const bool sameNames = std::ranges::equal(tensors, m_tensors, {}, &TensorFact::name, &TensorFact::name);
    if (sameNames) {
        m_tensors = std::move(tensors);
        for (int row = 0; row < rowCount(); ++row) {
            const QModelIndex node = index(row, 0);
            emit dataChanged(node, index(row, ColumnCount - 1));
            if (const int parts = rowCount(node); parts > 0)
                emit dataChanged(index(0, 0, node), index(parts - 1, ColumnCount - 1, node));
        }
        return;
    }
    beginResetModel();
    m_tensors = std::move(tensors);
    m_nodes.clear();
    QHash<QString, int> layers;
    for (int i = 0; i < tensorCount(); ++i) {
        const TensorFact& tensor = m_tensors[std::size_t(i)];
        const auto named = layerOf(tensor.name);
        if (!named) {
            QString name = withoutSuffix(tensor.name);
            if (name.startsWith(QLatin1String("model."))) name.remove(0, 6);
            m_nodes.push_back({name, i, {}, {}, tensor.bytes});
            continue;
        }
        if (!layers.contains(named->layer)) {
            layers.insert(named->layer, int(m_nodes.size()));
            m_nodes.push_back({named->layer, -1, {}, {}, 0, named->number});
        }
        Node& node = m_nodes[std::size_t(layers.value(named->layer))];
        node.children.push_back(i);
        node.childNames.push_back(withoutSuffix(named->part));
        node.bytes += tensor.bytes;
    }
    // Files list layers as text sorts them (1, 10, 2); people count.
    std::ranges::stable_sort(m_nodes, {}, &Node::layer);
    endResetModel();
}

QModelIndex TensorTree::index(int row, int column, const QModelIndex& parent) const {
    if (!hasIndex(row, column, parent)) return {};
    return createIndex(row, column, parent.isValid() ? quintptr(parent.row()) + 1 : quintptr(0));
}

QModelIndex TensorTree::parent(const QModelIndex& child) const {
    if (!child.isValid() || child.internalId() == 0) return {};
    return createIndex(int(child.internalId()) - 1, 0, quintptr(0));
}

int TensorTree::rowCount(const QModelIndex& parent) const {
    if (!parent.isValid()) return int(m_nodes.size());
    if (parent.internalId() != 0 || parent.column() != 0) return 0;
    return int(m_nodes[std::size_t(parent.row())].children.size());
}

int TensorTree::columnCount(const QModelIndex&) const {
    return ColumnCount;
}

const TensorFact* TensorTree::tensorAt(const QModelIndex& index) const {
    const int tensor = index.internalId() == 0 ? m_nodes[std::size_t(index.row())].tensor
                                               : m_nodes[index.internalId() - 1].children[std::size_t(index.row())];
    return tensor < 0 ? nullptr : &m_tensors[std::size_t(tensor)];
}

QString TensorTree::nameAt(const QModelIndex& index) const {
    if (index.internalId() == 0) return m_nodes[std::size_t(index.row())].name;
    return m_nodes[index.internalId() - 1].childNames[std::size_t(index.row())];
}

QVariant TensorTree::data(const QModelIndex& index, int role) const {
    if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
    const TensorFact* tensor = tensorAt(index);
    const int column = index.column();
    switch (role) {
        case Qt::DisplayRole:
            if (column == Name) return nameAt(index);
            if (column == Size) return formatBytes(tensor ? tensor->bytes : m_nodes[std::size_t(index.row())].bytes);
            if (column == Norm) return normText(tensor);
            if (column == Type) return tensor ? tensor->dtype : QString();
            return tensor ? shapeText(*tensor)
                          : counted(rowCount(index.siblingAtColumn(0)), tr("%1 tensor"), tr("%1 tensors"));
        case Qt::ToolTipRole:
            return tensor ? QVariant(tensor->name) : QVariant();
        case Qt::TextAlignmentRole:
            return int((isNumber(column) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
        case Qt::AccessibleTextRole:
            return data(index, Qt::DisplayRole);
        case ToneRole:
            if (column == Norm && isBroken(tensor)) return int(Tone::Error);
            return !tensor && column == Shape ? QVariant(int(Tone::Secondary)) : QVariant();
        default:
            return {};
    }
}

QVariant TensorTree::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal) return {};
    if (role == Qt::TextAlignmentRole)
        return int((isNumber(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole && role != Qt::ToolTipRole) return {};
    switch (section) {
        case Name:
            return tr("Tensor");
        case Shape:
            return tr("Shape");
        case Type:
            return tr("Type");
        case Size:
            return tr("Size");
        case Norm:
            return tr("Norm");
        default:
            return {};
    }
}

}  // namespace espalier::ui
