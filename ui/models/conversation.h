// SPDX-License-Identifier: GPL-3.0-or-later
// Conversation: the turns of a chat with one model, as plain values. A turn carries the number it has on every lane of
// the Playground, so that one edit cuts all of them at the same place.
#pragma once

#include <memory>
#include <vector>

#include "ui/bridge/chat_stream.h"
#include "ui/models/token_alignment.h"

namespace espalier::ui {

struct Turn {
    int number = 0;
    QString question;
    bool isAnswered = false;
    QString answer;
    std::shared_ptr<const TokenAlignment> tokens;  // of the answer; null when they were not asked for
    ChatEnd end;
};

class Conversation {
public:
    void ask(int number, const QString& question);
    // Requires: there is a turn.
    void answer(const QString& text, std::shared_ptr<const TokenAlignment> tokens, const ChatEnd& end);

    bool dropAnswer();         // the last one, so that its question stands last; false when there is none
    void dropUnanswered();     // the last turn when it has no answer
    void cutFrom(int number);  // that turn and all after it
    void clear() { m_turns.clear(); }

    const std::vector<Turn>& turns() const { return m_turns; }
    bool isEmpty() const { return m_turns.empty(); }
    bool isAnswered() const { return !m_turns.empty() && m_turns.back().isAnswered; }
    // The system prompt unless it is blank, then every turn.
    std::vector<ChatMessage> messages(const QString& system) const;

private:
    std::vector<Turn> m_turns;
};

}  // namespace espalier::ui
