// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/resource_row.h"

#include <QBoxLayout>

namespace espalier::ui {
namespace {

constexpr int kBar = 8, kName = 72, kUsed = 72, kAll = 80, kMore = 200;

}  // namespace

ResourceRow::ResourceRow(const QString& iconName, const QString& name)
    : m_bar(new ProgressBar(kBar)),
      m_used(new TextLabel({}, text_size::kTable, QFont::DemiBold)),
      m_all(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)),
      m_more(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)) {
    auto* label = new TextLabel(name, text_size::kTable);
    label->setFixedWidth(scaled(kName));
    m_bar->setTone(Tone::Secondary);
    m_bar->setAccessibleName(name);
    m_used->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_used->setFixedWidth(scaled(kUsed));
    m_all->setFixedWidth(scaled(kAll));
    m_more->setFixedWidth(scaled(kMore));
    setLayout(
        row({new IconMark(iconName, 16, Tone::Secondary), label, LayoutItem(m_bar, 1), m_used, m_all, m_more}, 8));
    setAccessibleName(name);
    clear();
}

void ResourceRow::show(double share, const QString& used, const QString& all, const QString& more) {
    m_bar->setShare(share);
    m_used->setText(used);
    m_all->setText(all);
    m_more->setText(more);
    const QString figures = all.isEmpty() ? used : used + QLatin1Char(' ') + all;
    const QString whole = more.isEmpty() ? figures : figures + QStringLiteral(", ") + more;
    if (whole == accessibleDescription()) return;
    setAccessibleDescription(whole);
    setToolTip(whole);
}

void ResourceRow::clear() {
    show(0, QStringLiteral("–"), {}, {});
}

void ResourceRow::setNarrow(bool narrow) {
    m_more->setVisible(!narrow);
}

}  // namespace espalier::ui
