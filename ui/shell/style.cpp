// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/shell/style.h"

#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPainter>
#include <QPainterPath>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QStyleOption>
#include <QTextEdit>
#include <QToolButton>

#include "ui/shell/icons.h"
#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr auto kRoleProperty = "espalierRole";
constexpr auto kSizeProperty = "espalierSize";
constexpr int kRadius = 4;
constexpr int kArrow = 14;
constexpr int kScrollBar = 10;
constexpr int kMarker = 3;
constexpr int kCellSide = 12;

bool isPrimary(const QWidget* widget) {
    return widget && widget->property(kRoleProperty).toInt() == static_cast<int>(ButtonRole::Primary);
}

void box(QPainter* painter, const QRect& rect, QRgb fill, QRgb border, double radius = kRadius) {
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
        drawIconAt(painter, QRect(rect.right() - 20, rect.center().y() - 6, kArrow, kArrow),
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
    drawIconAt(painter, centred(arrows, kArrow), QStringLiteral("chevrons-up-down"),
               option->state & QStyle::State_Enabled ? c.secondary : c.disabledText);
}

}  // namespace

void setButtonRole(QWidget* button, ButtonRole role) {
    button->setProperty(kRoleProperty, static_cast<int>(role));
    button->update();
}

void setControlSize(QWidget* control, ControlSize size) {
    control->setProperty(kSizeProperty, static_cast<int>(size) + 1);
    control->updateGeometry();
}

int controlHeight(const QWidget* control) {
    const int stored = control ? control->property(kSizeProperty).toInt() : 0;
    if (stored == static_cast<int>(ControlSize::Small) + 1) return 24;
    if (stored == static_cast<int>(ControlSize::Large) + 1) return 36;
    return 28;
}

Style::Style() : QProxyStyle(QStringLiteral("fusion")) {}

void Style::polish(QWidget* widget) {
    QProxyStyle::polish(widget);
    if (qobject_cast<QPushButton*>(widget) || qobject_cast<QToolButton*>(widget) || qobject_cast<QComboBox*>(widget) ||
        qobject_cast<QScrollBar*>(widget))
        widget->setAttribute(Qt::WA_Hover);
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
            if (qobject_cast<const QTextEdit*>(widget) || qobject_cast<const QPlainTextEdit*>(widget)) {
                painter->save();
                painter->setRenderHint(QPainter::Antialiasing);
                painter->setPen(QColor(c.control));
                painter->drawRoundedRect(QRectF(option->rect).adjusted(0.5, 0.5, -0.5, -0.5), kRadius, kRadius);
                painter->restore();
                return;
            }
            break;
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
                    painter, centred(option->rect, kArrow),
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
            painter->drawRoundedRect(QRectF(option->rect).adjusted(1, 1, -1, -1), kRadius + 2, kRadius + 2);
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
            drawIconAt(painter, centred(arrow, kArrow), QStringLiteral("chevron-down"),
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

QRect Style::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                            const QWidget* widget) const {
    const QRect r = option->rect;
    if (control == CC_ScrollBar) {
        if (part == SC_ScrollBarAddLine || part == SC_ScrollBarSubLine) return {};
        if (part == SC_ScrollBarGroove) return r;
        if (part == SC_ScrollBarSlider) {
            const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option);
            if (!bar) return {};
            const bool horizontal = bar->orientation == Qt::Horizontal;
            const int groove = horizontal ? r.width() : r.height();
            const int range = bar->maximum - bar->minimum;
            const int length =
                range <= 0 ? groove : qMax(24, int(qint64(groove) * bar->pageStep / (range + bar->pageStep)));
            const int at = sliderPositionFromValue(bar->minimum, bar->maximum, bar->sliderPosition, groove - length,
                                                   bar->upsideDown);
            return horizontal ? QRect(r.left() + at, r.top(), length, r.height())
                              : QRect(r.left(), r.top() + at, r.width(), length);
        }
    }
    if (control == CC_ComboBox) {
        if (part == SC_ComboBoxArrow) return QRect(r.right() - 24, r.top(), 20, r.height());
        if (part == SC_ComboBoxEditField) return r.adjusted(8, 1, -26, -1);
    }
    if (control == CC_SpinBox) {
        const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
        const int arrows = spin && spin->buttonSymbols != QAbstractSpinBox::NoButtons ? 18 : 0;
        if (part == SC_SpinBoxUp && arrows) return QRect(r.right() - arrows, r.top(), arrows, r.height() / 2);
        if (part == SC_SpinBoxDown && arrows)
            return QRect(r.right() - arrows, r.top() + r.height() / 2, arrows, r.height() / 2);
        if (part == SC_SpinBoxEditField) return r.adjusted(6, 1, -arrows - 2, -1);
        if (part == SC_SpinBoxFrame) return r;
        return {};
    }
    return QProxyStyle::subControlRect(control, option, part, widget);
}

QRect Style::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const {
    if (element == SE_LineEditContents && option->rect.height() >= 24) return option->rect.adjusted(6, 1, -6, -1);
    return QProxyStyle::subElementRect(element, option, widget);
}

QSize Style::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents,
                              const QWidget* widget) const {
    switch (type) {
        case CT_PushButton: {
            const int height = controlHeight(widget);
            return QSize(contents.width() + (height == 24   ? 16
                                             : height == 36 ? 36
                                                            : 24),
                         qMax(height, contents.height()));
        }
        case CT_ToolButton: {
            const int height = controlHeight(widget) == 28 ? 24 : controlHeight(widget);
            return QSize(qMax(height, contents.width() + 8), qMax(height, contents.height()));
        }
        case CT_LineEdit:
            return QSize(contents.width() + 12, qMax(controlHeight(widget), contents.height() + 4));
        case CT_ComboBox:
            return QSize(contents.width() + 40, qMax(controlHeight(widget), contents.height()));
        case CT_SpinBox:
            return QSize(contents.width() + 30, qMax(controlHeight(widget), contents.height()));
        case CT_TabBarTab:
            return QSize(contents.width() + 8, 32);
        case CT_MenuBarItem:
            return QSize(contents.width() + 20, 32);
        case CT_MenuItem:
            if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option)) {
                if (item->menuItemType == QStyleOptionMenuItem::Separator) return QSize(contents.width(), 9);
                const bool shortcut = item->text.contains(QLatin1Char('\t'));
                return QSize(contents.width() + 56 + (shortcut ? 24 : 0), 28);
            }
            break;
        case CT_HeaderSection: {
            QSize size = QProxyStyle::sizeFromContents(type, option, contents, widget);
            return QSize(size.width() + 12, 24);
        }
        default:
            break;
    }
    return QProxyStyle::sizeFromContents(type, option, contents, widget);
}

int Style::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
    switch (metric) {
        case PM_SmallIconSize:
        case PM_ButtonIconSize:
        case PM_ToolBarIconSize:
        case PM_ListViewIconSize:
            return 16;
        case PM_LayoutHorizontalSpacing:
        case PM_LayoutVerticalSpacing:
        case PM_SplitterWidth:
            return 8;
        case PM_LayoutLeftMargin:
        case PM_LayoutRightMargin:
        case PM_LayoutTopMargin:
        case PM_LayoutBottomMargin:
            return 12;
        case PM_ScrollBarExtent:
            return kScrollBar;
        case PM_ScrollBarSliderMin:
            return 24;
        case PM_ScrollView_ScrollBarSpacing:
        case PM_MenuBarPanelWidth:
        case PM_MenuBarVMargin:
        case PM_TabBarBaseOverlap:
        case PM_TabBarTabShiftHorizontal:
        case PM_TabBarTabShiftVertical:
        case PM_ButtonShiftHorizontal:
        case PM_ButtonShiftVertical:
        case PM_DockWidgetSeparatorExtent:
            return 0;
        case PM_MenuBarItemSpacing:
            return 0;
        case PM_MenuBarHMargin:
            return 6;
        case PM_MenuPanelWidth:
            return 1;
        case PM_MenuVMargin:
            return 4;
        case PM_FocusFrameHMargin:
        case PM_FocusFrameVMargin:
            return 3;
        case PM_IndicatorWidth:
        case PM_IndicatorHeight:
            return 16;
        case PM_DefaultFrameWidth:
            return 1;
        case PM_HeaderMargin:
            return 4;
        case PM_TreeViewIndentation:
            return 16;
        case PM_ToolTipLabelFrameWidth:
            return 6;
        default:
            break;
    }
    return QProxyStyle::pixelMetric(metric, option, widget);
}

int Style::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                     QStyleHintReturn* answer) const {
    switch (hint) {
        case SH_UnderlineShortcut:
            return 0;
        case SH_ItemView_ShowDecorationSelected:
            return 1;
        case SH_ScrollBar_Transient:
            return 0;
        case SH_MenuBar_AltKeyNavigation:
        case SH_ComboBox_UseNativePopup:
            return 1;
        case SH_ComboBox_Popup:
            return 0;
        case SH_DialogButtonBox_ButtonsHaveIcons:
            return 0;
        case SH_ToolTipLabel_Opacity:
            return 255;
        case SH_Widget_Animate:
        case SH_Widget_Animation_Duration:
            return 0;
        case SH_Header_ArrowAlignment:
            return Qt::AlignRight | Qt::AlignVCenter;
        case SH_FocusFrame_AboveWidget:
            return 1;
        case SH_EtchDisabledText:
        case SH_DitherDisabledText:
            return 0;
        default:
            break;
    }
    return QProxyStyle::styleHint(hint, option, widget, answer);
}

}  // namespace espalier::ui
