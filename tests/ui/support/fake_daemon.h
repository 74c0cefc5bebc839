// SPDX-License-Identifier: GPL-3.0-or-later
// FakeDaemon: speaks the routes of core/api/protocol.h that the workbench uses, over a real socket in the test's own
// thread. Its state is public: a test sets it, sends a snapshot or an event, and reads what was asked.
#pragma once

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QSet>
#include <QStringList>
#include <QTcpServer>
#include <QTcpSocket>
#include <QUrl>

#include "core/api/protocol.h"
#include "tests/ui/support/fake_tenants.h"

namespace espalier::test {

struct HttpCall {
    QString path;  // "/control/models", without the query
    QString query;
    QString authorization;
    Json body;
};

class FakeDaemon : public QObject {
    Q_OBJECT
public:
    FakeDaemon();
    ~FakeDaemon() override;

    QUrl url() const;
    // A folder through which this daemon is found, as a workspace's is; the folder's path.
    QString makeWorkspace(const QString& folder) const;
    QString key = QStringLiteral("esp_testkey");
    QString guestKey = QStringLiteral("esp_guestkey");  // for /v1 alone
    int protocol = kProtocolVersion;

    // state
    std::vector<ModelRecord> models, bin;
    std::vector<AdapterRecord> adapters;
    std::vector<JobRecord> jobs;
    std::vector<LogRecord> log;
    std::vector<HistoryPoint> history;
    Snapshot snapshot;
    ImportProbe probe;
    MachineStats machine{16LL << 30, 12LL << 30, 4, 400LL << 30, 100LL << 30};
    RequestList requests;  // a cancelled one leaves it
    PageMap pageMap;
    std::vector<StepRecord> steps;
    QHash<QString, Error> failures;  // operation -> what it answers
    QStringList chatPieces{QStringLiteral("Hello"), QStringLiteral(" from"), QStringLiteral(" the garden.")};
    std::optional<Error> chatFailure;
    bool holdChat = false;  // send the first piece and wait
    int brokenRecords = 0;  // as many entries that are none before the models
    int chatsBroken = 0;    // as many chats from now on end after their headers
    QSet<QString> held;     // operations that are not answered until release()
    QUrl redirect;          // where every call is sent instead
    QString basePath;       // "/proxy": calls that do not begin so are not known
    int tensorsPerModel = 9;
    Json scan, verified;  // of `inspect`; null: none
    Json card = {{"file", "/srv/m/README.md"}, {"text", "# Tiny\n"}, {"bytes", 7}, {"truncated", false}};
    std::vector<Json> cases;
    FakeTenants tenants;
    Json isolation = Json::object();  // what `isolation-check` answers
    std::int64_t startedAt = 1;

    // what was asked
    std::vector<HttpCall> calls;
    int count(const QString& operation) const;
    const HttpCall* last(const QString& operation) const;
    // An argument of the last call of an operation: a string as it is, anything else as JSON; empty when there is none.
    QString argument(const QString& operation, const char* key) const;
    int eventStreams() const;

    ModelRecord addModel(const std::string& name);
    AdapterRecord addAdapter(const std::string& base, const std::string& name);
    void sendSnapshot();  // snapshot.at moves on by 100 ms
    void sendEvent(const Event& event);
    void sendRaw(const QByteArray& bytes);
    void finishChat();
    void release(const QString& operation);  // answers the calls that were held, in the order they came
    void hangUp();                           // closes every connection, keeps listening
    void goAway();                           // also stops listening
    void comeBack();                         // on the same port

private:
    void accept();
    void read(QTcpSocket* socket);
    void serve(QTcpSocket* socket, const HttpCall& call);
    Json answer(const QString& operation, const Json& arguments);
    void serveGuest(QTcpSocket* socket, const HttpCall& call);
    void respond(QTcpSocket* socket, int status, const Json& body);
    void streamChat(QTcpSocket* socket);
    void sendChunk(QTcpSocket* socket, const QString& text);

    QTcpServer m_server;
    quint16 m_port = 0;
    QHash<QTcpSocket*, QByteArray> m_buffers;
    std::vector<QPointer<QTcpSocket>> m_streams;
    QPointer<QTcpSocket> m_chat;
    std::vector<std::pair<QPointer<QTcpSocket>, HttpCall>> m_held;
    std::int64_t m_sequence = 0;
};

}  // namespace espalier::test
