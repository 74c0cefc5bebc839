// SPDX-License-Identifier: GPL-3.0-or-later
// EngineClient: the workbench's only way to the daemon. Opens a workspace (its daemon is found or started) or attaches
// to a server by URL and key, keeps one event stream alive, and turns calls into answers. A lost stream is taken up
// again with growing pauses and asks for the gap by sequence number.
//
// Every answer is given on the Qt thread, never from inside the call. It carries a guard: when the guard is gone, the
// answer is dropped.
//
// Owner: main. Thread: Qt.
#pragma once

#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>
#include <QSet>
#include <QSslCertificate>
#include <QTimer>
#include <functional>
#include <memory>

#include "core/base/json.h"
#include "core/engine/engine.h"
#include "core/engine/messages.h"
#include "ui/bridge/answers.h"
#include "ui/bridge/chat_stream.h"
#include "ui/bridge/daemon_launcher.h"
#include "ui/bridge/sse_parser.h"

class QNetworkReply;

namespace espalier::ui {

enum class Link { Detached, Starting, Connecting, Attached, Lost, Refused };

// What may be done with the server attached to. Owner: its daemon is ours, paths mean the same here and there.
// Admin: another machine's, by its admin key. Guest: a key for models alone; there is no control and no event stream.
enum class Access { Owner, Admin, Guest };

class EngineClient : public QObject {
    Q_OBJECT
public:
    explicit EngineClient(QObject* parent = nullptr);
    ~EngineClient() override;

    void openWorkspace(const QString& folder);
    void attach(const QUrl& url, const QString& key);
    void retryNow();  // while lost or refused
    void detach(std::optional<Error> why = std::nullopt);
    void setStartsEngine(bool starts) { m_startsEngine = starts; }  // false: a workspace's daemon is only looked for
    void startEngine();                                             // of the workspace opened here, whatever was set
    // Where the engine of a folder listens when it is started from here; asked at each start.
    void setListenAt(std::function<ListenAt(const QString& folder)> listen) { m_listen = std::move(listen); }

    Link link() const { return m_link; }
    bool isAttached() const { return m_link == Link::Attached; }
    const DaemonAddress& address() const { return m_address; }
    QString workspace() const { return m_workspace; }  // as the daemon names it once attached
    bool isForeign() const { return m_folder.isEmpty(); }
    Access access() const { return m_access; }
    QString folder() const { return m_folder; }                // the workspace opened here; empty when attached by URL
    int retryInMs() const { return m_retry.remainingTime(); }  // while lost; negative: not waiting
    std::optional<Error> trouble() const { return m_trouble; }

    template <class T>
    using Answer = std::function<void(Result<T>)>;

    // The engine of the workspace opened here ends, and another one is started in its place. `answer` is of the ending.
    void restartEngine(QObject* guard, Answer<Json> answer);

    // Any operation of core/api/protocol.h. What is answered after another server was chosen is Error cancelled.
    void call(const QString& operation, const Json& arguments, QObject* guard, Answer<Json> answer);

    // As a guest: names alone, and the bin is empty.
    void models(bool bin, QObject* guard, Answer<std::vector<ModelRecord>> answer);
    void adapters(QObject* guard, Answer<std::vector<AdapterRecord>> answer);
    void jobs(QObject* guard, Answer<std::vector<JobRecord>> answer);
    void log(int limit, QObject* guard, Answer<std::vector<LogRecord>> answer);
    void history(int seconds, QObject* guard, Answer<std::vector<HistoryPoint>> answer);
    void inspect(const QString& model, QObject* guard, Answer<ModelInspection> answer);
    void tokenize(const QString& model, const QString& text, bool special, QObject* guard, Answer<Tokenization> answer);
    void renderTemplate(const QString& model, const std::vector<ChatMessage>& messages, bool generationPrompt,
                        QObject* guard, Answer<RenderedTemplate> answer);
    void card(const QString& model, QObject* guard, Answer<ModelCard> answer);
    void probe(const QString& path, QObject* guard, Answer<ImportProbe> answer);
    void startImport(const ImportRequest& request, QObject* guard, Answer<qint64> answer);
    ChatStream* chat(const ChatRequest& request, QObject* parent);

signals:
    void linkChanged();
    void attached(bool fresh);  // fresh: another daemon than before, or a gap that is gone: read everything again
    void snapshotArrived(const std::shared_ptr<const espalier::Snapshot>& snapshot);
    // Before it, where several came at once: a newer one follows in the same event.
    void snapshotPassed(const std::shared_ptr<const espalier::Snapshot>& snapshot);
    void jobChanged(const espalier::JobRecord& job);
    void modelChanged(const espalier::ModelChanged& change);
    void serveChanged(const espalier::ServeChanged& change);
    void tenantChanged(const espalier::TenantChanged& change);
    void adapterChanged(const espalier::AdapterChanged& change);
    void logged(const espalier::LogRecord& record);
    // Something of an answer or of the stream could not be read; the rest was taken. Said once for each kind.
    void misread(const QString& what, const espalier::Error& error);

private:
    // A list of an answer: what cannot be read of it is left out.
    template <class T>
    Answer<Json> listed(const char* key, Result<T> (*read)(const Json&), Answer<std::vector<T>> answer);
    void sayMisread(const QString& what, const Error& error);
    void answerLater(QObject* guard, std::function<void()> answer);
    void endChats(const Error& why);
    QNetworkRequest request(const QString& path) const;
    void setLink(Link link, std::optional<Error> trouble = std::nullopt);
    void found(const DaemonAddress& address);
    void sayHello();
    void takeHello(const Json& answer);
    void tryAsGuest(const Error& refusal);
    void listen();
    void takeEvents(const std::vector<SseEvent>& events);
    void takeSnapshot(const SseEvent& event, bool isNewest);
    void takeEvent(const SseEvent& event);
    void lostStream(const Error& error);
    void scheduleRetry();
    void dropStream();
    void leave();
    void renewNetwork();
    ListenAt listenAt() const;
    void get(const QString& path, QObject* guard, Answer<Json> answer);
    void hand(QNetworkReply* reply, QObject* guard, Answer<Json> answer);

    QNetworkAccessManager* m_network = nullptr;
    DaemonLauncher m_launcher;
    DaemonAddress m_address;
    QString m_folder;  // the workspace opened here; empty when attached by URL
    QString m_workspace;
    Link m_link = Link::Detached;
    Access m_access = Access::Owner;
    bool m_startsEngine = true;
    std::function<ListenAt(const QString&)> m_listen;
    std::optional<Error> m_trouble;
    QPointer<QNetworkReply> m_stream;
    SseParser m_parser;
    QTimer m_retry, m_silence, m_guestBeat;
    int m_attempts = 0;
    int m_generation = 0;  // counts the servers chosen
    qint64 m_lastSequence = -1;
    QString m_instance;  // pid and start of the daemon the sequence numbers belong to
    QSet<QString> m_misread;
    std::vector<QPointer<ChatStream>> m_chats;
    QSslCertificate m_certificate;  // of the workspace's own daemon: trusted as it is, whatever name it bears
};

}  // namespace espalier::ui
