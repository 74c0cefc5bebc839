// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/api/event_streams.h"

#include <algorithm>

#include "core/api/protocol.h"
#include "core/base/caught.h"

namespace espalier {
namespace {

constexpr std::chrono::milliseconds kBusyPeriod{100};
constexpr int kIdlePeriods = 10;  // a snapshot a second when nothing happens

std::string sseText(const NumberedEvent& event) {
    return "id: " + std::to_string(event.sequence) + "\nevent: " + std::string(eventName(event.event)) +
           "\ndata: " + dumpJson(toJson(event.event)) + "\n\n";
}

std::string sseText(const Snapshot& snapshot) {
    return "event: snapshot\ndata: " + dumpJson(toJson(snapshot)) + "\n\n";
}

bool isBusy(const Snapshot& snapshot) {
    const bool loading = std::any_of(snapshot.models.begin(), snapshot.models.end(),
                                     [](const LoadedModel& model) { return model.state == "loading"; });
    const bool working = std::any_of(snapshot.jobs.begin(), snapshot.jobs.end(), [](const JobRecord& job) {
        return job.state == JobState::Running || job.state == JobState::Queued;
    });
    return loading || working || snapshot.running + snapshot.waiting > 0;
}

}  // namespace

// One stream. Events that come while the gap is still being replayed wait, so that numbers only rise.
class EventStreams::Client : public std::enable_shared_from_this<EventStreams::Client> {
public:
    explicit Client(std::shared_ptr<HttpExchange> exchange) : m_exchange(std::move(exchange)) {}

    void begin(Engine& engine, std::optional<std::int64_t> after) {
        m_exchange->onClosed([weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->m_gone = true;
        });
        m_exchange->startStream("text/event-stream");
        m_subscription = engine.subscribe([this](const NumberedEvent& event) { arrive(event); });
        std::int64_t last = after.value_or(-1);
        if (after) {
            const auto gap = engine.eventsAfter(*after);
            if (!gap) m_exchange->write("event: lost\ndata: {}\n\n");
            for (const NumberedEvent& event : gap ? *gap : std::vector<NumberedEvent>()) {
                m_exchange->write(sseText(event));
                last = event.sequence;
            }
        }
        m_exchange->write(sseText(*engine.snapshot()));
        const std::lock_guard lock(m_mutex);
        for (const NumberedEvent& event : m_waiting)
            if (event.sequence > last) m_exchange->write(sseText(event));
        m_waiting.clear();
        m_live = true;
    }

    void offer(const Snapshot& snapshot) {
        if (m_exchange->queuedBytes() == 0) m_exchange->write(sseText(snapshot));
    }

    void end() {
        m_subscription.reset();
        m_exchange->finish();
    }
    bool gone() const { return m_gone; }

private:
    void arrive(const NumberedEvent& event) {
        const std::lock_guard lock(m_mutex);
        if (m_live)
            m_exchange->write(sseText(event));
        else
            m_waiting.push_back(event);
    }

    const std::shared_ptr<HttpExchange> m_exchange;
    std::atomic<bool> m_gone{false};
    std::mutex m_mutex;
    std::vector<NumberedEvent> m_waiting;
    bool m_live = false;
    std::unique_ptr<Subscription> m_subscription;  // last member: ends before what it uses
};

EventStreams::EventStreams(Engine& engine)
    : m_engine(engine), m_thread([this](std::stop_token stop) { sendSnapshots(stop); }) {}

EventStreams::~EventStreams() {
    end();
}

void EventStreams::add(std::shared_ptr<HttpExchange> exchange, std::optional<std::int64_t> after) {
    const auto client = std::make_shared<Client>(std::move(exchange));
    client->begin(m_engine, after);
    const std::lock_guard lock(m_mutex);
    if (m_ended) return client->end();
    m_clients.push_back(client);
    m_changed.notify_all();
}

std::size_t EventStreams::clients() const {
    const std::lock_guard lock(m_mutex);
    return static_cast<std::size_t>(
        std::count_if(m_clients.begin(), m_clients.end(), [](const auto& client) { return !client->gone(); }));
}

void EventStreams::end() {
    std::vector<std::shared_ptr<Client>> clients;
    {
        const std::lock_guard lock(m_mutex);
        m_ended = true;
        clients.swap(m_clients);
    }
    for (const auto& client : clients) client->end();
}

void EventStreams::sendSnapshots(std::stop_token stop) {
    for (int period = 0; !stop.stop_requested(); ++period) {
        {
            std::unique_lock lock(m_mutex);
            m_changed.wait(lock, stop, [&] { return !m_clients.empty(); });  // no client, no work at all
            m_changed.wait_for(lock, stop, kBusyPeriod, [] { return false; });
        }
        // Without memory this snapshot is not told; the next one is.
        (void)caught("a stream of events", [&]() -> Result<void> {
            sendSnapshot(period % kIdlePeriods == 0);
            return {};
        });
    }
}

void EventStreams::sendSnapshot(bool alsoWhenIdle) {
    std::vector<std::shared_ptr<Client>> clients, gone;  // who is gone is unsubscribed outside the lock
    {
        const std::lock_guard lock(m_mutex);
        clients = m_clients;
        for (const auto& client : clients)
            if (client->gone()) gone.push_back(client);
        std::erase_if(m_clients, [&](const auto& client) { return std::ranges::find(gone, client) != gone.end(); });
    }
    const auto snapshot = m_engine.snapshot();
    if (!alsoWhenIdle && !isBusy(*snapshot)) return;
    for (const auto& client : clients) client->offer(*snapshot);
}

}  // namespace espalier
