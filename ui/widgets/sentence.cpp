// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/sentence.h"

#include <QPainter>
#include <QTextLayout>

#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kBodyLine = 20;

}  // namespace

Sentence::Sentence(const QString& text, QWidget* parent) : QLabel(text, parent) {
    setFont(uiFont(text_size::kBody));
    setTextFormat(Qt::PlainText);
    setWordWrap(true);
}

int Sentence::layOut(QTextLayout& layout, int width) const {
    QTextOption option(Qt::AlignHCenter);
    option.setWrapMode(QTextOption::WordWrap);
    layout.setTextOption(option);
    const int pitch = scaled(kBodyLine);
    int y = 0;
    layout.beginLayout();
    for (QTextLine line = layout.createLine(); line.isValid(); line = layout.createLine()) {
        line.setLineWidth(width);
        line.setPosition(QPointF(0, y + (pitch - line.height()) / 2));
        y += pitch;
    }
    layout.endLayout();
    return y;
}

int Sentence::heightForWidth(int width) const {
    QTextLayout layout(text(), font());
    return layOut(layout, width);
}

void Sentence::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setPen(QColor(colorsOf(palette()).secondary));
    QTextLayout layout(text(), font());
    layOut(layout, width());
    layout.draw(&painter, QPointF(0, 0));
}

}  // namespace espalier::ui
