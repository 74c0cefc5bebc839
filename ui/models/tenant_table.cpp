// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/tenant_table.h"

#include <algorithm>

#include "ui/models/format.h"
#include "ui/shell/icons.h"

namespace espalier::ui {
namespace {

double shareOfDay(const TenantRecord& tenant) {
    return ui::shareOfDay(tenant.today.tokens(), tenant.limits.tokensPerDay);
}

QString cellText(const TenantRecord& tenant, const TenantDays* days, int column) {
    switch (column) {
        case TenantTable::Name:
            return text(tenant.name);
        case TenantTable::Keys:
            return QString::number(liveKeys(tenant));
        case TenantTable::Models:
            return tenant.limits.models.empty() ? TenantTable::tr("all")
                                                : formatCount(qint64(tenant.limits.models.size()));
        case TenantTable::AtOnce:
            return limitText(tenant.limits.maxConcurrency);
        case TenantTable::TokensPerMin:
            return limitText(tenant.limits.tokensPerMinute);
        case TenantTable::Weight:
            return QLocale().toString(tenant.limits.weight, 'g', 4);
        case TenantTable::Days: {
            double sum = 0;
            for (int day = 0; days && day < kUsageDays; ++day) sum += days->all(day);
            return days ? formatShort(sum) : QStringLiteral("–");
        }
        case TenantTable::Today:
            return formatShort(double(tenant.today.tokens()));
        case TenantTable::Open:
            return {};
        default:
            return stateText(tenant);
    }
}

QVariant sortValue(const TenantRecord& tenant, const TenantDays* days, int column) {
    switch (column) {
        case TenantTable::Keys:
            return liveKeys(tenant);
        case TenantTable::Models:
            return qlonglong(tenant.limits.models.size());
        case TenantTable::AtOnce:
            return qlonglong(tenant.limits.maxConcurrency);
        case TenantTable::TokensPerMin:
            return qlonglong(tenant.limits.tokensPerMinute);
        case TenantTable::Weight:
            return tenant.limits.weight;
        case TenantTable::Days: {
            double sum = 0;
            for (int day = 0; days && day < kUsageDays; ++day) sum += days->all(day);
            return sum;
        }
        case TenantTable::Today:
            return qlonglong(tenant.today.tokens());
        default:
            return {};
    }
}

}  // namespace

double shareOfDay(std::int64_t tokens, std::int64_t limit) {
    return limit > 0 ? double(tokens) / double(limit) : 0.0;
}

QString stateText(const TenantRecord& tenant) {
    if (tenant.state == "revoked") return TenantTable::tr("Revoked");
    if (tenant.state == "expired") return TenantTable::tr("Expired");
    return shareOfDay(tenant) >= kNearLimit ? TenantTable::tr("Near limit") : TenantTable::tr("Active");
}

QString stateIcon(const TenantRecord& tenant) {
    if (tenant.state == "revoked") return QStringLiteral("ban");
    if (tenant.state == "expired") return QStringLiteral("clock-alert");
    return shareOfDay(tenant) >= kNearLimit ? QStringLiteral("triangle-alert") : QStringLiteral("circle-check");
}

int stateTone(const TenantRecord& tenant) {
    if (tenant.state == "revoked") return int(Tone::Error);
    if (tenant.state == "expired") return int(Tone::Secondary);
    return int(shareOfDay(tenant) >= kNearLimit ? Tone::Warn : Tone::Accent);
}

bool isNearLimit(const TenantRecord& tenant) {
    return tenant.state != "revoked" && tenant.state != "expired" && shareOfDay(tenant) >= kNearLimit;
}

int liveKeys(const TenantRecord& tenant) {
    return int(
        std::count_if(tenant.keys.begin(), tenant.keys.end(), [](const TenantKey& key) { return !key.revokedAt; }));
}

QString limitText(std::int64_t limit) {
    return limit > 0 ? formatShort(double(limit)) : QStringLiteral("–");
}

TenantTable::TenantTable(QObject* parent)
    : RecordTable({{tr("Tenant")},
                   {tr("Keys"), true},
                   {tr("Models"), true},
                   {tr("At once"), true},
                   {tr("Tokens/min"), true},
                   {tr("Weight"), true},
                   {tr("30 days")},
                   {tr("Today, of limit"), true},
                   {tr("State")},
                   {tr("Open")}},
                  parent) {}

void TenantTable::setTenants(std::vector<TenantRecord> tenants) {
    std::ranges::sort(tenants, {}, &TenantRecord::name);
    const auto isThere = [&](const std::string& name) {
        return std::ranges::binary_search(tenants, name, {}, &TenantRecord::name);
    };
    for (int i = rowCount() - 1; i >= 0; --i) {
        if (isThere(m_tenants[std::size_t(i)].name)) continue;
        beginRemoveRows({}, i, i);
        m_tenants.erase(m_tenants.begin() + i);
        endRemoveRows();
    }
    if (m_tenants.empty() && !tenants.empty()) {  // all at once, so that thousands cost one signal
        beginInsertRows({}, 0, int(tenants.size()) - 1);
        m_tenants = std::move(tenants);
        endInsertRows();
        return;
    }
    // Both lists are by name: what is not at its place here is new.
    for (int i = 0; i < int(tenants.size()); ++i) {
        const TenantRecord& wanted = tenants[std::size_t(i)];
        if (i < rowCount() && m_tenants[std::size_t(i)].name == wanted.name) continue;
        beginInsertRows({}, i, i);
        m_tenants.insert(m_tenants.begin() + i, wanted);
        endInsertRows();
    }
    m_tenants = std::move(tenants);
    if (!m_tenants.empty()) emit dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
}

void TenantTable::setUsage(const std::vector<UsageRow>& usage, std::int64_t now) {
    m_days.clear();
    const std::int64_t today = now - now % kDayMs;
    for (const UsageRow& row : usage) {
        const std::int64_t ago = (today - row.hour) / kDayMs;
        if (row.hour > today || ago >= kUsageDays) continue;
        TenantDays& days = m_days[text(row.tenant)];
        days.prompt[std::size_t(kUsageDays - 1 - ago)] += double(row.promptTokens);
        days.generated[std::size_t(kUsageDays - 1 - ago)] += double(row.generatedTokens);
    }
    if (!m_tenants.empty()) emit dataChanged(index(0, Days), index(rowCount() - 1, Days));
}

const TenantRecord* TenantTable::find(const QString& name) const {
    const auto found =
        std::find_if(m_tenants.begin(), m_tenants.end(),
                     [wanted = name.toStdString()](const auto& tenant) { return tenant.name == wanted; });
    return found == m_tenants.end() ? nullptr : &*found;
}

const TenantDays* TenantTable::daysOf(const QString& name) const {
    const auto found = m_days.find(name);
    return found == m_days.end() ? nullptr : &found->second;
}

int TenantTable::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : int(m_tenants.size());
}

QVariant TenantTable::headerData(int section, Qt::Orientation orientation, int role) const {
    if (section == Open && (role == Qt::DisplayRole || role == Qt::ToolTipRole)) return {};
    return RecordTable::headerData(section, orientation, role);
}

QVariant TenantTable::cell(int row, int column, int role) const {
    const TenantRecord& tenant = m_tenants[std::size_t(row)];
    const TenantDays* days = daysOf(text(tenant.name));
    switch (role) {
        case Qt::DisplayRole:
            return cellText(tenant, days, column);
        case Qt::ToolTipRole:
            if (column == Open) return tr("Keys, limits and use of %1").arg(text(tenant.name));
            if (column == Days && days) return tr("%1 tokens in 30 days").arg(cellText(tenant, days, Days));
            if (column == Today && tenant.limits.tokensPerDay > 0)
                return tr("%1 of %2 tokens today (UTC)")
                    .arg(formatCount(tenant.today.tokens()), formatCount(tenant.limits.tokensPerDay));
            return {};
        case SortRole:
            return sortValue(tenant, days, column);
        case IconRole:
            if (column == Open) return QStringLiteral("chevron-right");
            return column == State ? QVariant(stateIcon(tenant)) : QVariant();
        case ToneRole:
            if (column == Open) return int(Tone::Secondary);
            return column == State ? QVariant(stateTone(tenant)) : QVariant();
        case StrongRole:
            return column == Name;
        case ShareRole:
            if (column != Today || tenant.limits.tokensPerDay <= 0) return {};  // a track says that there is a limit
            return qMin(1.0, shareOfDay(tenant));
        case IdRole:
            return text(tenant.name);
        default:
            return {};
    }
}

}  // namespace espalier::ui
