// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/text_diff.h"

#include <QStringList>
#include <algorithm>

namespace espalier::ui {
namespace {

constexpr qsizetype kMostWords = 1000;  // of each middle: a million cells

// Words with the spaces behind them, so that the pieces joined are the text.
QStringList splitWords(const QString& text) {
    QStringList words;
    qsizetype begin = 0;
    for (qsizetype at = 0; at < text.size(); ++at) {
        const bool ends = text[at].isSpace() && (at + 1 == text.size() || !text[at + 1].isSpace());
        if (!ends) continue;
        words << text.mid(begin, at + 1 - begin);
        begin = at + 1;
    }
    if (begin < text.size()) words << text.mid(begin);
    return words;
}

void add(std::vector<DiffPiece>& pieces, DiffPiece::Kind kind, const QString& text) {
    if (text.isEmpty()) return;
    if (!pieces.empty() && pieces.back().kind == kind)
        pieces.back().text += text;
    else
        pieces.push_back({kind, text});
}

void diffMiddle(const QStringList& a, const QStringList& b, std::vector<DiffPiece>& pieces) {
    if (a.size() > kMostWords || b.size() > kMostWords) {
        add(pieces, DiffPiece::Removed, a.join(QString()));
        add(pieces, DiffPiece::Added, b.join(QString()));
        return;
    }
    const std::size_t width = std::size_t(b.size()) + 1;
    std::vector<int> common((std::size_t(a.size()) + 1) * width, 0);  // of the tails from (i, j)
    for (qsizetype i = a.size() - 1; i >= 0; --i)
        for (qsizetype j = b.size() - 1; j >= 0; --j) {
            const std::size_t at = std::size_t(i) * width + std::size_t(j);
            common[at] = a[i] == b[j] ? common[at + width + 1] + 1 : std::max(common[at + width], common[at + 1]);
        }
    qsizetype i = 0, j = 0;
    while (i < a.size() || j < b.size()) {
        const std::size_t at = std::size_t(i) * width + std::size_t(j);
        if (i < a.size() && j < b.size() && a[i] == b[j]) {
            add(pieces, DiffPiece::Same, a[i]);
            ++i, ++j;
        } else if (j == b.size() || (i < a.size() && common[at + width] >= common[at + 1])) {
            add(pieces, DiffPiece::Removed, a[i++]);
        } else {
            add(pieces, DiffPiece::Added, b[j++]);
        }
    }
}

}  // namespace

std::vector<DiffPiece> diffWords(const QString& before, const QString& after) {
    const QStringList a = splitWords(before), b = splitWords(after);
    qsizetype head = 0, tail = 0;
    while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
    while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
    std::vector<DiffPiece> pieces;
    add(pieces, DiffPiece::Same, a.mid(0, head).join(QString()));
    diffMiddle(a.mid(head, a.size() - head - tail), b.mid(head, b.size() - head - tail), pieces);
    add(pieces, DiffPiece::Same, a.mid(a.size() - tail).join(QString()));
    return pieces;
}

}  // namespace espalier::ui
