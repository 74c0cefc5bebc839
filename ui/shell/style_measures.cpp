// SPDX-License-Identifier: GPL-3.0-or-later
// Style, the measures: sizes, places of the parts of a control, hints. Heights grow with the text size.
#include <QAbstractSpinBox>
#include <QFrame>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTextEdit>

#include "ui/shell/style.h"
#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr auto kSizeProperty = "espalierSize";
constexpr int kScrollBar = 10;
constexpr int kTextInset = 8;                            // of the text in every kind of field
constexpr int kLineEditMargin = 2, kDocumentMargin = 4;  // Qt's own, inside a field's contents

}  // namespace

bool isTextField(const QWidget* widget) {
    const auto* frame = qobject_cast<const QFrame*>(widget);
    return frame && frame->frameShape() != QFrame::NoFrame &&
           (qobject_cast<const QTextEdit*>(widget) || qobject_cast<const QPlainTextEdit*>(widget));
}

void setControlSize(QWidget* control, ControlSize size) {
    control->setProperty(kSizeProperty, static_cast<int>(size) + 1);
    control->updateGeometry();
}

int controlHeight(const QWidget* control) {
    const int stored = control ? control->property(kSizeProperty).toInt() : 0;
    if (stored == static_cast<int>(ControlSize::Small) + 1) return scaled(24);
    if (stored == static_cast<int>(ControlSize::Large) + 1) return scaled(36);
    return scaled(28);
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
        if (part == SC_SpinBoxEditField) return r.adjusted(0, 1, -arrows, -1);  // the edit in it has its own inset
        if (part == SC_SpinBoxFrame) return r;
        return {};
    }
    return QProxyStyle::subControlRect(control, option, part, widget);
}

QRect Style::subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const {
    if (element == SE_LineEditContents && option->rect.height() >= 22)
        return option->rect.adjusted(kTextInset - kLineEditMargin, 1, kLineEditMargin - kTextInset, -1);
    if (element == SE_ShapedFrameContents && isTextField(widget))
        return option->rect.adjusted(kTextInset - kDocumentMargin, 1, kDocumentMargin - kTextInset, -1);
    return QProxyStyle::subElementRect(element, option, widget);
}

QSize Style::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents,
                              const QWidget* widget) const {
    switch (type) {
        case CT_PushButton: {
            const int height = controlHeight(widget);
            const int margins = height == scaled(24) ? 16 : height == scaled(36) ? 36 : 24;
            return QSize(contents.width() + margins, qMax(height, contents.height()));
        }
        case CT_ToolButton: {
            const int height = controlHeight(widget) == scaled(28) ? scaled(24) : controlHeight(widget);
            return QSize(qMax(height, contents.width() + 8), qMax(height, contents.height()));
        }
        case CT_LineEdit:
            return QSize(contents.width() + 12, qMax(controlHeight(widget), contents.height() + 4));
        case CT_ComboBox:
            return QSize(contents.width() + 40, qMax(controlHeight(widget), contents.height()));
        case CT_SpinBox:
            return QSize(contents.width() + 30, controlHeight(widget));  // the edit in it is as high as it
        case CT_TabBarTab:
            return QSize(contents.width() + 8, scaled(32));
        case CT_MenuBarItem:
            return QSize(contents.width() + 20, scaled(32));
        case CT_MenuItem:
            if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option)) {
                if (item->menuItemType == QStyleOptionMenuItem::Separator) return QSize(contents.width(), 9);
                const bool shortcut = item->text.contains(QLatin1Char('\t'));
                return QSize(contents.width() + 56 + (shortcut ? 24 : 0), scaled(28));
            }
            break;
        case CT_HeaderSection: {
            QSize size = QProxyStyle::sizeFromContents(type, option, contents, widget);
            return QSize(size.width() + 12, scaled(24));
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
