// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/move_legend.h"

#include <QPainter>
#include <array>

#include "ui/shell/theme.h"
#include "ui/widgets/memory_owner.h"

namespace espalier::ui {
namespace {

constexpr int kMoveLegendHeight = 24, kMark = 10, kAfterMark = 4, kBetween = 12;

struct Entry {
    MemoryOwner owner;  // whose colour it has
    QString name;
    bool isDiamond = false;
};

std::array<Entry, 4> entries() {
    return {{{MemoryOwner::KvRunning, MoveLegend::tr("Decode")},
             {MemoryOwner::Weights, MoveLegend::tr("Prefill")},
             {MemoryOwner::Adapters, MoveLegend::tr("Adapter")},
             {MemoryOwner::KvCached, MoveLegend::tr("Evicted"), true}}};
}

}  // namespace

MoveLegend::MoveLegend(QWidget* parent) : QWidget(parent) {
    setFont(uiFont(text_size::kCaption));
    setFixedHeight(scaled(kMoveLegendHeight));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    setAccessibleName(tr("Colours of the timeline"));
    QStringList names;
    for (const Entry& entry : entries()) names << entry.name;
    setAccessibleDescription(names.join(QStringLiteral(", ")));
}

int MoveLegend::widthOf(bool named) const {
    int width = 0;
    for (const Entry& entry : entries())
        width += kMark + kBetween + (named ? kAfterMark + fontMetrics().horizontalAdvance(entry.name) : 0);
    return width - kBetween;
}

bool MoveLegend::areNamesShown() const {
    return width() >= widthOf(true);
}

QSize MoveLegend::sizeHint() const {
    return QSize(widthOf(true), scaled(kMoveLegendHeight));
}

QSize MoveLegend::minimumSizeHint() const {
    return QSize(widthOf(false), scaled(kMoveLegendHeight));
}

void MoveLegend::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    setToolTip(areNamesShown() ? QString() : accessibleDescription());
}

// From the right, as the legends of plots.
void MoveLegend::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    const bool named = areNamesShown();
    QPainter painter(this);
    int x = width() - widthOf(named);
    for (const Entry& entry : entries()) {
        const QRect mark(x, (height() - kMark) / 2, kMark, kMark);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        if (entry.isDiamond) {
            painter.setBrush(QColor(c.kvCached));
            painter.drawPolygon(QPolygon({{mark.center().x(), mark.top()},
                                          {mark.right(), mark.center().y()},
                                          {mark.center().x(), mark.bottom()},
                                          {mark.left(), mark.center().y()}}));
        } else {
            painter.setBrush(ownerBrush(c, entry.owner));
            painter.drawRoundedRect(mark, 2, 2);
        }
        x += kMark;
        if (named) {
            painter.setPen(QColor(c.secondary));
            x += kAfterMark;
            painter.drawText(QRect(x, 0, width() - x, height()), Qt::AlignLeft | Qt::AlignVCenter, entry.name);
            x += fontMetrics().horizontalAdvance(entry.name);
        }
        x += kBetween;
    }
}

}  // namespace espalier::ui
