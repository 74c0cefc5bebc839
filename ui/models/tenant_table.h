// SPDX-License-Identifier: GPL-3.0-or-later
// TenantTable: the tenants of the workspace with their limits, what they used today, and their last thirty days. Fed
// whole; rows that stay keep their place and selection.
#pragma once

#include <map>

#include "core/engine/tenants.h"
#include "ui/models/record_table.h"

namespace espalier::ui {

inline constexpr int kUsageDays = 30;

// Tokens of each of the last days, oldest first; the last is today.
struct TenantDays {
    std::vector<double> prompt = std::vector<double>(kUsageDays, 0.0);
    std::vector<double> generated = std::vector<double>(kUsageDays, 0.0);
    double all(int day) const { return prompt[std::size_t(day)] + generated[std::size_t(day)]; }
};

inline constexpr double kNearLimit = 0.9;                    // of the tokens of a day
double shareOfDay(std::int64_t tokens, std::int64_t limit);  // 0 without a limit

QString stateText(const TenantRecord& tenant);  // "Active", "Near limit", "Expired", "Revoked"
QString stateIcon(const TenantRecord& tenant);
int stateTone(const TenantRecord& tenant);     // a Tone
bool isNearLimit(const TenantRecord& tenant);  // of the tokens of today, or over it; not when it is closed anyway
int liveKeys(const TenantRecord& tenant);
QString limitText(std::int64_t limit);  // "30 k", "–" for none

class TenantTable : public RecordTable {
    Q_OBJECT
public:
    enum Column { Name, Keys, Models, AtOnce, TokensPerMin, Weight, Days, Today, State, Open };
    explicit TenantTable(QObject* parent = nullptr);

    void setTenants(std::vector<TenantRecord> tenants);                   // by name
    void setUsage(const std::vector<UsageRow>& usage, std::int64_t now);  // by day
    const std::vector<TenantRecord>& tenants() const { return m_tenants; }
    const TenantRecord* find(const QString& name) const;
    const TenantDays* daysOf(const QString& name) const;  // null: it used nothing

    int rowCount(const QModelIndex& parent = {}) const override;
    // Open has a chevron and no head.
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

protected:
    QVariant cell(int row, int column, int role) const override;

private:
    std::vector<TenantRecord> m_tenants;
    std::map<QString, TenantDays> m_days;
};

}  // namespace espalier::ui
