// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/hint_button.h"

#include <QStyleOptionButton>
#include <QStylePainter>

#include "ui/shell/icons.h"
#include "ui/shell/style.h"
#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kBeforeHint = 8, kSide = 12;

}  // namespace

HintButton::HintButton(const QString& word, const QString& iconName, QWidget* parent) : QPushButton(parent) {
    setAutoDefault(false);
    setIcon(ui::icon(iconName, Tone::OnAccent));  // not the button's own icon()
    setButtonRole(this, ButtonRole::Primary);
    setFont(uiFont(text_size::kBody, QFont::DemiBold));
    setAccessibleName(word);
    setWord(word);
}

void HintButton::setWord(const QString& word) {
    setText(QLatin1Char(' ') + word);  // as in controls.h: 8 px after the icon
}

void HintButton::setHint(const QString& keys) {
    m_hint = keys;
    updateGeometry();
    update();
}

int HintButton::hintWidth() const {
    if (m_hint.isEmpty()) return 0;
    return kBeforeHint + QFontMetrics(uiFont(text_size::kCaption)).horizontalAdvance(m_hint);
}

QSize HintButton::sizeHint() const {
    const QSize plain = QPushButton::sizeHint();
    return {plain.width() + hintWidth(), plain.height()};
}

void HintButton::paintEvent(QPaintEvent*) {
    QStylePainter painter(this);
    QStyleOptionButton option;
    initStyleOption(&option);
    painter.drawControl(QStyle::CE_PushButtonBevel, option);
    option.rect.adjust(0, 0, -hintWidth(), 0);
    painter.drawControl(QStyle::CE_PushButtonLabel, option);
    if (m_hint.isEmpty()) return;
    const ThemeColors& c = colorsOf(palette());
    painter.setFont(uiFont(text_size::kCaption));
    painter.setPen(QColor(isEnabled() ? c.onAccent : c.disabledText));
    painter.drawText(rect().adjusted(0, 0, -kSide, 0), Qt::AlignRight | Qt::AlignVCenter, m_hint);
}

}  // namespace espalier::ui
