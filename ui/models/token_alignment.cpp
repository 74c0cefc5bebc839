// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/token_alignment.h"

#include <algorithm>

namespace espalier::ui {
namespace {

constexpr QByteArrayView kReplacement("\xEF\xBF\xBD");  // U+FFFD

// UTF-16 units of the characters that begin in these bytes; a character belongs to the token with its first byte.
qsizetype unitsOf(const QByteArray& bytes, qsizetype from, qsizetype size) {
    qsizetype units = 0;
    for (qsizetype i = from; i < from + size; ++i) {
        const auto byte = uchar(bytes[i]);
        if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
    }
    return units;
}

}  // namespace

void TokenAlignment::append(const std::vector<ChatToken>& tokens) {
    m_tokens.insert(m_tokens.end(), tokens.begin(), tokens.end());
    align();
}

void TokenAlignment::extend(const QString& text) {
    if (text.size() <= m_units) return;
    m_bytes += text.mid(m_units).toUtf8();
    m_units = text.size();
    align();
}

void TokenAlignment::align() {
    while (m_places.size() < m_tokens.size()) {
        const QByteArray& token = m_tokens[m_places.size()].bytes;
        QByteArrayView rest = QByteArrayView(m_bytes).sliced(m_byte);
        QByteArrayView shown = token;
        if (!rest.startsWith(shown)) {
            // A prefix of it may be all there is so far: wait for the rest.
            if (shown.startsWith(rest)) return;
            const bool isWhole = QString::fromUtf8(token).toUtf8() == token;
            if (!isWhole && rest.startsWith(kReplacement)) {
                shown = kReplacement;  // bytes that never became a character
            } else {
                while (rest.startsWith(kReplacement)) {
                    m_byte += kReplacement.size();
                    ++m_unit;
                    rest = rest.sliced(kReplacement.size());
                }
                const bool lostSpace = m_unit == 0 && shown.startsWith(' ') && rest.startsWith(shown.sliced(1));
                if (lostSpace)
                    shown = shown.sliced(1);
                else if (!rest.startsWith(shown))
                    shown = {};
            }
        }
        const qsizetype units = unitsOf(m_bytes, m_byte, shown.size());
        m_places.push_back({m_unit, m_unit + units});
        m_byte += shown.size();
        m_unit += units;
    }
}

int TokenAlignment::tokenAt(qsizetype position) const {
    const auto after = std::upper_bound(m_places.begin(), m_places.end(), position,
                                        [](qsizetype at, const Place& place) { return at < place.end; });
    if (after == m_places.end() || position < after->begin) return -1;
    return int(after - m_places.begin());
}

double TokenAlignment::meanLogprob() const {
    double sum = 0;
    for (const ChatToken& token : m_tokens) sum += token.logprob;
    return m_tokens.empty() ? 0 : sum / double(m_tokens.size());
}

}  // namespace espalier::ui
