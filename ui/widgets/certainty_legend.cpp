// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/certainty_legend.h"

#include <QPainter>
#include <array>

#include "ui/shell/theme.h"

namespace espalier::ui {

namespace {

constexpr int kScaleHeight = 28, kScaleGap = 14;

struct Mark {
    QString words;
    Qt::PenStyle line;
    bool isDouble;  // and on a ground
};

std::array<Mark, 3> marks() {
    return {Mark{CertaintyLegend::tr("under 80 %"), Qt::SolidLine, false},
            Mark{CertaintyLegend::tr("under 50 %"), Qt::DotLine, false},
            Mark{CertaintyLegend::tr("under 25 %"), Qt::SolidLine, true}};
}

}  // namespace

CertaintyLegend::CertaintyLegend(QWidget* parent) : QWidget(parent) {
    setFont(uiFont(text_size::kCaption));
    setAccessibleName(
        tr("Certainty of a token: under 80 % underlined, under 50 % dotted, under 25 % underlined twice on a warning "
           "ground"));
    int width = fontMetrics().horizontalAdvance(tr("Certainty of a token"));
    for (const Mark& mark : marks()) width += kScaleGap + fontMetrics().horizontalAdvance(mark.words);
    setFixedSize(width + kScaleGap, scaled(kScaleHeight));
}

void CertaintyLegend::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setPen(QColor(c.secondary));
    painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, tr("Certainty of a token"));
    const int height = fontMetrics().height(), top = (this->height() - height) / 2, line = top + height;
    int x = fontMetrics().horizontalAdvance(tr("Certainty of a token")) + kScaleGap;
    for (const Mark& mark : marks()) {
        const int wide = fontMetrics().horizontalAdvance(mark.words);
        if (mark.isDouble) painter.fillRect(QRect(x - 3, top - 1, wide + 6, height + 4), QColor(c.warnGround));
        painter.setPen(QColor(c.text));
        painter.drawText(QRect(x, top, wide + 2, height), Qt::AlignLeft | Qt::AlignVCenter, mark.words);
        painter.setPen(QPen(QColor(c.series[1]), 1, mark.line));
        painter.drawLine(x, line, x + wide, line);
        if (mark.isDouble) painter.drawLine(x, line - 2, x + wide, line - 2);
        x += wide + kScaleGap;
    }
}

}  // namespace espalier::ui
