// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/engine_client.h"

#include <QCoreApplication>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QThreadPool>
#include <QUrlQuery>
#include <algorithm>

#include "core/api/protocol.h"
#include "ui/bridge/http_answer.h"

namespace espalier::ui {
namespace {

constexpr int kCallTimeoutMs = 60'000;
constexpr int kSilenceMs = 5'000;  // snapshots come at least once a second
constexpr int kFirstPauseMs = 250;
constexpr int kLongestPauseMs = 8'000;
constexpr qsizetype kLargeAnswer = 128 << 10;  // parsed off the Qt thread

// One of GET /v1/models: what a key that is not the admin's may use.
Result<ModelRecord> offered(const Json& item) {
    ModelRecord record;
    TRY_ASSIGN(record.id, JsonReader(item, "data").string("id"));
    record.name = record.id;
    return record;
}

// Two versions that do not understand each other, and which of the two is to be renewed.
Error protocolMismatch(std::int64_t theirs, const std::string& version, const std::string& where) {
    const QString both = EngineClient::tr(
                             "The server runs Espalier %1 and speaks protocol %2, this workbench speaks "
                             "protocol %3.")
                             .arg(QString::fromStdString(version))
                             .arg(theirs)
                             .arg(kProtocolVersion);
    const QString advice = theirs < kProtocolVersion
                               ? EngineClient::tr(
                                     "Update the server: stop it, install this version there and start "
                                     "it again")
                               : EngineClient::tr("Update this workbench to the server's version");
    return failed(ErrorCode::Unsupported, both + QLatin1Char(' ') + advice, where);
}

// Turns an answer in JSON into one of T by `read`, passing errors through.
template <class T, class Read>
EngineClient::Answer<Json> reading(EngineClient::Answer<T> answer, Read read) {
    return [answer = std::move(answer), read](Result<Json> json) {
        if (!json)
            answer(std::move(json).error());
        else
            answer(read(*json));
    };
}

}  // namespace

template <class T>
EngineClient::Answer<Json> EngineClient::listed(const char* key, Result<T> (*read)(const Json&),
                                                Answer<std::vector<T>> answer) {
    return [self = QPointer<EngineClient>(this), key, read, answer = std::move(answer)](Result<Json> json) {
        if (!json) return answer(std::move(json).error());
        const auto found = json->is_object() ? json->find(key) : json->end();
        if (!json->is_object() || found == json->end() || !found->is_array())
            return answer(fail(ErrorCode::CorruptFile, std::string("The answer has no list \"") + key + "\"", key));
        std::vector<T> list;
        list.reserve(found->size());
        for (const Json& item : *found) {
            if (auto value = read(item))
                list.push_back(std::move(*value));
            else if (self)
                self->sayMisread(QString::fromLatin1(key), value.error());
        }
        answer(std::move(list));
    };
}

EngineClient::EngineClient(QObject* parent) : QObject(parent), m_launcher(this) {
    m_retry.setSingleShot(true);
    m_silence.setSingleShot(true);
    m_silence.setInterval(kSilenceMs);
    connect(&m_launcher, &DaemonLauncher::starting, this, [this] { setLink(Link::Starting); });
    connect(&m_launcher, &DaemonLauncher::found, this, &EngineClient::found);
    connect(&m_launcher, &DaemonLauncher::failed, this, [this](const Error& error) { setLink(Link::Refused, error); });
    connect(&m_launcher, &DaemonLauncher::absent, this, [this](const Error& error) { setLink(Link::Detached, error); });
    connect(&m_retry, &QTimer::timeout, this, [this] {
        // The workspace's daemon may have come back under another port and key.
        if (!m_folder.isEmpty())
            m_launcher.open(m_folder, m_startsEngine, listenAt());
        else
            sayHello();
    });
    m_guestBeat.setSingleShot(true);
    m_guestBeat.setInterval(kSilenceMs);
    connect(&m_guestBeat, &QTimer::timeout, this, [this] {
        tryAsGuest(failed(ErrorCode::Unauthorized, tr("The server does not accept this key any more"),
                          m_address.url.toString().toStdString()));
    });
    connect(&m_silence, &QTimer::timeout, this, [this] {
        const Error silent = failed(ErrorCode::Network, tr("The server has been silent for five seconds"),
                                    m_address.url.host().toStdString());
        lostStream(silent);
        endChats(silent);  // a machine that is gone says nothing about its answers either
    });
    renewNetwork();
}

// Connections are kept and used again without another look at the certificate: what one server was trusted with ends
// with its manager, which lives until its last answer has come or timed out.
void EngineClient::renewNetwork() {
    if (m_network) QTimer::singleShot(kCallTimeoutMs + kSilenceMs, m_network, &QObject::deleteLater);
    m_network = new QNetworkAccessManager(this);
    connect(m_network, &QNetworkAccessManager::sslErrors, this, [this](QNetworkReply* reply) {
        const bool isOurs = !m_certificate.isNull() && reply->sslConfiguration().peerCertificate() == m_certificate;
        if (isOurs) reply->ignoreSslErrors();
    });
}

EngineClient::~EngineClient() {
    dropStream();
}

void EngineClient::openWorkspace(const QString& folder) {
    leave();
    m_folder = m_workspace = folder;
    m_access = Access::Owner;
    m_address = {};
    m_attempts = 0;
    setLink(Link::Connecting);
    m_launcher.open(folder, m_startsEngine, listenAt());
}

void EngineClient::startEngine() {
    if (m_folder.isEmpty()) return;
    leave();
    m_attempts = 0;
    m_launcher.open(m_folder, true, listenAt());
}

ListenAt EngineClient::listenAt() const {
    return m_listen ? m_listen(m_folder) : ListenAt();
}

void EngineClient::restartEngine(QObject* guard, Answer<Json> answer) {
    if (!isAttached()) {  // nothing to end, or it does not answer: what runs is waited for
        leave();
        m_attempts = 0;
        m_launcher.restart(m_folder, listenAt());
        return answerLater(guard, [answer = std::move(answer)] { answer(Json::object()); });
    }
    call(QStringLiteral("shutdown"), Json::object(), this,
         [this, alive = QPointer<QObject>(guard), answer = std::move(answer)](Result<Json> done) {
             const bool ends = done.has_value();
             if (alive) answer(std::move(done));
             if (!ends) return;
             leave();
             m_attempts = 0;
             m_launcher.restart(m_folder, listenAt());
         });
}

void EngineClient::detach(std::optional<Error> why) {
    leave();
    setLink(Link::Detached, std::move(why));
}

// Whatever was under way with the server before is not heard any more.
void EngineClient::leave() {
    dropStream();
    m_launcher.cancel();
    ++m_generation;
    if (!m_certificate.isNull()) renewNetwork();
    endChats(failed(ErrorCode::Network, tr("The connection to this server was given up"),
                    m_address.url.toString().toStdString()));
}

void EngineClient::endChats(const Error& why) {
    for (const QPointer<ChatStream>& chat : std::exchange(m_chats, {}))
        if (chat) chat->giveUp(why);
}

void EngineClient::answerLater(QObject* guard, std::function<void()> answer) {
    QMetaObject::invokeMethod(
        this,
        [alive = QPointer<QObject>(guard), answer = std::move(answer)] {
            if (alive) answer();
        },
        Qt::QueuedConnection);
}

void EngineClient::sayMisread(const QString& what, const Error& error) {
    if (m_misread.contains(what)) return;
    m_misread.insert(what);
    emit misread(what, error);
}

void EngineClient::attach(const QUrl& url, const QString& key) {
    leave();
    m_folder.clear();
    m_workspace = url.host();
    m_access = Access::Admin;
    m_attempts = 0;
    m_address = {};
    m_address.url = url;
    m_address.key = key;
    m_certificate = QSslCertificate();
    if (m_link == Link::Lost) setLink(Link::Connecting);
    sayHello();
}

void EngineClient::retryNow() {
    if (m_link != Link::Lost && m_link != Link::Refused) return;
    m_attempts = 0;
    ++m_generation;  // a greeting that is under way is not waited for as well
    m_retry.start(0);
}

void EngineClient::call(const QString& operation, const Json& arguments, QObject* guard, Answer<Json> answer) {
    const QNetworkRequest post = request(QStringLiteral("/control/") + operation);
    hand(m_network->post(post, QByteArray::fromStdString(dumpJson(arguments))), guard, std::move(answer));
}

void EngineClient::get(const QString& path, QObject* guard, Answer<Json> answer) {
    hand(m_network->get(request(path)), guard, std::move(answer));
}

void EngineClient::hand(QNetworkReply* reply, QObject* guard, Answer<Json> answer) {
    QPointer<QObject> alive(guard);
    connect(
        reply, &QNetworkReply::finished, this,
        [this, reply, alive, generation = m_generation, answer = std::move(answer)] {
            reply->deleteLater();
            if (!alive) return;
            if (generation != m_generation)
                return answer(failed(ErrorCode::Cancelled, tr("Another server was chosen before this one had answered"),
                                     reply->url().toString().toStdString()));
            const QByteArray body = reply->readAll();
            const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
            if (reply->error() != QNetworkReply::NoError || status / 100 != 2) {
                answer(errorOf(*reply, body));
            } else if (body.size() < kLargeAnswer) {
                answer(parseJson(view(body), "answer"));
            } else {
                QThreadPool::globalInstance()->start([body, alive, answer] {
                    auto json = std::make_shared<Result<Json>>(parseJson(view(body), "answer"));
                    QMetaObject::invokeMethod(
                        QCoreApplication::instance(),
                        [json, alive, answer] {
                            if (alive) answer(std::move(*json));
                        },
                        Qt::QueuedConnection);
                });
            }
        });
}

void EngineClient::models(bool bin, QObject* guard, Answer<std::vector<ModelRecord>> answer) {
    if (m_access == Access::Guest) {
        if (bin) return answerLater(guard, [answer = std::move(answer)] { answer(std::vector<ModelRecord>()); });
        get(QStringLiteral("/v1/models"), guard, listed<ModelRecord>("data", offered, std::move(answer)));
        return;
    }
    call(QStringLiteral("models"), {{"bin", bin}}, guard,
         listed<ModelRecord>("models", modelFromJson, std::move(answer)));
}

void EngineClient::adapters(QObject* guard, Answer<std::vector<AdapterRecord>> answer) {
    call(QStringLiteral("adapters"), Json::object(), guard,
         listed<AdapterRecord>("adapters", adapterFromJson, std::move(answer)));
}

void EngineClient::jobs(QObject* guard, Answer<std::vector<JobRecord>> answer) {
    call(QStringLiteral("jobs"), Json::object(), guard, listed<JobRecord>("jobs", jobFromJson, std::move(answer)));
}

void EngineClient::log(int limit, QObject* guard, Answer<std::vector<LogRecord>> answer) {
    call(QStringLiteral("log"), {{"limit", limit}}, guard,
         listed<LogRecord>("records", logFromJson, std::move(answer)));
}

void EngineClient::history(int seconds, QObject* guard, Answer<std::vector<HistoryPoint>> answer) {
    call(QStringLiteral("history"), {{"seconds", seconds}}, guard,
         listed<HistoryPoint>("points", historyPointFromJson, std::move(answer)));
}

void EngineClient::inspect(const QString& model, QObject* guard, Answer<ModelInspection> answer) {
    call(QStringLiteral("inspect"), {{"model", model.toStdString()}, {"tensors", true}}, guard,
         reading<ModelInspection>(std::move(answer), inspectionFromJson));
}

void EngineClient::tokenize(const QString& model, const QString& text, bool special, QObject* guard,
                            Answer<Tokenization> answer) {
    call(QStringLiteral("tokenize"),
         {{"model", model.toStdString()}, {"text", text.toStdString()}, {"special", special}, {"details", true}}, guard,
         reading<Tokenization>(std::move(answer), tokenizationFromJson));
}

void EngineClient::renderTemplate(const QString& model, const std::vector<ChatMessage>& messages, bool generationPrompt,
                                  QObject* guard, Answer<RenderedTemplate> answer) {
    call(QStringLiteral("template"),
         {{"model", model.toStdString()},
          {"messages", messagesToJson(messages)},
          {"generation_prompt", generationPrompt},
          {"details", true}},
         guard, reading<RenderedTemplate>(std::move(answer), renderedTemplateFromJson));
}

void EngineClient::card(const QString& model, QObject* guard, Answer<ModelCard> answer) {
    call(QStringLiteral("card"), {{"model", model.toStdString()}}, guard,
         reading<ModelCard>(std::move(answer), cardFromJson));
}

void EngineClient::probe(const QString& path, QObject* guard, Answer<ImportProbe> answer) {
    call(QStringLiteral("probe"), {{"path", path.toStdString()}}, guard,
         reading<ImportProbe>(std::move(answer), probeFromJson));
}

void EngineClient::startImport(const ImportRequest& request, QObject* guard, Answer<qint64> answer) {
    Json arguments = {{"path", request.path}, {"link", request.link}, {"allow_nonfinite", request.allowNonFinite}};
    if (!request.name.empty()) arguments["name"] = request.name;
    if (!request.quantize.empty()) arguments["quantize"] = request.quantize;
    call(QStringLiteral("import"), arguments, guard,
         reading<qint64>(std::move(answer), [](const Json& json) -> Result<qint64> {
             TRY_ASSIGN(const std::int64_t id, JsonReader(json, "import").integer("job", 0, INT64_MAX));
             return qint64(id);
         }));
}

ChatStream* EngineClient::chat(const ChatRequest& chatRequest, QObject* parent) {
    QNetworkRequest post = request(QStringLiteral("/v1/chat/completions"));
    post.setTransferTimeout(0);
    post.setRawHeader("Accept", "text/event-stream");
    auto* chat =
        new ChatStream(m_network->post(post, QByteArray::fromStdString(dumpJson(chatRequest.toJson(true)))), parent);
    std::erase_if(m_chats, [](const QPointer<ChatStream>& known) { return known.isNull(); });
    m_chats.emplace_back(chat);
    return chat;
}

QNetworkRequest EngineClient::request(const QString& path) const {
    QUrl url = m_address.url;
    QString base = url.path();  // a proxy may put the server under one
    while (base.endsWith(QLatin1Char('/'))) base.chop(1);
    url.setPath(base + path);
    QNetworkRequest made(url);
    // A key goes to the server it was typed for, and to none that this one names.
    made.setAttribute(QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    made.setRawHeader("Authorization", "Bearer " + m_address.key.toUtf8());
    made.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    made.setTransferTimeout(kCallTimeoutMs);
    return made;
}

void EngineClient::setLink(Link link, std::optional<Error> trouble) {
    m_link = link;
    m_trouble = std::move(trouble);
    emit linkChanged();
}

void EngineClient::found(const DaemonAddress& address) {
    m_address = address;
    m_certificate = address.certificate.isEmpty() ? QSslCertificate() : QSslCertificate(address.certificate);
    sayHello();
}

void EngineClient::sayHello() {
    if (m_link != Link::Lost) setLink(Link::Connecting);
    call(QStringLiteral("hello"), Json::object(), this, [this, generation = m_generation](Result<Json> answer) {
        if (generation != m_generation) return;  // another server was chosen meanwhile
        if (answer)
            takeHello(*answer);
        else if (answer.error().code != ErrorCode::Unauthorized)
            lostStream(answer.error());
        else if (isForeign())
            tryAsGuest(answer.error());
        else
            setLink(Link::Refused, std::move(answer).error());
    });
}

void EngineClient::takeHello(const Json& answer) {
    const JsonReader reader(answer, "hello");
    const std::string version = reader.stringOr("version", {}).value_or(std::string());
    const auto protocol = reader.integerOr("protocol", 0, 0, INT_MAX).value_or(0);
    if (protocol != kProtocolVersion) {
        setLink(Link::Refused, protocolMismatch(protocol, version, m_address.url.toString().toStdString()));
        return;
    }
    const auto pid = reader.integerOr("pid", 0, 0, INT64_MAX).value_or(0);
    const auto started = reader.integerOr("started_at", 0, 0, INT64_MAX).value_or(0);
    const QString instance = QStringLiteral("%1/%2/%3").arg(m_address.url.toString()).arg(pid).arg(started);
    const bool fresh = instance != m_instance;
    if (fresh) {
        m_lastSequence = -1;
        m_misread.clear();
    }
    m_instance = instance;
    m_access = isForeign() ? Access::Admin : Access::Owner;
    if (const auto folder = reader.stringOr("workspace", {}); folder && !folder->empty())
        m_workspace = QString::fromStdString(*folder);
    listen();
    m_attempts = 0;
    setLink(Link::Attached);
    emit attached(fresh);
}

// A key that may not use /control may still talk to the models.
void EngineClient::tryAsGuest(const Error& refusal) {
    get(QStringLiteral("/v1/models"), this, [this, refusal, generation = m_generation](Result<Json> answer) {
        if (generation != m_generation) return;
        if (!answer) {
            if (answer.error().code == ErrorCode::Unauthorized)
                setLink(Link::Refused, refusal);
            else
                lostStream(answer.error());
            return;
        }
        m_access = Access::Guest;
        m_attempts = 0;
        m_guestBeat.start();
        if (m_link == Link::Attached) return;
        m_workspace = m_address.url.host();
        setLink(Link::Attached);
        emit attached(true);
    });
}

void EngineClient::listen() {
    dropStream();
    QNetworkRequest get = request(QStringLiteral("/control/events"));
    if (m_lastSequence >= 0) {
        QUrl url = get.url();
        QUrlQuery query;
        query.addQueryItem(QStringLiteral("after"), QString::number(m_lastSequence));
        url.setQuery(query);
        get.setUrl(url);
    }
    get.setTransferTimeout(0);
    get.setRawHeader("Accept", "text/event-stream");
    m_parser.reset();
    m_stream = m_network->get(get);
    m_silence.start();
    connect(m_stream, &QNetworkReply::readyRead, this, [this] {
        m_silence.start();
        takeEvents(m_parser.feed(m_stream->readAll()));
    });
    connect(m_stream, &QNetworkReply::finished, this, [this] { lostStream(errorOf(*m_stream, {})); });
}

// Snapshots pile up behind a busy moment: the newest is what is shown, those before it are remembered and no more.
void EngineClient::takeEvents(const std::vector<SseEvent>& events) {
    const QPointer<QNetworkReply> stream = m_stream;
    const auto isSnapshot = [](const SseEvent& event) { return event.name == QLatin1String("snapshot"); };
    auto snapshots = std::ranges::count_if(events, isSnapshot);
    for (const SseEvent& event : events) {
        if (m_stream != stream) return;  // the rest is of a server that was left
        if (isSnapshot(event))
            takeSnapshot(event, --snapshots == 0);
        else
            takeEvent(event);
    }
}

void EngineClient::takeSnapshot(const SseEvent& event, bool isNewest) {
    const auto json = parseJson(view(event.data), "event");
    auto snapshot = json ? snapshotFromJson(*json) : Result<Snapshot>(json.error());
    if (!snapshot) return sayMisread(event.name, snapshot.error());
    const auto taken = std::make_shared<const Snapshot>(std::move(*snapshot));
    if (isNewest)
        emit snapshotArrived(taken);
    else
        emit snapshotPassed(taken);
}

void EngineClient::takeEvent(const SseEvent& event) {
    if (event.name == QLatin1String("lost")) {
        emit attached(true);
        return;
    }
    const auto json = parseJson(view(event.data), "event");
    if (!json) return sayMisread(event.name, json.error());
    if (event.id) m_lastSequence = *event.id;
    const auto known = eventFromJson(event.name.toStdString(), *json);
    if (!known) return sayMisread(event.name, known.error());  // of a newer daemon, or broken
    if (const auto* job = std::get_if<JobRecord>(&*known)) emit jobChanged(*job);
    if (const auto* model = std::get_if<ModelChanged>(&*known)) emit modelChanged(*model);
    if (const auto* serve = std::get_if<ServeChanged>(&*known)) emit serveChanged(*serve);
    if (const auto* record = std::get_if<LogRecord>(&*known)) emit logged(*record);
    if (const auto* tenant = std::get_if<TenantChanged>(&*known)) emit tenantChanged(*tenant);
    if (const auto* adapter = std::get_if<AdapterChanged>(&*known)) emit adapterChanged(*adapter);
}

void EngineClient::lostStream(const Error& error) {
    dropStream();
    setLink(Link::Lost, error);
    scheduleRetry();
}

void EngineClient::scheduleRetry() {
    m_retry.start(qMin(kLongestPauseMs, kFirstPauseMs << qMin(m_attempts, 5)));
    ++m_attempts;
}

void EngineClient::dropStream() {
    m_silence.stop();
    m_guestBeat.stop();
    m_retry.stop();
    if (!m_stream) return;
    m_stream->disconnect(this);
    m_stream->abort();
    m_stream->deleteLater();
    m_stream = nullptr;
}

}  // namespace espalier::ui
