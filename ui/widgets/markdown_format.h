// SPDX-License-Identifier: GPL-3.0-or-later
// How blocks and spans of ui/models/markdown.h look in a text document: margins, fonts, colours of the theme.
//
// Thread: Qt. Pure.
#pragma once

#include <QTextBlockFormat>
#include <QTextCharFormat>

#include "ui/models/markdown.h"
#include "ui/shell/theme.h"

namespace espalier::ui {

QTextCharFormat bodyFormat(const ThemeColors& colors);
QTextBlockFormat blockFormatOf(const MarkdownBlock& block, const ThemeColors& colors);
QTextCharFormat blockTextFormat(const MarkdownBlock& block, const ThemeColors& colors);
QTextCharFormat spanFormat(const MarkdownSpan& span, const QTextCharFormat& plain, const ThemeColors& colors);
QTextCharFormat linkFormat(const ThemeColors& colors, const QString& target, int size);

// A stretch of the source as a document takes it, one character for one: line breaks are lines in code, else spaces.
QString documentText(QString source, bool isCode);

}  // namespace espalier::ui
