// SPDX-License-Identifier: GPL-3.0-or-later
// Style: how controls look, drawn from the theme over Fusion. No style sheets, so a change of theme only repaints.
// Controls that differ from the rule say so by the setters below.
#pragma once

#include <QProxyStyle>

namespace espalier::ui {

enum class ButtonRole { Plain, Primary };
enum class ControlSize { Small, Normal, Large };  // 24, 28 and 36 px high

void setButtonRole(QWidget* button, ButtonRole role);
void setControlSize(QWidget* control, ControlSize size);
int controlHeight(const QWidget* control);
bool isTextField(const QWidget* widget);  // of several lines, with a frame of its own

class Style : public QProxyStyle {
    Q_OBJECT
public:
    Style();

    void polish(QWidget* widget) override;
    using QProxyStyle::polish;
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override;
    void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override;
    QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                         const QWidget* widget) const override;
    QRect subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const override;
    QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& contents,
                           const QWidget* widget) const override;
    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                  QStyleHintReturn* answer) const override;
};

}  // namespace espalier::ui
