// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/markdown_format.h"

namespace espalier::ui {
namespace {

constexpr int kTextLine = 20, kCodeLine = 16, kIndent = 18;

}  // namespace

QTextCharFormat bodyFormat(const ThemeColors& c) {
    QTextCharFormat format;
    format.setForeground(QColor(c.text));
    format.setFont(uiFont(text_size::kBody));
    return format;
}

QTextBlockFormat blockFormatOf(const MarkdownBlock& block, const ThemeColors& c) {
    QTextBlockFormat format;
    format.setLineHeight(kTextLine, QTextBlockFormat::MinimumHeight);
    format.setTopMargin(block.kind == MarkdownBlock::Table || block.kind == MarkdownBlock::Quote ? 0 : 4);
    format.setBottomMargin(2);
    switch (block.kind) {
        case MarkdownBlock::Heading:
            format.setTopMargin(10);
            format.setHeadingLevel(block.level);
            break;
        case MarkdownBlock::ListItem: {
            // What follows the mark and the lines below it begin at one place.
            const QFontMetricsF metrics(uiFont(text_size::kBody));
            const double mark = metrics.horizontalAdvance(block.mark + QLatin1Char(' '));
            format.setLeftMargin(kIndent * block.level + qMax<double>(kIndent, mark));
            format.setTextIndent(-mark);
            break;
        }
        case MarkdownBlock::Quote:
            format.setLeftMargin(kIndent);
            break;
        case MarkdownBlock::Code:
            format.setBackground(QColor(c.alternateBase));
            format.setLeftMargin(8);
            format.setRightMargin(8);
            format.setLineHeight(kCodeLine, QTextBlockFormat::MinimumHeight);
            break;
        default:
            break;
    }
    return format;
}

QTextCharFormat blockTextFormat(const MarkdownBlock& block, const ThemeColors& c) {
    QTextCharFormat format = bodyFormat(c);
    if (block.kind == MarkdownBlock::Heading)
        format.setFont(uiFont(block.level <= 2 ? text_size::kTitle : text_size::kBody, QFont::DemiBold));
    if (block.kind == MarkdownBlock::Quote) format.setForeground(QColor(c.secondary));
    return format;
}

QTextCharFormat spanFormat(const MarkdownSpan& span, const QTextCharFormat& plain, const ThemeColors& c) {
    QTextCharFormat format = plain;
    if (span.code) format.setFont(monoFont(text_size::kTable));
    if (span.bold) format.setFontWeight(QFont::DemiBold);
    if (span.italic) format.setFontItalic(true);
    if (span.link.isEmpty()) return format;
    format.setForeground(QColor(c.accentText));
    format.setFontUnderline(true);
    format.setAnchor(true);
    format.setAnchorHref(span.link);
    format.setToolTip(span.link.toHtmlEscaped());
    return format;
}

QTextCharFormat linkFormat(const ThemeColors& c, const QString& target, int size) {
    QTextCharFormat format;
    format.setFont(uiFont(size));
    format.setForeground(QColor(c.accentText));
    format.setAnchor(true);
    format.setAnchorHref(target);
    return format;
}

QString documentText(QString source, bool isCode) {
    source.replace(QLatin1Char('\n'), isCode ? QChar(QChar::LineSeparator) : QChar(QLatin1Char(' ')));
    source.replace(QLatin1Char('\r'), QLatin1Char(' '));
    source.replace(QChar(QChar::ParagraphSeparator), QChar(QChar::LineSeparator));
    source.replace(QChar(QChar::ObjectReplacementCharacter), QChar(QChar::ReplacementCharacter));
    return source;
}

}  // namespace espalier::ui
