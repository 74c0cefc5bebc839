// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/bridge/engine_client.h"

#include <QCoreApplication>
#include <QNetworkReply>
#include <QNetworkRequest>
#include <QThreadPool>
#include <QUrlQuery>

#include "core/api/protocol.h"
#include "ui/bridge/http_answer.h"

namespace espalier::ui {
namespace {

constexpr int kCallTimeoutMs = 60'000;
constexpr int kSilenceMs = 5'000;  // snapshots come at least once a second
constexpr int kFirstPauseMs = 250;
constexpr int kLongestPauseMs = 8'000;
constexpr qsizetype kLargeAnswer = 128 << 10;  // parsed off the Qt thread

template <class T, class Read>
Result<std::vector<T>> readList(const Json& json, const char* key, Read read) {
    std::vector<T> list;
    const auto found = json.find(key);
    if (found == json.end() || !found->is_array())
        return fail(ErrorCode::CorruptFile, std::string("The answer has no list \"") + key + "\"", key);
    list.reserve(found->size());
    for (const Json& item : *found) {
        TRY_ASSIGN(T value, read(item));
        list.push_back(std::move(value));
    }
    return list;
}

// GET /v1/models: what a key that is not the admin's may use.
Result<std::vector<ModelRecord>> offered(const Json& json) {
    return readList<ModelRecord>(json, "data", [](const Json& item) -> Result<ModelRecord> {
        ModelRecord record;
        TRY_ASSIGN(record.id, JsonReader(item, "data").string("id"));
        record.name = record.id;
        return record;
    });
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
        lostStream(failed(ErrorCode::Network, tr("The server has been silent for five seconds"),
                          m_address.url.host().toStdString()));
    });
}

EngineClient::~EngineClient() {
    dropStream();
}

void EngineClient::openWorkspace(const QString& folder) {
    leave();
    m_folder = m_workspace = folder;
    m_access = Access::Owner;
    m_attempts = 0;
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
        return answer(Json::object());
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
    if (m_link == Link::Lost) setLink(Link::Connecting);
    sayHello();
}

void EngineClient::retryNow() {
    if (m_link != Link::Lost && m_link != Link::Refused) return;
    m_attempts = 0;
    m_retry.start(0);
}

void EngineClient::call(const QString& operation, const Json& arguments, QObject* guard, Answer<Json> answer) {
    const QNetworkRequest post = request(QStringLiteral("/control/") + operation);
    hand(m_network.post(post, QByteArray::fromStdString(dumpJson(arguments))), guard, std::move(answer));
}

void EngineClient::get(const QString& path, QObject* guard, Answer<Json> answer) {
    hand(m_network.get(request(path)), guard, std::move(answer));
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
        if (bin) return answer(std::vector<ModelRecord>());
        get(QStringLiteral("/v1/models"), guard, reading<std::vector<ModelRecord>>(std::move(answer), offered));
        return;
    }
    call(QStringLiteral("models"), {{"bin", bin}}, guard,
         reading<std::vector<ModelRecord>>(
             std::move(answer), [](const Json& json) { return readList<ModelRecord>(json, "models", modelFromJson); }));
}

void EngineClient::jobs(QObject* guard, Answer<std::vector<JobRecord>> answer) {
    call(QStringLiteral("jobs"), Json::object(), guard,
         reading<std::vector<JobRecord>>(
             std::move(answer), [](const Json& json) { return readList<JobRecord>(json, "jobs", jobFromJson); }));
}

void EngineClient::log(int limit, QObject* guard, Answer<std::vector<LogRecord>> answer) {
    call(QStringLiteral("log"), {{"limit", limit}}, guard,
         reading<std::vector<LogRecord>>(
             std::move(answer), [](const Json& json) { return readList<LogRecord>(json, "records", logFromJson); }));
}

void EngineClient::history(int seconds, QObject* guard, Answer<std::vector<HistoryPoint>> answer) {
    call(QStringLiteral("history"), {{"seconds", seconds}}, guard,
         reading<std::vector<HistoryPoint>>(std::move(answer), [](const Json& json) {
             return readList<HistoryPoint>(json, "points", historyPointFromJson);
         }));
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
    return new ChatStream(m_network.post(post, QByteArray::fromStdString(dumpJson(chatRequest.toJson(true)))), parent);
}

QNetworkRequest EngineClient::request(const QString& path) const {
    QUrl url = m_address.url;
    url.setPath(path);
    QNetworkRequest made(url);
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
    if (fresh) m_lastSequence = -1;
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
    m_stream = m_network.get(get);
    m_silence.start();
    connect(m_stream, &QNetworkReply::readyRead, this, [this] {
        m_silence.start();
        for (const SseEvent& event : m_parser.feed(m_stream->readAll())) takeEvent(event);
    });
    connect(m_stream, &QNetworkReply::finished, this, [this] { lostStream(errorOf(*m_stream, {})); });
}

void EngineClient::takeEvent(const SseEvent& event) {
    if (event.name == QLatin1String("lost")) {
        emit attached(true);
        return;
    }
    const auto json = parseJson(view(event.data), "event");
    if (!json) return;
    if (event.name == QLatin1String("snapshot")) {
        auto snapshot = snapshotFromJson(*json);
        if (snapshot) emit snapshotArrived(std::make_shared<const Snapshot>(std::move(*snapshot)));
        return;
    }
    if (event.id) m_lastSequence = *event.id;
    const auto known = eventFromJson(event.name.toStdString(), *json);
    if (!known) return;  // of a newer daemon
    if (const auto* job = std::get_if<JobRecord>(&*known)) emit jobChanged(*job);
    if (const auto* model = std::get_if<ModelChanged>(&*known)) emit modelChanged(*model);
    if (const auto* serve = std::get_if<ServeChanged>(&*known)) emit serveChanged(*serve);
    if (const auto* record = std::get_if<LogRecord>(&*known)) emit logged(*record);
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
