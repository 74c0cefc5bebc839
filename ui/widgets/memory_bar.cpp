// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/memory_bar.h"

#include <QPainter>
#include <algorithm>

#include "ui/models/format.h"
#include "ui/widgets/memory_owner.h"

namespace espalier::ui {
namespace {

constexpr int kBar = 28, kGapBelowBar = 8, kLegendRow = 20;

// The legend does not jump when a request begins or ends.
bool isAlwaysNamed(MemoryOwner owner) {
    return owner == MemoryOwner::Weights || owner == MemoryOwner::KvRunning || owner == MemoryOwner::KvCached ||
           owner == MemoryOwner::Free;
}

}  // namespace

MemoryBar::MemoryBar(QWidget* parent) : QWidget(parent) {
    setFont(uiFont(text_size::kTable));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
    setAccessibleName(tr("Device memory by owner"));
}

void MemoryBar::setMemory(const MemoryByOwner& memory) {
    const bool same = memory.total == m_memory.total && std::ranges::all_of(kMemoryOwners, [&](MemoryOwner owner) {
                          return bytesOf(memory, owner) == bytesOf(m_memory, owner);
                      });
    if (same && !accessibleDescription().isEmpty()) return;  // ten times a second
    m_memory = memory;
    QStringList parts;
    for (const Entry& entry : legend(width())) parts << entry.name + QLatin1Char(' ') + entry.value;
    setAccessibleDescription(tr("%1 of %2 GiB").arg(parts.join(QStringLiteral(", ")), formatGib(memory.total)));
    setFixedHeight(heightForWidth(width()));
    update();
}

// As precise as the total beside the bar's title.
QString MemoryBar::valueText(qint64 bytes) const {
    if (bytes == 0 || !isCountedInMib(m_memory)) return formatGib(bytes);
    return bytes < qint64(1) << 30 ? formatBytes(bytes) : formatGib(bytes) + QLatin1String(" GiB");
}

std::vector<MemoryBar::Entry> MemoryBar::legend(int width) const {
    std::vector<Entry> entries;
    const QFontMetrics names = fontMetrics();
    const QFontMetrics values(uiFont(text_size::kTable, QFont::DemiBold));
    int x = 0, y = kBar + kGapBelowBar;
    for (const MemoryOwner owner : kMemoryOwners) {
        const qint64 bytes = bytesOf(m_memory, owner);
        if (bytes == 0 && !isAlwaysNamed(owner)) continue;
        Entry entry{int(owner), ownerName(owner, true), valueText(bytes), bytes == 0, {}};
        const int wide = kSwatch + 6 + names.horizontalAdvance(entry.name) + 8 + values.horizontalAdvance(entry.value);
        if (x > 0 && x + wide > width) {
            x = 0;
            y += scaled(kLegendRow);
        }
        entry.rect = QRect(x, y, wide, scaled(kLegendRow));
        x += wide + 20;
        entries.push_back(std::move(entry));
    }
    return entries;
}

QSize MemoryBar::sizeHint() const {
    return QSize(480, heightForWidth(qMax(width(), 240)));
}

QSize MemoryBar::minimumSizeHint() const {
    return QSize(160, kBar + kGapBelowBar + scaled(kLegendRow));
}

int MemoryBar::heightForWidth(int width) const {
    const auto entries = legend(width);
    return entries.empty() ? kBar : entries.back().rect.bottom() + 1;
}

void MemoryBar::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    setFixedHeight(heightForWidth(width()));
}

void MemoryBar::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    double x = 0;
    const double perByte = m_memory.total > 0 ? double(width()) / double(m_memory.total) : 0;
    for (const MemoryOwner owner : kMemoryOwners) {
        const double wide = double(bytesOf(m_memory, owner)) * perByte;
        if (wide <= 0) continue;
        const int left = qRound(x), right = qRound(x + wide);
        painter.fillRect(QRect(left, 0, qMax(1, right - left - (right < width() ? 1 : 0)), kBar), ownerBrush(c, owner));
        x += wide;
    }
    if (perByte == 0) painter.fillRect(QRect(0, 0, width(), kBar), ownerBrush(c, MemoryOwner::Free));
    for (const Entry& entry : legend(width())) {
        const QRect swatch(entry.rect.left(), entry.rect.center().y() - kSwatch / 2 + 1, kSwatch, kSwatch);
        painter.setPen(Qt::NoPen);
        painter.setBrush(ownerBrush(c, MemoryOwner(entry.owner)));
        painter.drawRoundedRect(swatch, 2, 2);
        painter.setFont(font());
        painter.setPen(QColor(c.secondary));
        painter.drawText(entry.rect.adjusted(kSwatch + 6, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, entry.name);
        if (!entry.isNone) {
            painter.setFont(uiFont(text_size::kTable, QFont::DemiBold));
            painter.setPen(QColor(c.text));
        }
        painter.drawText(entry.rect, Qt::AlignRight | Qt::AlignVCenter, entry.value);
    }
}

}  // namespace espalier::ui
