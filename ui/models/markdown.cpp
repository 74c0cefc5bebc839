// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/markdown.h"

#include <QHash>
#include <optional>

namespace espalier::ui {
namespace {

constexpr qsizetype kMostInline = 20'000;  // a longer paragraph is shown as it stands

// The spans of one line or paragraph: one pass, closing marks looked for at most once per opening one.
class InlineParser {
public:
    InlineParser(const QString& source, qsizetype begin, qsizetype end, std::vector<MarkdownSpan>& spans)
        : m_source(source), m_begin(begin), m_end(end), m_spans(spans) {}

    void parse() { parse(m_begin, m_end, {}); }

private:
    // A line break is shown as one blank: what indents the next line, and the first half of "\r\n", is in no span.
    void emitSpan(qsizetype begin, qsizetype end, const MarkdownSpan& style) {
        qsizetype from = begin;
        for (qsizetype at = begin; at < end; ++at) {
            if (m_source[at] == QLatin1Char('\r') && at + 1 < end && m_source[at + 1] == QLatin1Char('\n')) {
                push(from, at, style);
                from = at + 1;
            }
            if (m_source[at] != QLatin1Char('\n')) continue;
            qsizetype next = at + 1;
            while (next < end && (m_source[next] == QLatin1Char(' ') || m_source[next] == QLatin1Char('\t'))) ++next;
            if (next == at + 1) continue;
            push(from, at + 1, style);
            from = next;
            at = next - 1;
        }
        push(from, end, style);
    }
    void push(qsizetype begin, qsizetype end, MarkdownSpan style) {
        if (begin >= end) return;
        style.begin = begin;
        style.end = end;
        m_spans.push_back(style);
    }
    qsizetype find(QStringView mark, qsizetype from, qsizetype end) const {
        const qsizetype at = QStringView(m_source).first(end).indexOf(mark, from);
        return at;
    }
    // What was looked for in vain up to `end` is not there for a later opening either.
    bool isHopeless(QChar mark, qsizetype width, qsizetype end) const {
        return m_hopeless.value(mark.unicode() * 4 + int(width), -1) >= end;
    }
    qsizetype giveUp(QChar mark, qsizetype width, qsizetype end) {
        m_hopeless.insert(mark.unicode() * 4 + int(width), end);
        return -1;
    }
    bool isWordAt(qsizetype at) const {
        return at >= m_begin && at < m_end && (m_source[at].isLetterOrNumber() || m_source[at] == QLatin1Char('_'));
    }

    void parse(qsizetype from, qsizetype end, const MarkdownSpan& style) {
        qsizetype plain = from;
        for (qsizetype at = from; at < end;) {
            const qsizetype after = at < m_plainUntil ? -1 : special(at, end, style, plain);
            if (after < 0) {
                ++at;
                continue;
            }
            at = plain = after;
        }
        emitSpan(plain, end, style);
    }

    // Handles a mark at `at`: emits the plain text before it and what it encloses; where to go on, -1: not a mark.
    qsizetype special(qsizetype at, qsizetype end, const MarkdownSpan& style, qsizetype plain) {
        const QChar c = m_source[at];
        if (c == QLatin1Char('\\') && at + 1 < end && m_source[at + 1].isPunct()) {
            emitSpan(plain, at, style);
            emitSpan(at + 1, at + 2, style);
            return at + 2;
        }
        if (c == QLatin1Char('`')) return codeSpan(at, end, style, plain);
        if (c == QLatin1Char('*') || c == QLatin1Char('_')) return emphasis(at, end, style, plain);
        if (c == QLatin1Char('[') || (c == QLatin1Char('!') && at + 1 < end && m_source[at + 1] == QLatin1Char('[')))
            return link(at, end, style, plain);
        return -1;
    }

    qsizetype codeSpan(qsizetype at, qsizetype end, MarkdownSpan style, qsizetype plain) {
        qsizetype ticks = 1;
        while (at + ticks < end && m_source[at + ticks] == QLatin1Char('`')) ++ticks;
        const qsizetype close = find(QString(ticks, QLatin1Char('`')), at + ticks, end);
        if (close < 0) {
            m_plainUntil = at + ticks;  // the whole run is text
            return -1;
        }
        emitSpan(plain, at, style);
        style.code = true;
        emitSpan(at + ticks, close, style);
        return close + ticks;
    }

    qsizetype emphasis(qsizetype at, qsizetype end, MarkdownSpan style, qsizetype plain) {
        const QChar c = m_source[at];
        const bool twice = at + 1 < end && m_source[at + 1] == c;
        const qsizetype width = twice ? 2 : 1;
        if ((twice ? style.bold : style.italic) || isHopeless(c, width, end)) return -1;
        if (at + width >= end || m_source[at + width].isSpace()) return -1;
        if (c == QLatin1Char('_') && isWordAt(at - 1)) return -1;  // snake_case is no emphasis
        const QString mark(width, c);
        qsizetype close = at + width;
        while ((close = find(mark, close + 1, end)) >= 0) {
            const bool opens = m_source[close - 1].isSpace();
            const bool insideWord = c == QLatin1Char('_') && isWordAt(close + width);
            const bool partOfDouble = !twice && close + 1 < end && m_source[close + 1] == c;
            if (partOfDouble) ++close;
            if (!opens && !insideWord && !partOfDouble) break;
        }
        if (close < 0) return giveUp(c, width, end);
        emitSpan(plain, at, style);
        (twice ? style.bold : style.italic) = true;
        parse(at + width, close, style);
        return close + width;
    }

    qsizetype link(qsizetype at, qsizetype end, MarkdownSpan style, qsizetype plain) {
        const bool isPicture = m_source[at] == QLatin1Char('!');
        const qsizetype open = at + (isPicture ? 1 : 0);
        if (!style.link.isEmpty() || isHopeless(QLatin1Char('['), 1, end)) return -1;
        const qsizetype close = find(u"](", open + 1, end);
        if (close < 0) return giveUp(QLatin1Char('['), 1, end);
        if (QStringView(m_source).sliced(open + 1, close - open - 1).contains(QLatin1Char('\n'))) return -1;
        const qsizetype last = find(u")", close + 2, end);
        if (last < 0) return giveUp(QLatin1Char('['), 1, end);
        emitSpan(plain, at, style);
        style.link = m_source.mid(close + 2, last - close - 2).section(QLatin1Char(' '), 0, 0);
        if (style.link.isEmpty()) style.link = QStringLiteral("#");
        parse(open + 1, close, style);
        return last + 1;
    }

    const QString& m_source;
    const qsizetype m_begin, m_end;
    std::vector<MarkdownSpan>& m_spans;
    QHash<int, qsizetype> m_hopeless;
    qsizetype m_plainUntil = 0;
};

struct SourceLine {
    qsizetype begin, end;  // without the line break
    qsizetype next;        // where the next line begins
    qsizetype text;        // first character that is no space
};

class BlockParser {
public:
    explicit BlockParser(const QString& source) : m_source(source) {}

    std::vector<MarkdownBlock> parse() {
        qsizetype at = 0;
        while (at < m_source.size()) at = block(lineAt(at));
        closeParagraph();
        return std::move(m_blocks);
    }

private:
    SourceLine lineAt(qsizetype at) const {
        qsizetype end = m_source.indexOf(QLatin1Char('\n'), at);
        const qsizetype next = end < 0 ? m_source.size() : end + 1;
        if (end < 0) end = m_source.size();
        if (end > at && m_source[end - 1] == QLatin1Char('\r')) --end;
        qsizetype text = at;
        while (text < end && (m_source[text] == QLatin1Char(' ') || m_source[text] == QLatin1Char('\t'))) ++text;
        return {at, end, next, text};
    }
    bool startsWith(const SourceLine& line, QStringView mark) const {
        return QStringView(m_source).mid(line.text, line.end - line.text).startsWith(mark);
    }

    // Takes the block or the line of a paragraph that begins here; where to go on.
    qsizetype block(const SourceLine& line) {
        if (line.text == line.end) {
            closeParagraph();
            return line.next;
        }
        if (startsWith(line, u"```") || startsWith(line, u"~~~")) return code(line);
        if (heading(line) || rule(line) || listItem(line) || quoteOrTable(line)) return line.next;
        if (!m_open) m_open = Open{MarkdownBlock::Paragraph, 0, {}, line.text, line.text, line.end};
        m_open->end = line.end;
        return line.next;
    }

    void closeParagraph() {
        if (m_open) add(m_open->kind, m_open->level, m_open->mark, m_open->begin, m_open->text, m_open->end);
        m_open.reset();
    }

    void add(MarkdownBlock::Kind kind, int level, const QString& mark, qsizetype begin, qsizetype text, qsizetype end) {
        MarkdownBlock made{kind, level, mark, begin, end, {}};
        if (kind == MarkdownBlock::Table || end - text > kMostInline)
            made.spans.push_back({text, end, false, false, kind == MarkdownBlock::Table, {}});
        else
            InlineParser(m_source, text, end, made.spans).parse();
        m_blocks.push_back(std::move(made));
    }

    qsizetype code(const SourceLine& open) {
        closeParagraph();
        const QString fence = m_source.mid(open.text, 3);
        MarkdownBlock made{
            MarkdownBlock::Code, 0,        m_source.mid(open.text + 3, open.end - open.text - 3).trimmed(),
            open.begin,          open.end, {}};
        qsizetype at = open.next, textEnd = open.next;
        while (at < m_source.size()) {
            const SourceLine line = lineAt(at);
            at = line.next;
            made.end = line.end;
            if (startsWith(line, fence)) break;
            textEnd = line.end;
        }
        if (textEnd > open.next) made.spans.push_back({open.next, textEnd, false, false, true, {}});
        m_blocks.push_back(std::move(made));
        return at;
    }

    bool heading(const SourceLine& line) {
        int level = 0;
        while (line.text + level < line.end && m_source[line.text + level] == QLatin1Char('#')) ++level;
        if (level == 0 || level > 6 || line.text + level >= line.end || !m_source[line.text + level].isSpace())
            return false;
        closeParagraph();
        qsizetype text = line.text + level;
        while (text < line.end && m_source[text].isSpace()) ++text;
        add(MarkdownBlock::Heading, level, {}, line.begin, text, line.end);
        return true;
    }

    bool rule(const SourceLine& line) {
        const QString text = m_source.mid(line.text, line.end - line.text).remove(QLatin1Char(' '));
        if (text.size() < 3 ||
            (text[0] != QLatin1Char('-') && text[0] != QLatin1Char('*') && text[0] != QLatin1Char('_')))
            return false;
        if (text.count(text[0]) != text.size()) return false;
        closeParagraph();
        m_blocks.push_back({MarkdownBlock::Rule, 0, {}, line.begin, line.end, {}});
        return true;
    }

    bool listItem(const SourceLine& line) {
        qsizetype at = line.text;
        const QChar first = m_source[at];
        QString mark = QStringLiteral("•");
        if (first == QLatin1Char('-') || first == QLatin1Char('*') || first == QLatin1Char('+')) {
            ++at;
        } else {
            while (at < line.end && m_source[at].isDigit() && at - line.text < 9) ++at;
            const bool numbered = at > line.text && at < line.end &&
                                  (m_source[at] == QLatin1Char('.') || m_source[at] == QLatin1Char(')'));
            if (!numbered) return false;
            ++at;
            mark = m_source.mid(line.text, at - line.text);
        }
        if (at >= line.end || m_source[at] != QLatin1Char(' ')) return false;
        closeParagraph();
        while (at < line.end && m_source[at] == QLatin1Char(' ')) ++at;
        m_open = Open{MarkdownBlock::ListItem,
                      int(qMin<qsizetype>((line.text - line.begin) / 2, 6)),
                      mark,
                      line.begin,
                      at,
                      line.end};
        return true;
    }

    bool quoteOrTable(const SourceLine& line) {
        const QChar first = m_source[line.text];
        if (first == QLatin1Char('>')) {
            closeParagraph();
            qsizetype text = line.text + 1;
            if (text < line.end && m_source[text] == QLatin1Char(' ')) ++text;
            add(MarkdownBlock::Quote, 0, {}, line.begin, text, line.end);
            return true;
        }
        if (first != QLatin1Char('|')) return false;
        closeParagraph();
        add(MarkdownBlock::Table, 0, {}, line.begin, line.text, line.end);
        return true;
    }

    const QString& m_source;
    std::vector<MarkdownBlock> m_blocks;
    // A paragraph or a list item that the next line may go on with.
    struct Open {
        MarkdownBlock::Kind kind;
        int level;
        QString mark;
        qsizetype begin, text, end;
    };
    std::optional<Open> m_open;
};

}  // namespace

std::vector<MarkdownBlock> parseMarkdown(const QString& source) {
    return BlockParser(source).parse();
}

}  // namespace espalier::ui
