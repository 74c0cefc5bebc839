// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/loaded_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

double poolShare(const LoadedModel& model) {
    return model.poolPages > 0 ? double(model.poolPagesUsed + model.poolPagesCached) / double(model.poolPages) : 0.0;
}

}  // namespace

LoadedTable::LoadedTable(QObject* parent)
    : RecordTable({{tr("Model")},
                   {tr("State")},
                   {tr("Weights"), true},
                   {tr("Running"), true},
                   {tr("Waiting"), true},
                   {tr("Pages running"), true},
                   {tr("Pages cached"), true},
                   {tr("Pages"), true},
                   {tr("Pool in use")}},
                  parent) {}

// Rows are models, not numbers: what is selected stays selected when one before it leaves the device.
void LoadedTable::setModels(const std::vector<LoadedModel>& models) {
    const auto isNamed = [](const std::string& name) {
        return [&name](const LoadedModel& model) { return model.name == name; };
    };
    for (int i = rowCount() - 1; i >= 0; --i) {
        if (std::ranges::any_of(models, isNamed(m_models[std::size_t(i)].name))) continue;
        beginRemoveRows({}, i, i);
        m_models.erase(m_models.begin() + i);
        endRemoveRows();
    }
    for (int i = 0; i < int(models.size()); ++i) {
        const auto here = m_models.begin() + i;
        const auto known = std::find_if(here, m_models.end(), isNamed(models[std::size_t(i)].name));
        if (known == m_models.end()) {
            beginInsertRows({}, i, i);
            m_models.insert(here, models[std::size_t(i)]);
            endInsertRows();
        } else if (known != here) {
            const int from = int(known - m_models.begin());
            beginMoveRows({}, from, from, {}, i);
            std::rotate(here, known, known + 1);
            endMoveRows();
        }
    }
    if (rowCount() > int(models.size())) {  // of one name twice
        beginRemoveRows({}, int(models.size()), rowCount() - 1);
        m_models.resize(models.size());
        endRemoveRows();
    }
    m_models = models;
    if (rowCount() > 0) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

int LoadedTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_models.size());
}

QVariant LoadedTable::cell(int row, int column, int role) const {
    const LoadedModel& model = m_models[std::size_t(row)];
    const bool loading = model.state == "loading";
    switch (role) {
        case Qt::DisplayRole:
            switch (column) {
                case Name:
                    return text(model.name);
                case State:
                    return loading ? tr("Loading %1 %").arg(qRound(model.progress * 100)) : tr("Ready");
                case Weights:
                    return formatBytes(model.weightsBytes);
                case Running:
                    return formatCount(model.running);
                case Waiting:
                    return formatCount(model.waiting);
                case PagesUsed:
                    return formatCount(model.poolPagesUsed);
                case PagesCached:
                    return formatCount(model.poolPagesCached);
                case Pages:
                    return formatCount(model.poolPages);
                default:
                    return QStringLiteral("%1 %").arg(qRound(poolShare(model) * 100));
            }
        case IconRole:
            if (column != State) return {};
            return loading ? QStringLiteral("clock") : QStringLiteral("circle-check");
        case ToneRole:
            if (column == State) return int(loading ? Tone::Secondary : Tone::Accent);
            if ((column == Running && model.running == 0) || (column == Waiting && model.waiting == 0))
                return int(Tone::Secondary);
            return {};
        case ShareRole:
            return column == Pool ? QVariant(poolShare(model)) : QVariant();
        case StrongRole:
            return column == Name;
        case IdRole:
            return text(model.name);
        default:
            return {};
    }
}

}  // namespace espalier::ui
