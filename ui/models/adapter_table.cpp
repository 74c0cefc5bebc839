// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/adapter_table.h"

#include <QStringList>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

QString targetsText(const AdapterRecord& adapter) {
    QStringList names;
    for (const std::string& name : adapter.targets) names << text(name);
    return names.join(QStringLiteral(", "));
}

}  // namespace

AdapterTable::AdapterTable(QObject* parent)
    : RecordTable({{tr("Adapter")},
                   {tr("Rank"), true},
                   {tr("Targets")},
                   {tr("Size"), true},
                   {tr("Version"), true},
                   {tr("Tenant")}},
                  parent) {}

void AdapterTable::setAdapters(std::vector<AdapterRecord> adapters) {
    std::ranges::sort(adapters, {}, &AdapterRecord::name);
    for (int row = rowCount() - 1; row >= 0; --row) {
        if (std::ranges::binary_search(adapters, m_adapters[std::size_t(row)].name, {}, &AdapterRecord::name)) continue;
        beginRemoveRows({}, row, row);
        m_adapters.erase(m_adapters.begin() + row);
        endRemoveRows();
    }
    for (int row = 0; row < int(adapters.size()); ++row) {
        const AdapterRecord& wanted = adapters[std::size_t(row)];
        if (row < rowCount() && m_adapters[std::size_t(row)].name == wanted.name) continue;
        beginInsertRows({}, row, row);
        m_adapters.insert(m_adapters.begin() + row, wanted);
        endInsertRows();
    }
    m_adapters = std::move(adapters);
    if (!m_adapters.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

int AdapterTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_adapters.size());
}

QVariant AdapterTable::cell(int row, int column, int role) const {
    const AdapterRecord& adapter = at(row);
    switch (role) {
        case Qt::DisplayRole:
            switch (column) {
                case Name:
                    return text(adapter.name);
                case Rank:
                    return formatCount(adapter.rank);
                case Targets:
                    return targetsText(adapter);
                case Size:
                    return formatBytes(adapter.bytes);
                case Version:
                    return formatCount(adapter.version);
                default:
                    return adapter.tenant.empty() ? QStringLiteral("–") : text(adapter.tenant);
            }
        case Qt::ToolTipRole:
            if (column == Name)
                return text(adapter.name) + QLatin1Char('\n') +
                       tr("Version %1, imported %2 from %3\n%4")
                           .arg(formatCount(adapter.version), formatDay(adapter.importedAt), text(adapter.source),
                                text(adapter.digest));
            if (column == Tenant && !adapter.tenant.empty())
                return text(adapter.tenant) + QLatin1Char('\n') + tr("No other tenant sees it");
            return column == Targets ? QVariant(targetsText(adapter)) : QVariant();
        case IconRole:
            return column == Name && !adapter.warnings.empty() ? QVariant(QStringLiteral("triangle-alert"))
                                                               : QVariant();
        case ToneRole:
            return column == Name && !adapter.warnings.empty() ? QVariant(int(Tone::Warn)) : QVariant();
        case StrongRole:
            return column == Name;
        case IdRole:
            return text(adapter.id);
        default:
            return {};
    }
}

}  // namespace espalier::ui
