// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/sse_parser.h"

namespace espalier::ui {

std::vector<SseEvent> SseParser::feed(const QByteArray& bytes) {
    std::vector<SseEvent> events;
    for (const char byte : bytes) {
        const bool afterCr = m_lastWasCr;
        m_lastWasCr = byte == '\r';
        if (byte == '\n' && afterCr) continue;  // the second half of CR LF
        if (byte == '\n' || byte == '\r') {
            takeLine(m_line, events);
            m_line.clear();
        } else if (m_line.size() < kMaxEventBytes) {
            m_line.append(byte);
        } else {
            m_tooLarge = true;
        }
    }
    return events;
}

void SseParser::reset() {
    *this = SseParser();
}

void SseParser::takeLine(const QByteArray& line, std::vector<SseEvent>& out) {
    if (line.isEmpty()) {
        if (m_hasData && !m_tooLarge) {
            if (m_event.name.isEmpty()) m_event.name = QStringLiteral("message");
            out.push_back(std::move(m_event));
        }
        m_event = {};
        m_hasData = m_tooLarge = false;
        return;
    }
    const qsizetype colon = line.indexOf(':');
    if (colon == 0) return;  // a comment, sent to keep the connection alive
    const QByteArray field = colon < 0 ? line : line.left(colon);
    QByteArray value = colon < 0 ? QByteArray() : line.mid(colon + 1);
    if (value.startsWith(' ')) value.remove(0, 1);
    if (field == "data") {
        if (m_event.data.size() + value.size() > kMaxEventBytes) {
            m_tooLarge = true;
            return;
        }
        if (m_hasData) m_event.data.append('\n');
        m_event.data.append(value);
        m_hasData = true;
    } else if (field == "event") {
        m_event.name = QString::fromUtf8(value);
    } else if (field == "id") {
        bool isNumber = false;
        const qint64 id = value.toLongLong(&isNumber);
        if (isNumber) m_event.id = id;
    }
}

}  // namespace espalier::ui
