// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/chat_stream.h"

#include <QNetworkReply>
#include <cmath>

#include "core/api/protocol.h"
#include "ui/bridge/http_answer.h"

namespace espalier::ui {
namespace {

constexpr qint64 kLeastSpanMs = 20;  // between the first piece and the last, for a rate

QByteArray tokenBytes(const Json& token) {
    QByteArray bytes;
    const auto list = token.find("bytes");
    if (list != token.end() && list->is_array()) {
        for (const Json& byte : *list) bytes.append(char(byte.is_number_integer() ? byte.get<int>() : 0));
    } else if (const auto text = token.find("token"); text != token.end() && text->is_string()) {
        bytes = QByteArray::fromStdString(text->get_ref<const std::string&>());
    }
    return bytes;
}

double logprobOf(const Json& token) {
    const auto value = token.find("logprob");
    return value != token.end() && value->is_number() ? value->get<double>() : 0;
}

std::vector<ChatToken> tokensOf(const Json& choice) {
    std::vector<ChatToken> tokens;
    const auto logprobs = choice.find("logprobs");
    if (logprobs == choice.end() || !logprobs->is_object()) return tokens;
    const auto content = logprobs->find("content");
    if (content == logprobs->end() || !content->is_array()) return tokens;
    for (const Json& item : *content) {
        if (!item.is_object()) continue;
        ChatToken token{tokenBytes(item), logprobOf(item), {}};
        if (const auto top = item.find("top_logprobs"); top != item.end() && top->is_array())
            for (const Json& other : *top)
                if (other.is_object()) token.top.push_back({QString::fromUtf8(tokenBytes(other)), logprobOf(other)});
        tokens.push_back(std::move(token));
    }
    return tokens;
}

}  // namespace

Json messagesToJson(const std::vector<ChatMessage>& messages) {
    Json list = Json::array();
    for (const ChatMessage& message : messages)
        list.push_back({{"role", message.role.toStdString()}, {"content", message.content.toStdString()}});
    return list;
}

Json toJson(const Sampling& s) {
    Json stop = Json::array();
    for (const QString& text : s.stop) stop.push_back(text.toStdString());
    return {{"temperature", s.temperature},
            {"top_p", s.topP},
            {"min_p", s.minP},
            {"top_k", s.topK},
            {"repetition_penalty", s.repetitionPenalty},
            {"presence_penalty", s.presencePenalty},
            {"frequency_penalty", s.frequencyPenalty},
            {"seed", s.seed ? Json(*s.seed) : Json()},
            {"max_tokens", s.maxTokens},
            {"stop", std::move(stop)}};
}

Sampling samplingFromJson(const Json& json) {
    Sampling s;
    if (!json.is_object()) return s;
    const JsonReader reader(json, "sampling");
    const auto number = [&](const char* key, double& value) { value = reader.numberOr(key, value).value_or(value); };
    const auto whole = [&](const char* key, int& value, int least) {
        value = int(reader.integerOr(key, value, least, INT_MAX).value_or(value));
    };
    number("temperature", s.temperature);
    number("top_p", s.topP);
    number("min_p", s.minP);
    whole("top_k", s.topK, 0);
    number("repetition_penalty", s.repetitionPenalty);
    number("presence_penalty", s.presencePenalty);
    number("frequency_penalty", s.frequencyPenalty);
    whole("max_tokens", s.maxTokens, 1);
    if (reader.has("seed"))
        if (const auto seed = reader.integer("seed", 0, INT64_MAX)) s.seed = *seed;
    if (const Json* stop = reader.find("stop"); stop && stop->is_array())
        for (const Json& text : *stop)
            if (text.is_string()) s.stop << QString::fromStdString(text.get_ref<const std::string&>());
    return s;
}

Json ChatRequest::toJson(bool stream) const {
    const Sampling neutral;
    Json body = {{"model", model.toStdString()},        {"messages", messagesToJson(messages)},
                 {"temperature", sampling.temperature}, {"top_p", sampling.topP},
                 {"max_tokens", sampling.maxTokens},    {"stream", stream}};
    const Json all = ui::toJson(sampling), untouched = ui::toJson(neutral);
    for (const char* key :
         {"min_p", "top_k", "repetition_penalty", "presence_penalty", "frequency_penalty", "seed", "stop"})
        if (all[key] != untouched[key]) body[key] = all[key];
    if (stream) body["stream_options"] = {{"include_usage", true}};
    if (topLogprobs >= 0) {
        body["logprobs"] = true;
        body["top_logprobs"] = topLogprobs;
    }
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

void ChatStream::giveUp(const Error& why) {
    if (m_over) return;
    m_over = true;
    emit failed(why);
    deleteLater();
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
        emit failed(errorOf((*json)["error"]));
        deleteLater();
        return;
    }
    if (const auto usage = json->find("usage"); usage != json->end() && usage->is_object()) takeUsage(*usage);
    const auto choices = json->find("choices");
    if (choices == json->end() || !choices->is_array() || choices->empty() || !choices->front().is_object()) return;
    takeChoice(choices->front());
}

void ChatStream::takeUsage(const Json& usage) {
    const JsonReader reader(usage, "usage");
    m_end.promptTokens = int(reader.integerOr("prompt_tokens", 0, 0, INT_MAX).value_or(0));
    m_end.completionTokens = int(reader.integerOr("completion_tokens", 0, 0, INT_MAX).value_or(0));
    if (const Json* details = reader.find("prompt_tokens_details"); details && details->is_object())
        m_end.cachedTokens = int(JsonReader(*details, "usage").integerOr("cached_tokens", 0, 0, INT_MAX).value_or(0));
}

void ChatStream::takeChoice(const Json& json) {
    const JsonReader choice(json, "choices");
    if (const Json* reason = choice.find("finish_reason"); reason && reason->is_string())
        m_end.finish = QString::fromStdString(reason->get_ref<const std::string&>());
    if (const auto found = tokensOf(json); !found.empty()) emit tokens(found);
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
    // Pieces that came in one go say nothing about how fast they were made.
    if (m_pieces > 1 && m_lastMs - m_firstMs >= kLeastSpanMs)
        m_end.tokensPerS = (m_pieces - 1) * 1000.0 / double(m_lastMs - m_firstMs);
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
                            ? ui::failed(ErrorCode::Network, tr("The connection ended before the answer did"), "chat")
                            : errorOf(*m_reply, m_errorBody);
    emit failed(error);
    deleteLater();
}

void ChatStream::end() {
    m_over = true;
    // A piece may hold more than one token, so the true count decides once it is known.
    if (m_end.completionTokens > 1 && m_lastMs - m_firstMs >= kLeastSpanMs)
        m_end.tokensPerS = (m_end.completionTokens - 1) * 1000.0 / double(m_lastMs - m_firstMs);
    if (m_end.completionTokens == 0) m_end.completionTokens = m_pieces;
    emit finished(m_end);
    deleteLater();
}

}  // namespace espalier::ui
