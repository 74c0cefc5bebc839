// SPDX-License-Identifier: GPL-3.0-or-later
// EventStreams: the clients of GET /control/events. Events are written as they come and numbered; snapshots only to a
// client that has read what it was sent before, so the newest wins and a slow one costs nothing.
//
// Owner: Daemon. Thread: any; a thread of its own sends the snapshots while somebody listens.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/api/http.h"
#include "core/engine/engine.h"

namespace espalier {

class EventStreams {
public:
    explicit EventStreams(Engine& engine);
    ~EventStreams();  // ends every stream

    // Starts the answer. after: the last sequence the client has seen; what came since follows first, or `lost`.
    void add(std::shared_ptr<HttpExchange> exchange, std::optional<std::int64_t> after);
    std::size_t clients() const;  // that have not hung up
    void end();                   // finishes every stream; none is added any more

private:
    class Client;
    void sendSnapshots(std::stop_token stop);
    void sendSnapshot(bool alsoWhenIdle);

    Engine& m_engine;
    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::vector<std::shared_ptr<Client>> m_clients;
    bool m_ended = false;
    std::jthread m_thread;
};

}  // namespace espalier
