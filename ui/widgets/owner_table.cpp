// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/owner_table.h"

#include <QPainter>

namespace espalier::ui {
namespace {

constexpr int kOwnerRow = 21, kOwnerRowBrief = 18, kNameAt = 18, kNow = 60, kCursor = 64, kCursorWide = 80;

}  // namespace

OwnerTable::OwnerTable(const PlotContent& plot, QWidget* parent) : QWidget(parent), m_plot(plot) {
    setFont(uiFont(text_size::kTable));
    setAccessibleName(tr("Device memory by owner, at the cursor and now"));
    connect(plot.dashboard, &Dashboard::cursorMoved, this, &OwnerTable::refresh);
    setBrief(false);
}

void OwnerTable::setBrief(bool brief) {
    m_isBrief = brief;
    setMinimumHeight(int(kMemoryOwners.size() + (brief ? 0 : 1)) * rowHeight());
    update();
}

int OwnerTable::rowHeight() const {
    return scaled(m_isBrief ? kOwnerRowBrief : kOwnerRow);
}

void OwnerTable::refresh() {
    update();
}

QString OwnerTable::value(int column, std::optional<double> x) const {
    return valueText(m_plot, valueAt(m_plot, column, x));
}

QStringList OwnerTable::valuesNow() const {
    QStringList values;
    for (auto area = m_plot.areas.rbegin(); area != m_plot.areas.rend(); ++area)
        values << value(area->column, std::nullopt);
    return values;
}

// A none is secondary, so that the eye finds what is there.
void OwnerTable::paintValue(QPainter& painter, QRect cell, const QString& value, bool isStrong) {
    const ThemeColors& c = colorsOf(palette());
    const bool isNone = value == QLatin1String("0") || value == QStringLiteral("–");
    painter.setFont(uiFont(text_size::kTable, isStrong && !isNone ? QFont::DemiBold : QFont::Normal));
    painter.setPen(QColor(isNone ? c.secondary : c.text));
    painter.drawText(cell, Qt::AlignRight | Qt::AlignVCenter, value);
}

void OwnerTable::paintHead(QPainter& painter) {
    painter.setPen(QColor(colorsOf(palette()).secondary));
    painter.setFont(uiFont(text_size::kCaption, QFont::Medium));
    const int middle = width() - scaled(kCursor), high = rowHeight(), cursorWide = scaled(kCursorWide);
    painter.drawText(QRect(0, 0, middle - cursorWide, high), Qt::AlignLeft | Qt::AlignVCenter, tr("Owner"));
    painter.drawText(QRect(middle - cursorWide, 0, cursorWide, high), Qt::AlignRight | Qt::AlignVCenter,
                     tr("At cursor"));
    painter.drawText(QRect(0, 0, width(), high), Qt::AlignRight | Qt::AlignVCenter, tr("Now"));
}

void OwnerTable::paintRow(QPainter& painter, int y, const AreaSpec& area) {
    const ThemeColors& c = colorsOf(palette());
    const int high = rowHeight(), nowWide = scaled(kNow), cursorWide = scaled(kCursorWide);
    if (y > 0) painter.fillRect(QRect(0, y - 1, width(), 1), QColor(c.grid));
    painter.setBrush(ownerBrush(c, area.owner));
    painter.setPen(Qt::NoPen);
    painter.drawRoundedRect(QRect(0, y + (high - kSwatch) / 2, kSwatch, kSwatch), 2, 2);
    const int middle = width() - scaled(kCursor), nameRight = m_isBrief ? width() - nowWide : middle - scaled(kCursor);
    painter.setFont(font());
    painter.setPen(QColor(c.text));
    const QString whole = ownerName(area.owner);
    const bool brief = nameRight < painter.fontMetrics().horizontalAdvance(whole) + kNameAt;
    painter.drawText(QRect(kNameAt, y, nameRight, high), Qt::AlignLeft | Qt::AlignVCenter,
                     ownerName(area.owner, brief));
    const auto cursor = m_plot.dashboard->cursor();
    const QRect now(width() - nowWide, y, nowWide, high);
    if (m_isBrief) return paintValue(painter, now, value(area.column, cursor), true);
    paintValue(painter, QRect(middle - cursorWide, y, cursorWide, high),
               cursor ? value(area.column, cursor) : QStringLiteral("–"), false);
    paintValue(painter, now, value(area.column, std::nullopt), true);
}

void OwnerTable::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    int y = 0;
    if (!m_isBrief) {
        paintHead(painter);
        y = rowHeight();
    }
    for (auto area = m_plot.areas.rbegin(); area != m_plot.areas.rend(); ++area, y += rowHeight())
        paintRow(painter, y, *area);
}

}  // namespace espalier::ui
