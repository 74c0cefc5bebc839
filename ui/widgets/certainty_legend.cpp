// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/certainty_legend.h"

#include <QPainter>
#include <array>

#include "ui/shell/theme.h"

namespace espalier::ui {

CertaintyLegend::CertaintyLegend(QWidget* parent) : QWidget(parent) {
    setFixedSize(288, 28);
    setAccessibleName(
        tr("Certainty of a token: under 80 % underlined, under 50 % dotted, under 25 % dashed on a warning "
           "ground"));
}

void CertaintyLegend::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setFont(uiFont(text_size::kCaption));
    painter.setPen(QColor(c.secondary));
    const QString name = tr("Certainty");
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, name);
    int x = painter.fontMetrics().horizontalAdvance(name) + 12;
    const std::array<std::pair<QString, Qt::PenStyle>, 3> marks{
        {{tr("under 80 %"), Qt::SolidLine}, {tr("under 50 %"), Qt::DotLine}, {tr("under 25 %"), Qt::DashLine}}};
    for (const auto& [words, style] : marks) {
        const int wide = painter.fontMetrics().horizontalAdvance(words);
        if (style == Qt::DashLine) painter.fillRect(QRect(x - 3, 5, wide + 6, 18), QColor(c.warnGround));
        painter.setPen(QColor(c.text));
        painter.drawText(QRect(x, 0, wide + 2, height()), Qt::AlignLeft | Qt::AlignVCenter, words);
        painter.setPen(QPen(QColor(c.warn), 1, style));
        painter.drawLine(x, 21, x + wide, 21);
        x += wide + 14;
    }
}

}  // namespace espalier::ui
