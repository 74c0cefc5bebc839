// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/markdown_view.h"

#include <QElapsedTimer>
#include <QEvent>
#include <QTextCursor>

#include "ui/widgets/markdown_format.h"

namespace espalier::ui {
namespace {

constexpr qint64 kMostMs = 6;  // of one piece

}  // namespace

MarkdownView::MarkdownView(const QString& accessibleName, QWidget* parent) : QTextBrowser(parent) {
    setFrameShape(QFrame::NoFrame);
    setAccessibleName(accessibleName);
    setOpenLinks(false);
    setUndoRedoEnabled(false);
    setFont(uiFont(text_size::kBody));
    setTabChangesFocus(true);
    document()->setDocumentMargin(12);
    m_more.setInterval(0);
    connect(&m_more, &QTimer::timeout, this, &MarkdownView::addSome);
}

void MarkdownView::showMarkdown(const QString& text) {
    m_text = text.mid(frontMatterEnd(text));
    m_blocks = parseMarkdown(m_text);
    restart();
}

void MarkdownView::restart() {
    document()->clear();
    m_next = 0;
    addSome();
    m_more.start();
}

void MarkdownView::addSome() {
    QElapsedTimer clock;
    clock.start();
    const ThemeColors& c = colorsOf(palette());
    QTextCursor cursor(document());
    cursor.movePosition(QTextCursor::End);
    cursor.beginEditBlock();
    for (; m_next < m_blocks.size() && clock.elapsed() < kMostMs; ++m_next) {
        const MarkdownBlock& block = m_blocks[m_next];
        const QTextCharFormat plain = blockTextFormat(block, c);
        if (m_next == 0)
            cursor.setBlockFormat(blockFormatOf(block, c));
        else
            cursor.insertBlock(blockFormatOf(block, c), plain);
        if (block.kind == MarkdownBlock::Rule) cursor.insertText(QString(12, QChar(0x2500)), plain);
        if (block.kind == MarkdownBlock::ListItem) cursor.insertText(block.mark + QLatin1Char(' '), plain);
        for (const MarkdownSpan& span : block.spans)
            cursor.insertText(documentText(m_text.mid(span.begin, span.end - span.begin), span.code),
                              spanFormat(span, plain, c));
    }
    cursor.endEditBlock();
    if (m_next == m_blocks.size()) m_more.stop();
}

QVariant MarkdownView::loadResource(int, const QUrl&) {
    return {};
}

void MarkdownView::changeEvent(QEvent* event) {
    QTextBrowser::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !m_blocks.empty()) restart();
}

qsizetype frontMatterEnd(const QString& text) {
    if (!text.startsWith(QLatin1String("---\n")) && !text.startsWith(QLatin1String("---\r\n"))) return 0;
    const qsizetype close = text.indexOf(QLatin1String("\n---"), 3);
    if (close < 0) return 0;
    const qsizetype line = text.indexOf(QLatin1Char('\n'), close + 1);
    return line < 0 ? text.size() : line + 1;
}

}  // namespace espalier::ui
