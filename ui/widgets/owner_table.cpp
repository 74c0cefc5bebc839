// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/owner_table.h"

#include <QPainter>
#include <cmath>

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kOwnerRowHeight = 21, kNameAt = 18, kNow = 60, kCursor = 64, kCursorWide = 80;

}  // namespace

OwnerTable::OwnerTable(const PlotContent& plot, QWidget* parent) : QWidget(parent), m_plot(plot) {
    setFont(uiFont(text_size::kTable));
    setAccessibleName(tr("Device memory by owner, at the cursor and now"));
    connect(plot.dashboard, &Dashboard::cursorMoved, this, &OwnerTable::refresh);
    setMinimumHeight(int(kMemoryOwners.size() + 1) * scaled(kOwnerRowHeight));
}

void OwnerTable::refresh() {
    update();
}

QString OwnerTable::value(int column, std::optional<double> x) const {
    const double bytes = valueAt(m_plot, column, x);
    return std::isnan(bytes) ? QStringLiteral("–") : formatGib(qint64(bytes));
}

void OwnerTable::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setPen(QColor(c.secondary));
    painter.setFont(uiFont(text_size::kCaption, QFont::Medium));
    const int rowHeight = scaled(kOwnerRowHeight), nowWide = scaled(kNow), cursorWide = scaled(kCursorWide);
    const int right = width(), middle = width() - scaled(kCursor);
    const auto cells = [&](int y, const QString& atCursor, const QString& now) {
        painter.drawText(QRect(middle - cursorWide, y, cursorWide, rowHeight), Qt::AlignRight | Qt::AlignVCenter,
                         atCursor);
        painter.drawText(QRect(right - nowWide, y, nowWide, rowHeight), Qt::AlignRight | Qt::AlignVCenter, now);
    };
    painter.drawText(QRect(0, 0, middle - cursorWide, rowHeight), Qt::AlignLeft | Qt::AlignVCenter, tr("Owner"));
    cells(0, tr("At cursor"), tr("Now"));
    int y = 0;
    for (auto area = m_plot.areas.rbegin(); area != m_plot.areas.rend(); ++area) {
        y += rowHeight;
        painter.fillRect(QRect(0, y - 1, width(), 1), QColor(c.grid));
        painter.setBrush(ownerBrush(c, area->owner));
        painter.setPen(Qt::NoPen);
        painter.drawRoundedRect(QRect(0, y + (rowHeight - kSwatch) / 2, kSwatch, kSwatch), 2, 2);
        painter.setFont(font());
        painter.setPen(QColor(c.text));
        const QString whole = ownerName(area->owner);
        const bool brief = middle - scaled(kCursor) < painter.fontMetrics().horizontalAdvance(whole) + kNameAt;
        painter.drawText(QRect(kNameAt, y, middle - scaled(kCursor), rowHeight), Qt::AlignLeft | Qt::AlignVCenter,
                         ownerName(area->owner, brief));
        const auto cursor = m_plot.dashboard->cursor();
        cells(y, cursor ? value(area->column, cursor) : QStringLiteral("–"), QString());
        painter.setFont(uiFont(text_size::kTable, QFont::DemiBold));
        cells(y, QString(), value(area->column, std::nullopt));
    }
}

}  // namespace espalier::ui
