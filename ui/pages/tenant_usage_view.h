// SPDX-License-Identifier: GPL-3.0-or-later
// TenantUsageView: what one tenant used, as tokens of prompts and, upon them, of answers a day or an hour. Days are
// those of UTC, as limits count them; hours read in local time. The arrow keys move a mark that names one day or hour.
#pragma once

#include "ui/models/sample_ring.h"
#include "ui/models/tenant_table.h"
#include "ui/widgets/controls.h"

namespace espalier::ui {

class Plot;

inline constexpr int kUsageHours = 48;

class TenantUsageView : public QWidget {
    Q_OBJECT
public:
    TenantUsageView();
    // days: null when nothing was used.
    void show(const TenantRecord& tenant, const TenantDays* days);
    // Of the tenant shown; rows of other tenants are left out.
    void setHours(const std::vector<UsageRow>& rows, std::int64_t now);
    bool isByHour() const;
    void toggle();  // by day or by hour

signals:
    void hoursWanted(const QString& tenant);

private:
    void choose();
    void clearHours();
    void showSamples();
    void showMark();
    void stepMark(int by);

    std::string m_tenant;
    TenantDays m_days;
    std::vector<UsageRow> m_hours;
    std::int64_t m_limit = 0, m_now = 0;
    SampleRing m_samples;
    std::optional<int> m_mark;  // which sample
    SegmentedSwitch* m_switch;
    TextLabel* m_unit;
    Plot* m_plot;
};

}  // namespace espalier::ui
