// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/support/fake_daemon.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QDir>
#include <QFile>

namespace espalier::test {
namespace {

constexpr std::int64_t kGib = 1ll << 30;

QByteArray bytesOf(const Json& json) {
    return QByteArray::fromStdString(dumpJson(json));
}

ModelRecord* find(std::vector<ModelRecord>& list, const std::string& nameOrId) {
    for (ModelRecord& model : list)
        if (model.id == nameOrId || model.name == nameOrId) return &model;
    return nullptr;
}

// An error as /v1 words it for OpenAI's clients.
Json openAiError(const Error& error, const char* code) {
    return {{"message", error.message}, {"type", "invalid_request_error"}, {"param", nullptr}, {"code", code}};
}

template <class T>
Json listOf(const std::vector<T>& records) {
    Json list = Json::array();
    for (const T& record : records) list.push_back(toJson(record));
    return list;
}

}  // namespace

FakeDaemon::FakeDaemon() {
    connect(&m_server, &QTcpServer::newConnection, this, &FakeDaemon::accept);
    m_server.listen(QHostAddress::LocalHost);
    m_port = m_server.serverPort();
    snapshot.at = QDateTime::currentMSecsSinceEpoch();
    snapshot.startedAt = snapshot.at - 60'000;
    snapshot.serve = ServeState::Serving;
    snapshot.memory = {.weights = 4 * kGib,
                       .kvRunning = 2 * kGib,
                       .kvCached = kGib,
                       .workspace = kGib / 4,
                       .free = kGib * 3 / 4,
                       .total = 8 * kGib};
    snapshot.device = "test processor, 2 threads";
    snapshot.computeMode = "f32";
    probe.suggestedName = "tiny-llama";
    probe.family = "llama";
    probe.architecture = "LlamaForCausalLM";
    probe.dtype = "bf16";
    probe.parameters = 4'000'000;
    probe.bytes = 8'000'000;
    probe.freeBytes = 100 * kGib;
    probe.context = 2048;
    probe.tokenizer = "byte-level BPE, 4,096";
    probe.hasChatTemplate = true;
}

FakeDaemon::~FakeDaemon() {
    goAway();  // while the state its sockets speak to is still there
}

QUrl FakeDaemon::url() const {
    return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(m_port));
}

QString FakeDaemon::makeWorkspace(const QString& folder) const {
    QDir().mkpath(folder);
    const auto write = [&](const QString& name, const QByteArray& text) {
        QFile file(QDir(folder).filePath(name));
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
            qFatal("%s is not written", qPrintable(name));
    };
    write(QStringLiteral("admin.key"), key.toUtf8());
    write(QString::fromLatin1(kDaemonFile.data(), qsizetype(kDaemonFile.size())),
          bytesOf({{"url", url().toString().toStdString()},
                   {"pid", QCoreApplication::applicationPid()},
                   {"key_file", "admin.key"}}));
    return folder;
}

int FakeDaemon::count(const QString& operation) const {
    return int(std::count_if(calls.begin(), calls.end(),
                             [&](const HttpCall& call) { return call.path.endsWith(QLatin1Char('/') + operation); }));
}

const HttpCall* FakeDaemon::last(const QString& operation) const {
    for (auto call = calls.rbegin(); call != calls.rend(); ++call)
        if (call->path.endsWith(QLatin1Char('/') + operation)) return &*call;
    return nullptr;
}

QString FakeDaemon::argument(const QString& operation, const char* key) const {
    const HttpCall* call = last(operation);
    if (!call || !call->body.is_object() || !call->body.contains(key)) return {};
    const Json& value = call->body[key];
    return QString::fromStdString(value.is_string() ? value.get<std::string>() : dumpJson(value));
}

int FakeDaemon::eventStreams() const {
    return int(std::count_if(m_streams.begin(), m_streams.end(),
                             [](const auto& socket) { return socket && socket->isOpen(); }));
}

ModelRecord FakeDaemon::addModel(const std::string& name) {
    ModelRecord model;
    model.id = "m-" + name;
    model.name = name;
    model.digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    model.family = "llama";
    model.licence = "CC0-1.0";
    model.parameters = 4'000'000;
    model.bytes = 8'000'000;
    model.dtype = "bf16";
    model.source = "/data/models/" + name;
    model.hasTokenizer = model.hasChatTemplate = true;
    model.context = 2048;
    model.importedAt = snapshot.at;
    model.spec.family = "llama";
    model.spec.architecture = "LlamaForCausalLM";
    model.spec.vocabulary = 4096;
    model.spec.hidden = 256;
    model.spec.headDim = 64;
    model.spec.context = 2048;
    model.spec.layers.assign(2, {.heads = 4, .kvHeads = 2, .neurons = 768});
    model.spec.rope.rotaryDim = 64;
    models.push_back(model);
    return model;
}

AdapterRecord FakeDaemon::addAdapter(const std::string& base, const std::string& name) {
    AdapterRecord adapter;
    adapter.id = "a-" + base + "-" + name;
    adapter.name = name;
    adapter.base = base;
    adapter.baseId = "m-" + base;
    adapter.digest = "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    adapter.kind = "lora";
    adapter.rank = 16;
    adapter.targets = {"q_proj", "v_proj"};
    adapter.bytes = 80 << 20;
    adapter.dtype = "bf16";
    adapter.source = "/data/lora/" + name;
    adapter.importedAt = snapshot.at;
    adapters.push_back(adapter);
    return adapter;
}

void FakeDaemon::sendSnapshot() {
    snapshot.at += 100;
    sendRaw("event: snapshot\ndata: " + bytesOf(toJson(snapshot)) + "\n\n");
}

void FakeDaemon::sendEvent(const Event& event) {
    const auto name = eventName(event);
    sendRaw("id: " + QByteArray::number(qint64(++m_sequence)) + "\nevent: " +
            QByteArray(name.data(), qsizetype(name.size())) + "\ndata: " + bytesOf(toJson(event)) + "\n\n");
}

void FakeDaemon::sendRaw(const QByteArray& bytes) {
    for (const auto& socket : m_streams) {
        if (!socket || !socket->isOpen()) continue;
        socket->write(bytes);
        socket->flush();
    }
}

void FakeDaemon::hangUp() {
    const auto sockets = m_buffers.keys();
    for (QTcpSocket* socket : sockets) socket->abort();
    m_streams.clear();
}

void FakeDaemon::goAway() {
    m_server.close();
    hangUp();
}

void FakeDaemon::comeBack() {
    m_server.listen(QHostAddress::LocalHost, m_port);
}

void FakeDaemon::accept() {
    while (QTcpSocket* socket = m_server.nextPendingConnection()) {
        m_buffers.insert(socket, {});
        connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
        connect(socket, &QTcpSocket::disconnected, this, [this, socket] {
            m_buffers.remove(socket);
            socket->deleteLater();
        });
    }
}

void FakeDaemon::read(QTcpSocket* socket) {
    QByteArray& buffer = m_buffers[socket];
    buffer += socket->readAll();
    while (true) {
        const qsizetype head = buffer.indexOf("\r\n\r\n");
        if (head < 0) return;
        HttpCall call;
        qsizetype length = 0;
        const QList<QByteArray> lines = buffer.left(head).split('\n');
        const QUrl target(QString::fromLatin1(lines.first().split(' ').value(1)));
        call.path = target.path();
        const bool isOurs = call.path.startsWith(basePath);
        if (isOurs) call.path.remove(0, basePath.size());
        call.query = target.query();
        for (const QByteArray& line : lines) {
            const QByteArray lower = line.trimmed().toLower();
            if (lower.startsWith("content-length:")) length = lower.mid(15).trimmed().toLongLong();
            if (lower.startsWith("authorization:"))
                call.authorization = QString::fromLatin1(line.trimmed().mid(14).trimmed());
        }
        if (buffer.size() < head + 4 + length) return;
        const QByteArray body = buffer.mid(head + 4, length);
        buffer.remove(0, head + 4 + length);
        if (auto json = parseJson({body.constData(), std::size_t(body.size())}, "body")) call.body = std::move(*json);
        calls.push_back(call);
        if (!isOurs)
            respond(socket, 404, {{"error", toJson(fail(ErrorCode::NotFound, "no such path"))}});
        else if (!redirect.isEmpty())
            socket->write("HTTP/1.1 307 X\r\nContent-Length: 0\r\nLocation: " + redirect.toEncoded() +
                          call.path.toUtf8() + "\r\n\r\n");
        else
            serve(socket, call);
        if (!m_buffers.contains(socket)) return;
    }
}

void FakeDaemon::serveGuest(QTcpSocket* socket, const HttpCall& call) {
    if (call.path == QLatin1String("/v1/models")) {
        Json data = Json::array();
        for (const ModelRecord& model : models) data.push_back({{"id", model.name}, {"object", "model"}});
        respond(socket, 200, {{"object", "list"}, {"data", data}});
    } else if (call.path == QLatin1String("/v1/chat/completions")) {
        streamChat(socket);
    } else {
        respond(socket, 403, {{"error", toJson(fail(ErrorCode::Unauthorized, "This route needs the admin key"))}});
    }
}

void FakeDaemon::serve(QTcpSocket* socket, const HttpCall& call) {
    if (call.authorization == QStringLiteral("Bearer ") + guestKey) {
        serveGuest(socket, call);
    } else if (call.authorization != QStringLiteral("Bearer ") + key) {
        const Error refused = fail(ErrorCode::Unauthorized, "The key is not known here");
        const bool isOpenAi = call.path.startsWith(QLatin1String("/v1/"));
        respond(socket, 401, {{"error", isOpenAi ? openAiError(refused, "invalid_api_key") : toJson(refused)}});
    } else if (call.path == QLatin1String("/control/events")) {
        socket->write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n\r\n");
        m_streams.push_back(socket);
    } else if (call.path == QLatin1String("/v1/chat/completions")) {
        streamChat(socket);
    } else {
        const QString operation = call.path.section(QLatin1Char('/'), -1);
        if (held.contains(operation))
            m_held.emplace_back(socket, call);
        else if (failures.contains(operation))
            respond(socket, 400, {{"error", toJson(failures[operation])}});
        else if (const auto about = tenants.answer(operation, call.body))
            respond(socket, *about ? 200 : 400, *about ? **about : Json{{"error", toJson(about->error())}});
        else
            respond(socket, 200, answer(operation, call.body));
    }
}

Json FakeDaemon::answer(const QString& operation, const Json& arguments) {
    const auto named = [&](const char* key) { return arguments.value(key, std::string()); };
    if (operation == QLatin1String("hello"))
        return {{"version", "0.1.0"},
                {"protocol", protocol},
                {"pid", 1},
                {"started_at", startedAt},
                {"workspace", "/srv/harbour-lane"}};
    if (operation == QLatin1String("isolation-check")) return isolation;
    if (operation == QLatin1String("adapters")) return {{"adapters", listOf(adapters)}};
    if (operation == QLatin1String("adapter-import")) {
        const std::string model = named("model");  // an id or a name
        return toJson(addAdapter(model.starts_with("m-") ? model.substr(2) : model, named("name")));
    }
    if (operation == QLatin1String("adapters-import")) return {{"job", 42}};
    if (operation == QLatin1String("adapter-reload") || operation == QLatin1String("adapter-remove")) {
        const auto at = std::ranges::find(adapters, named("adapter"), &AdapterRecord::id);
        if (at == adapters.end()) return Json::object();
        ++at->version;
        const Json kept = toJson(*at);
        if (operation == QLatin1String("adapter-remove")) adapters.erase(at);
        return kept;
    }
    if (operation == QLatin1String("models")) {
        Json list = listOf(arguments.value("bin", false) ? bin : models);
        for (int i = 0; i < brokenRecords; ++i) list.insert(list.begin(), "not a model");
        return {{"models", list}};
    }
    if (operation == QLatin1String("jobs")) return {{"jobs", listOf(jobs)}};
    if (operation == QLatin1String("log")) return {{"records", listOf(log)}};
    if (operation == QLatin1String("history")) return {{"points", listOf(history)}};
    if (operation == QLatin1String("machine")) return toJson(machine);
    if (operation == QLatin1String("probe")) return toJson(probe);
    if (operation == QLatin1String("import")) return {{"job", 41}};
    if (operation == QLatin1String("tokenize"))
        return {{"ids", {0, 25004, 4985}},
                {"tokens", {"<|begin|>", " tenant", " shall"}},
                {"is_special", {true, false, false}}};
    if (operation == QLatin1String("template"))
        return {{"text", "<|im_start|>user\n" + arguments["messages"].back().value("content", "") + "<|im_end|>"},
                {"ids", {1, 2, 3, 4}},
                {"tokens", {"a", "b", "c", "d"}},
                {"is_special", {true, false, false, true}}};
    if (operation == QLatin1String("card")) return card;
    if (operation == QLatin1String("cases")) return {{"cases", cases}};
    if (operation == QLatin1String("case-save")) {
        Json kept = arguments["case"];
        if (!kept.contains("id")) {
            kept["id"] = cases.size() + 1;
            cases.push_back(kept);
        }
        for (Json& one : cases)
            if (one["id"] == kept["id"]) one = kept;
        return kept;
    }
    if (operation == QLatin1String("case-remove")) {
        Json removed;
        for (const Json& one : cases)
            if (one["id"] == arguments["id"]) removed = one;
        std::erase_if(cases, [&](const Json& one) { return one["id"] == arguments["id"]; });
        return {{"removed", removed}};
    }
    if (operation == QLatin1String("inspect")) {
        ModelRecord* model = find(models, named("model"));
        Json tensors = Json::array();
        tensors.push_back(
            {{"name", "model.embed_tokens.weight"}, {"shape", {4096, 256}}, {"dtype", "bf16"}, {"bytes", 2097152}});
        for (int i = 0; i < tensorsPerModel; ++i)
            tensors.push_back(
                {{"name", "model.layers." + std::to_string(i / 3) + ".part" + std::to_string(i % 3) + ".weight"},
                 {"shape", {256, 256}},
                 {"dtype", "bf16"},
                 {"bytes", 131072}});
        Json answer{
            {"record", model ? toJson(*model) : Json()},
            {"config", {{"hidden", 256}}},
            {"parameters", 4000000},
            {"bytes", 8000000},
            {"memory", {{"weights_bytes", 8000000}, {"kv_bytes_per_token", 4096}, {"workspace_bytes", 1000000}}},
            {"tensors", tensors}};
        if (!scan.is_null()) answer["scan"] = scan;
        if (!verified.is_null()) answer["verified"] = verified;
        return answer;
    }
    if (operation == QLatin1String("rename")) {
        if (ModelRecord* model = find(models, named("model"))) model->name = named("name");
    }
    if (operation == QLatin1String("remove")) {
        if (ModelRecord* model = find(models, named("model"))) {
            bin.push_back(*model);
            bin.back().removedAt = snapshot.at;
            std::erase_if(models, [&](const ModelRecord& other) { return other.id == bin.back().id; });
        }
    }
    if (operation == QLatin1String("restore")) {
        if (ModelRecord* model = find(bin, named("id"))) {
            models.push_back(*model);
            std::erase_if(bin, [&](const ModelRecord& other) { return other.id == models.back().id; });
        }
    }
    if (operation == QLatin1String("empty-bin")) bin.clear();
    if (operation == QLatin1String("requests")) return toJson(requests);
    if (operation == QLatin1String("request-cancel")) {
        const std::int64_t id = arguments.value("id", std::int64_t{0});
        std::erase_if(requests.requests, [&](const RequestRecord& request) { return request.id == id; });
    }
    if (operation == QLatin1String("pages")) return toJson(pageMap);
    if (operation == QLatin1String("steps")) {
        Json list = Json::array();
        for (const StepRecord& step : steps) list.push_back(toJson(step));
        return {{"steps", std::move(list)}};
    }
    if (operation == QLatin1String("serve-start")) snapshot.serve = ServeState::Serving;
    if (operation == QLatin1String("serve-stop")) snapshot.serve = ServeState::Stopped;
    if (operation == QLatin1String("serve-drain")) snapshot.serve = ServeState::Draining;
    return Json::object();
}

void FakeDaemon::respond(QTcpSocket* socket, int status, const Json& body) {
    const QByteArray text = bytesOf(body);
    socket->write("HTTP/1.1 " + QByteArray::number(status) +
                  " X\r\nContent-Type: application/json\r\nContent-Length: " + QByteArray::number(text.size()) +
                  "\r\n\r\n" + text);
}

void FakeDaemon::streamChat(QTcpSocket* socket) {
    if (chatFailure) {
        respond(socket, 503, {{"error", toJson(*chatFailure)}});
        return;
    }
    socket->write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
    if (chatsBroken > 0) {
        --chatsBroken;
        socket->disconnectFromHost();
        return;
    }
    m_chat = socket;
    sendChunk(socket, chatPieces.value(0));
    if (!holdChat) finishChat();
}

void FakeDaemon::sendChunk(QTcpSocket* socket, const QString& text) {
    Json choice{{"index", 0}, {"delta", {{"content", text.toStdString()}}}, {"finish_reason", nullptr}};
    const HttpCall* asked = last(QStringLiteral("completions"));
    if (asked && asked->body.value("logprobs", false)) {
        // One token per piece, of probability 0.38, with another one beside it.
        const auto token = [](const std::string& spelled, double logprob) {
            Json bytes = Json::array();
            for (const char c : spelled) bytes.push_back(static_cast<unsigned char>(c));
            return Json{{"token", spelled}, {"logprob", logprob}, {"bytes", bytes}};
        };
        Json chosen = token(text.toStdString(), -0.9676);
        chosen["top_logprobs"] = {token(text.toStdString(), -0.9676), token(" orchard", -1.4271)};
        choice["logprobs"] = {{"content", Json::array({chosen})}};
    }
    const Json chunk = {{"choices", Json::array({choice})}};
    socket->write("data: " + bytesOf(chunk) + "\n\n");
    socket->flush();
}

void FakeDaemon::release(const QString& operation) {
    held.remove(operation);
    std::vector<std::pair<QPointer<QTcpSocket>, HttpCall>> others;
    for (auto& [socket, call] : std::exchange(m_held, {})) {
        if (!call.path.endsWith(QLatin1Char('/') + operation))
            others.emplace_back(socket, call);
        else if (socket)
            serve(socket, call);
    }
    m_held.insert(m_held.end(), others.begin(), others.end());
}

void FakeDaemon::finishChat() {
    if (!m_chat) return;
    for (qsizetype i = 1; i < chatPieces.size(); ++i) sendChunk(m_chat, chatPieces[i]);
    const Json end = {{"choices", {{{"index", 0}, {"delta", Json::object()}, {"finish_reason", "stop"}}}}};
    const Json usage = {{"choices", Json::array()},
                        {"usage", {{"prompt_tokens", 12}, {"completion_tokens", 3}, {"total_tokens", 15}}}};
    m_chat->write("data: " + bytesOf(end) + "\n\ndata: " + bytesOf(usage) + "\n\ndata: [DONE]\n\n");
    m_chat->disconnectFromHost();
}

}  // namespace espalier::test
