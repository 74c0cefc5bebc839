// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/conversation.h"

namespace espalier::ui {
namespace {

QString shellQuoted(QString text) {
    return QLatin1Char('\'') + text.replace(QLatin1Char('\''), QStringLiteral("'\\''")) + QLatin1Char('\'');
}

}  // namespace

bool Conversation::dropAnswer() {
    if (m_messages.empty() || m_messages.back().role != QLatin1String("assistant")) return false;
    m_messages.pop_back();
    return !m_messages.empty();
}

void Conversation::dropUnanswered() {
    if (!m_messages.empty() && m_messages.back().role == QLatin1String("user")) m_messages.pop_back();
}

ChatRequest Conversation::request(ChatRequest settings) const {
    settings.messages.clear();
    if (!m_system.trimmed().isEmpty()) settings.messages.push_back({QStringLiteral("system"), m_system});
    settings.messages.insert(settings.messages.end(), m_messages.begin(), m_messages.end());
    return settings;
}

QString asCurl(const ChatRequest& request, const DaemonAddress& address) {
    const QString key = address.keyFile.isEmpty() ? QStringLiteral("$ESPALIER_KEY")
                                                  : QStringLiteral("$(cat %1)").arg(shellQuoted(address.keyFile));
    return QStringLiteral(
               "curl -N %1 \\\n  -H \"Authorization: Bearer %2\" \\\n  -H 'Content-Type: application/json' \\\n  -d %3")
        .arg(shellQuoted(address.url.toString() + QStringLiteral("/v1/chat/completions")), key,
             shellQuoted(QString::fromStdString(dumpJson(request.toJson(true)))));
}

}  // namespace espalier::ui
