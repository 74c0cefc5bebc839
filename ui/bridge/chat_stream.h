// SPDX-License-Identifier: GPL-3.0-or-later
// A chat as it is asked and as it is answered: the request body, and the stream of one answer with its tokens' log
// probabilities and timing.
//
// Owner: whoever asked (EngineClient::chat gives it a parent). Thread: Qt.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QPointer>
#include <QStringList>
#include <optional>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "ui/bridge/sse_parser.h"

class QNetworkReply;

namespace espalier::ui {

struct ChatMessage {
    QString role, content;
    bool operator==(const ChatMessage&) const = default;
};
Json messagesToJson(const std::vector<ChatMessage>& messages);

// What a person may turn on the Playground; the server's names and its neutral values.
struct Sampling {
    double temperature = 0.7, topP = 1.0, minP = 0.0;
    int topK = 0;  // 0: off
    double repetitionPenalty = 1.0, presencePenalty = 0.0, frequencyPenalty = 0.0;
    std::optional<qint64> seed;
    int maxTokens = 512;
    QStringList stop;
    bool operator==(const Sampling&) const = default;
};
Json toJson(const Sampling& sampling);        // all of it, for keeping
Sampling samplingFromJson(const Json& json);  // what is missing or wrong keeps its neutral value

struct ChatRequest {
    QString model;
    std::vector<ChatMessage> messages;
    Sampling sampling;
    int topLogprobs = -1;            // < 0: no log probabilities
    Json toJson(bool stream) const;  // the body of POST /v1/chat/completions; neutral values are left out
};

struct ChatToken {
    QByteArray bytes;  // of the answer, in UTF-8; a piece of a character stays a piece
    double logprob = 0;
    struct Alternative {
        QString text;
        double logprob = 0;
    };
    std::vector<Alternative> top;  // likeliest first, the token itself among them when it is one
};

struct ChatEnd {
    QString finish;  // "stop", "length", "cancelled"
    int promptTokens = 0, cachedTokens = 0, completionTokens = 0;
    double ttftMs = 0, tokensPerS = 0;
};

// One streamed answer. Deletes itself after finished or failed; destroying it or cancel() closes the connection, and
// the daemon stops generating.
class ChatStream : public QObject {
    Q_OBJECT
public:
    ChatStream(QNetworkReply* reply, QObject* parent);
    ~ChatStream() override;
    void cancel();
    void giveUp(const Error& why);  // as if the connection had ended so

signals:
    void text(const QString& piece);
    void tokens(const std::vector<espalier::ui::ChatToken>& tokens);
    void progressed(const espalier::ui::ChatEnd& soFar);
    void finished(const espalier::ui::ChatEnd& end);
    void failed(const espalier::Error& error);

private:
    void read();
    void take(const SseEvent& event);
    void takeUsage(const Json& usage);
    void takeChoice(const Json& choice);
    void replyEnded();
    void end();

    QPointer<QNetworkReply> m_reply;
    SseParser m_parser;
    QByteArray m_errorBody;
    QElapsedTimer m_clock;
    qint64 m_firstMs = -1, m_lastMs = 0;
    ChatEnd m_end;
    int m_pieces = 0;
    bool m_over = false;
};

}  // namespace espalier::ui
