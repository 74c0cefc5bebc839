// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/tenant_usage_view.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QLocale>

#include "ui/models/format.h"
#include "ui/widgets/plot.h"
#include "ui/widgets/plot_legend.h"

namespace espalier::ui {
namespace {

constexpr int kPlotHeight = 148;
constexpr double kDayTicks = 7, kHourTicks = 12;
enum UsageColumn { kPrompt, kCompletion, kUsageColumns };

QString tokensText(double tokens) {
    return formatShort(tokens);
}

// x: days since 1970.
QString dayTick(double x) {
    return QLocale().toString(QDate(1970, 1, 1).addDays(qint64(x)), QStringLiteral("d MMM"));
}

// x: hours since 1970.
QString hourTick(double x) {
    const qint64 ms = qint64(x) * kHourMs;
    return formatDay(ms) + QLatin1Char(' ') + formatClock(ms, false);
}

}  // namespace

TenantUsageView::TenantUsageView()
    : m_samples(kUsageColumns, qMax(kUsageDays, kUsageHours)),
      m_switch(new SegmentedSwitch({tr("30 days"), tr("48 hours")}, tr("Usage shown"))),
      m_unit(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)),
      m_plot(new Plot(m_samples, tr("Usage in tokens"))) {
    m_plot->setUnit(tr("tok"));
    m_plot->setFormat(tokensText);
    m_plot->setBars(true);
    m_plot->setWholeNumbers(true);
    m_plot->setLines({{tr("Prompt"), kPrompt, 0}, {tr("Completion"), kCompletion, 1}});
    m_plot->setFixedHeight(scaled(kPlotHeight));
    connect(m_plot, &Plot::markStepped, this, &TenantUsageView::stepMark);
    m_switch->setCurrent(0);
    connect(m_switch, &SegmentedSwitch::chosen, this, &TenantUsageView::choose);
    auto* title = new TextLabel(tr("Usage"), text_size::kTable, QFont::DemiBold);
    title->setElide(Qt::ElideNone);
    auto* bar = new QWidget;
    bar->setFixedHeight(scaled(32));
    bar->setLayout(row({title, m_unit, LayoutItem(new PlotLegend(*m_plot), 1), m_switch}, 8, {12, 0, 8, 0}));
    setLayout(column({bar, m_plot}, 0));
}

bool TenantUsageView::isByHour() const {
    return m_switch->current() == 1;
}

void TenantUsageView::toggle() {
    m_switch->setCurrent(isByHour() ? 0 : 1);
    choose();
}

void TenantUsageView::show(const TenantRecord& tenant, const TenantDays* days) {
    const bool isAnother = m_tenant != tenant.name;
    m_tenant = tenant.name;
    m_days = days ? *days : TenantDays();
    m_limit = tenant.limits.tokensPerDay;
    if (isAnother) {
        m_mark.reset();
        clearHours();
    }
    showSamples();
}

void TenantUsageView::clearHours() {
    m_hours.clear();
    m_now = 0;
    if (isByHour()) emit hoursWanted(text(m_tenant));
}

void TenantUsageView::setHours(const std::vector<UsageRow>& rows, std::int64_t now) {
    m_hours.clear();
    for (const UsageRow& row : rows)
        if (row.tenant == m_tenant) m_hours.push_back(row);
    m_now = now;
    showSamples();
}

void TenantUsageView::choose() {
    m_mark.reset();
    clearHours();
    showSamples();
}

void TenantUsageView::showSamples() {
    m_samples.clear();
    const bool byHour = isByHour();
    m_unit->setText(byHour ? tr("tok an hour") : tr("tok a day"));
    const int count = byHour ? kUsageHours : kUsageDays;
    const std::int64_t now = m_now > 0 ? m_now : QDateTime::currentMSecsSinceEpoch();
    const std::int64_t last = now / (byHour ? kHourMs : kDayMs), first = last - count + 1;
    double sum = 0;
    for (int i = 0; i < count; ++i) {
        double values[kUsageColumns] = {0, 0};
        if (!byHour) {
            values[kPrompt] = m_days.prompt[std::size_t(i)];
            values[kCompletion] = m_days.generated[std::size_t(i)];
        }
        for (const UsageRow& row : m_hours) {
            if (!byHour || row.hour / kHourMs != first + i) continue;
            values[kPrompt] += double(row.promptTokens);
            values[kCompletion] += double(row.generatedTokens);
        }
        sum += values[kPrompt] + values[kCompletion];
        m_samples.append(double(first + i), values);
    }
    if (sum == 0) m_samples.clear();  // the sentence instead of a line along zero
    m_plot->setRange(double(first) - 0.5, double(last) + 0.5);
    m_plot->setXText(byHour ? kHourTicks : kDayTicks, byHour ? hourTick : dayTick);
    m_plot->setNoDataText(byHour ? tr("Nothing was used in these 48 hours") : tr("Nothing was used in these 30 days"));
    const bool hasLimit = m_limit > 0 && !byHour && sum > 0;
    m_plot->setReference(hasLimit ? std::optional(double(m_limit)) : std::nullopt,
                         hasLimit ? tr("limit %1 a day").arg(formatShort(double(m_limit))) : QString());
    showMark();
    m_plot->refresh();
}

void TenantUsageView::showMark() {
    if (!m_mark || *m_mark >= m_samples.size()) return m_plot->setMark(std::nullopt, {});
    const double x = m_samples.x(*m_mark);
    m_plot->setMark(x, readingText(m_plot->content(), x));
}

void TenantUsageView::stepMark(int by) {
    if (m_samples.isEmpty()) return;
    m_mark = qBound(0, m_mark.value_or(m_samples.size()) + by, m_samples.size() - 1);
    showMark();
}

}  // namespace espalier::ui
