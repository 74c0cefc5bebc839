// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/tier_mark.h"

#include <QPainter>
#include <QPainterPath>

#include "ui/shell/theme.h"

namespace espalier::ui {

void paintTierMark(QPainter& painter, const QRect& mark, const ThemeColors& colors, AdapterTier tier) {
    const QColor leaf(colors.leaf);
    const QRectF box = QRectF(mark).adjusted(0.5, 0.5, -0.5, -0.5);
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(leaf);
    painter.setBrush(tier == AdapterTier::Pool ? QBrush(leaf) : QBrush(Qt::NoBrush));
    painter.drawRoundedRect(box, 2, 2);
    if (tier == AdapterTier::Host) {
        QPainterPath inside;
        inside.addRoundedRect(box, 2, 2);
        painter.setClipPath(inside);
        for (int x = -mark.height(); x < mark.width(); x += 4)
            painter.drawLine(QPointF(mark.left() + x, mark.bottom() + 1),
                             QPointF(mark.left() + x + mark.height(), mark.top()));
    }
    painter.restore();
}

}  // namespace espalier::ui
