// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/token_strip.h"

#include <QHelpEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QStringDecoder>
#include <QToolTip>
#include <algorithm>
#include <array>

#include "ui/shell/theme.h"
#include "ui/widgets/probability_tip.h"

namespace espalier::ui {
namespace {

constexpr int kCellHeight = 34, kTokenGap = 2, kRowGap = 4;
constexpr std::size_t kMostCells = 4000;  // a page of text; more is not read anyway

// Byte-level vocabularies spell bytes in letters of their own (GPT-2's byte alphabet: printable bytes as themselves,
// the others from U+0100 on). A token that is such a spelling of whole characters is shown as those characters.
QString fromByteAlphabet(const QString& token) {
    const auto spelled = [](QChar c) { return c.unicode() >= 0x100 && c.unicode() < 0x144; };
    if (std::none_of(token.begin(), token.end(), spelled)) return token;
    static const std::array<char16_t, 256> alphabet = [] {
        std::array<char16_t, 256> made{};
        char16_t next = 0x100;
        for (int byte = 0; byte < 256; ++byte) {
            const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            made[std::size_t(byte)] = printable ? char16_t(byte) : next++;
        }
        return made;
    }();
    QByteArray bytes;
    for (const QChar c : token) {
        const auto at = std::find(alphabet.begin(), alphabet.end(), c.unicode());
        if (at == alphabet.end()) return token;
        bytes.append(char(at - alphabet.begin()));
    }
    QStringDecoder decode(QStringDecoder::Utf8);
    const QString text = decode(bytes);
    return decode.hasError() ? token : text;
}

}  // namespace

TokenStrip::TokenStrip(QWidget* parent) : QWidget(parent) {
    setFont(monoFont());
    setAccessibleName(tr("Tokens"));
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Minimum);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

void TokenStrip::setTokens(Tokenization tokens) {
    m_cells.clear();
    QStringList spoken;
    const QFontMetrics mono = fontMetrics();
    const QFontMetrics small(uiFont(text_size::kCaption));
    const std::size_t count = std::min({tokens.ids.size(), std::size_t(tokens.tokens.size()), kMostCells});
    for (std::size_t i = 0; i < count; ++i) {
        const QString& spelled = tokens.tokens[qsizetype(i)];
        const bool special = i < tokens.special.size() && tokens.special[i];
        Cell cell{special ? spelled : visibleToken(fromByteAlphabet(spelled)),
                  QString::number(tokens.ids[i]),
                  spelled,
                  special,
                  0,
                  {}};
        cell.width = qMax(mono.horizontalAdvance(cell.text), small.horizontalAdvance(cell.id)) + 10;
        spoken << (special ? tr("%1 %2, special") : QStringLiteral("%1 %2")).arg(cell.text, cell.id);
        m_cells.push_back(std::move(cell));
    }
    setAccessibleDescription(spoken.join(QStringLiteral(", ")));
    setMinimumHeight(layOut(width(), &m_cells));
    updateGeometry();
    update();
}

int TokenStrip::layOut(int width, std::vector<Cell>* cells) const {
    int x = 0, y = 0;
    for (std::size_t i = 0; i < m_cells.size(); ++i) {
        const int wide = m_cells[i].width;
        if (x > 0 && x + wide > width) {
            x = 0;
            y += scaled(kCellHeight) + kRowGap;
        }
        if (cells) (*cells)[i].rect = QRect(x, y, wide, scaled(kCellHeight));
        x += wide + kTokenGap;
    }
    return m_cells.empty() ? 0 : y + scaled(kCellHeight);
}

int TokenStrip::heightForWidth(int width) const {
    return layOut(width, nullptr);
}

QSize TokenStrip::sizeHint() const {
    return QSize(400, heightForWidth(qMax(width(), 200)));
}

void TokenStrip::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    setMinimumHeight(layOut(width(), &m_cells));
}

bool TokenStrip::event(QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    for (const Cell& cell : m_cells) {
        if (!cell.rect.contains(help->pos())) continue;
        const QByteArray bytes = fromByteAlphabet(cell.spelled).toUtf8();
        QString tip = tr("Id %1\nSpelled %2\nBytes %3")
                          .arg(cell.id, cell.spelled.left(200), QString::fromLatin1(bytes.left(32).toHex(' ')));
        if (cell.special) tip += QLatin1Char('\n') + tr("Special token");
        QToolTip::showText(help->globalPos(), tip, this, cell.rect);
        return true;
    }
    QToolTip::hideText();
    return true;
}

void TokenStrip::paintEvent(QPaintEvent* event) {
    const ThemeColors& c = colorsOf(palette());
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QFont small = uiFont(text_size::kCaption);
    for (std::size_t i = 0; i < m_cells.size(); ++i) {
        const Cell& cell = m_cells[i];
        if (!cell.rect.intersects(event->rect())) continue;
        painter.setPen(cell.special ? QPen(QColor(c.warn)) : QPen(Qt::NoPen));
        painter.setBrush(QColor(cell.special ? c.warnGround : i % 2 == 0 ? c.selection : c.hover));
        painter.drawRoundedRect(QRectF(cell.rect).adjusted(0.5, 0.5, -0.5, -0.5), 2, 2);
        painter.setPen(QColor(c.text));
        painter.setFont(font());
        painter.drawText(cell.rect.adjusted(0, 2, 0, -17), Qt::AlignCenter, cell.text);
        painter.setPen(QColor(c.secondary));
        painter.setFont(small);
        painter.drawText(cell.rect.adjusted(0, 17, 0, -1), Qt::AlignCenter, cell.id);
    }
}

}  // namespace espalier::ui
