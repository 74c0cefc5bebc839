// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/model_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

bool sameModel(const ModelRecord& a, const ModelRecord& b) {
    return a.id == b.id;
}

}  // namespace

bool ModelTable::isLoaded(const ModelRecord& model) const {
    return m_loaded.contains(text(model.name));
}

QString ModelTable::cellText(const ModelRecord& model, int column) const {
    switch (column) {
        case ModelTable::Name:
            return text(model.name);
        case ModelTable::Family:
            return text(model.family);
        case ModelTable::Parameters:
            return formatShort(double(model.parameters));
        case ModelTable::Size:
            return formatBytes(model.bytes);
        case ModelTable::Type:
            return text(model.dtype);
        case ModelTable::Digest:
            return formatDigest(model.digest);
        case ModelTable::Licence:
            return model.licence.empty() ? QStringLiteral("–") : text(model.licence);
        case ModelTable::UsedBy:
            return formatCount(m_tenants.value(text(model.id)));
        default:
            return isLoaded(model) ? tr("Device") : tr("Disk");
    }
}

void ModelTable::setTenants(const QHash<QString, int>& counts) {
    if (m_tenants == counts) return;
    m_tenants = counts;
    if (!m_models.empty()) emit dataChanged(index(0, UsedBy), index(rowCount() - 1, UsedBy));
}

void ModelTable::setLoaded(const QStringList& names) {
    if (m_loaded == names) return;
    m_loaded = names;
    if (!m_models.empty()) emit dataChanged(index(0, Where), index(rowCount() - 1, Where));
}

ModelTable::ModelTable(QObject* parent)
    : RecordTable({{tr("Name")},
                   {tr("Family")},
                   {tr("Parameters"), true},
                   {tr("Size"), true},
                   {tr("Type")},
                   {tr("Digest")},
                   {tr("Licence")},
                   {tr("Used by"), true},
                   {tr("Where")}},
                  parent) {}

void ModelTable::setModels(std::vector<ModelRecord> models) {
    for (int i = rowCount() - 1; i >= 0; --i) {
        const auto stays = [&](const ModelRecord& model) { return sameModel(model, m_models[std::size_t(i)]); };
        if (std::any_of(models.begin(), models.end(), stays)) continue;
        beginRemoveRows({}, i, i);
        m_models.erase(m_models.begin() + i);
        endRemoveRows();
    }
    for (int i = 0; i < int(models.size()); ++i) {
        const ModelRecord& wanted = models[std::size_t(i)];
        const auto here = m_models.begin() + i;
        const auto old =
            std::find_if(here, m_models.end(), [&](const ModelRecord& model) { return sameModel(model, wanted); });
        if (old == m_models.end()) {
            beginInsertRows({}, i, i);
            m_models.insert(here, wanted);
            endInsertRows();
        } else if (old != here) {
            const int from = int(old - m_models.begin());
            beginMoveRows({}, from, from, {}, i);
            std::rotate(here, old, old + 1);
            endMoveRows();
        }
    }
    m_models = std::move(models);
    if (!m_models.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

const ModelRecord* ModelTable::find(const QString& id) const {
    const auto found =
        std::find_if(m_models.begin(), m_models.end(),
                     [wanted = id.toStdString()](const ModelRecord& model) { return model.id == wanted; });
    return found == m_models.end() ? nullptr : &*found;
}

qint64 ModelTable::totalBytes() const {
    qint64 sum = 0;
    for (const ModelRecord& model : m_models) sum += model.bytes;
    return sum;
}

int ModelTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_models.size());
}

QVariant ModelTable::cell(int row, int column, int role) const {
    const ModelRecord& model = m_models[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return cellText(model, column);
        case Qt::ToolTipRole:
            if (column == UsedBy)
                return counted(m_tenants.value(text(model.id)), tr("%1 tenant may use it"),
                               tr("%1 tenants may use it"));
            return column == Digest ? text(model.digest) : column == Name ? text(model.source) : QString();
        case SortRole:
            if (column == Parameters) return qlonglong(model.parameters);
            if (column == UsedBy) return m_tenants.value(text(model.id));
            return column == Size ? QVariant(qlonglong(model.bytes)) : QVariant();
        case ToneRole:
            return column == UsedBy && m_tenants.value(text(model.id)) == 0 ? QVariant(int(Tone::Secondary))
                                                                            : QVariant();
        case TierRole:
            if (column != Where) return {};
            return int(isLoaded(model) ? AdapterTier::Pool : AdapterTier::Disk);
        case StrongRole:
            return column == Name;
        case MonoRole:
            return column == Digest;
        case IdRole:
            return text(model.id);
        default:
            return {};
    }
}

}  // namespace espalier::ui
