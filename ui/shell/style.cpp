// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/style.h"

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextEdit>
#include <QToolButton>

#include "ui/shell/icons.h"
#include "ui/shell/style_paint.h"

namespace espalier::ui {

Style::Style() : QProxyStyle(QStringLiteral("fusion")) {}

void Style::polish(QWidget* widget) {
    QProxyStyle::polish(widget);
    if (qobject_cast<QPushButton*>(widget) || qobject_cast<QToolButton*>(widget) || qobject_cast<QComboBox*>(widget) ||
        qobject_cast<QScrollBar*>(widget))
        widget->setAttribute(Qt::WA_Hover);
    // The frame draws the ground with its round corners; the viewport would draw square ones over them.
    auto* area = qobject_cast<QAbstractScrollArea*>(widget);
    if (area && isTextField(area)) area->viewport()->setAutoFillBackground(false);
}

void Style::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                          const QWidget* widget) const {
    const ThemeColors& c = colorsOf(option->palette);
    switch (element) {
        case PE_PanelLineEdit:
            if (widget && (qobject_cast<const QAbstractSpinBox*>(widget->parent()) ||
                           qobject_cast<const QComboBox*>(widget->parent())))
                return;  // the control around it has drawn the field
            drawField(option, painter, widget);
            return;
        case PE_FrameLineEdit:
            return;
        case PE_Frame:
            if (!isTextField(widget)) break;
            box(painter, option->rect, c.base, c.control);
            return;
        case PE_FrameFocusRect:
            return;  // the focus frame follows the focus
        case PE_PanelItemViewRow:
            if (const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option))
                drawRow(item, painter, widget);
            return;
        case PE_PanelItemViewItem:
            return;
        case PE_PanelButtonTool:
        case PE_PanelButtonCommand:
            drawButton(option, painter, widget);
            return;
        case PE_IndicatorCheckBox:
            drawCheckBox(option, painter);
            return;
        case PE_IndicatorBranch:
            if (option->state & State_Children)
                drawIconAt(
                    painter, centred(option->rect, kArrowSize),
                    option->state & State_Open ? QStringLiteral("chevron-down") : QStringLiteral("chevron-right"),
                    c.secondary);
            return;
        case PE_PanelMenu:
        case PE_FrameMenu:
            if (element == PE_PanelMenu) painter->fillRect(option->rect, QColor(c.base));
            painter->setPen(QColor(c.line));
            painter->setBrush(Qt::NoBrush);
            painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
            return;
        case PE_PanelTipLabel:
            box(painter, option->rect, c.tooltip, c.tooltip);
            return;
        case PE_PanelMenuBar:
        case PE_FrameStatusBarItem:
        case PE_FrameTabBarBase:
        case PE_FrameTabWidget:
        case PE_IndicatorToolBarSeparator:
            return;
        default:
            break;
    }
    QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void Style::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                        const QWidget* widget) const {
    const ThemeColors& c = colorsOf(option->palette);
    switch (element) {
        case CE_PushButtonBevel: {
            const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option);
            const bool flat = button && (button->features & QStyleOptionButton::Flat);
            if (!flat)
                drawButton(option, painter, widget);
            else if (option->state & (State_MouseOver | State_Sunken))
                box(painter, option->rect, c.hover, c.hover);
            return;
        }
        case CE_PushButtonLabel:
            if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option)) {
                QStyleOptionButton copy = *button;
                if (isPrimary(widget) && (option->state & State_Enabled))
                    copy.palette.setColor(QPalette::ButtonText, QColor(c.onAccent));
                QProxyStyle::drawControl(element, &copy, painter, widget);
            }
            return;
        case CE_TabBarTabShape:
            return;
        case CE_TabBarTabLabel:
            if (const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option)) drawTab(tab, painter);
            return;
        case CE_Header:
            if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option)) drawHeader(header, painter);
            return;
        case CE_HeaderEmptyArea:
            drawHeaderGround(option, painter);
            return;
        case CE_MenuItem:
            if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option)) drawMenuItem(item, painter);
            return;
        case CE_MenuBarItem:
            if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option))
                drawMenuBarItem(item, painter);
            return;
        case CE_MenuBarEmptyArea:
            painter->fillRect(option->rect, QColor(c.side));
            return;
        case CE_Splitter:
            return;
        case CE_FocusFrame: {
            painter->save();
            painter->setRenderHint(QPainter::Antialiasing);
            painter->setPen(QPen(QColor(c.accentText), 2));
            painter->drawRoundedRect(QRectF(option->rect).adjusted(1, 1, -1, -1), kControlRadius + 2,
                                     kControlRadius + 2);
            painter->restore();
            return;
        }
        default:
            break;
    }
    QProxyStyle::drawControl(element, option, painter, widget);
}

void Style::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                               const QWidget* widget) const {
    const ThemeColors& c = colorsOf(option->palette);
    switch (control) {
        case CC_ComboBox: {
            const bool over = option->state & State_MouseOver;
            const bool enabled = option->state & State_Enabled;
            box(painter, option->rect, over && enabled ? c.hover : c.base, enabled ? c.control : c.line);
            const QRect arrow = subControlRect(CC_ComboBox, option, SC_ComboBoxArrow, widget);
            drawIconAt(painter, centred(arrow, kArrowSize), QStringLiteral("chevron-down"),
                       enabled ? c.secondary : c.disabledText);
            return;
        }
        case CC_SpinBox:
            if (const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option)) {
                drawField(option, painter, widget);
                if (spin->buttonSymbols != QAbstractSpinBox::NoButtons)
                    drawSpinArrows(option, painter,
                                   subControlRect(control, option, SC_SpinBoxUp, widget)
                                       .united(subControlRect(control, option, SC_SpinBoxDown, widget)));
            }
            return;
        case CC_ScrollBar:
            if (const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option))
                drawScrollBar(slider, painter, subControlRect(control, option, SC_ScrollBarSlider, widget));
            return;
        case CC_ToolButton:
            if (const auto* tool = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
                const bool lit = option->state & (State_MouseOver | State_Sunken | State_On);
                const bool enabled = option->state & State_Enabled;
                if (lit && enabled)
                    box(painter, option->rect, option->state & State_On ? c.selection : c.hover,
                        option->state & State_On ? c.selection : c.hover);
                QStyleOptionToolButton label = *tool;
                label.rect = option->rect.adjusted(2, 2, -2, -2);
                QProxyStyle::drawControl(CE_ToolButtonLabel, &label, painter, widget);
            }
            return;
        default:
            break;
    }
    QProxyStyle::drawComplexControl(control, option, painter, widget);
}

}  // namespace espalier::ui
