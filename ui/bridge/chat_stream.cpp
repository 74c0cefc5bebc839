// SPDX-License-Identifier: GPL-3.0-or-later
// ChatRequest and ChatStream of engine_client.h.
#include <QNetworkReply>

#include "core/api/protocol.h"
#include "ui/bridge/engine_client.h"
#include "ui/bridge/http_answer.h"

namespace espalier::ui {

Json ChatRequest::toJson(bool stream) const {
    Json list = Json::array();
    for (const ChatMessage& message : messages)
        list.push_back({{"role", message.role.toStdString()}, {"content", message.content.toStdString()}});
    Json body = {{"model", model.toStdString()}, {"messages", list}, {"temperature", temperature}, {"top_p", topP},
                 {"max_tokens", maxTokens},      {"stream", stream}};
    if (stream) body["stream_options"] = {{"include_usage", true}};
    if (seed) body["seed"] = *seed;
    return body;
}

ChatStream::ChatStream(QNetworkReply* reply, QObject* parent) : QObject(parent), m_reply(reply) {
    m_clock.start();
    connect(reply, &QNetworkReply::readyRead, this, &ChatStream::read);
    connect(reply, &QNetworkReply::finished, this, &ChatStream::replyEnded);
}

ChatStream::~ChatStream() {
    if (!m_reply) return;
    m_reply->disconnect(this);
    m_reply->abort();
    m_reply->deleteLater();
}

void ChatStream::cancel() {
    if (m_over) return;
    m_end.finish = QStringLiteral("cancelled");
    end();
}

void ChatStream::read() {
    const QByteArray bytes = m_reply->readAll();
    const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status != 200) {
        m_errorBody += bytes;
        return;
    }
    for (const SseEvent& event : m_parser.feed(bytes)) {
        if (!m_over) take(event);
    }
}

void ChatStream::take(const SseEvent& event) {
    if (event.data == "[DONE]") {
        end();
        return;
    }
    const auto json = parseJson(view(event.data), "chat");
    if (!json || !json->is_object()) return;
    if (json->contains("error")) {
        m_over = true;
        emit failed(errorFromJson((*json)["error"]));
        deleteLater();
        return;
    }
    if (const auto usage = json->find("usage"); usage != json->end() && usage->is_object()) {
        const JsonReader reader(*usage, "usage");
        m_end.promptTokens = int(reader.integerOr("prompt_tokens", 0, 0, INT_MAX).value_or(0));
        m_end.completionTokens = int(reader.integerOr("completion_tokens", 0, 0, INT_MAX).value_or(0));
        if (const Json* details = reader.find("prompt_tokens_details"); details && details->is_object())
            m_end.cachedTokens =
                int(JsonReader(*details, "usage").integerOr("cached_tokens", 0, 0, INT_MAX).value_or(0));
    }
    const auto choices = json->find("choices");
    if (choices == json->end() || !choices->is_array() || choices->empty() || !choices->front().is_object()) return;
    const JsonReader choice(choices->front(), "choices");
    if (const Json* reason = choice.find("finish_reason"); reason && reason->is_string())
        m_end.finish = QString::fromStdString(reason->get_ref<const std::string&>());
    const Json* delta = choice.find("delta");
    if (!delta || !delta->is_object()) return;
    const auto content = JsonReader(*delta, "delta").stringOr("content", {});
    if (!content || content->empty()) return;
    m_lastMs = m_clock.elapsed();
    if (m_firstMs < 0) {
        m_firstMs = m_lastMs;
        m_end.ttftMs = double(m_firstMs);
    }
    ++m_pieces;
    if (m_pieces > 1 && m_lastMs > m_firstMs) m_end.tokensPerS = (m_pieces - 1) * 1000.0 / double(m_lastMs - m_firstMs);
    emit text(QString::fromStdString(*content));
    emit progressed(m_end);
}

void ChatStream::replyEnded() {
    if (m_over) return;
    if (m_reply->bytesAvailable() > 0) read();
    if (m_over) return;
    const int status = m_reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    if (status == 200 && !m_end.finish.isEmpty()) {
        end();
        return;
    }
    m_over = true;
    const Error error = status == 200 && m_reply->error() == QNetworkReply::NoError
                            ? fail(ErrorCode::Network, "The connection ended before the answer did", "chat")
                            : errorOf(*m_reply, m_errorBody);
    emit failed(error);
    deleteLater();
}

void ChatStream::end() {
    m_over = true;
    // A piece may hold more than one token, so the true count decides once it is known.
    if (m_end.completionTokens > 1 && m_lastMs > m_firstMs)
        m_end.tokensPerS = (m_end.completionTokens - 1) * 1000.0 / double(m_lastMs - m_firstMs);
    if (m_end.completionTokens == 0) m_end.completionTokens = m_pieces;
    emit finished(m_end);
    deleteLater();
}

}  // namespace espalier::ui
