// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/answer_view.h"

#include <QAbstractTextDocumentLayout>
#include <QClipboard>
#include <QDesktopServices>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QScrollBar>
#include <QTextBlock>
#include <QUrl>
#include <algorithm>
#include <cmath>

#include "ui/models/format.h"
#include "ui/widgets/markdown_format.h"
#include "ui/widgets/probability_tip.h"

namespace espalier::ui {
namespace {

constexpr double kCertain = 0.80, kLikely = 0.50, kUnlikely = 0.25;
constexpr int kAnswerLine = 20;
constexpr int kSecondLine = 2;  // below the first

// A token that was not certain is underlined, the more the less it was.
void mark(QTextCharFormat& format, double probability, const ThemeColors& c) {
    if (probability >= kCertain) return;
    if (probability < kUnlikely) {
        format.setProperty(AnswerView::kUnlikelyProperty, true);
        format.setBackground(QColor(c.warnGround));
        return;
    }
    format.setUnderlineColor(QColor(c.series[1]));
    format.setUnderlineStyle(probability < kLikely ? QTextCharFormat::DotLine : QTextCharFormat::SingleUnderline);
}

}  // namespace

AnswerView::AnswerView(QWidget* parent) : QTextBrowser(parent), m_tip(new ProbabilityTip(this)) {
    setFrameShape(QFrame::NoFrame);
    setFont(uiFont(text_size::kBody));
    setAccessibleName(tr("Conversation"));
    setOpenLinks(false);
    setUndoRedoEnabled(false);
    setTabChangesFocus(false);
    setTextInteractionFlags(Qt::TextBrowserInteraction | Qt::TextSelectableByKeyboard);
    setMouseTracking(true);
    viewport()->setMouseTracking(true);
    document()->setDocumentMargin(12);
    connect(this, &QTextBrowser::anchorClicked, this, &AnswerView::follow);
}

QVariant AnswerView::loadResource(int, const QUrl&) {
    return {};
}

void AnswerView::showTurns(const std::vector<Turn>& turns, const QString& model) {
    const auto isShown = [](const Turn& a, const Turn& b) {
        return a.number == b.number && a.isAnswered && b.isAnswered && a.question == b.question && a.answer == b.answer;
    };
    const bool goesOn = m_difference.empty() && m_model == model && !m_turns.empty() &&
                        m_turns.size() <= turns.size() &&
                        std::equal(m_turns.begin(), m_turns.end(), turns.begin(), isShown);
    const std::size_t shown = goesOn ? m_turns.size() : 0;
    m_turns = turns;
    m_model = model;
    m_difference.clear();
    if (!goesOn) {
        redraw();
        return;
    }
    for (std::size_t i = shown; i < m_turns.size(); ++i) addTurn(m_turns[i], i + 1 == m_turns.size());
    if (shown < m_turns.size()) verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void AnswerView::settle(const std::vector<Turn>& turns) {
    m_turns = turns;
}

void AnswerView::showDifference(const std::vector<DiffPiece>& pieces) {
    m_difference = pieces;
    redraw();
}

void AnswerView::setProbabilities(bool shown) {
    if (m_showsProbabilities == shown) return;
    m_showsProbabilities = shown;
    hideTip();
    redrawKeepingGrowth();
}

void AnswerView::redrawKeepingGrowth() {
    const bool grows = !m_answers.empty() && !m_turns.back().isAnswered;
    const QString text = grows ? m_answers.back().text : QString();
    const auto tokens = grows ? m_answers.back().tokens : nullptr;
    redraw();
    if (!text.isEmpty()) grow(text, tokens);
}

void AnswerView::redraw() {
    hideTip();
    setUpdatesEnabled(false);
    document()->clear();
    m_answers.clear();
    m_codes.clear();
    for (const Turn& turn : m_turns) addTurn(turn, &turn == &m_turns.back());
    setUpdatesEnabled(true);
    verticalScrollBar()->setValue(verticalScrollBar()->maximum());
}

void AnswerView::addTurn(const Turn& turn, bool isLast) {
    addHead(tr("You"), turn.number);
    addPlain(turn.question);
    addHead(m_model, -1);
    Answer& answer = m_answers.emplace_back();
    if (!turn.isAnswered) return;
    answer.tokens = turn.tokens;
    if (isLast && !m_difference.empty())
        addDifference();
    else
        render(answer, turn.answer);
}

void AnswerView::addDifference() {
    const ThemeColors& c = colorsOf(palette());
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    cursor.insertBlock(blockFormatOf({}, c), bodyFormat(c));
    for (const DiffPiece& piece : m_difference) {
        QTextCharFormat format = bodyFormat(c);
        if (piece.kind == DiffPiece::Added) format.setBackground(QColor(c.selection));
        if (piece.kind == DiffPiece::Removed) {
            format.setForeground(QColor(c.error));
            format.setFontStrikeOut(true);
        }
        cursor.insertText(QString(piece.text).replace(QLatin1Char('\n'), QChar::LineSeparator), format);
    }
}

void AnswerView::addHead(const QString& who, int editTurn) {
    const ThemeColors& c = colorsOf(palette());
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    QTextBlockFormat head;
    const bool first = document()->isEmpty();
    head.setTopMargin(first ? 0 : 12);
    QTextCharFormat quiet;
    quiet.setForeground(QColor(c.secondary));
    quiet.setFont(uiFont(text_size::kCaption, QFont::Medium));
    if (first)
        cursor.setBlockFormat(head);
    else
        cursor.insertBlock(head, quiet);
    cursor.insertText(who, quiet);
    if (editTurn < 0) return;
    cursor.insertText(QStringLiteral("   "), quiet);
    cursor.insertText(tr("Edit"), linkFormat(c, QStringLiteral("espalier:edit/%1").arg(editTurn), text_size::kCaption));
}

void AnswerView::addPlain(const QString& text) {
    const ThemeColors& c = colorsOf(palette());
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    QTextBlockFormat body;
    body.setTopMargin(2);
    body.setLineHeight(kAnswerLine, QTextBlockFormat::MinimumHeight);
    cursor.insertBlock(body, bodyFormat(c));
    cursor.insertText(QString(text).replace(QLatin1Char('\n'), QChar::LineSeparator), bodyFormat(c));
}

void AnswerView::grow(const QString& text, std::shared_ptr<const TokenAlignment> tokens) {
    if (m_answers.empty()) return;
    Answer& answer = m_answers.back();
    answer.tokens = std::move(tokens);
    // The view follows the text unless its reader has scrolled away.
    QScrollBar* bar = verticalScrollBar();
    const bool follows = bar->value() >= bar->maximum() - 4;
    render(answer, text);
    if (follows) bar->setValue(bar->maximum());
}

void AnswerView::render(Answer& answer, const QString& text) {
    const std::vector<MarkdownBlock> blocks = parseMarkdown(text);
    std::size_t same = 0;
    // The block the text ended in may have changed its tokens' marks, so it is never taken as the same.
    const std::size_t settled = answer.blocks.empty() ? 0 : answer.blocks.size() - 1;
    while (same < settled && same < blocks.size() && answer.blocks[same].block == blocks[same]) ++same;
    if (same < answer.blocks.size()) {
        QTextCursor cursor(document());
        cursor.setPosition(answer.blocks[same].position);
        cursor.movePosition(QTextCursor::End, QTextCursor::KeepAnchor);
        cursor.removeSelectedText();
        answer.runs.resize(answer.blocks[same].firstRun);
        m_codes.resize(answer.blocks[same].firstCode);
        answer.blocks.resize(same);
    }
    answer.text = text;
    for (std::size_t i = same; i < blocks.size(); ++i) addBlock(answer, blocks[i]);
}

void AnswerView::addBlock(Answer& answer, const MarkdownBlock& block) {
    const ThemeColors& c = colorsOf(palette());
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    answer.blocks.push_back({block, cursor.position(), answer.runs.size(), m_codes.size()});
    const QTextCharFormat plain = blockTextFormat(block, c);
    const QTextBlockFormat format = blockFormatOf(block, c);
    if (block.kind == MarkdownBlock::Code) {
        QTextCharFormat quiet = plain;
        quiet.setFont(uiFont(text_size::kCaption));
        quiet.setForeground(QColor(c.secondary));
        cursor.insertBlock(format, quiet);
        cursor.insertText((block.mark.isEmpty() ? tr("code") : block.mark) + QStringLiteral("   "), quiet);
        const QString code = block.spans.empty()
                                 ? QString()
                                 : answer.text.mid(block.spans[0].begin, block.spans[0].end - block.spans[0].begin);
        m_codes.push_back(code);
        cursor.insertText(
            tr("Copy"), linkFormat(c, QStringLiteral("espalier:copy/%1").arg(m_codes.size() - 1), text_size::kCaption));
    }
    cursor.insertBlock(format, plain);
    if (block.kind == MarkdownBlock::Rule) cursor.insertText(QString(12, QChar(0x2500)), plain);
    if (block.kind == MarkdownBlock::ListItem) cursor.insertText(block.mark + QLatin1Char(' '), plain);
    for (const MarkdownSpan& span : block.spans) addSpan(answer, cursor, span, plain);
}

void AnswerView::addSpan(Answer& answer, QTextCursor& cursor, const MarkdownSpan& span, const QTextCharFormat& plain) {
    const ThemeColors& c = colorsOf(palette());
    const QTextCharFormat format = spanFormat(span, plain, c);
    if (!m_showsProbabilities || !answer.tokens || answer.tokens->places().empty()) {
        insertRun(answer, cursor, span.begin, span.end, format, span.code);
        return;
    }
    const auto& places = answer.tokens->places();
    auto place = std::upper_bound(places.begin(), places.end(), span.begin,
                                  [](qsizetype at, const TokenAlignment::Place& one) { return at < one.end; });
    qsizetype at = span.begin;
    for (; at < span.end && place != places.end(); ++place) {
        const qsizetype end = std::min(place->end, span.end);
        if (end <= at) continue;
        QTextCharFormat marked = format;
        mark(marked, std::exp(answer.tokens->tokens()[std::size_t(place - places.begin())].logprob), c);
        // The space that begins a token is none of its word.
        qsizetype word = at;
        while (word < end && answer.text[word].isSpace()) ++word;
        insertRun(answer, cursor, at, word, format, span.code);
        insertRun(answer, cursor, word, end, marked, span.code);
        at = end;
    }
    insertRun(answer, cursor, at, span.end, format, span.code);
}

void AnswerView::insertRun(Answer& answer, QTextCursor& cursor, qsizetype begin, qsizetype end,
                           const QTextCharFormat& format, bool isCode) {
    if (begin >= end) return;
    answer.runs.push_back({cursor.position(), begin, end - begin});
    cursor.insertText(documentText(answer.text.mid(begin, end - begin), isCode), format);
}

void AnswerView::follow(const QUrl& link) {
    const QString target = link.toString();
    if (target.startsWith(QLatin1String("espalier:edit/"))) {
        emit editRequested(target.section(QLatin1Char('/'), 1).toInt());
    } else if (target.startsWith(QLatin1String("espalier:copy/"))) {
        const auto index = target.section(QLatin1Char('/'), 1).toULongLong();
        if (index < m_codes.size()) QGuiApplication::clipboard()->setText(m_codes[index]);
    } else if (link.scheme() == QLatin1String("https") || link.scheme() == QLatin1String("http")) {
        QDesktopServices::openUrl(link);
    }
}

void AnswerView::hideTip() {
    m_tip->hide();
    if (m_framed.first != m_framed.second) viewport()->update();
    m_framed = {};
}

void AnswerView::showTipAt(int position, const QPoint& at) {
    hideTip();
    if (!m_showsProbabilities) return;
    for (const Answer& answer : m_answers) {
        const auto after = std::upper_bound(answer.runs.begin(), answer.runs.end(), position,
                                            [](int place, const Run& run) { return place < run.position; });
        if (after == answer.runs.begin()) continue;
        const Run& run = *(after - 1);
        if (!answer.tokens || position >= run.position + int(run.length)) continue;
        const int token = answer.tokens->tokenAt(run.source + position - run.position);
        if (token < 0) return;
        m_framed = {run.position, run.position + int(run.length)};
        viewport()->update();
        m_tip->showToken(token + 1, answer.tokens->tokens()[std::size_t(token)], at);
        return;
    }
}

void AnswerView::mouseMoveEvent(QMouseEvent* event) {
    QTextBrowser::mouseMoveEvent(event);
    if (event->buttons() != Qt::NoButton) return hideTip();
    // The place under the pointer, not the nearest gap between two characters.
    const QPoint point =
        event->position().toPoint() + QPoint(horizontalScrollBar()->value(), verticalScrollBar()->value());
    const int position = document()->documentLayout()->hitTest(point, Qt::ExactHit);
    if (position < 0) return hideTip();
    QTextCursor gap(document());
    gap.setPosition(position);
    const bool isBefore = position > 0 && cursorRect(gap).left() > event->position().x();
    showTipAt(isBefore ? position - 1 : position, event->globalPosition().toPoint());
}

void AnswerView::leaveEvent(QEvent* event) {
    QTextBrowser::leaveEvent(event);
    hideTip();
}

void AnswerView::keyReleaseEvent(QKeyEvent* event) {
    QTextBrowser::keyReleaseEvent(event);
    if (event->key() == Qt::Key_Escape) hideTip();
    if (event->key() < Qt::Key_Home || event->key() > Qt::Key_PageDown) return;
    const QTextCursor caret = textCursor();
    showTipAt(caret.position(), viewport()->mapToGlobal(cursorRect(caret).bottomLeft()));
}

// Where the characters from `from` up to `to` stand, line by line, in the viewport. Requires: they are of one block.
std::vector<QRectF> AnswerView::linesOf(int from, int to) const {
    const QTextBlock block = document()->findBlock(from);
    if (!block.isValid()) return {};
    const QPointF origin = document()->documentLayout()->blockBoundingRect(block).topLeft() -
                           QPointF(horizontalScrollBar()->value(), verticalScrollBar()->value());
    const int first = from - block.position(), last = to - block.position();
    std::vector<QRectF> rects;
    for (int i = 0; i < block.layout()->lineCount(); ++i) {
        const QTextLine line = block.layout()->lineAt(i);
        const int begin = std::max(first, line.textStart());
        const int end = std::min(last, line.textStart() + line.textLength());
        if (begin >= end) continue;
        const double left = line.cursorToX(begin), right = line.cursorToX(end);
        rects.emplace_back(origin.x() + left, origin.y() + line.y(), right - left, line.ascent());
    }
    return rects;
}

void AnswerView::paintUnlikely(QPainter& painter, const QRect& area) {
    painter.setPen(QColor(colorsOf(palette()).series[1]));
    for (QTextBlock block = cursorForPosition(area.topLeft()).block(); block.isValid(); block = block.next()) {
        const double top = document()->documentLayout()->blockBoundingRect(block).top();
        if (top - verticalScrollBar()->value() > area.bottom()) return;
        for (auto piece = block.begin(); !piece.atEnd(); ++piece) {
            if (!piece.fragment().charFormat().hasProperty(kUnlikelyProperty)) continue;
            const int from = piece.fragment().position();
            for (const QRectF& line : linesOf(from, from + piece.fragment().length()))
                for (const int below : {kSecondLine, 2 * kSecondLine}) {
                    const double y = std::round(line.bottom()) + below - 0.5;
                    painter.drawLine(QPointF(line.left(), y), QPointF(line.right() - 1, y));
                }
        }
    }
}

void AnswerView::paintEvent(QPaintEvent* event) {
    QTextBrowser::paintEvent(event);
    QPainter painter(viewport());
    if (m_showsProbabilities) paintUnlikely(painter, event->rect());
    if (m_framed.first == m_framed.second || !m_tip->isVisible()) return;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QColor(colorsOf(palette()).text));
    for (const QRectF& line : linesOf(m_framed.first, m_framed.second))
        painter.drawRoundedRect(line.toAlignedRect().toRectF().adjusted(-2.5, 0.5, 2.5, 5.5), 4, 4);
}

void AnswerView::changeEvent(QEvent* event) {
    QTextBrowser::changeEvent(event);
    if (event->type() != QEvent::PaletteChange || m_turns.empty() || m_answers.empty()) return;
    redrawKeepingGrowth();
}

}  // namespace espalier::ui
