// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/spark_delegate.h"

#include <QPainter>
#include <algorithm>

#include "ui/models/tenant_table.h"
#include "ui/shell/theme.h"
#include "ui/widgets/plot_content.h"

namespace espalier::ui {
namespace {

constexpr int kSparkWidth = 76, kSparkHeight = 16, kSparkSide = 12;

}  // namespace

void SparkDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const TenantDays* days = m_tenants.daysOf(index.data(IdRole).toString());
    if (!days) return CellDelegate::paint(painter, option, index);
    double most = 1;
    for (int day = 0; day < kUsageDays; ++day) most = std::max(most, days->all(day));
    const QRectF box(option.rect.left() + kSparkSide, option.rect.center().y() - kSparkHeight / 2.0,
                     qMin(kSparkWidth, option.rect.width() - 2 * kSparkSide), kSparkHeight);
    QPolygonF line;
    for (int day = 0; day < kUsageDays; ++day)
        line << QPointF(box.left() + box.width() * day / (kUsageDays - 1),
                        box.bottom() - box.height() * days->all(day) / most);
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(seriesPen(colorsOf(option.palette), 0, painter->device()->devicePixelRatioF()));
    painter->drawPolyline(line);
    painter->restore();
    paintEdges(painter, option, index);
}

}  // namespace espalier::ui
