// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/limit_row.h"

#include <QBoxLayout>
#include <cmath>

#include "ui/models/format.h"

namespace espalier::ui {

LimitRow::LimitRow(const QString& tenant)
    : m_tenant(tenant),
      m_what(new TextLabel({}, text_size::kTable, QFont::Medium)),
      m_why(new TextLabel({}, text_size::kCaption, QFont::Normal, Tone::Secondary)) {
    auto* limits = smallButton(tr("Limits"));
    limits->setAccessibleName(tr("Limits of %1").arg(tenant));
    connect(limits, &QPushButton::clicked, this, [this] { emit asked(m_tenant); });
    setLayout(column({row({new IconMark(QStringLiteral("triangle-alert"), 16, Tone::Warn),
                           LayoutItem(column({m_what, m_why}, 0), 1), limits},
                          8, {11, 6, 8, 6}),
                      horizontalLine()},
                     0));
}

void LimitRow::show(const TenantRecord& tenant) {
    const auto used = tenant.today.tokens(), most = tenant.limits.tokensPerDay;
    m_what->setText(
        (used >= most ? tr("%1 has used up its tokens of today") : tr("%1 is near its limit")).arg(m_tenant));
    m_why->setText(tr("%1 of %2 tokens today, at %3 %")
                       .arg(formatShort(double(used)), formatShort(double(most)))
                       .arg(std::floor(100.0 * double(used) / double(most))));
    setAccessibleName(m_what->text());
    setAccessibleDescription(m_why->text());
}

}  // namespace espalier::ui
