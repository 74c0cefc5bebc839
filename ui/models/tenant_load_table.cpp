// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tenant_load_table.h"

#include <algorithm>
#include <optional>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

bool isIn(const std::vector<TenantLoad>& tenants, const std::string& name) {
    return std::ranges::binary_search(tenants, name, {}, &TenantLoad::name);
}

// "12.4 / 96.2 ms"; nothing measured in the last minute: a dash.
QString latencyOf(const Percentiles& of) {
    if (of.samples == 0) return QStringLiteral("–");
    return TenantLoadTable::tr("%1 / %2 ms").arg(formatMs(of.p50), formatMs(of.p95));
}

QString whereOf(const TenantLoad& tenant) {
    if (tenant.adapter.empty()) return QStringLiteral("–");
    if (tenant.isAdapterMoving) return TenantLoadTable::tr("Loading");
    return tenant.adapterTier == AdapterTier::Pool   ? TenantLoadTable::tr("Device")
           : tenant.adapterTier == AdapterTier::Host ? TenantLoadTable::tr("RAM")
                                                     : TenantLoadTable::tr("Disk");
}

// A number to draw in secondary when it is nothing; none: it has no such number.
std::optional<double> figureOf(const TenantLoad& tenant, int column) {
    switch (column) {
        case TenantLoadTable::Running:
            return tenant.running;
        case TenantLoadTable::Waiting:
            return tenant.waiting;
        case TenantLoadTable::Rate:
            return tenant.tokensPerS;
        case TenantLoadTable::Memory:
            return double(tenant.kvBytes);
        case TenantLoadTable::Refused:
            return double(tenant.refused);
        default:
            return std::nullopt;
    }
}

}  // namespace

TenantLoadTable::TenantLoadTable(QObject* parent)
    : RecordTable({{tr("Tenant")},
                   {tr("Adapter")},
                   {tr("Where")},
                   {tr("Running"), true},
                   {tr("Waiting"), true},
                   {tr("tok/s"), true},
                   {tr("Share of service")},
                   {tr("TTFT p50 / p95"), true},
                   {tr("TPOT p50 / p95"), true},
                   {tr("KV"), true},
                   {tr("Refused"), true}},
                  parent) {}

void TenantLoadTable::setTenants(std::vector<TenantLoad> tenants) {
    std::ranges::sort(tenants, {}, &TenantLoad::name);
    for (int row = rowCount() - 1; row >= 0; --row) {
        if (isIn(tenants, m_tenants[std::size_t(row)].name)) continue;
        beginRemoveRows({}, row, row);
        m_tenants.erase(m_tenants.begin() + row);
        endRemoveRows();
    }
    for (int row = 0; row < int(tenants.size()); ++row) {
        const TenantLoad& wanted = tenants[std::size_t(row)];
        if (row < rowCount() && m_tenants[std::size_t(row)].name == wanted.name) continue;
        beginInsertRows({}, row, row);
        m_tenants.insert(m_tenants.begin() + row, wanted);
        endInsertRows();
    }
    m_tenants = std::move(tenants);
    m_rate = 0;
    for (const TenantLoad& tenant : m_tenants) m_rate += tenant.tokensPerS;
    if (!m_tenants.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

QString TenantLoadTable::nameAt(int row) const {
    return text(m_tenants[std::size_t(row)].name);
}

int TenantLoadTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_tenants.size());
}

double TenantLoadTable::share(const TenantLoad& tenant) const {
    return m_rate > 0 ? tenant.tokensPerS / m_rate : 0;
}

QString TenantLoadTable::textOf(const TenantLoad& tenant, int column) const {
    switch (column) {
        case Name:
            return text(tenant.name);
        case Adapter:
            return tenant.adapter.empty() ? QStringLiteral("–") : text(tenant.adapter);
        case Where:
            return whereOf(tenant);
        case Rate:
            return formatRate(tenant.tokensPerS);
        case Share:
            return QStringLiteral("%1 %").arg(qRound(share(tenant) * 100));
        case Ttft:
            return latencyOf(tenant.ttftMs);
        case Tpot:
            return latencyOf(tenant.tpotMs);
        case Memory:
            return formatBytes(tenant.kvBytes);
        default:
            return formatCount(qint64(figureOf(tenant, column).value_or(0)));
    }
}

QVariant TenantLoadTable::cell(int row, int column, int role) const {
    const TenantLoad& tenant = m_tenants[std::size_t(row)];
    switch (role) {
        case Qt::DisplayRole:
            return textOf(tenant, column);
        case Qt::ToolTipRole:
            if (column == Memory)
                return counted(qint64(tenant.kvPages), tr("%1 page of running requests"),
                               tr("%1 pages of running requests"));
            return {};
        case ToneRole:
            if (column == Refused && tenant.refused > 0) return int(Tone::Warn);
            if (const auto figure = figureOf(tenant, column); figure && *figure == 0) return int(Tone::Secondary);
            return textOf(tenant, column) == QStringLiteral("–") ? QVariant(int(Tone::Secondary)) : QVariant();
        case ShareRole:
            return column == Share ? QVariant(share(tenant)) : QVariant();
        case TierRole:
            return column == Where && !tenant.adapter.empty() && !tenant.isAdapterMoving
                       ? QVariant(int(tenant.adapterTier))
                       : QVariant();
        case IconRole:
            return column == Where && tenant.isAdapterMoving ? QVariant(QStringLiteral("arrow-up")) : QVariant();
        case StrongRole:
            return column == Name;
        case IdRole:
            return text(tenant.name);
        default:
            return {};
    }
}

}  // namespace espalier::ui
