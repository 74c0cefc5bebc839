// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tour_clients.h"

#include "ui/models/format.h"

namespace espalier::ui {
namespace {

constexpr int kAtOnce = 3;  // calls of one client
constexpr int kChangeMs = 5000;
constexpr int kPauseMs = 40, kPauseStepMs = 37, kPauses = 11;

}  // namespace

TourClients::TourClients(Workspace& workspace, QObject* parent) : QObject(parent), m_workspace(workspace) {
    m_change.setInterval(kChangeMs);
    connect(&m_change, &QTimer::timeout, this, [this] {
        const auto& adapters = m_workspace.adapters();
        if (!adapters.empty()) bringAnew(adapters[m_changed++ % adapters.size()]);
    });
}

// So that something moves although all of them fit: out of the pool, and back from its files when it is named again.
void TourClients::bringAnew(const AdapterRecord& adapter) {
    const Json again{
        {"path", adapter.source}, {"model", adapter.baseId}, {"name", adapter.name}, {"tenant", adapter.tenant}};
    m_workspace.engine().call(
        QStringLiteral("adapter-remove"), {{"adapter", adapter.id}}, this, [this, again](const Result<Json>& answer) {
            if (answer)
                m_workspace.engine().call(QStringLiteral("adapter-import"), again, this, [](const Result<Json>&) {});
        });
}

// Base first, then the adapters that are the tenant's or everyone's.
QStringList TourClients::modelsOf(const std::string& tenant) const {
    QStringList names;
    if (m_workspace.models().rowCount() == 0) return names;
    const QString base = text(m_workspace.models().models().front().name);
    names << base;
    for (const AdapterRecord& adapter : m_workspace.adapters())
        if (adapter.tenant.empty() || adapter.tenant == tenant) names << base + QLatin1Char(':') + text(adapter.name);
    return names;
}

void TourClients::start() {
    m_goesOn = true;
    m_change.start();
    m_clients.push_back({&m_workspace.engine(), modelsOf({}), 0});
    for (int i = 0; i < kAtOnce; ++i) ask(0);
    for (const TenantRecord& tenant : m_workspace.tenants().tenants())
        if (tenant.name != kOwner && !tenant.revokedAt) hire(tenant.name);
}

void TourClients::hire(const std::string& tenant) {
    m_workspace.engine().call(
        QStringLiteral("key-create"), {{"tenant", tenant}}, this, [this, tenant](const Result<Json>& answer) {
            if (!answer || !m_goesOn) return;
            auto* engine = new EngineClient(this);
            const std::size_t index = m_clients.size();
            m_clients.push_back({engine, modelsOf(tenant), int(index)});
            connect(engine, &EngineClient::attached, this, [this, index] {
                for (int i = 0; i < kAtOnce; ++i) ask(index);
            });
            engine->attach(m_workspace.engine().address().url, text(answer->value("key", std::string())));
        });
}

void TourClients::ask(std::size_t index) {
    Client& client = m_clients[index];
    if (!m_goesOn || client.models.isEmpty()) return;
    static const QStringList questions{tr("When should I prune my pear tree?"), tr("Give me a recipe for plum jam."),
                                       tr("What is a spring tide?"), tr("Write a letter to a friend."),
                                       tr("Describe the harbour at night.")};
    ChatRequest request;
    request.model = client.models[client.asked % client.models.size()];
    request.messages = {{QStringLiteral("user"), questions[client.asked++ % questions.size()]}};
    request.sampling.temperature = 0.9;
    request.sampling.maxTokens = 256;
    ChatStream* stream = client.engine->chat(request, this);
    const int pauseMs = kPauseMs + kPauseStepMs * (client.asked % kPauses);
    const auto again = [this, index, pauseMs] {
        ++m_answers;
        QTimer::singleShot(pauseMs, this, [this, index] { ask(index); });
    };
    connect(stream, &ChatStream::finished, this, again);
    connect(stream, &ChatStream::failed, this, again);  // an adapter that is away for a moment
}

void TourClients::stop() {
    m_goesOn = false;
    m_change.stop();
}

}  // namespace espalier::ui
