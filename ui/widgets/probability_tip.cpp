// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/probability_tip.h"

#include <QLocale>
#include <QPainter>
#include <QScreen>
#include <cmath>

#include "ui/shell/theme.h"

namespace espalier::ui {
namespace {

constexpr int kTipWidth = 216, kTipTitle = 28, kTipRow = 18, kTipSide = 12, kBarLeft = 92, kBarWidth = 64;
constexpr std::size_t kMostRows = 5;
constexpr int kTipRadius = 4;
constexpr double kLeastOther = 0.005;  // less is rounding

QString percent(double share) {
    return share > 0 && share < 0.005 ? QStringLiteral("<1 %") : QStringLiteral("%1 %").arg(qRound(share * 100));
}

}  // namespace

QString visibleToken(const QString& text) {
    QString shown = text;
    shown.replace(QLatin1Char(' '), QChar(0x00B7));
    shown.replace(QLatin1Char('\n'), QChar(0x21B5));
    shown.replace(QLatin1Char('\t'), QChar(0x2192));
    return shown.isEmpty() ? QStringLiteral("∅") : shown;
}

ProbabilityTip::ProbabilityTip(QWidget* parent) : QWidget(parent, Qt::ToolTip) {
    setAttribute(Qt::WA_ShowWithoutActivating);
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setAttribute(Qt::WA_TranslucentBackground);  // outside its round corners
    setFocusPolicy(Qt::NoFocus);
}

void ProbabilityTip::showToken(int number, const ChatToken& token, const QPoint& at) {
    const QString chosen = QString::fromUtf8(token.bytes);
    const double share = std::exp(token.logprob);
    m_title = tr("Token %1").arg(number);
    m_share = QStringLiteral("p %1").arg(QLocale().toString(share, 'f', 2));
    m_rows.clear();
    bool isListed = false;
    for (const ChatToken::Alternative& other : token.top) {
        if (m_rows.size() == kMostRows) break;
        const bool same = !isListed && other.text == chosen;
        isListed |= same;
        m_rows.push_back({visibleToken(other.text), std::exp(other.logprob), same});
    }
    if (!isListed) m_rows.insert(m_rows.begin(), {visibleToken(chosen), share, true});
    double rest = 1;
    for (const Row& row : m_rows) rest -= row.share;
    if (rest >= kLeastOther) m_rows.push_back({tr("other"), rest, false});
    QStringList spoken{m_title};
    for (const Row& row : m_rows) spoken << row.text + QLatin1Char(' ') + percent(row.share);
    setAccessibleName(spoken.join(QStringLiteral(", ")));
    resize(sizeHint());
    QPoint corner = at + QPoint(8, 16);
    QRect room = parentWidget()->window()->frameGeometry();  // which may reach over the edge of its screen
    if (const QScreen* place = screen()) room |= place->availableGeometry();
    corner.setX(qMin(corner.x(), room.right() - width()));
    if (corner.y() + height() > room.bottom()) corner.setY(at.y() - height() - 8);
    move(corner);
    show();
    update();
}

QSize ProbabilityTip::sizeHint() const {
    return {scaled(kTipWidth), scaled(kTipTitle) + scaled(kTipRow) * int(m_rows.size()) + 8};
}

void ProbabilityTip::paintEvent(QPaintEvent*) {
    const ThemeColors& c = colorsOf(palette());
    const int title = scaled(kTipTitle), high = scaled(kTipRow), barLeft = scaled(kBarLeft);
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(c.tooltip));
    painter.drawRoundedRect(rect(), kTipRadius, kTipRadius);
    painter.setPen(QColor(c.tooltipText));
    painter.setFont(uiFont(text_size::kCaption, QFont::DemiBold));
    painter.drawText(QRect(kTipSide, 0, width() - 2 * kTipSide, title), Qt::AlignVCenter | Qt::AlignLeft, m_title);
    painter.setFont(uiFont(text_size::kCaption));
    painter.drawText(QRect(kTipSide, 0, width() - 2 * kTipSide, title), Qt::AlignVCenter | Qt::AlignRight, m_share);
    int y = title;
    for (const Row& row : m_rows) {
        painter.setFont(uiFont(text_size::kCaption, row.chosen ? QFont::DemiBold : QFont::Normal));
        const QString text = painter.fontMetrics().elidedText(row.text, Qt::ElideRight, barLeft - kTipSide - 6);
        painter.drawText(QRect(kTipSide, y, barLeft - kTipSide, high), Qt::AlignVCenter | Qt::AlignLeft, text);
        QColor bar(c.tooltipText);
        bar.setAlphaF(row.chosen ? 1.0F : 0.5F);
        painter.fillRect(QRectF(barLeft, y + high / 2.0 - 2, qMax(1.0, scaled(kBarWidth) * row.share), 4), bar);
        painter.drawText(QRect(0, y, width() - kTipSide, high), Qt::AlignVCenter | Qt::AlignRight, percent(row.share));
        y += high;
    }
}

}  // namespace espalier::ui
