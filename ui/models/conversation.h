// SPDX-License-Identifier: GPL-3.0-or-later
// Conversation: the messages of a chat and how they are asked again, as plain values.
#pragma once

#include <QUrl>

#include "ui/bridge/engine_client.h"

namespace espalier::ui {

class Conversation {
public:
    void setSystem(const QString& prompt) { m_system = prompt; }
    void addUser(const QString& text) { m_messages.push_back({QStringLiteral("user"), text}); }
    void addAnswer(const QString& text) { m_messages.push_back({QStringLiteral("assistant"), text}); }
    // Drops the last answer, so that its question stands last; false when there is none.
    bool dropAnswer();
    void dropUnanswered();  // the last question, when no answer followed
    void clear() { m_messages.clear(); }

    const std::vector<ChatMessage>& messages() const { return m_messages; }
    ChatRequest request(ChatRequest settings) const;  // settings with the system prompt and the messages

private:
    QString m_system;
    std::vector<ChatMessage> m_messages;
};

// The same request as a command for a terminal. The key is read from its file, or named as a variable: it is never in
// the text.
QString asCurl(const ChatRequest& request, const DaemonAddress& address);

}  // namespace espalier::ui
