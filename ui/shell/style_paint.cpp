// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/style_paint.h"

#include <QAbstractItemView>
#include <QLineEdit>
#include <QPainter>

#include "ui/shell/icons.h"
#include "ui/shell/style.h"

namespace espalier::ui {
namespace {

constexpr auto kRoleProperty = "espalierRole";
constexpr int kMarker = 3;

}  // namespace

void setButtonRole(QWidget* button, ButtonRole role) {
    button->setProperty(kRoleProperty, static_cast<int>(role));
    button->update();
}

bool isPrimary(const QWidget* widget) {
    return widget && widget->property(kRoleProperty).toInt() == static_cast<int>(ButtonRole::Primary);
}

void box(QPainter* painter, const QRect& rect, QRgb fill, QRgb border, double radius) {
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(QColor(border), 1));
    painter->setBrush(QColor(fill));
    painter->drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), radius, radius);
    painter->restore();
}

void drawIconAt(QPainter* painter, const QRect& rect, const QString& name, QRgb color) {
    const double ratio = painter->device()->devicePixelRatioF();
    painter->drawPixmap(rect, iconPixmap(name, color, rect.width(), ratio));
}

QRect centred(const QRect& rect, int size) {
    return QRect(rect.center().x() - size / 2 + 1, rect.center().y() - size / 2 + 1, size, size);
}

void drawButton(const QStyleOption* option, QPainter* painter, const QWidget* widget) {
    const ThemeColors& c = colorsOf(option->palette);
    const bool enabled = option->state & QStyle::State_Enabled;
    const bool over = enabled && (option->state & QStyle::State_MouseOver);
    const bool down = option->state & (QStyle::State_Sunken | QStyle::State_On);
    if (isPrimary(widget) && enabled) {
        const QRgb fill = over || down ? c.accentHover : c.accent;
        box(painter, option->rect, fill, fill);
    } else {
        box(painter, option->rect, down ? c.selection : over ? c.hover : c.button, enabled ? c.control : c.line);
    }
}

void drawField(const QStyleOption* option, QPainter* painter, const QWidget* widget) {
    const ThemeColors& c = colorsOf(option->palette);
    const auto* edit = qobject_cast<const QLineEdit*>(widget);
    const bool readOnly = (edit && edit->isReadOnly()) || !(option->state & QStyle::State_Enabled);
    box(painter, option->rect, readOnly ? c.alternateBase : c.base, readOnly ? c.line : c.control);
}

// A row's ground: selection with the accent bar at the left edge, hover, or nothing; then the row line.
void drawRow(const QStyleOptionViewItem* option, QPainter* painter, const QWidget* widget) {
    const ThemeColors& c = colorsOf(option->palette);
    const bool selected = option->state & QStyle::State_Selected;
    const bool over = option->state & QStyle::State_MouseOver;
    if (selected || over) painter->fillRect(option->rect, QColor(selected ? c.selection : c.hover));
    const auto* view = qobject_cast<const QAbstractItemView*>(widget);
    if (selected && view) {
        const QRect bar(0, option->rect.top(), kMarker, option->rect.height());
        if (option->rect.left() <= 0) painter->fillRect(bar, QColor(c.accent));
    }
}

void drawTab(const QStyleOptionTab* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    const bool selected = option->state & QStyle::State_Selected;
    painter->save();
    painter->setFont(uiFont(text_size::kBody, selected ? QFont::DemiBold : QFont::Normal));
    painter->setPen(QColor(selected ? c.text : c.secondary));
    painter->drawText(option->rect, Qt::AlignCenter, option->text);
    painter->restore();
    if (selected) {
        const QRect r = option->rect;
        painter->fillRect(QRect(r.left() + 4, r.bottom() - 1, r.width() - 8, 2), QColor(c.accent));
    }
    if (option->state & QStyle::State_HasFocus) {
        painter->setPen(QPen(QColor(c.accentText), 1));
        painter->drawRect(option->rect.adjusted(2, 2, -3, -4));
    }
}

void drawHeaderGround(const QStyleOption* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    painter->fillRect(option->rect, QColor(c.alternateBase));
    painter->fillRect(QRect(option->rect.left(), option->rect.bottom(), option->rect.width(), 1), QColor(c.line));
}

void drawHeader(const QStyleOptionHeader* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    drawHeaderGround(option, painter);
    painter->save();
    painter->setFont(uiFont(text_size::kCaption, QFont::Medium));
    painter->setPen(QColor(c.secondary));
    QRect rect = option->rect.adjusted(kCellSide, 0, -kCellSide, -1);
    const bool sorted = option->sortIndicator != QStyleOptionHeader::None;
    const bool right = option->textAlignment & Qt::AlignRight;
    if (sorted) {
        const QString name = option->sortIndicator == QStyleOptionHeader::SortDown ? QStringLiteral("arrow-up")
                                                                                   : QStringLiteral("arrow-down");
        const int width = painter->fontMetrics().horizontalAdvance(option->text);
        const int x = right ? rect.right() - 11 : qMin(rect.left() + width + 4, rect.right() - 12);
        drawIconAt(painter, QRect(x, rect.center().y() - 5, 12, 12), name, c.secondary);
        rect.adjust(0, 0, right ? -16 : 0, 0);
    }
    const QString text = painter->fontMetrics().elidedText(option->text, Qt::ElideRight, rect.width());
    painter->drawText(rect, int(Qt::AlignVCenter | (right ? Qt::AlignRight : Qt::AlignLeft)), text);
    painter->restore();
}

void drawMenuItem(const QStyleOptionMenuItem* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    const QRect rect = option->rect;
    if (option->menuItemType == QStyleOptionMenuItem::Separator) {
        painter->fillRect(QRect(rect.left() + 8, rect.center().y(), rect.width() - 16, 1), QColor(c.line));
        return;
    }
    const bool enabled = option->state & QStyle::State_Enabled;
    if (enabled && (option->state & QStyle::State_Selected)) {
        painter->setPen(Qt::NoPen);
        box(painter, rect.adjusted(4, 0, -4, 0), c.selection, c.selection);
    }
    const QRgb color = enabled ? c.text : c.disabledText;
    const QRect mark(rect.left() + 10, rect.center().y() - 7, 16, 16);
    if (option->checked)
        drawIconAt(painter, mark, QStringLiteral("check"), enabled ? c.accentText : color);
    else if (!option->icon.isNull())
        option->icon.paint(painter, mark, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
    painter->setPen(QColor(color));
    const QStringList parts = option->text.split(QLatin1Char('\t'));
    const QRect text = rect.adjusted(34, 0, -14, 0);
    painter->drawText(text, Qt::AlignVCenter | Qt::AlignLeft | Qt::TextShowMnemonic | Qt::TextHideMnemonic, parts[0]);
    if (parts.size() > 1) {
        painter->setPen(QColor(enabled ? c.secondary : c.disabledText));
        painter->drawText(text, Qt::AlignVCenter | Qt::AlignRight, parts[1]);
    }
    if (option->menuItemType == QStyleOptionMenuItem::SubMenu)
        drawIconAt(painter, QRect(rect.right() - 20, rect.center().y() - 6, kArrowSize, kArrowSize),
                   QStringLiteral("chevron-right"), c.secondary);
}

void drawMenuBarItem(const QStyleOptionMenuItem* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    painter->fillRect(option->rect, QColor(c.side));
    if (option->state & (QStyle::State_Selected | QStyle::State_Sunken))
        box(painter, option->rect.adjusted(0, 4, 0, -4), c.hover, c.hover);
    painter->setPen(QColor(option->state & QStyle::State_Enabled ? c.text : c.disabledText));
    painter->drawText(option->rect, Qt::AlignCenter | Qt::TextHideMnemonic, option->text);
}

void drawCheckBox(const QStyleOption* option, QPainter* painter) {
    const ThemeColors& c = colorsOf(option->palette);
    const bool on = option->state & QStyle::State_On;
    box(painter, option->rect, on ? c.accent : c.base, on ? c.accent : c.control, 3);
    if (on) drawIconAt(painter, centred(option->rect, 12), QStringLiteral("check"), c.onAccent);
}

void drawScrollBar(const QStyleOptionSlider* option, QPainter* painter, const QRect& handle) {
    const ThemeColors& c = colorsOf(option->palette);
    if (option->maximum <= option->minimum) return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(Qt::NoPen);
    const bool active = option->state & QStyle::State_MouseOver;
    painter->setBrush(QColor(active ? c.control : c.freeDots));
    painter->drawRoundedRect(QRectF(handle).adjusted(2, 2, -2, -2), 3, 3);
    painter->restore();
}

void drawSpinArrows(const QStyleOption* option, QPainter* painter, const QRect& arrows) {
    const ThemeColors& c = colorsOf(option->palette);
    drawIconAt(painter, centred(arrows, kArrowSize), QStringLiteral("chevrons-up-down"),
               option->state & QStyle::State_Enabled ? c.secondary : c.disabledText);
}

}  // namespace espalier::ui
