// SPDX-License-Identifier: GPL-3.0-or-later
// The Markdown that models write, as blocks of spans over the source text: paragraphs, headings, fenced code, lists,
// quotes, tables, rules; inside them bold, italic, code and links. A span shows a stretch of the source as it stands,
// so what is on the screen can be traced back to the tokens it came from. HTML is text, pictures are their names.
//
// A subset of CommonMark chosen for text that arrives piece by piece: what is not closed yet is plain text. A line that
// begins nothing of its own goes on with the paragraph or the list item before it; what indents it is left out.
// Plain values and pure functions. Thread: any.
#pragma once

#include <QString>
#include <vector>

namespace espalier::ui {

struct MarkdownSpan {
    qsizetype begin = 0, end = 0;  // of the source
    bool bold = false, italic = false, code = false;
    QString link;  // empty: none

    bool operator==(const MarkdownSpan&) const = default;
};

struct MarkdownBlock {
    enum Kind { Paragraph, Heading, Code, ListItem, Quote, Table, Rule };
    Kind kind = Paragraph;
    int level = 0;                 // heading 1 to 6; indent of a list item
    QString mark;                  // of a list item: a dot or its number; of code: its language
    qsizetype begin = 0, end = 0;  // of the source, all of it
    std::vector<MarkdownSpan> spans;

    bool operator==(const MarkdownBlock&) const = default;
};

// O(size). Any text gives blocks; each ends where the next begins or before, in ascending order.
std::vector<MarkdownBlock> parseMarkdown(const QString& source);

}  // namespace espalier::ui
