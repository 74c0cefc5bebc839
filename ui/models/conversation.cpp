// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/conversation.h"

#include <algorithm>

namespace espalier::ui {

void Conversation::ask(int number, const QString& question) {
    Turn turn;
    turn.number = number;
    turn.question = question;
    m_turns.push_back(std::move(turn));
}

void Conversation::answer(const QString& text, std::shared_ptr<const TokenAlignment> tokens, const ChatEnd& end) {
    CHECK(!m_turns.empty());
    Turn& turn = m_turns.back();
    turn.isAnswered = true;
    turn.answer = text;
    turn.tokens = std::move(tokens);
    turn.end = end;
}

bool Conversation::dropAnswer() {
    if (!isAnswered()) return false;
    Turn& turn = m_turns.back();
    turn.isAnswered = false;
    turn.answer.clear();
    turn.tokens = {};
    turn.end = {};
    return true;
}

void Conversation::dropUnanswered() {
    if (!m_turns.empty() && !m_turns.back().isAnswered) m_turns.pop_back();
}

void Conversation::cutFrom(int number) {
    std::erase_if(m_turns, [number](const Turn& turn) { return turn.number >= number; });
}

std::vector<ChatMessage> Conversation::messages(const QString& system) const {
    std::vector<ChatMessage> messages;
    if (!system.trimmed().isEmpty()) messages.push_back({QStringLiteral("system"), system});
    for (const Turn& turn : m_turns) {
        messages.push_back({QStringLiteral("user"), turn.question});
        if (turn.isAnswered) messages.push_back({QStringLiteral("assistant"), turn.answer});
    }
    return messages;
}

}  // namespace espalier::ui
