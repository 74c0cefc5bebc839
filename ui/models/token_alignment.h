// SPDX-License-Identifier: GPL-3.0-or-later
// TokenAlignment: which stretch of an answer's text each of its tokens is. Tokens are bytes and may hold pieces of
// characters or what the text leaves out (a first space, special tokens); text arrives after its tokens.
//
// Plain value. Thread: any. append and align are O(what is new).
#pragma once

#include <vector>

#include "ui/bridge/chat_stream.h"

namespace espalier::ui {

class TokenAlignment {
public:
    struct Place {
        qsizetype begin = 0, end = 0;  // in UTF-16 units of the text; equal: it shows nothing
    };

    void append(const std::vector<ChatToken>& tokens);
    void extend(const QString& text);  // all of the text so far; it only grows
    const std::vector<ChatToken>& tokens() const { return m_tokens; }
    const std::vector<Place>& places() const { return m_places; }  // of the tokens whose text is there
    int tokenAt(qsizetype position) const;                         // -1: none
    double meanLogprob() const;                                    // 0 without tokens

private:
    void align();

    std::vector<ChatToken> m_tokens;
    std::vector<Place> m_places;
    QByteArray m_bytes;                // the text in UTF-8
    qsizetype m_units = 0;             // of the text taken into m_bytes
    qsizetype m_byte = 0, m_unit = 0;  // where the next token begins
};

}  // namespace espalier::ui
