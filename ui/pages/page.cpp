// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page.h"

#include <QBoxLayout>
#include <QPainter>

namespace espalier::ui {

Breadth breadthOf(int windowWidth) {
    if (windowWidth < 1280) return Breadth::Narrow;
    return windowWidth < 1440 ? Breadth::Medium : Breadth::Wide;
}

HeaderBar::HeaderBar(int height) {
    setFixedHeight(scaled(height));
}

void HeaderBar::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.fillRect(rect(), QColor(c.base));
    painter.fillRect(QRect(0, height() - 1, width(), 1), QColor(c.line));
}

PageHeader::PageHeader(const QString& title)
    : HeaderBar(52), m_facts(new TextLabel({}, text_size::kTable, QFont::Normal, Tone::Secondary)) {
    auto* name = new TextLabel(title, text_size::kTitle, QFont::DemiBold);
    name->setElide(Qt::ElideNone);
    m_row = row({name, LayoutItem(m_facts, 1)}, 12, {16, 0, 12, 1});
    setLayout(m_row);
}

void PageHeader::setFacts(const QString& facts) {
    m_facts->setText(facts);
}

void PageHeader::add(QWidget* action) {
    m_row->addWidget(action);
}

}  // namespace espalier::ui
