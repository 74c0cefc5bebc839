// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tenant_load_table.h"

#include <QLocale>
#include <algorithm>
#include <optional>

#include "ui/models/format.h"
#include "ui/models/tenant_table.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

bool isIn(const std::vector<TenantLoad>& tenants, const std::string& name) {
    return std::ranges::binary_search(tenants, name, {}, &TenantLoad::name);
}

constexpr qint64 kMib = 1 << 20, kGib = 1 << 30;

// Nothing measured in the last minute: a dash.
QString latencyOf(const Percentiles& of, double ms) {
    if (of.samples == 0) return QStringLiteral("–");
    return TenantLoadTable::tr("%1 ms").arg(formatMs(ms));
}

QString percentilesOf(const Percentiles& of) {
    if (of.samples == 0) return {};
    return TenantLoadTable::tr("p50 %1, p95 %2, p99 %3 ms").arg(formatMs(of.p50), formatMs(of.p95), formatMs(of.p99));
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
                   {tr("Weight"), true},
                   {tr("Running"), true},
                   {tr("Waiting"), true},
                   {tr("tok/s"), true},
                   {tr("Share of service")},
                   {tr("TTFT p95"), true},
                   {tr("TPOT p50"), true},
                   {tr("KV"), true},
                   {tr("Tokens today, of limit"), true},
                   {tr("Refused"), true}},
                  parent) {}

void TenantLoadTable::setTenants(std::vector<TenantLoad> tenants, const std::vector<TenantRecord>& records) {
    std::ranges::sort(tenants, {}, &TenantLoad::name);
    m_standings.clear();
    for (const TenantLoad& tenant : tenants) {
        const auto record = std::ranges::lower_bound(records, tenant.name, {}, &TenantRecord::name);
        if (record != records.end() && record->name == tenant.name)
            m_standings[tenant.name] = {record->limits.weight, record->today.tokens(), record->limits.tokensPerDay};
    }
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
    m_mostMemory = 0;
    for (const TenantLoad& tenant : m_tenants) {
        m_rate += tenant.tokensPerS;
        m_mostMemory = std::max(m_mostMemory, tenant.kvBytes);
    }
    if (!m_tenants.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

int TenantLoadTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_tenants.size());
}

double TenantLoadTable::share(const TenantLoad& tenant) const {
    return m_rate > 0 ? tenant.tokensPerS / m_rate : 0;
}

const TenantLoadTable::Standing* TenantLoadTable::standingOf(const TenantLoad& tenant) const {
    const auto found = m_standings.find(tenant.name);
    return found == m_standings.end() ? nullptr : &found->second;
}

// As many decimals as the largest of the column has.
QString TenantLoadTable::memoryText(std::int64_t bytes) const {
    if (bytes == 0) return QStringLiteral("0");
    const bool isLarge = m_mostMemory >= kGib;
    const double unit = double(isLarge ? kGib : kMib), most = double(m_mostMemory) / unit;
    const QString value = QLocale().toString(double(bytes) / unit, 'f', most < 10 ? 2 : most < 100 ? 1 : 0);
    return value + (isLarge ? QLatin1String(" GiB") : QLatin1String(" MiB"));
}

QString TenantLoadTable::textOf(const TenantLoad& tenant, int column) const {
    const Standing* standing = standingOf(tenant);
    switch (column) {
        case Name:
            return text(tenant.name);
        case Adapter:
            return tenant.adapter.empty() ? QStringLiteral("–") : text(tenant.adapter);
        case Where:
            return whereOf(tenant);
        case Weight:
            return standing ? QLocale().toString(standing->weight, 'g', 4) : QStringLiteral("–");
        case Rate:
            return formatRate(tenant.tokensPerS);
        case Share:
            return QStringLiteral("%1 %").arg(qRound(share(tenant) * 100));
        case Ttft:
            return latencyOf(tenant.ttftMs, tenant.ttftMs.p95);
        case Tpot:
            return latencyOf(tenant.tpotMs, tenant.tpotMs.p50);
        case Memory:
            return memoryText(tenant.kvBytes);
        case Today:
            if (!standing) return QStringLiteral("–");
            if (standing->limit == 0) return formatShort(double(standing->tokens));
            return tr("%1 of %2").arg(formatShort(double(standing->tokens)), formatShort(double(standing->limit)));
        default:
            return formatCount(qint64(figureOf(tenant, column).value_or(0)));
    }
}

QString TenantLoadTable::tipOf(const TenantLoad& tenant, int column) const {
    switch (column) {
        case Ttft:
            return percentilesOf(tenant.ttftMs);
        case Tpot:
            return percentilesOf(tenant.tpotMs);
        case Memory:
            return counted(qint64(tenant.kvPages), tr("%1 page of running requests"),
                           tr("%1 pages of running requests"));
        default:
            return {};
    }
}

QVariant TenantLoadTable::cell(int row, int column, int role) const {
    const TenantLoad& tenant = m_tenants[std::size_t(row)];
    const Standing* standing = standingOf(tenant);
    const double day = column == Today && standing ? shareOfDay(standing->tokens, standing->limit) : 0;
    switch (role) {
        case Qt::DisplayRole:
            return textOf(tenant, column);
        case Qt::ToolTipRole:
            return tipOf(tenant, column);
        case ToneRole:
            if ((column == Refused && tenant.refused > 0) || day >= kNearLimit) return int(Tone::Warn);
            if (const auto figure = figureOf(tenant, column); figure && *figure == 0) return int(Tone::Secondary);
            return textOf(tenant, column) == QStringLiteral("–") ? QVariant(int(Tone::Secondary)) : QVariant();
        case ShareRole:
            if (column == Today && standing && standing->limit > 0) return qMin(1.0, day);
            return column == Share ? QVariant(share(tenant)) : QVariant();
        case TierRole:
            return column == Where && !tenant.adapter.empty() && !tenant.isAdapterMoving
                       ? QVariant(int(tenant.adapterTier))
                       : QVariant();
        case IconRole:
            if (day >= kNearLimit) return QStringLiteral("triangle-alert");
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
