// SPDX-License-Identifier: GPL-3.0-or-later
// SseParser: bytes of a server-sent event stream in, whole events out (WHATWG HTML, section 9.2.6). Bytes may be cut
// anywhere, inside a character or between CR and LF; text is decoded only when an event is whole.
#pragma once

#include <QByteArray>
#include <QString>
#include <optional>
#include <vector>

namespace espalier::ui {

struct SseEvent {
    std::optional<qint64> id;
    QString name;     // "message" when the stream names none
    QByteArray data;  // lines joined by \n, UTF-8
};

class SseParser {
public:
    // The events completed by these bytes. An event larger than kMaxEventBytes is dropped.
    std::vector<SseEvent> feed(const QByteArray& bytes);
    void reset();

    static constexpr qsizetype kMaxEventBytes = 16 << 20;

private:
    void takeLine(const QByteArray& line, std::vector<SseEvent>& out);

    QByteArray m_line;
    SseEvent m_event;
    bool m_hasData = false;
    bool m_tooLarge = false;
    bool m_lastWasCr = false;
};

}  // namespace espalier::ui
